"""Who asks, once the door let them in."""

from collections.abc import Mapping

import msgspec

from setu.resilience.ledger import Limit


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A client and what it may do.

    `key` is the id of its virtual key, empty for a client without one; never the key itself. `models` and
    `providers` are glob patterns, empty for all; `require` are tags that every target must have (`region:eu`).
    `forward` is the client's own credential, which goes to the provider that the request names and to no other, and
    `shown` how the client presented it (`bearer`, `x-api-key`, …); `key` is then `own-` and a digest of it.
    `metadata` is what its header fields say of the request (`project_id`, `user_id`).
    """

    tenant: str = ""
    key: str = ""
    admin: bool = False
    models: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    require: frozenset[str] = frozenset()
    limits: tuple[Limit, ...] = ()
    forward: str | None = None
    shown: str = ""
    metadata: Mapping[str, str] = {}

    @property
    def free(self) -> bool:
        """Tell whether nothing about this client narrows which targets it may use."""
        return not (self.models or self.providers or self.require or self.forward)


ANYBODY = Caller()
