"""How well deployments do, from the calls that went there: moving averages that fade when nobody calls."""

import msgspec

from setu.resilience.breaker import Breaker, Policy, admit
from setu.resilience.ledger import Result, Standing

ALPHA = 0.2
"""The weight of the newest call: about the last ten matter."""

HALF_LIFE = 60.0
"""Seconds after which a measurement that nothing followed counts half.

A deployment that was slow or failed once is called less, so nobody would notice that it recovered: its figures fade
until it is worth another try.
"""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Averages as of the last call, at `at`; latency in seconds. `seen` is when that was in seconds since the epoch."""

    latency: float | None = None
    failures: float = 0.0
    at: float = 0.0
    seen: float | None = None
    error: str | None = None


UNKNOWN = Health()


def update(health: Health, now: float, result: Result, alpha: float = ALPHA, *, epoch: float | None = None) -> Health:
    """Count a call. What nobody is to blame for says nothing about failures; a failure's latency is not one."""
    failures = health.failures
    if result.ok or result.blame:
        faded = _faded(failures, now - health.at)
        failures = faded + alpha * ((0.0 if result.ok else 1.0) - faded)
    latency = health.latency
    if result.ok and result.latency is not None:
        latency = result.latency if latency is None else latency + alpha * (result.latency - latency)
    error = None if result.ok else (result.error or health.error) if result.blame else health.error
    return Health(latency=latency, failures=failures, at=now, seen=epoch, error=error)


def standing(
    health: Health, breaker: Breaker, now: float, policy: Policy, busy: int = 0, since: float | None = None
) -> Standing:
    """Return what routing sees. A breaker whose cool-down is over is usable again: somebody has to be the probe."""
    usable = breaker.state == "closed" or admit(breaker, now, policy)[1] != "no"
    idle = now - health.at
    latency = None if health.latency is None else _faded(health.latency, idle)
    return Standing(
        usable=usable,
        latency=latency,
        failures=_faded(health.failures, idle),
        busy=busy,
        since=since,
        seen=health.seen,
        circuit="closed" if breaker.state == "closed" else "half-open" if usable else "open",
        in_a_row=breaker.failures,
        error=health.error,
    )


def _faded(value: float, idle: float) -> float:
    return value if idle <= 0 else value * 0.5 ** (idle / HALF_LIFE)
