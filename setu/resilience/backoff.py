"""How long to wait before the next try. Pure: the random number is handed in."""

from setu.resilience.outcome import Outcome
from setu.resilience.policy import Retry


def delay(n: int, retry: Retry, draw: float) -> float:
    """Return the wait after the n-th failed try (from 1): exponential, with full jitter; `draw` is in [0, 1).

    Full jitter keeps clients that failed together from coming back together:
    aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter.
    """
    try:
        ceiling = min(retry.maximum, retry.initial * retry.multiplier ** (n - 1))
    except OverflowError:
        ceiling = retry.maximum
    return ceiling * draw


def wait_for(outcome: Outcome, n: int, retry: Retry, draw: float) -> float | None:
    """Return the wait before the same target is asked again; None: not again, or not within `max_wait`.

    What the host asks for (`retry-after`, `retry-after-ms`) is waited for exactly, never less.
    """
    if not outcome.retryable:
        return None
    asked = outcome.retry_after
    if asked is None:
        return delay(n, retry, draw)
    return asked if asked <= retry.max_wait else None
