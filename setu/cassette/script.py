"""Scripts: an answer as steps in time, what every player plays. A fault is a function from Script to Script."""

import msgspec

from setu.cassette.model import Interaction, Timing
from setu.cassette.pieces import chunked, pieces_of, timing_of
from setu.http import Ending, Headers


class Head(msgspec.Struct, frozen=True):
    """The status and header fields."""

    status: int
    headers: Headers


class Bytes(msgspec.Struct, frozen=True):
    """A piece of the body, written as one chunk."""

    data: bytes


class Wait(msgspec.Struct, frozen=True):
    """A pause before the next step, in seconds."""

    seconds: float


class End(msgspec.Struct, frozen=True):
    """How the answer ends: complete, cut off (FIN without the end of the body), or reset (RST)."""

    kind: Ending = Ending.COMPLETE


class HalfChunk(msgspec.Struct, frozen=True):
    """A chunk of which only `data` is written although its head promised `promised` bytes; an End follows."""

    data: bytes
    promised: int


Step = Head | Bytes | Wait | HalfChunk | End
Script = tuple[Step, ...]


def script_of(interaction: Interaction, speed: float = 0, *, ttfb: float | None = None) -> Script:
    """Return a recording as a script, one chunk an event, or one a chunk where the recording kept those.

    `speed` 0 plays without waits, 1 with the recorded timing, n n times as fast. `ttfb` seconds go by before the head,
    whatever was recorded and however fast it plays. An interrupted recording ends as it did when it was recorded.
    """
    exchange = interaction.exchange
    pieces = pieces_of(exchange)
    head = Head(exchange.status, exchange.headers.copy())
    end = End(exchange.end)
    timing = (interaction.recording.timing or timing_of(exchange)) if speed else None
    chunks = interaction.recording.chunks
    if chunks and sum(chunks) == len(exchange.body):
        # Only some recordings keep the transport's own boundaries; each chunk comes when its last event did.
        times = timing.events_ms if timing is not None and len(timing.events_ms) == len(pieces) else ()
        cut = chunked(pieces, times, chunks)
        pieces = [piece for _, piece in cut]
        if timing is not None:
            timing = Timing(ttfb_ms=timing.ttfb_ms, events_ms=tuple(at for at, _ in cut))
    before: tuple[Wait, ...] = (Wait(ttfb),) if ttfb else ()
    if timing is None or len(timing.events_ms) != len(pieces):
        return (*before, head, *map(Bytes, pieces), end)
    if ttfb is None:
        before = _wait(timing.ttfb_ms, speed)
    return (*before, head, *_timed(pieces, timing, speed), end)


def script(status: int, headers: Headers, *pieces: bytes, end: Ending = Ending.COMPLETE) -> Script:
    """Return a script written by hand: a head, chunks, an end, no waits."""
    return (Head(status, headers), *map(Bytes, pieces), End(end))


def _timed(pieces: list[bytes], timing: Timing, speed: float) -> list[Step]:
    steps: list[Step] = []
    before = 0
    for piece, at in zip(pieces, timing.events_ms, strict=True):
        steps += _wait(at - before, speed)
        steps.append(Bytes(piece))
        before = max(at, before)
    return steps


def _wait(ms: int, speed: float) -> tuple[Wait, ...]:
    return (Wait(ms / 1000 / speed),) if ms > 0 else ()
