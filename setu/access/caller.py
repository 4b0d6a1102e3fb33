"""Who asks, once the door let them in."""

import msgspec

from setu.resilience.ledger import Limit


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A client and what it may do.

    `key` is the id of its virtual key, empty for a client without one; never the key itself. `models` and
    `providers` are glob patterns, empty for all; `require` are tags that every target must have (`region:eu`).
    `forward` is the client's own credential, which goes to the provider that the request names and to no other.
    """

    tenant: str = ""
    key: str = ""
    admin: bool = False
    models: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    require: frozenset[str] = frozenset()
    limits: tuple[Limit, ...] = ()
    forward: str | None = None


ANYBODY = Caller()
