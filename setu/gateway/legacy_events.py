"""The events of a proxy before this one, beside those of OpenAI's Responses API: its clients wait for them.

Each `response.output_tool_call.*` stands before the event of the same moment, `response.done` after the last one. What
follows an added event is counted on from it, so that sequence numbers stay without gaps. See
docs/reference/predecessors.md, "OpenAI Responses proxy".
"""

from collections.abc import AsyncIterator, Iterable, Mapping

from setu import _json
from setu._json import Json
from setu.framing.frame import Frame
from setu.framing.sse import SseDecoder
from setu.http import ByteStream

_TOOL_CALLS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "response.output_item.added": ("begin", ("call_id", "name")),
    "response.function_call_arguments.delta": ("delta", ("call_id", "delta")),
    "response.function_call_arguments.done": ("end", ("call_id", "name", "arguments")),
}
"""The events of a call: what stands before them, and its members beside the place of the item."""
_LAST = frozenset({"response.completed", "response.incomplete", "response.failed"})
_NOTHING: Mapping[str, Json] = {}


class LegacyEvents:
    """Adds the events to one stream, frame by frame. Values stay the bytes they were: any upstream's pass."""

    def __init__(self) -> None:
        self._response = ""
        self._added = 0
        self._calls: dict[Json, Mapping[str, Json]] = {}

    def feed(self, frame: Frame) -> bytes:
        """Return the frame's bytes with what belongs before and after it."""
        event = _members(frame.data if frame.terminated else None)
        kind = _text(event.get("type"))
        if not kind:
            return frame.raw
        if kind == "response.created":
            self._response = _text(_members(event.get("response")).get("id"))
        number = _number(event.get("sequence_number"))
        before = self._of_call(kind, event, number)
        own = frame.raw if number is None or not self._added else self._counted(kind, frame, number)
        if kind not in _LAST or "response" not in event:
            return before + own
        return before + own + self._new("response.done", (number or 0) + 1, {"response": event["response"]})

    def _of_call(self, kind: str, event: Mapping[str, Json], number: int | None) -> bytes:
        """Return the event that stands before one of a function call; nothing before any other."""
        if kind not in _TOOL_CALLS:
            return b""
        item = _members(event.get("item"))
        item_id = event.get("item_id") or item.get("id", b"")
        if _text(item.get("type")) == "function_call":
            self._calls[item_id] = {name: item[name] for name in ("call_id", "name") if name in item}
        call = self._calls.get(item_id)
        if call is None or not item_id:
            return b""
        moment, names = _TOOL_CALLS[kind]
        known = {**event, **call, "item_id": item_id}
        members = {name: known[name] for name in ("item_id", "output_index", *names) if name in known}
        return self._new(f"response.output_tool_call.{moment}", number or 0, members)

    def _new(self, kind: str, number: int, members: Mapping[str, Json]) -> bytes:
        """Return an event of that proxy; `number` is the one it would have if nothing had been added before it."""
        number += self._added
        self._added += 1
        common = {
            "type": kind,
            "event_id": f"evt_{self._response}_{number:016x}",
            "response_id": self._response,
            "sequence_number": number,
        }
        return _framed(kind, _json.splice(_json.encode(common), members))

    def _counted(self, kind: str, frame: Frame, number: int) -> bytes:
        moved = {"sequence_number": b"%d" % (number + self._added)}
        try:
            return _framed(kind, _json.splice(frame.data or b"{}", moved))
        except _json.JsonError:  # it has two numbers: whoever wrote it may tell which one counts
            return frame.raw


class LegacyBody:
    """A Responses stream with the events added."""

    def __init__(self, body: ByteStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        decoder, events = SseDecoder(), LegacyEvents()
        async for chunk in self._body:
            data = _all(events, decoder.feed(chunk))
            if data:
                yield data
        tail = _all(events, decoder.close())
        if tail:
            yield tail

    async def aclose(self) -> None:
        """Close the stream itself."""
        await self._body.aclose()


def _all(events: LegacyEvents, frames: Iterable[Frame]) -> bytes:
    return b"".join([events.feed(frame) for frame in frames])


def _members(raw: Json | None) -> Mapping[str, Json]:
    """Return the members of an object; none of what is no object."""
    try:
        return _json.split(raw) if raw is not None and _json.kind_of(raw) == "object" else _NOTHING
    except _json.JsonError:
        return _NOTHING


def _text(raw: Json | None) -> str:
    """Return a string's text in printable ASCII, as names of events and ids are; "" for anything else."""
    if raw is None or _json.kind_of(raw) != "string":
        return ""
    text = str(_json.decode(raw))
    return text if text.isascii() and text.isprintable() else ""


def _number(raw: Json | None) -> int | None:
    return int(raw) if raw is not None and raw.isdigit() and len(raw) < 16 else None


def _framed(kind: str, data: bytes) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"
