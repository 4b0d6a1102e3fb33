"""Faults: pure functions from Script to Script, composed by calling one after the other.

An event is one `Bytes` step; `event` and `before_event` count from 0, so `event=4` strikes when four events have
been sent.
"""

import re
from collections.abc import Callable

import msgspec

from setu.cassette.script import Bytes, End, HalfChunk, Head, Script, Step, Wait, script
from setu.errors import ConfigError
from setu.http import Ending, Headers

Fault = Callable[[Script], Script]


class Burst(msgspec.Struct, frozen=True, kw_only=True):
    """`times` answers with an error status before the real one; `retry_after` in seconds goes into their header."""

    status: int
    times: int = 1
    retry_after: float | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A fault and the calls it strikes.

    `dialect` and `nth` (the nth call of that dialect, from 1) narrow it; empty and 0 mean every one.
    """

    effect: Fault | Burst
    dialect: str = ""
    nth: int = 0

    def strikes(self, dialect: str, nth: int) -> bool:
        """Say whether the nth call of a dialect is meant; `openai` means every dialect of that family."""
        named = self.dialect in ("", dialect) or dialect.startswith(f"{self.dialect}_")
        return named and self.nth in (0, nth)


def resplit(size: int) -> Fault:
    """Cut the body into chunks of `size` bytes, across event boundaries; waits stay between the same bytes."""
    if size < 1:
        raise ConfigError("resplit needs a size of at least 1 byte")

    def apply(steps: Script) -> Script:
        out: list[Step] = []
        rest = b""
        for step in steps:
            if isinstance(step, Bytes):
                rest += step.data
                whole = len(rest) - len(rest) % size
                out += [Bytes(rest[at : at + size]) for at in range(0, whole, size)]
                rest = rest[whole:]
                continue
            if rest and not isinstance(step, Wait):
                out.append(Bytes(rest))
                rest = b""
            out.append(step)
        return tuple(out)

    return apply


def cut(*, after_event: int | None = None, after_bytes: int | None = None) -> Fault:
    """End the connection, without the end of the body, after so many events or bytes."""

    def apply(steps: Script) -> Script:
        if after_bytes is not None:
            return (*_first_bytes(steps, after_bytes), End(Ending.TRUNCATED))
        return (*_until(steps, after_event or 0), End(Ending.TRUNCATED))

    return apply


def reset(event: int) -> Fault:
    """Tear the connection down (RST) after so many events."""
    return lambda steps: (*_until(steps, event), End(Ending.RESET))


def half_chunk(event: int) -> Fault:
    """Write only half of an event's chunk, then close the connection; past the last event, cut at the end."""

    def apply(steps: Script) -> Script:
        lead = _until(steps, event)
        struck = next((step for step in steps[len(lead) :] if isinstance(step, Bytes)), None)
        if struck is None:
            return (*lead, End(Ending.TRUNCATED))
        broken = HalfChunk(struck.data[: len(struck.data) // 2], len(struck.data))
        return (*lead, broken, End(Ending.TRUNCATED))

    return apply


def stall(before_event: int, seconds: float) -> Fault:
    """Send nothing for a while before an event (or, past the last one, before the end)."""
    return _insert(before_event, Wait(seconds))


def inject(before_event: int, data: bytes) -> Fault:
    """Send extra bytes before an event."""
    return _insert(before_event, Bytes(data))


def status_burst(times: int, status: int, headers: Headers | None = None, body: bytes = b"") -> tuple[Script, ...]:
    """Return the scripts of answers that fail with a status, to be played before the real one."""
    answer = script(status, headers or Headers(), *([body] if body else []))
    return (answer,) * times


def parse_fault(text: str) -> Fault:
    """Read a fault's text form.

    `close`, `rst`, `half-chunk`, each with `@event=N` (or `close@byte=N`); `stall=5s@event=N`; `resplit=N`.

    Raises:
        ConfigError: no such fault; lists the known forms.
    """
    found = _FAULT.fullmatch(text.strip())
    fault = None if found is None else _fault(found)
    if fault is None:
        raise ConfigError(f"unknown fault {text!r}; known are {', '.join(_FORMS)}")
    return fault


def parse_rule(text: str) -> Rule:
    """Read a fault, or `429x3 retry-after=1`, with or without a lead: `anthropic#2:` is the dialect's second call.

    Raises:
        ConfigError: no such fault; lists the known forms.
    """
    found = _RULE.fullmatch(text.strip())
    assert found is not None
    burst = _BURST.fullmatch(found["effect"])
    effect = parse_fault(found["effect"]) if burst is None else _burst(burst)
    return Rule(effect=effect, dialect=found["dialect"] or "", nth=int(found["nth"] or 0))


_FORMS = (
    "'close@event=N'",
    "'close@byte=N'",
    "'rst@event=N'",
    "'half-chunk@event=N'",
    "'stall=SECONDSs@event=N'",
    "'resplit=N'",
    "'STATUSxTIMES retry-after=SECONDS'",
)
_RULE = re.compile(r"(?:(?P<dialect>[a-z_]+)?(?:#(?P<nth>[0-9]+))?:)?\s*(?P<effect>.*)", re.DOTALL)
_FAULT = re.compile(
    r"(?P<name>close|rst|half-chunk|stall|resplit)(?:=(?P<value>[0-9]+(?:\.[0-9]+)?)s?)?"
    r"(?:@(?P<unit>event|byte)=(?P<at>[0-9]+))?"
)
_BURST = re.compile(
    r"(?P<status>[45][0-9]{2})(?:x(?P<times>[0-9]+))?(?:\s+retry-after=(?P<after>[0-9]+(?:\.[0-9]+)?)s?)?"
)


def _burst(found: re.Match[str]) -> Burst:
    after = float(found["after"]) if found["after"] else None
    return Burst(status=int(found["status"]), times=int(found["times"] or 1), retry_after=after)


def _fault(found: re.Match[str]) -> Fault | None:
    at = None if found["at"] is None else int(found["at"])
    value = None if found["value"] is None else float(found["value"])
    match found["name"], found["unit"], value:
        case "close", "byte", None:
            return cut(after_bytes=at)
        case "close", _, None:
            return cut(after_event=1 if at is None else at)
        case "rst", "event" | None, None:
            return reset(1 if at is None else at)
        case "half-chunk", "event" | None, None:
            return half_chunk(at or 0)
        case "stall", "event" | None, float(seconds):
            return stall(at or 0, seconds)
        case "resplit", None, float(size) if size.is_integer() and size >= 1:
            return resplit(int(size))
    return None


def _until(steps: Script, events: int) -> Script:
    """Return the steps before event number `events` (its own wait included), without the end."""
    count = 0
    for index, step in enumerate(steps):
        if isinstance(step, (End, HalfChunk)) or (isinstance(step, Bytes) and count == events):
            return steps[:index]
        count += isinstance(step, Bytes)
    return steps


def _first_bytes(steps: Script, size: int) -> list[Step]:
    kept: list[Step] = []
    for step in steps:
        if isinstance(step, (End, HalfChunk)):
            break
        if isinstance(step, Bytes):
            if size <= 0:
                break
            step = Bytes(step.data[:size])  # noqa: PLW2901  # the cut piece takes the whole one's place
            size -= len(step.data)
        kept.append(step)
    return kept


def _insert(before_event: int, extra: Step) -> Fault:
    def apply(steps: Script) -> Script:
        lead = _until(steps, before_event)
        # A fault never comes before the head: the head is where an answer starts.
        at = max(len(lead), next((i + 1 for i, step in enumerate(steps) if isinstance(step, Head)), 0))
        return (*steps[:at], extra, *steps[at:])

    return apply
