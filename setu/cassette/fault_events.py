"""Faults that know what an event is: they look at the frames of a stream, in its framing and its dialect's words.

Each cuts the body at its events first, so `split` goes after them. An answer that is no stream is one event to
`malformed_event` and nothing to the others.
"""

import re
from collections.abc import Mapping

import msgspec

from setu import _json
from setu.cassette.fault_answers import stream_error
from setu.cassette.fault_steps import Aim, Fault, Struck, inject, recut, until
from setu.cassette.script import Bytes, End, Script, Step
from setu.dialects.registry import DIALECTS
from setu.framing.eventstream import EventStreamEncoder
from setu.framing.frame import Frame, FrameDecoder
from setu.framing.jsonarray import JsonArrayEncoder
from setu.framing.kinds import DECODERS, ENCODERS

Items = list[Step | Frame]
"""A script whose `Bytes` are frames."""

_DONE: Mapping[str, frozenset[str]] = {
    "openai_chat": frozenset({"[DONE]"}),
    "openai_responses": frozenset({"response.completed", "response.incomplete", "response.failed", "[DONE]"}),
    "anthropic": frozenset({"message_stop"}),
    "cohere": frozenset({"message-end", "[DONE]"}),
    # `metadata` comes after `messageStop`; a stream never has the one without the other.
    "bedrock": frozenset({"messageStop", "metadata"}),
    "ollama": frozenset({"done"}),
}
"""The words of the events that say "this was all" and nothing else."""

_FINISH = re.compile(rb',\s*"finishReason"\s*:\s*"[A-Z_]+"|"finishReason"\s*:\s*"[A-Z_]+"\s*,?')
"""Gemini has no event of its own for the end: a member of the last one says it."""

_PINGS: Mapping[str, bytes] = {"anthropic": b'event: ping\ndata: {"type": "ping"}\n\n'}
_PING_OF_FRAMING: Mapping[str, bytes] = {
    "sse": b": keep-alive\n\n",
    "ndjson": b"\n",
    "jsonarray": b"\n",
    # No event of Converse: clients skip what they do not know, as Smithy asks of them (botocore does).
    "eventstream": EventStreamEncoder().encode(Frame(data=b"{}", event="ping")),
}


def drop_done(struck: Struck) -> Fault:
    """Leave out the event that says the stream is complete; what is left ends politely."""

    def apply(steps: Script) -> Script:
        items = _frames(steps, struck)
        for at in reversed(range(len(items))):
            frame = items[at]
            if not isinstance(frame, Frame) or frame.data is None:
                continue
            if struck.dialect == "gemini":
                items[at] = msgspec.structs.replace(frame, raw=_FINISH.sub(b"", frame.raw))
                break
            if _word(frame) not in _DONE.get(struck.dialect, _DONE["openai_chat"]):
                break
            del items[at]
        return _bytes(items)

    return _on_streams(struck, apply)


def malformed_event(event: int) -> Aim:
    """Break the JSON of an event (of the next one, where that has no data): a comma stands before its last bracket."""

    def aim(struck: Struck) -> Fault:
        def apply(steps: Script) -> Script:
            items = _frames(steps, struck)
            count = 0
            for at, item in enumerate(items):
                if not isinstance(item, Frame):
                    continue
                if count >= event and item.data is not None:
                    items[at] = msgspec.structs.replace(item, raw=_malformed(item, struck))
                    break
                count += 1
            return _bytes(items)

        return apply

    return aim


def inject_error(event: int, status: int | None = None) -> Aim:
    """Send the provider's own error event after so many events, and nothing after it."""

    def aim(struck: Struck) -> Fault:
        def apply(steps: Script) -> Script:
            lead = [*until(_bytes(_frames(steps, struck)), event)]
            sent = b"".join(step.data for step in lead if isinstance(step, Bytes))
            return (*lead, Bytes(_error_event(struck, status, sent)), End())

        return _on_streams(struck, apply)

    return aim


def ping(event: int) -> Aim:
    """Send a sign of life before an event: Anthropic's ping, a comment, a blank line, an event of no known type."""

    def aim(struck: Struck) -> Fault:
        data = _PINGS.get(struck.dialect) if struck.framing == "sse" else None
        data = data or _PING_OF_FRAMING.get(struck.framing)
        if data is None:
            return _nothing

        def apply(steps: Script) -> Script:
            items = _bytes(_frames(steps, struck))
            return inject(event, _as_lines_end(data, items))(items)

        return apply

    return aim


def crlf(struck: Struck) -> Fault:
    """End every line of an SSE stream in CRLF; chunks stay where they are."""

    def apply(steps: Script) -> Script:
        out: list[Step] = []
        last = b""
        for step in steps:
            if isinstance(step, Bytes):
                data = re.sub(rb"(?<!\r)\n", b"\r\n", step.data)
                # The CR of the first line feed may have come with the chunk before.
                out.append(Bytes(data[1:] if last == b"\r" and step.data[:1] == b"\n" else data))
                last = step.data[-1:] or last
            else:
                out.append(step)
        return tuple(out)

    return apply if struck.framing == "sse" else _nothing


class _Whole:
    """A body that is one document."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> list[Frame]:
        self._pieces.append(data)
        return []

    def close(self) -> list[Frame]:
        body, self._pieces = b"".join(self._pieces), []
        return [Frame(data=body, raw=body)] if body else []


def _nothing(steps: Script) -> Script:
    return steps


def _on_streams(struck: Struck, fault: Fault) -> Fault:
    return _nothing if struck.framing == "json" else fault


def _frames(steps: Script, struck: Struck) -> Items:
    decoder: FrameDecoder = DECODERS.get(struck.framing, _Whole)()
    return recut(steps, decoder)


def _bytes(items: Items) -> Script:
    # An array that breaks off gives a last frame without a byte; nothing is sent for it.
    steps = (Bytes(item.raw) if isinstance(item, Frame) else item for item in items)
    return tuple(step for step in steps if step != Bytes(b""))


def _word(frame: Frame) -> str:
    """Return what an event calls itself: by its framing's name, its `type`, or Ollama's `done`."""
    data = (frame.data or b"").strip()
    if frame.event is not None or data == b"[DONE]":
        return frame.event or "[DONE]"
    try:
        value = _json.decode(data)
    except _json.JsonError:
        return ""
    if not isinstance(value, dict):
        return ""
    return "done" if value.get("done") is True else str(value.get("type", ""))


def _malformed(frame: Frame, struck: Struck) -> bytes:
    data = frame.data or b""
    if struck.framing == "eventstream":
        # The checksums are right: it is the JSON that is broken.
        return EventStreamEncoder().encode(msgspec.structs.replace(frame, data=_spoilt(data)))
    line = data.rsplit(b"\n", 1)[-1]
    at = frame.raw.rfind(line)
    return frame.raw[:at] + _spoilt(line) + frame.raw[at + len(line) :]


def _spoilt(data: bytes) -> bytes:
    at = max(data.rfind(b"}"), data.rfind(b"]"))
    return data + b"{" if at < 0 else data[:at] + b"," + data[at:]


def _error_event(struck: Struck, status: int | None, sent: bytes) -> bytes:
    """Write the error as the frame that follows what was sent."""
    codec = DIALECTS.get(struck.dialect, DIALECTS["openai_chat"]).errors
    info = stream_error(struck, status)
    before = DECODERS[struck.framing]().feed(sent)
    frame = codec.after(info, before[-1]) if codec.after is not None and before else codec.frame(info)
    if struck.framing == "jsonarray":
        array = JsonArrayEncoder(continued=bool(before))
        return array.encode(frame) + array.close()
    data = ENCODERS[struck.framing]().encode(frame)
    return _lines(data, sent) if struck.framing == "sse" else data


def _as_lines_end(data: bytes, steps: Script) -> bytes:
    return _lines(data, b"".join(step.data for step in steps if isinstance(step, Bytes)))


def _lines(data: bytes, like: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n") if b"\r\n" in like else data
