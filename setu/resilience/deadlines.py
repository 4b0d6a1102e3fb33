"""Which deadline a request has, and the sentence that tells which one passed."""

from setu.resilience.policy import Deadline, Timeouts

_LATE: dict[Deadline, str] = {
    "connect": "{host} could not be connected to within {seconds:g} s",
    "first_byte": "{host} did not begin to answer within {seconds:g} s",
    "idle": "{host} went silent in mid-answer for {seconds:g} s",
    "total": "{host} did not finish its answer within {seconds:g} s",
    "pool": "no connection to {host} became free within {seconds:g} s",
}


def late(deadline: Deadline, host: str, seconds: float) -> str:
    """Return the sentence about a deadline that passed."""
    return _LATE[deadline].format(host=host, seconds=seconds)


def whole(timeouts: Timeouts, started: float, *, stream: bool) -> float | None:
    """Return when a request has to be over; None for a stream, which may last as long as it is not silent."""
    return None if stream or timeouts.total is None else started + timeouts.total


def each(timeouts: Timeouts, own: float | None, left: float | None) -> float:
    """Return the seconds that one try has until its answer begins.

    `own` is what its route says instead of its provider, `left` what is left of the whole request.
    """
    allowed = timeouts.first_byte if own is None else own
    return allowed if left is None else max(0.0, min(allowed, left))


def wider(one: Timeouts, other: Timeouts) -> Timeouts:
    """Return the longer of each: what two providers at one origin share there."""
    return Timeouts(
        connect=max(one.connect, other.connect),
        first_byte=max(one.first_byte, other.first_byte),
        idle=max(one.idle, other.idle),
        total=_longer(one.total, other.total),
        pool=_longer(one.pool, other.pool),
    )


def _longer(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else max(one, other)
