"""Drift: does a provider still answer the way it did when a recording was made?

Compared is structure, never content: which members of which types, which events in which order, which class of
status. What a model chose to say, and identifiers, times and counts, are none of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from setu._json import JsonError, decode
from setu.cassette.model import Interaction
from setu.cassette.pieces import framing_of
from setu.cassette.structure import Structure, changes, structure_of, union
from setu.framing.frame import Frame
from setu.framing.kinds import DECODERS
from setu.http import Ending, Exchange

Level = Literal["info", "warn", "error"]
LEVELS: tuple[Level, ...] = ("info", "warn", "error")

REQUIRED: Mapping[str, frozenset[str]] = {
    "anthropic": frozenset(
        {"/id", "/content", "/model", "/role", "/type", "/usage", "message_start:/message", "message_delta:/delta"}
        | {"message_delta:/usage", "content_block_start:/content_block", "content_block_start:/index"}
        | {"content_block_delta:/delta", "content_block_delta:/index"}
    ),
    "openai_chat": frozenset(
        {f"{kind}/{name}" for kind in ("", "data:") for name in ("id", "choices", "created", "model", "object")}
    ),
    "openai_responses": frozenset({"/id", "/created_at", "/model", "/object", "/output"}),
}
"""By dialect, members that the official SDK's types require: without one of them clients break.

Read from openai 3.52 and anthropic 2.11, 2026-11-20; google-genai declares every member optional.
"""

_PINGS = frozenset({"ping"})
"""Events that only time brings about."""

_NO_JSON = object()


class Drift(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way in which an answer is not built as its recording is.

    `place` is the recording's; `pointer` is `status`, `end`, `content-type`, `events`, `recorded`, or a JSON pointer,
    for a stream after the kind of event and a colon (`message_delta:/usage`). Where values are compared, not
    structure, `got` and `want` are the values, in JSON and cut to a line.
    """

    level: Level
    place: str
    pointer: str
    message: str
    got: str = ""
    want: str = ""


class Part(NamedTuple):
    """A piece of an answer that is compared: the kind of event, empty for a body that is no stream, and its value."""

    kind: str
    structure: Structure | None


def compare(recorded: Interaction, found: Interaction) -> list[Drift]:
    """Return how the answer found now is built otherwise than the recorded one, the worst first."""
    drifts = [
        Drift(level=level, place=recorded.place, pointer=pointer, message=message)
        for level, pointer, message in _differences(recorded.exchange, found.exchange, recorded.recording.dialect)
    ]
    return sorted(drifts, key=lambda drift: -LEVELS.index(drift.level))


def collapsed(kinds: Sequence[str]) -> list[str]:
    """Return a sequence in which what is repeated at once stands once: `a b b a b b c` is `a b c`."""
    kept: list[str] = []
    for kind in kinds:
        kept.append(kind)
        width = 1
        while 2 * width <= len(kept):
            repeats = kept[-width:] == kept[-2 * width : -width]
            if repeats:
                del kept[-width:]
            width = 1 if repeats else width + 1
    return kept


def _differences(old: Exchange, new: Exchange, dialect: str) -> Iterator[tuple[Level, str, str]]:
    if old.status // 100 != new.status // 100:
        yield "error", "status", f"was {old.status}, is {new.status}"
        return  # an error and an answer have nothing to compare
    if old.status != new.status:
        yield "warn", "status", f"was {old.status}, is {new.status}"
    was, now = _media_type(old), _media_type(new)
    if was != now:
        yield "warn", "content-type", f"was {was or 'not there'}, is {now or 'not there'}"
    if old.end is not Ending.COMPLETE:
        return  # of an answer that broke off nobody knows how it would have gone on
    if new.end is not Ending.COMPLETE:
        yield "error", "end", f"was {old.end.value}, is {new.end.value}"
        return
    if (framing_of(old) == "json") != (framing_of(new) == "json"):
        streamed, whole = "a stream of events", "one body"
        was_stream = framing_of(old) != "json"
        yield "error", "events", f"was {streamed if was_stream else whole}, is {whole if was_stream else streamed}"
        return
    yield from _of_parts(_parts(old), _parts(new), REQUIRED.get(dialect, frozenset()))


def _of_parts(old: list[Part], new: list[Part], required: frozenset[str]) -> Iterator[tuple[Level, str, str]]:
    yield from _order([part.kind for part in old], [part.kind for part in new])
    before, after = _by_kind(old), _by_kind(new)
    for kind in [kind for kind in before if kind in after]:
        was, now = before[kind], after[kind]
        lead = f"{kind}:" if kind else ""
        if (was is None) != (now is None):
            yield "error", lead or "/", "is JSON and was none" if was is None else "was JSON and is none"
        elif was is not None and now is not None:
            for change in changes(was, now):
                pointer = lead + change.pointer
                yield _level(change.kind, required=pointer in required), pointer or "/", change.message


def _level(kind: str, *, required: bool) -> Level:
    if kind == "new":
        return "info"
    return "error" if kind == "type" or required else "warn"


def _order(old: list[str], new: list[str]) -> Iterator[tuple[Level, str, str]]:
    gone, come = sorted(set(old) - set(new)), sorted(set(new) - set(old))
    if gone:
        yield "error", "events", f"no more {', '.join(gone)}"
    if come:
        yield "error", "events", f"not before: {', '.join(come)}"
    was, now = collapsed(old), collapsed(new)
    if was != now and not gone and not come:
        yield "error", "events", f"the order was {' '.join(was)}, is {' '.join(now)}"


def _by_kind(parts: list[Part]) -> dict[str, Structure | None]:
    """Return the union of the structures of each kind; None for one that is not JSON."""
    found: dict[str, list[Structure]] = {}
    for part in parts:
        seen = found.setdefault(part.kind, [])
        if part.structure is not None:
            seen.append(part.structure)
    return {kind: union(seen) if seen else None for kind, seen in found.items()}


def _parts(exchange: Exchange) -> list[Part]:
    framing = framing_of(exchange)
    if framing == "json":
        value = _value(exchange.body)
        return [Part("", None if value is _NO_JSON else structure_of(value))]
    decoder = DECODERS[framing]()
    frames = [*decoder.feed(exchange.body), *decoder.close()]
    parts = (_of_frame(frame) for frame in frames if frame.data is not None)
    return [part for part in parts if part.kind not in _PINGS]


def _of_frame(frame: Frame) -> Part:
    """Name an event by what its framing or its `type` calls it, the others `data`; text that is no JSON by itself."""
    assert frame.data is not None
    value = _value(frame.data)
    named = frame.event or ""
    if value is _NO_JSON:
        return Part(named or frame.data[:40].decode("utf-8", "replace").strip(), None)
    said = value.get("type") if isinstance(value, dict) else None
    return Part(named or (said if isinstance(said, str) else "data"), structure_of(value))


def _value(data: bytes) -> Any:
    try:
        return decode(data)
    except (JsonError, RecursionError):
        return _NO_JSON


def _media_type(exchange: Exchange) -> str:
    return (exchange.headers.get("content-type") or "").partition(";")[0].strip().lower()
