"""The deltas of one choice, put together into parts."""

import json
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from setu import _json
from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Event,
    MediaDelta,
    PartEnded,
    PartStarted,
    ReasoningDelta,
    SealAdded,
    TextDelta,
)
from setu.chat.ids import Mint
from setu.chat.parts import AnyPart, Inline, Media, Reasoning, Refusal, Text, ToolCall
from setu.chat.seals import Cite
from setu.dialects.addresses import source_of
from setu.dialects.openai_chat.reasoning import form_extra, seal_of
from setu.dialects.openai_chat.response import parse_cite

_STRING = ("thinking", "string")
"""Thinking that came as a plain string."""


class _Call:
    """A tool call while it grows; its part opens when its name is known."""

    __slots__ = ("arguments", "identity", "kind", "name", "part", "waiting")

    def __init__(self, identity: str, kind: str) -> None:
        self.identity = identity
        self.kind = kind
        self.name = ""
        self.part: int | None = None
        self.waiting: list[str] = []
        self.arguments = ""


class ChoiceDecoder:
    """Opens and closes the parts of one candidate. Words and thinking follow each other; calls may overlap."""

    def __init__(self, index: int, next_part: Callable[[], int], mint: Mint) -> None:
        self.index = index
        self._next_part = next_part
        self._mint = mint
        self._open: int | None = None
        self._kind: object = None
        self._words: list[str] = []
        self._written = 0
        """Characters of text so far: annotations count from the start of the whole content."""
        self._base = 0
        self._calls: dict[object, _Call] = {}
        self._current: dict[object, object] = {}

    @property
    def has_calls(self) -> bool:
        return bool(self._calls)

    def feed(self, delta: dict[str, Any], logprobs: Any, events: list[Event]) -> None:
        for key, value in delta.items():
            if value is None or key == "role":
                continue
            if key == "content":
                self._content(value, logprobs, events)
            elif (read := self._READERS.get(key)) is not None:
                read(self, value, delta, events)

    def close(self) -> list[Event]:
        """Close what is open; a call that never got a name is one without."""
        events: list[Event] = []
        self._shut(events)
        for call in self._calls.values():
            if call.part is None:
                self._open_call(call, events)
            assert call.part is not None
            if call.part >= 0:
                events.append(PartEnded(part=call.part))
                call.part = -1
        return events

    def _shut(self, events: list[Event]) -> None:
        if self._open is not None:
            events.append(PartEnded(part=self._open))
            self._open = self._kind = None

    def _enter(self, kind: object, value: AnyPart, events: list[Event]) -> int:
        """Return the open part if it is of this kind, else close it and open a new one."""
        if self._open is not None and self._kind == kind:
            return self._open
        self._shut(events)
        part = self._open = self._next_part()
        self._kind = kind
        self._words = []
        if kind == "text":
            self._base = self._written
        events.append(PartStarted(part=part, candidate=self.index, value=value))
        return part

    def _content(self, value: Any, logprobs: Any, events: list[Event]) -> None:
        if isinstance(value, str):
            tokens = _tokens(logprobs) if logprobs is not None else None
            if value or tokens:
                part = self._open if self._kind == "text" else None
                if part is None:
                    part = self._enter("text", Text(text=""), events)
                self._written += len(value)
                events.append(TextDelta(part=part, text=value, logprobs=tokens))
        elif isinstance(value, list):
            for item in value:
                self._content_item(item, events)
        else:
            self._content(_json_text(value), logprobs, events)

    def _content_item(self, item: Any, events: list[Event]) -> None:
        """Read one part of a list (Mistral, B-THK-13): text, thinking, an image."""
        if not isinstance(item, dict):
            return
        thinking = item.get("thinking")
        if isinstance(thinking, list):
            thinking = "".join(_text_of(piece) for piece in thinking)
        if isinstance(thinking, str):
            self._think("string", thinking, Reasoning(), events)
        elif isinstance(item.get("image_url"), dict):
            self._image(item, events)
        else:
            self._content(_text_of(item), None, events)

    def _refusal(self, value: Any, _: dict[str, Any], events: list[Event]) -> None:
        if isinstance(value, str) and value:
            part = self._enter("refusal", Refusal(text=""), events)
            events.append(TextDelta(part=part, text=value))

    def _reasoning(self, value: Any, delta: dict[str, Any], events: list[Event]) -> None:
        """Read the plain string, unless details say the same words (B-THK-13, B-THK-14)."""
        if isinstance(value, dict):
            value = value.get("text") or value.get("content")
        details = delta.get("reasoning_details")
        if isinstance(value, str) and value and not (isinstance(details, list) and any(map(_says, details))):
            self._think("string", value, Reasoning(), events)

    def _reasoning_content(self, value: Any, delta: dict[str, Any], events: list[Event]) -> None:
        if not delta.get("reasoning"):  # some hosts send both spellings of one thought
            self._reasoning(value, delta, events)

    def _think(self, kind: object, text: str, value: Reasoning, events: list[Event], *, summary: bool = False) -> None:
        if text:
            part = self._enter(("thinking", kind), value, events)
            self._words.append(text)
            events.append(ReasoningDelta(part=part, text=text, summary=summary))

    def _details(self, value: Any, _: dict[str, Any], events: list[Event]) -> None:
        for detail in value if isinstance(value, list) else ():
            if isinstance(detail, dict):
                self._detail(detail, events)

    def _detail(self, detail: dict[str, Any], events: list[Event]) -> None:
        kind, form, identity = detail.get("type"), _str(detail.get("format")), _str(detail.get("id"))
        seal = seal_of(form, _str(detail.get("signature")), _str(detail.get("data")))
        value = Reasoning(id=identity, extra=form_extra(form), redacted=kind == "reasoning.encrypted")
        if kind == "reasoning.encrypted":
            if seal is not None:
                self._shut(events)
                part = self._enter(("thinking", "encrypted"), value, events)
                events.append(SealAdded(part=part, data=seal.data, issuer=seal.issuer, kind=seal.kind))
                self._shut(events)
            return
        summary = kind == "reasoning.summary"
        text = _str(detail.get("summary" if summary else "text")) or ""
        if self._kind == _STRING and text and "".join(self._words).endswith(text):
            text = ""  # the closing copy of what was streamed as a string already
        self._think((kind, detail.get("index")), text, value, events, summary=summary)
        if seal is not None:
            if not (isinstance(self._kind, tuple) and self._kind[0] == "thinking"):
                self._enter(("thinking", (kind, detail.get("index"))), value, events)
            assert self._open is not None
            events.append(SealAdded(part=self._open, data=seal.data, issuer=seal.issuer, kind=seal.kind))
            self._shut(events)

    def _tool_calls(self, value: Any, _: dict[str, Any], events: list[Event]) -> None:
        for position, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, dict):
                self._shut(events)
                kind = "custom" if item.get("type") == "custom" else "function"
                inner = item.get(kind)
                self._call_delta(item, inner if isinstance(inner, dict) else {}, kind, position, events)

    def _legacy(self, value: Any, _: dict[str, Any], events: list[Event]) -> None:
        if isinstance(value, dict) and (value.get("name") or value.get("arguments")):
            self._shut(events)
            self._call_delta({"index": "function_call"}, value, "function", 0, events)

    def _call_delta(
        self, item: dict[str, Any], inner: dict[str, Any], kind: str, position: int, events: list[Event]
    ) -> None:
        call = self._call_of(item, inner, kind, position)
        name = inner.get("name")
        if isinstance(name, str) and name and not call.name:
            call.name = name
        text = inner.get("input" if call.kind == "custom" else "arguments")
        if text is not None and not isinstance(text, str):  # B-STR-12
            text = _json_text(text)
        if text:
            call.arguments += text
            call.waiting.append(text)
        if call.part is None and call.name:
            self._open_call(call, events)
        elif call.part is not None and call.part >= 0 and call.waiting:
            events.append(ArgumentsDelta(part=call.part, text="".join(call.waiting)))
            call.waiting = []
        signature = _signature(item)
        if signature and call.part is not None and call.part >= 0:
            events.append(SealAdded(part=call.part, data=signature, issuer="gemini"))

    def _call_of(self, item: dict[str, Any], inner: dict[str, Any], kind: str, position: int) -> _Call:
        """Find the call that a fragment belongs to (B-STR-05, B-STR-07, B-STR-10)."""
        slot = item.get("index")
        if not isinstance(slot, (int, str)):
            slot = position
        identity = _str(item.get("id")) or ""
        key = self._current.get(slot)
        call = self._calls.get(key) if key is not None else None
        if call is None or _is_next(call, identity, inner):
            key = len(self._calls)
            self._current[slot] = key
            call = self._calls[key] = _Call(self._unused(identity), kind)
        return call

    def _unused(self, identity: str) -> str:
        taken = {call.identity for call in self._calls.values()}
        return identity if identity and identity not in taken else self._mint("call_")

    def _open_call(self, call: _Call, events: list[Event]) -> None:
        part = call.part = self._next_part()
        kind: Any = call.kind
        value = ToolCall(call_id=call.identity, name=call.name, arguments="", kind=kind)
        events.append(PartStarted(part=part, candidate=self.index, value=value))
        if call.waiting:
            events.append(ArgumentsDelta(part=part, text="".join(call.waiting)))
            call.waiting = []

    def _audio(self, value: Any, _: dict[str, Any], events: list[Event]) -> None:
        if not isinstance(value, dict):
            return
        data, transcript = _str(value.get("data")) or "", _str(value.get("transcript"))
        if data or transcript:
            source = Inline(b64="", mime="audio/wav")
            part = self._enter("audio", Media(kind="audio", source=source, id=_str(value.get("id"))), events)
            events.append(MediaDelta(part=part, data=data, transcript=transcript))

    def _images(self, value: Any, _: dict[str, Any], events: list[Event]) -> None:
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict):
                self._image(item, events)

    def _image(self, item: dict[str, Any], events: list[Event]) -> None:
        image = item.get("image_url")
        url = _str(image.get("url")) if isinstance(image, dict) else None
        if not url:
            return
        source = source_of(url)
        inline = isinstance(source, Inline)
        skeleton = Inline(b64="", mime=source.mime) if isinstance(source, Inline) else source
        self._shut(events)
        part = self._enter("image", Media(kind="image", source=skeleton), events)
        if inline and isinstance(source, Inline):
            events.append(MediaDelta(part=part, data=source.b64))
        self._shut(events)

    def _annotations(self, value: Any, _: dict[str, Any], events: list[Event]) -> None:
        for item in value if isinstance(value, list) else ():
            try:
                cite = parse_cite(_json.encode(item))
            except _json.JsonError:
                cite = None
            if cite is not None:
                part = self._enter("text", Text(text=""), events)
                events.append(CiteAdded(part=part, cite=self._from_part(cite)))

    def _from_part(self, cite: Cite) -> Cite:
        """Count a citation's range from the start of its part."""
        if not self._base or cite.start is None or cite.end is None:
            return cite
        return msgspec.structs.replace(cite, start=max(cite.start - self._base, 0), end=max(cite.end - self._base, 0))

    def _extra_content(self, _value: Any, delta: dict[str, Any], events: list[Event]) -> None:
        signature = _signature(delta)
        if signature:
            part = self._enter("text", Text(text=""), events)
            events.append(SealAdded(part=part, data=signature, issuer="gemini"))

    _READERS: ClassVar[dict[str, Callable[["ChoiceDecoder", Any, dict[str, Any], list[Event]], None]]] = {
        "refusal": _refusal,
        "reasoning": _reasoning,
        "reasoning_content": _reasoning_content,
        "reasoning_details": _details,
        "tool_calls": _tool_calls,
        "function_call": _legacy,
        "audio": _audio,
        "images": _images,
        "annotations": _annotations,
        "extra_content": _extra_content,
    }


def _is_next(call: _Call, identity: str, inner: dict[str, Any]) -> bool:
    """Tell whether a fragment under a used index starts another call: a new id with a name, or the name again
    after arguments that are whole (hosts that number every call 0).
    """
    name = inner.get("name")
    if not name or not call.name:
        return False
    if identity:
        return identity != call.identity
    return bool(name != call.name or (_is_object(call.arguments) and inner.get("arguments")))


def _json_text(value: Any) -> str:
    """Return a decoded value's JSON text, lone surrogates as escapes."""
    try:
        return _json.encode(value).decode()
    except _json.JsonError:
        return json.dumps(value)


def _is_object(text: str) -> bool:
    try:
        return isinstance(_json.decode(text), dict)
    except _json.JsonError:
        return False


def _says(detail: Any) -> bool:
    """Tell whether a detail has words of its own."""
    return isinstance(detail, dict) and bool(detail.get("text") or detail.get("summary"))


def _str(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _text_of(item: Any) -> str:
    text = item.get("text") if isinstance(item, dict) else item
    return text if isinstance(text, str) else ""


def _tokens(logprobs: Any) -> tuple[bytes, ...] | None:
    entries = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        return None
    try:
        return tuple(map(_json.encode, entries))
    except _json.JsonError:
        return None


def _signature(item: dict[str, Any]) -> str | None:
    for step in ("extra_content", "google"):
        found = item.get(step)
        if not isinstance(found, dict):
            return None
        item = found
    return _str(item.get("thought_signature"))
