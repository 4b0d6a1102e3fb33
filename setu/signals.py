"""What happened, as small frozen records that leave the hot path unformatted."""

from typing import Literal

import msgspec

CacheState = Literal["", "hit", "miss", "bypass"]


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try at one target. `status` is the upstream's, 0 when it gave none; `started` is ms since the epoch.

    `outcome` is `ok`, `failed`, `denied` (a breaker or a limit, nothing was sent) or `cut` (it broke after content).
    """

    number: int
    provider: str
    model: str
    outcome: str
    status: int = 0
    started: int = 0
    duration_ms: int = 0
    ttfb_ms: int | None = None
    error: str | None = None


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request through the gateway, once it is over.

    Times are in milliseconds, `started` since the epoch; `status` is what the client got; tokens are None where the
    upstream said nothing. `id` is the gateway's own and unique, `request_id` what the client may have said. `input`
    counts cached tokens in, `output` reasoning ones. `end` tells how the answer ended (`complete`, `error`,
    `truncated-upstream`, `closed-by-client`). `cost` is in nano-USD, None where no price is known. `losses` are JSON
    texts.
    """

    request_id: str
    dialect: str
    model: str
    provider: str
    upstream_model: str
    route: str
    stream: bool
    status: int
    end: str
    duration_ms: int
    id: str = ""
    started: int = 0
    operation: str = "chat"
    tenant: str = ""
    key: str = ""
    use_case: str = ""
    route_name: str = ""
    policy: str = ""
    cache: CacheState = ""
    ttfb_ms: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: int | None = None
    error: str | None = None
    losses: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
