"""When something is checked again. Pure: time and the random number are handed in."""

_SPREAD = 0.2
"""The share of an interval by which checks differ, so that many gateways do not come at once."""


def due(now: float, last: float | None, interval: float, jitter: float) -> float:
    """Return the seconds until the next check; `jitter` is in [0, 1). The first comes within a fifth of an interval."""
    if last is None:
        return interval * _SPREAD * jitter
    return max(0.0, last + interval * (1 - _SPREAD / 2 + _SPREAD * jitter) - now)
