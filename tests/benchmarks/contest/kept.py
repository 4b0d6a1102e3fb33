"""What is left of a recorded exchange when a tool plays it: member by member, counted, never judged."""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from setu.cassette.model import Interaction
from setu.cassette.pieces import framing_of, timing_of
from setu.dialects.record import Framing
from setu.framing.eventstream import EventStreamDecoder
from setu.framing.frame import Frame, FrameDecoder
from setu.framing.ndjson import NdjsonDecoder
from setu.framing.sse import SseDecoder
from setu.http import Exchange, Headers
from tests.benchmarks.contest.exchanges import fields
from tests.e2e.acceptance import Heard

LATE_MS = 50.0
"""An event further than this from where it was recorded was not in its time."""

_DECODERS: dict[Framing, Callable[[], FrameDecoder]] = {
    "sse": SseDecoder,
    "ndjson": NdjsonDecoder,
    "eventstream": EventStreamDecoder,
}
_IDS = frozenset({"id", "responseId", "item_id", "call_id", "toolUseId", "tool_use_id"})
_USAGE = frozenset({"usage", "usageMetadata", "inputTextTokenCount", "prompt_eval_count", "eval_count"})
# What tells one event of a stream without names or types from another.
_MARKS = frozenset(
    {"role", "content", "tool_calls", "finish_reason", "usage", "text", "functionCall", "finishReason", "done_reason"}
)

Path = tuple[str, ...]


class Share(NamedTuple):
    """So many of the recorded ones came; `of` is 0 where there is nothing of the kind."""

    kept: int
    of: int
    note: str = ""

    @property
    def whole(self) -> bool:
        return self.kept == self.of


class Answer(NamedTuple):
    """An answer with the moments, in milliseconds from the request, at which its pieces came."""

    status: int
    headers: dict[str, str]
    chunks: tuple[bytes, ...]
    at_ms: tuple[float, ...]
    frames: tuple[Frame, ...]

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


MEMBERS = ("status", "bytes", "usage", "ids", "event kinds", "members", "headers", "chunking", "timing")


def recorded(interaction: Interaction) -> Answer:
    exchange = interaction.exchange
    timing = timing_of(exchange)
    assert timing is not None, interaction.place
    frames = _frames(exchange)
    streamed = len(frames) > 1
    chunks = tuple(frame.raw for frame in frames) if streamed else (exchange.body,)
    at = tuple(float(timing.ttfb_ms + ms) for ms in timing.events_ms)
    return Answer(exchange.status, fields(exchange.headers), chunks, at, frames)


def served(interaction: Interaction, heard: Heard, asked_at: float) -> Answer:
    exchange = Exchange(
        request=interaction.exchange.request, status=heard.status, headers=Headers.of(heard.headers), body=heard.body
    )
    at = tuple((moment - asked_at) * 1000 for moment in heard.times)
    return Answer(heard.status, dict(heard.headers), tuple(heard.chunks), at, _frames(exchange))


def compare(was: Answer, now: Answer) -> dict[str, Share]:
    """Return how much of each member came, in the order of `MEMBERS`."""
    streamed = len(was.chunks) > 1
    return {
        "status": Share(int(was.status == now.status), 1, f"{now.status} for {was.status}"),
        "bytes": Share(int(was.body == now.body), 1, f"{len(now.body):,} for {len(was.body):,}"),
        "usage": _share(_usage(was), _usage(now)),
        "ids": _share(_ids(was), _ids(now)),
        "event kinds": _kinds(was, now) if streamed else Share(0, 0),
        "members": _share(_paths(was), _paths(now)),
        "headers": _share(set(was.headers.items()), set(now.headers.items())),
        "chunking": Share(int(was.chunks == now.chunks), 1, f"{len(now.chunks)} for {len(was.chunks)}")
        if streamed
        else Share(0, 0),
        "timing": _timing(was, now),
    }


def errors_ms(was: Answer, now: Answer) -> list[float]:
    """Return by how many milliseconds each recorded event came early or late.

    Where a tool plays fewer or more events, the share of them that should have been there stands for each.
    """
    ends = _event_times(now)
    if not ends:
        return []
    count = len(was.at_ms)
    return [abs(ends[-(-(index + 1) * len(ends) // count) - 1] - at) for index, at in enumerate(was.at_ms)]


def p95(values: Sequence[float]) -> float:
    return sorted(values)[max(int(len(values) * 0.95) - 1, 0)]


def _timing(was: Answer, now: Answer) -> Share:
    errors = errors_ms(was, now)
    kept = sum(error <= LATE_MS for error in errors)
    return Share(kept, len(was.at_ms), f"up to {max(errors):.0f} ms off" if errors else "no body")


def _event_times(answer: Answer) -> list[float]:
    """Return when the last byte of each event came."""
    times: list[float] = []
    at, received = -1, 0
    for end in accumulate(len(frame.raw) for frame in answer.frames):
        while received < end:
            at += 1
            received += len(answer.chunks[at])
        times.append(answer.at_ms[at])
    return times


def _frames(exchange: Exchange) -> tuple[Frame, ...]:
    kind = _DECODERS.get(framing_of(exchange))
    if kind is None:
        return (Frame(data=exchange.body, raw=exchange.body),) if exchange.body else ()
    decoder = kind()
    return (*decoder.feed(exchange.body), *decoder.close())


def _share(was: set[Any], now: set[Any]) -> Share:
    return Share(len(was & now), len(was))


def _kinds(was: Answer, now: Answer) -> Share:
    before, after = ([*map(_kind, answer.frames)] for answer in (was, now))
    return Share(len({*before} & {*after}), len({*before}), f"{len(after)} events for {len(before)}")


def _kind(frame: Frame) -> str:
    """Return an event's name or type, else which of the telling members it has."""
    if frame.event:
        return frame.event
    value = _value(frame)
    if not isinstance(value, dict):
        return "comment" if frame.data is None else repr(frame.data[:16])
    if isinstance(value.get("type"), str):
        return str(value["type"])
    return "+".join(sorted({path[-1] for path, leaf in _leaves(value) if leaf not in (None, "")} & _MARKS))


def _usage(answer: Answer) -> set[tuple[Path, float]]:
    """Return the last count of each kind, as a client that reads to the end has them."""
    found = {
        path: leaf
        for path, leaf in _all_leaves(answer)
        if _USAGE.intersection(path) and isinstance(leaf, int | float) and not isinstance(leaf, bool)
    }
    return set(found.items())


def _ids(answer: Answer) -> set[str]:
    return {leaf for path, leaf in _all_leaves(answer) if path[-1:] and path[-1] in _IDS and isinstance(leaf, str)}


def _paths(answer: Answer) -> set[Path]:
    return {path for path, _ in _all_leaves(answer)}


def _all_leaves(answer: Answer) -> Iterator[tuple[Path, Any]]:
    for frame in answer.frames:
        yield from _leaves(_value(frame))


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield everything in a JSON value with the names that lead to it; the places in lists do not count."""
    if path:
        yield path, value if not isinstance(value, dict | list) else None
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, (*path, name))
    elif isinstance(value, list):
        for member in value:
            if isinstance(member, dict | list):
                yield from _leaves(member, path)


def _value(frame: Frame) -> Any:
    try:
        return json.loads(frame.data or b"null")
    except ValueError:
        return None
