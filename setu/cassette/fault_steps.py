"""Faults that need not know what they break: functions from Script to Script, composed one after the other.

An event is one `Bytes` step; `event` and `before_event` count from 0, so `event=4` strikes when four events have
been sent.
"""

import zlib
from collections.abc import Callable, Sequence
from math import ceil
from typing import Protocol, TypeVar

import msgspec

from setu.cassette.script import Bytes, End, HalfChunk, Head, Script, Step, Wait
from setu.dialects.record import Framing
from setu.errors import ConfigError
from setu.http import Ending, Headers

Fault = Callable[[Script], Script]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Struck(msgspec.Struct, frozen=True, kw_only=True):
    """What a fault may know of the answer that it strikes.

    `seed` and `key` (the request's match key) decide what is left to chance; `now` is in seconds since the epoch.
    """

    dialect: str = ""
    framing: Framing = "sse"
    seed: int = 0
    key: str = ""
    now: float = 0.0


Aim = Callable[[Struck], Fault]
"""A fault that looks at the answer before it strikes."""


class Cutter(Protocol[T_co]):
    """Bytes in, pieces out, however the bytes are cut."""

    def feed(self, data: bytes, /) -> Sequence[T_co]: ...

    def close(self) -> Sequence[T_co]: ...


def recut(steps: Script, cutter: Cutter[T]) -> list[Step | T]:
    """Cut the body anew; a piece comes with the step that brought its last byte, so that waits stay where they were."""
    out: list[Step | T] = []
    for step in steps:
        if isinstance(step, Bytes):
            out += cutter.feed(step.data)
            continue
        if isinstance(step, End | HalfChunk):
            out += cutter.close()
        out.append(step)
    return out


def split(size: int) -> Fault:
    """Cut the body into chunks of `size` bytes, across event boundaries."""
    if size < 1:
        raise ConfigError("split needs a size of at least 1 byte")
    return lambda steps: tuple(recut(steps, _Sized(size)))


def cut(*, after_event: int | None = None, after_bytes: int | None = None) -> Fault:
    """End the connection, without the end of the body, after so many events or bytes."""

    def apply(steps: Script) -> Script:
        if after_bytes is not None:
            return (*_first_bytes(steps, after_bytes), End(Ending.TRUNCATED))
        return (*until(steps, after_event or 0), End(Ending.TRUNCATED))

    return apply


def end(event: int) -> Fault:
    """End the answer politely after so many events: to HTTP it is complete."""
    return lambda steps: (*until(steps, event), End(Ending.COMPLETE))


def reset(event: int) -> Fault:
    """Tear the connection down (RST) after so many events."""
    return lambda steps: (*until(steps, event), End(Ending.RESET))


def half_chunk(event: int) -> Fault:
    """Write only half of an event's chunk, then close the connection; past the last event, cut at the end."""

    def apply(steps: Script) -> Script:
        lead = until(steps, event)
        struck = next((step for step in steps[len(lead) :] if isinstance(step, Bytes)), None)
        if struck is None:
            return (*lead, End(Ending.TRUNCATED))
        broken = HalfChunk(struck.data[: len(struck.data) // 2], len(struck.data))
        return (*lead, broken, End(Ending.TRUNCATED))

    return apply


def latency(seconds: float) -> Fault:
    """Send nothing for a while, not even the head."""
    return lambda steps: (Wait(seconds), *steps)


def stall(before_event: int, seconds: float) -> Fault:
    """Send nothing for a while before an event (or, past the last one, before the end)."""
    return insert(before_event, Wait(seconds))


def inject(before_event: int, data: bytes) -> Fault:
    """Send extra bytes before an event."""
    return insert(before_event, Bytes(data))


def slow_drip(rate: float) -> Fault:
    """Send at most `rate` bytes a second, in pieces of a tenth of a second; other waits come on top."""
    if rate <= 0:
        raise ConfigError("slow-drip needs a rate of more than 0 bytes a second")

    def apply(steps: Script) -> Script:
        out: list[Step] = []
        for step in split(ceil(rate / 10))(steps):
            if isinstance(step, Bytes):
                out.append(Wait(len(step.data) / rate))
            out.append(step)
        return tuple(out)

    return apply


def truncate_gzip(after_bytes: int | None = None) -> Fault:
    """Compress the body and leave out the end of what that gives: the second half, or all after so many bytes.

    To HTTP the answer is complete; only who decompresses it can see that it is not. An answer that is compressed
    already, or empty, stays as it is.
    """

    def apply(steps: Script) -> Script:
        head = next((step for step in steps if isinstance(step, Head)), None)
        if head is None or "content-encoding" in head.headers or not any(isinstance(step, Bytes) for step in steps):
            return steps
        plain = tuple(_gzipped(step) if isinstance(step, Head) else step for step in steps)
        coded = recut(tuple(step for step in plain if not isinstance(step, HalfChunk)), _Gzip())
        size = sum(len(step.data) for step in coded if isinstance(step, Bytes))
        kept = size // 2 if after_bytes is None else min(after_bytes, size - 1)
        ends = tuple(step for step in steps if isinstance(step, End))
        return (*_first_bytes(tuple(coded), kept), *ends)

    return apply


def until(steps: Script, events: int) -> Script:
    """Return the steps before event number `events` (its own wait included), without the end."""
    count = 0
    for index, step in enumerate(steps):
        if isinstance(step, (End, HalfChunk)) or (isinstance(step, Bytes) and count == events):
            return steps[:index]
        count += isinstance(step, Bytes)
    return steps


def insert(before_event: int, extra: Step) -> Fault:
    """Put a step before an event, or past the last one before the end."""

    def apply(steps: Script) -> Script:
        lead = until(steps, before_event)
        # A fault never comes before the head: the head is where an answer starts.
        at = max(len(lead), next((i + 1 for i, step in enumerate(steps) if isinstance(step, Head)), 0))
        return (*steps[:at], extra, *steps[at:])

    return apply


class _Sized:
    """Cut into chunks of one size."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._rest = b""

    def feed(self, data: bytes) -> list[Bytes]:
        rest = self._rest + data
        whole = len(rest) - len(rest) % self._size
        self._rest = rest[whole:]
        return [Bytes(rest[at : at + self._size]) for at in range(0, whole, self._size)]

    def close(self) -> list[Bytes]:
        rest, self._rest = self._rest, b""
        return [Bytes(rest)] if rest else []


class _Gzip:
    """Compress; each piece is flushed, as a server does that compresses a stream."""

    def __init__(self) -> None:
        # 31 is zlib's own way to say gzip; its header has no time in it, so the same body gives the same bytes.
        self._coder = zlib.compressobj(wbits=31)

    def feed(self, data: bytes) -> list[Bytes]:
        return [Bytes(self._coder.compress(data) + self._coder.flush(zlib.Z_SYNC_FLUSH))]

    def close(self) -> list[Bytes]:
        return [Bytes(self._coder.flush(zlib.Z_FINISH))]


def _gzipped(head: Head) -> Head:
    headers: Headers = head.headers.copy()
    headers.remove("content-length")
    headers.set("content-encoding", "gzip")
    return Head(head.status, headers)


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
