"""What a provider's resilience is set to. The defaults are those of docs/guides/resilience.md; all times in seconds."""

from typing import Literal

import msgspec

from setu.errors import ErrorKind

RETRIED = frozenset({408, 429, *range(500, 600)})
"""Answers that another try may better; no connection and no answer in time always are."""

ELSEWHERE = frozenset(
    {
        ErrorKind.AUTHENTICATION,
        ErrorKind.PERMISSION,
        ErrorKind.NOT_FOUND,
        ErrorKind.RATE_LIMIT,
        ErrorKind.QUOTA,
        ErrorKind.TIMEOUT,
        ErrorKind.OVERLOADED,
        ErrorKind.UNAVAILABLE,
        ErrorKind.BAD_GATEWAY,
        ErrorKind.SERVER,
    }
)
"""Errors that are one provider's, not the request's: the key, the quota, the model it lacks, its own failures."""


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """How often a target is tried, and how long to wait in between.

    `attempts` is the total of tries. The n-th wait is drawn from [0, initial * multiplier ** (n - 1)), and never longer
    than `maximum`. A host that asks to wait longer than `max_wait` is left for the next target. `fallback_on` and
    `fallback_statuses` say after which errors the next target is asked, besides no connection and no answer in time;
    any other ends the request, because every target would give it.
    """

    attempts: int = 3
    initial: float = 1.0
    maximum: float = 30.0
    multiplier: float = 2.0
    statuses: frozenset[int] = RETRIED
    max_wait: float = 30.0
    fallback_on: frozenset[ErrorKind] = ELSEWHERE
    fallback_statuses: frozenset[int] = frozenset()


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """What is waited for, and how long.

    `first_byte` is the time to an answer's head, connecting included; `idle` the silence within an answer; `total`
    bounds a whole request that does not stream, tries and waits included; `pool` the wait for a free connection.
    """

    connect: float = 10.0
    first_byte: float = 600.0
    idle: float = 600.0
    total: float | None = None
    pool: float | None = None


class Hedge(msgspec.Struct, frozen=True, kw_only=True):
    """A second target is asked when the first has said nothing for `after` seconds; `limit` are asked at once."""

    after: float
    limit: int = 2


class HealthCheck(msgspec.Struct, frozen=True, kw_only=True):
    """How a deployment is asked whether it is there: at `url`, else at its cheapest endpoint; None: only on request."""

    url: str | None = None
    interval: float | None = None
    timeout: float = 10.0


class Resilience(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's whole policy. `http2` asks for HTTP/2 (over plain http: with prior knowledge)."""

    retry: Retry = Retry()
    timeouts: Timeouts = Timeouts()
    hedge: Hedge | None = None
    health_check: HealthCheck = HealthCheck()
    http2: bool = False


Deadline = Literal["connect", "first_byte", "idle", "total", "pool"]
"""The names of the deadlines, as configured and as told."""
