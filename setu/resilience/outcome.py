"""How a try went, and which of them a client is told about."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from setu.errors import ErrorInfo, ErrorKind
from setu.resilience.policy import Retry

Kind = Literal["ok", "failed", "denied", "cut"]

_NO_CONNECTION = frozenset({"upstream_unreachable", "upstream_timeout"})


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one try went.

    `denied`: nothing was sent (a breaker or a limit); `cut`: it broke after content had reached the client. Of a
    failure: `retryable` says whether the same target may be asked again, `final` that no other target is to be asked.
    `retry_after` is the host's own wish, in seconds. `error` is what the client would be told.
    """

    kind: Kind
    status: int = 0
    retryable: bool = False
    retry_after: float | None = None
    final: bool = False
    error: ErrorInfo | None = None


OK = Outcome(kind="ok", status=200)
CUT = Outcome(kind="cut")


def failed(error: ErrorInfo, retry: Retry, *, should_retry: bool | None = None) -> Outcome:
    """Judge a failure by its error; `should_retry` is the host's own word (`x-should-retry`), which wins.

    A spent quota is not waited for: only time or money fills it, so the next target is asked at once.
    """
    broken = error.code in _NO_CONNECTION or error.status == 0
    retryable = should_retry
    if retryable is None:
        retryable = broken or (error.status in retry.statuses and error.kind is not ErrorKind.QUOTA)
    elsewhere = broken or error.kind in retry.fallback_on or error.status in retry.fallback_statuses
    return Outcome(
        kind="failed",
        status=error.status,
        retryable=retryable,
        retry_after=error.retry_after,
        final=not elsewhere,
        error=error,
    )


def denied(error: ErrorInfo | None = None, *, retry_after: float | None = None) -> Outcome:
    """Return the outcome of a try that a breaker or a limit refused."""
    return Outcome(kind="denied", status=503, retry_after=retry_after, error=error)


def surfaced(outcomes: Sequence[Outcome]) -> Outcome:
    """Choose what the client is told when no target gave an answer.

    The first real failure (MSG-14): what came after it answered a question that the client might never have had.
    When nothing was ever sent, 503 `provider_unavailable`, to come back when the first of them may be free again.
    """
    for outcome in outcomes:
        if outcome.kind != "denied":
            return outcome
    waits = [outcome.retry_after for outcome in outcomes if outcome.retry_after is not None]
    wait = min(waits, default=None)
    return Outcome(kind="denied", status=503, retry_after=wait, error=unavailable(outcomes, wait))


def unavailable(outcomes: Sequence[Outcome], retry_after: float | None) -> ErrorInfo:
    """Return the error of a request that no provider was asked about."""
    said = list(dict.fromkeys(outcome.error.message for outcome in outcomes if outcome.error is not None))
    return ErrorInfo(
        kind=ErrorKind.UNAVAILABLE,
        status=503,
        message="no provider can be asked now" + (": " + "; ".join(said) if said else ""),
        code="provider_unavailable",
        retry_after=retry_after,
    )
