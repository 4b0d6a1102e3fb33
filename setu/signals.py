"""What happened, as small frozen records that leave the hot path unformatted."""

import msgspec


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request through the gateway, once it is over.

    Times are in milliseconds; `status` is what the client got; tokens are None where the upstream said nothing.
    `end` tells how the answer ended (`complete`, `error`, `truncated-upstream`, `closed-by-client`). `losses` are JSON
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
    ttfb_ms: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    error: str | None = None
    losses: tuple[str, ...] = ()
