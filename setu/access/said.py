"""What a request says of who sends it: a key, a tenant, a project. One pass over its header fields."""

from collections.abc import Mapping

import msgspec

from setu.access.caller import Caller
from setu.errors import LocalDialectError
from setu.http import Request

_KEYS = ("x-api-key", "api-key", "x-goog-api-key")
"""Where Anthropic's, Azure's and Google's clients put a key; all others use `authorization: Bearer`."""

TENANT = "x-setu-tenant"
METADATA: Mapping[str, str] = {
    "x-project-id": "project_id",
    "x-organization-id": "organization_id",
    "x-organisation-id": "organization_id",
    "x-user-id": "user_id",
    "x-experiment-id": "experiment_id",
}
"""Fields for the gateway alone, and what they are called in a request's metadata."""

_READ = frozenset(name.encode() for name in (*_KEYS, "authorization", TENANT, *METADATA))
_LONGEST = 128


class Said(msgspec.Struct, frozen=True):
    """A key and how it was shown (`bearer`, `x-api-key`, `query`, …), a tenant, metadata; each may be missing."""

    key: str | None = None
    shown: str = ""
    tenant: str = ""
    metadata: Mapping[str, str] = {}


def said_by(request: Request) -> Said:
    """Read a request's fields; the first key shown counts."""
    # From the last to the first, so that of repeated fields the first is kept.
    raw = {name: value for name, value in reversed(request.headers.raw) if name in _READ and value}
    found = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw.items()}
    key, shown = _key(found, request.query)
    metadata = {METADATA[name]: value for name, value in found.items() if name in METADATA}
    return Said(key, shown, found.get(TENANT, ""), metadata)


def shown_key(request: Request) -> str | None:
    """Return the key that a request shows; None when it shows none, or other credentials."""
    return said_by(request).key


def _key(found: Mapping[str, str], query: str) -> tuple[str | None, str]:
    for name in _KEYS:
        if name in found:
            return found[name], name
    scheme, _, key = found.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and (key := key.strip()):
        return key, "bearer"
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        if name == "key" and value:
            return value, "query"
    return None, ""


def speaking(caller: Caller, said: Said) -> Caller:
    """Return the caller with the tenant that it names, unless its key belongs to one, and with its metadata.

    Raises:
        LocalDialectError: a tenant's name that is too long, or that cannot be printed.
    """
    if not said.tenant and not said.metadata:
        return caller
    tenant = caller.tenant or tenant_named(said.tenant)
    return msgspec.structs.replace(caller, tenant=tenant, metadata=said.metadata)


def tenant_named(name: str) -> str:
    """Return a tenant's name as a client wrote it; it becomes part of rows, counters and log lines.

    Raises:
        LocalDialectError: it is too long, or cannot be printed.
    """
    name = name.strip()
    if len(name) > _LONGEST or not name.isprintable():
        raise LocalDialectError(
            f"a tenant's name must be printable and have at most {_LONGEST} characters", param=TENANT
        )
    return name
