"""Recordings as rows and columns: what the command line and the page of recordings show."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from setu._json import JsonError, decode
from setu.cassette.match import model_of
from setu.cassette.model import Interaction
from setu.cassette.pieces import framing_of, pieces_of
from setu.framing.frame import Frame
from setu.framing.kinds import DECODERS


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An interaction on one line; `ms` is from the request to the end, None where no time was kept."""

    place: str
    method: str
    url: str
    model: str
    op: str
    status: int
    end: str
    events: int
    size: int
    ms: int | None
    recorded: str
    provenance: str


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a stream: `ms` after the head, its name or kind, what it adds to the answer, and its data."""

    index: int
    ms: int | None
    name: str
    delta: str
    data: str


def row_of(interaction: Interaction) -> Row:
    exchange = interaction.exchange
    recording = interaction.recording
    timing = recording.timing
    return Row(
        place=interaction.place,
        method=exchange.request.method,
        url=exchange.request.url,
        model=model_of(exchange.request) or "",
        op=recording.op,
        status=exchange.status,
        end=exchange.end.value,
        events=len(pieces_of(exchange)) if framing_of(exchange) != "json" else 0,
        size=len(exchange.body),
        ms=timing.ttfb_ms + max(timing.events_ms, default=0) if timing is not None else None,
        recorded=recording.recorded,
        provenance=recording.provenance,
    )


def events_of(interaction: Interaction) -> list[Event]:
    """Return the events of a streamed answer in order; none of one that is not a stream."""
    exchange = interaction.exchange
    framing = framing_of(exchange)
    if framing == "json":
        return []
    decoder = DECODERS[framing]()
    frames = [*decoder.feed(exchange.body), *decoder.close()]
    timing = interaction.recording.timing
    times = timing.events_ms if timing is not None and len(timing.events_ms) == len(frames) else None
    return [_event(index, frame, times[index] if times else None) for index, frame in enumerate(frames)]


def stats_of(interactions: Iterable[Interaction]) -> dict[str, Any]:
    """Return totals: how many of each host, operation, model, status, ending and provenance; bytes and time."""
    rows = [(row_of(each), each) for each in interactions]
    counts: dict[str, Counter[str]] = {
        "host": Counter(each.exchange.request.origin.partition("://")[2] or "(none)" for _, each in rows),
        "op": Counter(row.op or "(none)" for row, _ in rows),
        "model": Counter(row.model or "(none)" for row, _ in rows),
        "status": Counter(str(row.status) for row, _ in rows),
        "end": Counter(row.end for row, _ in rows),
        "provenance": Counter(row.provenance for row, _ in rows),
        "recorded": Counter(row.recorded or "(no date)" for row, _ in rows),
    }
    return {
        "interactions": len(rows),
        "events": sum(row.events for row, _ in rows),
        "bytes": sum(row.size for row, _ in rows),
        "recorded_ms": sum(row.ms or 0 for row, _ in rows),
        **{name: dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))) for name, found in counts.items()},
    }


def said(value: Any) -> Iterator[str]:
    """Yield the text that an event of any dialect adds: deltas, parts, arguments."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name in _SPOKEN and isinstance(item, str):
                yield item
            elif isinstance(item, (Mapping, list)) and name not in _SILENT:
                yield from said(item)
    elif isinstance(value, list):
        for item in value:
            yield from said(item)


_SPOKEN = frozenset(
    {"text", "content", "partial_json", "arguments", "delta", "thinking", "reasoning", "reasoning_content", "refusal"}
)
_SILENT = frozenset({"usage", "metadata", "response", "item", "part", "safetyRatings", "logprobs"})


def _event(index: int, frame: Frame, ms: int | None) -> Event:
    try:
        value: Any = decode(frame.data or b"")
    except (JsonError, RecursionError):
        value = None
    kind = value.get("type") if isinstance(value, dict) else None
    name = frame.event or (kind if isinstance(kind, str) else "")
    shown = frame.data if frame.data is not None else frame.raw.strip()
    return Event(
        index=index, ms=ms, name=name, delta="".join(said(value)), data=shown.decode("utf-8", "backslashreplace")
    )
