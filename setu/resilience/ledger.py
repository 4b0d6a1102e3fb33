"""The ledger: what is counted and shared. Values, and the one protocol that memory and Redis both keep.

The protocol stands beside its values, not in `ports`: it speaks of nothing else (docs/adr/0010-the-gateway.md).
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

Unit = Literal["requests", "tokens", "nano_usd", "concurrency"]
Dimension = Literal["gateway", "provider", "tenant", "key", "model"]
Period = Literal["minute", "day", "month"]


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """So much of a unit in a period, for each value of its dimension.

    `minute` is a sliding window of 60 s, `day` and `month` are calendar periods in UTC (budgets); concurrency has no
    period. `burst` allows so many requests more at once, paid back within the window. `name` is what users call it.
    """

    name: str
    unit: Unit
    amount: int
    dimension: Dimension
    period: Period = "minute"
    burst: int = 0


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """An amount on one limit for one subject (a provider's, tenant's, key's or model's name)."""

    limit: Limit
    subject: str
    amount: int = 1


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a limit: `remaining` of it, and seconds until it is whole again."""

    limit: Limit
    subject: str
    remaining: int
    reset: float


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """Charges that were taken together; `rooms` is what they left. `degraded` when the backend could not be asked."""

    charges: tuple[Charge, ...] = ()
    rooms: tuple[Room, ...] = ()
    taken: float = 0.0
    token: str = ""
    degraded: bool = False


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that is used up, or a breaker that is open: when to come again, in seconds.

    `never` when the request alone is more than the limit. `limit` is None for a breaker.
    """

    subject: str
    retry_after: float
    limit: Limit | None = None
    room: Room | None = None
    never: bool = False
    reason: str = ""


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """Leave to call a deployment once; `probe` when it is the one call that a half-open breaker lets through."""

    name: str
    probe: bool = False
    taken: float = 0.0


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How a permitted call went. `blame` says whether the upstream is at fault: a client's 4xx is nobody's failure."""

    ok: bool
    blame: bool = False
    latency: float | None = None
    status: int | None = None
    error: str | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a deployment does: usable or not, its measured latency in seconds, its share of failures, calls under way.

    `since` is when it last became usable or stopped being so, `seen` when a call to it last ended, in seconds since the
    epoch; None when that never was. `circuit` is its breaker's state, `in_a_row` its failures without a success since;
    `error` what the last failure was.
    """

    usable: bool = True
    latency: float | None = None
    failures: float = 0.0
    busy: int = 0
    since: float | None = None
    seen: float | None = None
    circuit: Literal["closed", "open", "half-open"] = "closed"
    in_a_row: int = 0
    error: str | None = None


class Ledger(Protocol):
    """Counts, breakers and turns. Every reservation is settled or cancelled once, every permit reported once."""

    async def reserve(self, charges: Sequence[Charge]) -> Reservation | Refusal:
        """Take all charges or none."""
        ...

    async def settle(self, reservation: Reservation, used: Mapping[Unit, int]) -> None:
        """Correct a reservation to what was really used; concurrency is given back. A missing unit stands as taken."""
        ...

    async def cancel(self, reservation: Reservation) -> None:
        """Give everything back: nothing was used."""
        ...

    async def admit(self, name: str) -> Permit | Refusal:
        """Ask a deployment's breaker."""
        ...

    async def report(self, permit: Permit, result: Result | None) -> None:
        """Tell a breaker how its call went; None when nobody knows (the client left)."""
        ...

    async def turn(self, name: str) -> int:
        """Return how often this counter was asked before."""
        ...

    def standing(self) -> Mapping[str, Standing]:
        """Return how each deployment stands, as last heard of; no I/O."""
        ...

    async def aclose(self) -> None: ...
