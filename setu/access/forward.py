"""Where a client's own credential goes: to the provider that its request names, and to no other."""

from collections.abc import Mapping

import msgspec

from setu.access.caller import Caller
from setu.errors import DeniedError
from setu.providers.deployment import Deployment
from setu.providers.record import Scheme

_SCHEMES: Mapping[str, Scheme] = {
    "bearer": "bearer",
    "x-api-key": "x-api-key",
    "api-key": "api-key",
    "x-goog-api-key": "x-goog-api-key",
    "query": "x-goog-api-key",
}
"""How a credential can be shown, and the scheme that shows it again."""


def recipient(
    named: str | None, dialect: str, deployments: Mapping[str, Deployment], default: str | None = None
) -> str | None:
    """Return the one provider that a request means, by its name; None when it could mean several.

    `named` is the one that its path, a header, the query or the model's prefix says. Without any it is the one
    provider whose own dialect the endpoint speaks: a client of `/v1/messages` has a key for Anthropic, if only one
    provider speaks that first of all. Else it is `default`, where the operator says that clients mean one.
    """
    if named is not None:
        return named if named in deployments else None
    own = [name for name, deployment in deployments.items() if deployment.provider.dialects[0] == dialect]
    return own[0] if len(own) == 1 else default


def with_own_key(caller: Caller, deployment: Deployment, meant: str | None, dialect: str) -> Deployment:
    """Return the deployment as this client may use it: with its own credential, if it brought one.

    `meant` is the recipient of the request, `dialect` that of its endpoint. A client of the provider's own dialect
    shows a credential as that provider wants it (a token as a bearer, a key in a field); any other's is shown as the
    provider's own scheme has it.

    Raises:
        DeniedError: the credential is not for this provider; the gateway's own key is not for this client.
    """
    if caller.forward is None:
        return deployment
    if deployment.name != meant:
        raise DeniedError(_not_for(deployment.name, meant), code="credential_not_forwarded")
    scheme: Scheme = deployment.scheme
    if dialect == deployment.provider.dialects[0] or scheme in {"none", "signer"}:
        scheme = _SCHEMES.get(caller.shown, "bearer")
    return msgspec.structs.replace(deployment, key=caller.forward, scheme=scheme, signer=None)


def _not_for(name: str, meant: str | None) -> str:
    if meant is not None:
        return f"the request's own API key is for provider '{meant}' and does not go to '{name}'"
    return (
        f"the request's own API key does not go to '{name}' unless the request names that provider: "
        f"in the header X-Setu-Provider, or as '{name}/…' before the model"
    )
