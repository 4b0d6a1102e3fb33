"""Circuit breakers: a deployment that keeps failing is left alone for a while, then asked once.

```text
closed ──failures──▶ open ──cool-down──▶ half_open (one probe) ──it answers──▶ closed
                      ▲                        └──it fails──▶ open
```

Only what the upstream is to blame for counts: connections that fail, time-outs, 5xx and answers that break off. A 4xx
is the client's own, and a 429 says that the upstream is well and busy.
"""

from typing import Literal

import msgspec

from setu.resilience.ledger import Result

State = Literal["closed", "open", "half_open"]
Admitted = Literal["yes", "probe", "no"]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """When a breaker opens and for how long; times in seconds.

    `failures` in a row open it. So does a share of `error_rate` failures among at least `minimum` calls within
    `window`, where that is not None. A probe of which nothing is heard within `probe_timeout` counts as lost, and
    another one may go.
    """

    enabled: bool = True
    failures: int = 5
    open_for: float = 30.0
    probe_timeout: float = 60.0
    error_rate: float | None = None
    minimum: int = 20
    window: float = 60.0


class Breaker(msgspec.Struct, frozen=True, kw_only=True):
    """A breaker's whole state.

    `failures` are those in a row, `probe_until` is when the probe under way counts as lost (0 without one); `since`,
    `seen` and `failed` count the window of the error rate.
    """

    state: State = "closed"
    failures: int = 0
    opened_at: float = 0.0
    probe_until: float = 0.0
    since: float = 0.0
    seen: int = 0
    failed: int = 0


CLOSED = Breaker()


def blames(status: int | None) -> bool:
    """Return whether a failure with this status is the upstream's; None is a connection that failed or broke off."""
    return status is None or status >= 500


def admit(breaker: Breaker, now: float, policy: Policy) -> tuple[Breaker, Admitted, float]:
    """Ask for leave to call; the number is the seconds until it is worth asking again."""
    if breaker.state == "closed" or not policy.enabled:
        return breaker, "yes", 0.0
    ready = breaker.opened_at + policy.open_for if breaker.state == "open" else breaker.probe_until
    if now < ready:
        return breaker, "no", ready - now
    probing = Breaker(
        state="half_open",
        failures=breaker.failures,
        opened_at=breaker.opened_at,
        probe_until=now + policy.probe_timeout,
    )
    return probing, "probe", 0.0


def report(breaker: Breaker, now: float, policy: Policy, result: Result | None, *, probe: bool) -> Breaker:
    """Tell how a call went.

    A call that was let through before the breaker opened and ends after it says nothing new: only the probe's end
    moves a breaker that is not closed.
    """
    if not policy.enabled:
        return CLOSED
    if breaker.state == "closed":
        return _count(breaker, now, policy, result)
    if not probe:
        return breaker
    if result is None or (not result.ok and not result.blame and result.status is None):
        # Nobody knows how it went: the next call is the probe.
        return msgspec.structs.replace(breaker, state="half_open", probe_until=0.0)
    if result.ok or not result.blame:  # even a 4xx is an answer
        return CLOSED
    return _open(now, breaker.failures + 1)


def _count(breaker: Breaker, now: float, policy: Policy, result: Result | None) -> Breaker:
    """Count a call of a closed breaker."""
    if result is None or (not result.ok and not result.blame):
        return breaker
    failures = 0 if result.ok else breaker.failures + 1
    if failures >= policy.failures:
        return _open(now, failures)
    if policy.error_rate is None:
        return breaker if failures == breaker.failures else Breaker(failures=failures)
    fresh = not breaker.seen or not 0 <= now - breaker.since < policy.window
    seen = 1 if fresh else breaker.seen + 1
    failed = (0 if fresh else breaker.failed) + result.blame
    if seen >= policy.minimum and failed >= policy.error_rate * seen:
        return _open(now, failures)
    return Breaker(failures=failures, since=now if fresh else breaker.since, seen=seen, failed=failed)


def _open(now: float, failures: int) -> Breaker:
    return Breaker(state="open", failures=failures, opened_at=now)
