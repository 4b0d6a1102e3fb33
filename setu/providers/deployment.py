"""A provider as configured here: its name, its key, its models."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from urllib.parse import quote

import msgspec

from setu.dialects.record import Facts, Operation
from setu.errors import LocalDialectError
from setu.ports import Signer
from setu.providers import models
from setu.providers.record import Provider, Scheme


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """One configured upstream. `models` are the listed ids; `key` never leaves through a message or a log.

    `signer` takes the place of a key where a header is not enough. `region` and `tags` are what requests may require of
    it; of two that serve a model the one of higher `priority` goes first, and `weight` is its share where shares count.
    """

    name: str
    provider: Provider
    base_url: str
    key: str | None = None
    scheme: Scheme = "bearer"
    models: Mapping[str, Facts] = {}
    families: tuple[str, ...] = ()
    timeout: float = 600.0
    signer: Signer | None = None
    region: str = ""
    tags: frozenset[str] = frozenset()
    weight: float = 1.0
    priority: int = 0

    def __repr__(self) -> str:
        return f"Deployment({self.name!r}, {self.base_url!r})"

    @property
    def callable(self) -> bool:
        """Tell whether it has the credential that its host asks for."""
        return self.key is not None or self.signer is not None or self.scheme == "none"

    def has(self, requirement: str) -> bool:
        """Tell whether it meets a requirement: `region:eu` or `tag:gdpr`."""
        kind, _, value = requirement.partition(":")
        return value in self.tags if kind == "tag" else kind == "region" and value == self.region != ""

    def lists(self, model: str) -> bool:
        return model in self.models

    def serves(self, model: str) -> bool:
        """Tell whether the model is listed or belongs to a family."""
        return model in self.models or any(fnmatchcase(model, family) for family in self.families)

    def facts(self, model: str) -> Facts:
        """Return what is known of a model: its own row, else the longest listed id that starts it, else its name's.

        A listed id that repeats what its name says lends nothing: `o3-mini` is no `o3`, and the table of names knows.
        """
        if model in self.models:
            return self.models[model]
        near = max((listed for listed in self.models if model.startswith(listed)), key=len, default=None)
        own = near is not None and self.models[near] != models.facts(near)
        return self.models[near] if near is not None and own else models.facts(model)

    def dialect(self, client: str, model: str) -> str:
        """Return the dialect to speak: the model's own, else the client's if the host has it, else the host's best."""
        for pattern, dialect in self.provider.speaks.items():
            if fnmatchcase(model, pattern):
                return dialect
        spoken = self.provider.dialects
        return client if client in spoken else spoken[0]


def url(deployment: Deployment, path: str) -> tuple[str, str]:
    """Return origin and path of an endpoint below the deployment's base URL; a doubled `/v1` is said once."""
    scheme, _, rest = deployment.base_url.partition("?")[0].rstrip("/").partition("://")
    authority, slash, base = rest.partition("/")
    base = slash + base
    for version in ("/v1beta", "/v1"):
        if base.endswith(version) and path.startswith(version + "/"):
            base = base.removesuffix(version)
    return f"{scheme}://{authority}", base + path


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request goes."""

    origin: str
    path: str
    query: str = ""


def endpoint(
    deployment: Deployment, dialect: str, operation: Operation, own: tuple[str, str], model: str, *, stream: bool
) -> Endpoint:
    """Return where an operation on a model lives; `own` is the dialect's path and query, which a provider may replace.

    `{model}` is filled in wherever it stands (Azure's deployments, Vertex's publishers), and a query of the base URL
    goes with every request.

    Raises:
        LocalDialectError: the provider has paths of its own, and none for this operation.
    """
    path, query = own
    places = deployment.provider.paths.get(dialect)
    if places is not None:
        place = places.get(operation)
        if place is None:
            raise LocalDialectError(
                f"{deployment.provider.name} has no operation '{operation}' in the form of {dialect}",
                code="unsupported_operation",
            )
        path, query = (place.stream or place.plain, place.query) if stream else (place.plain, "")
    origin, path = url(deployment, path)
    path = path.replace("{model}", quote(model, safe="@:.-_~"))
    fixed = deployment.base_url.partition("?")[2]
    return Endpoint(origin=origin, path=path, query="&".join(piece for piece in (query, fixed) if piece))
