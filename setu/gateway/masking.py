"""Personal data on its way out and back: masks in the request, values in the answer.

Of a request the texts are read, whatever its dialect: what the client says, what tools said, what models said before.
Names, ids, media and everything outside the conversation stay. An answer is restored wherever a mask stands in it.
"""

import re
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from setu import _json
from setu.access.privacy import KINDS, Kind, Masker, masks_in, tail_of, unmask
from setu.cassette.match import BASE64, LARGE
from setu.errors import LocalDialectError
from setu.framing.frame import Frame
from setu.framing.kinds import DECODERS, ENCODERS
from setu.http import Response

Mode = Literal["mask", "refuse"]

_ROOTS = (
    *("system", "systemInstruction", "system_instruction", "instructions", "preamble"),
    *("messages", "contents", "chat_history", "content", "input", "inputs", "prompt", "message"),
    *("suffix", "texts", "documents", "requests", "prediction"),
)
"""Where any dialect's request has its texts. In this order, so that a conversation that grows keeps its masks."""

_STRUCTURE = frozenset(
    {
        *("role", "type", "id", "tool_call_id", "tool_use_id", "call_id", "toolUseId", "name", "toolName", "status"),
        *("data", "file_data", "b64_json", "bytes", "url", "image_url", "file_url", "file_id", "fileUri", "file_uri"),
        *("mimeType", "mime_type", "media_type", "format", "detail", "filename", "phase", "model"),
        *("signature", "thoughtSignature", "thought_signature", "encrypted_content", "encrypted_index"),
    }
)
"""Members whose strings are no text."""

_DATA = frozenset({"args", "response", "json"})
"""Members that hold somebody's data: there an `id` or a `url` is as private as anything else."""

_JSON_TEXTS = frozenset({"arguments", "partial_json"})
_MEDIA = re.compile(BASE64)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What to do about personal data; `providers` are those that must not see it, empty for all."""

    kinds: tuple[Kind, ...] = KINDS
    mode: Mode = "mask"
    providers: tuple[str, ...] = ()

    def concerns(self, providers: Collection[str]) -> bool:
        """Say whether one of these must not see it."""
        return not self.providers or not set(self.providers).isdisjoint(providers)


class Masked(NamedTuple):
    """A request's body, what its masks stand for, and which kinds were found."""

    body: bytes
    table: Mapping[str, str]
    found: tuple[Kind, ...]


def mask_request(body: bytes, options: Options) -> Masked:
    """Mask a request's texts; the same bytes where nothing was found, and of a body that is no JSON object.

    Raises:
        LocalDialectError: something was found and requests that hold it are refused, or the body cannot be read.
    """
    try:
        members = _json.decode(body)
        if not isinstance(members, dict):
            return Masked(body, {}, ())
        masker = Masker(options.kinds, masks_in(body.decode("utf-8", "replace")))
        walk = _Outward(masker)
        masked = {name: walk.value(members[name], name) for name in _ROOTS if name in members}
        if not masker.found:
            return Masked(body, {}, ())
        if options.mode == "refuse":
            raise _refused(masker.found)
        changes = {name: _json.encode(value) for name, value in masked.items() if value != members[name]}
        return Masked(_json.splice(body, changes), masker.table, masker.found)
    except (_json.JsonError, RecursionError) as error:
        raise LocalDialectError(f"the body cannot be searched for personal data: {error}") from None


def _refused(found: tuple[Kind, ...]) -> LocalDialectError:
    what = ", ".join(kind.replace("_", " ") for kind in found)
    return LocalDialectError(
        f"the request holds personal data that this gateway does not pass on: {what}", code="personal_data"
    )


class _Outward:
    """One pass over a request's texts."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker

    def value(self, value: Any, key: str, *, data: bool = False) -> Any:
        kind = type(value)
        if kind is str:
            return self._text(value, key, data=data)
        if kind is list:
            return [self.value(item, key, data=data) for item in value]
        if kind is dict:
            return {name: self.value(item, name, data=data or _is_data(name, value)) for name, item in value.items()}
        return value

    def _text(self, text: str, key: str, *, data: bool) -> str:
        if (key in _STRUCTURE and not data) or (len(text) >= LARGE and _MEDIA.fullmatch(text)):
            return text
        if key in _JSON_TEXTS and not data:
            return self._json_text(text)
        return self._masker.mask(text)

    def _json_text(self, text: str) -> str:
        """Mask within the values of a JSON text: its escapes are no part of what they spell."""
        try:
            value = _json.decode(text)
        except (_json.JsonError, RecursionError):
            return self._masker.mask(text)
        masked = self.value(value, "", data=True)
        return text if masked == value else _json.encode(masked).decode()


def _is_data(name: str, owner: Mapping[str, Any]) -> bool:
    if name == "input":
        return "toolUseId" in owner or str(owner.get("type")).endswith("tool_use")
    # Anthropic's plain text document is a source of the type `text` with its text as `data`.
    return name in _DATA or (name == "data" and owner.get("type") == "text")


class _Inward:
    """Puts values back into parsed JSON, in place."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._plain = table
        self._escaped = {mask: _json.encode(value).decode()[1:-1] for mask, value in table.items()}

    def text(self, text: str, *, escaped: bool) -> str:
        return unmask(text, self._escaped if escaped else self._plain)

    def value(self, value: Any) -> bool:
        """Restore every string below; say whether there was a mask."""
        places = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
        changed = False
        for key, item in places:
            if isinstance(item, str):
                restored = self.text(item, escaped=_is_escaped(value, key))
                if restored != item:
                    value[key] = restored
                    changed = True
            elif isinstance(item, dict | list):
                changed = self.value(item) or changed
        return changed


def _is_escaped(owner: Any, key: Any) -> bool:
    """Say whether a member is JSON within JSON."""
    return key in _JSON_TEXTS or (key == "delta" and "arguments" in str(owner.get("type")))


def restore(response: Response, table: Mapping[str, str], framing: str | None = None) -> Response:
    """Return an answer with the values in their places; `framing` is the stream's, of the client's dialect."""
    if not table:
        return response
    if isinstance(response.body, bytes):
        return Response(response.status, response.headers, restored(response.body, table))
    return Response(response.status, response.headers, RestoredBody(response, table, framing or "sse"))


def restored(body: bytes, table: Mapping[str, str]) -> bytes:
    """Put the values back into a JSON document; the same bytes where there is no mask."""
    try:
        value = _json.decode(body)
        changed = isinstance(value, dict | list) and _Inward(table).value(value)
    except (_json.JsonError, RecursionError):
        return body
    return _json.encode(value) if changed else body


class RestoredBody:
    """A stream with the values in their places: a ByteStream."""

    def __init__(self, response: Response, table: Mapping[str, str], framing: str) -> None:
        self._response = response
        self._decoder = DECODERS[framing]()
        self._restorer = Restorer(table, framing)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.chunks():
                data = self._passed(self._decoder.feed(chunk))
                if data:
                    yield data
        except Exception:
            if rest := self._rest():
                yield rest
            raise
        if rest := self._rest():
            yield rest

    async def aclose(self) -> None:
        await self._response.aclose()

    def _passed(self, frames: list[Frame]) -> bytes:
        return b"".join([piece for frame in frames for piece in self._restorer.feed(frame)])

    def _rest(self) -> bytes:
        return self._passed(self._decoder.close()) + b"".join(self._restorer.close())


class Slot(NamedTuple):
    """The text that a frame adds to, and of which stream of texts it is the next piece."""

    channel: tuple[object, ...]
    owner: dict[str, Any]
    key: str

    @property
    def text(self) -> str:
        return str(self.owner[self.key])


_TEXTS = ("text", "thinking", "partial_json", "content", "reasoning_content", "reasoning", "refusal")


def slot_of(value: dict[str, Any]) -> Slot | None:
    """Return where a frame of any dialect has its piece of text; None for a frame with none, or several."""
    delta = value.get("delta")
    if isinstance(delta, str):  # Responses API
        return Slot((value.get("type"), value.get("item_id"), value.get("content_index")), value, "delta")
    if isinstance(delta, dict):  # Anthropic
        return _member(delta, value.get("index"))
    choices = value.get("choices", value.get("candidates"))
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
        return None
    choice = choices[0]
    content = choice.get("delta", choice.get("content"))
    if not isinstance(content, dict):
        return _member(choice, choice.get("index"))  # `complete`
    for name in ("tool_calls", "parts"):
        pieces = content.get(name)
        if isinstance(pieces, list) and len(pieces) == 1 and isinstance(pieces[0], dict):
            return _member(pieces[0].get("function", pieces[0]), choice.get("index"), pieces[0].get("index"))
    return _member(content, choice.get("index"))


def _member(owner: Any, *place: object) -> Slot | None:
    if isinstance(owner, dict):
        for name in (*_TEXTS, "arguments"):
            if isinstance(owner.get(name), str) and owner[name]:
                return Slot((*place, name, owner.get("thought")), owner, name)
    return None


class _Held(NamedTuple):
    """A frame that ends in what may become a mask, and the frames without text behind it."""

    frame: Frame
    value: dict[str, Any]
    slot: Slot
    tail: str
    behind: list[bytes]


class Restorer:
    """Frames in, bytes out. A frame that ends within a mask waits for the next piece of the same text.

    The number and order of the frames stay, only text moves from one to the next. What is held back is shorter than a
    mask; a frame of anything else but a sign of life lets it go as it is.
    """

    def __init__(self, table: Mapping[str, str], framing: str) -> None:
        self._table = table
        self._inward = _Inward(table)
        self._framing = framing
        self._held: _Held | None = None

    def feed(self, frame: Frame) -> list[bytes]:
        value = _object(frame)
        if self._held is not None and (frame.data is None or (value is not None and value.get("type") == "ping")):
            self._held.behind.append(frame.raw)
            return []
        slot = slot_of(value) if value is not None else None
        if value is None:
            return [*self.close(), frame.raw]
        if slot is None:
            changed = self._inward.value(value)
            return [*self.close(), self._written(frame, value) if changed else frame.raw]
        return self._added(frame, value, slot)

    def close(self) -> list[bytes]:
        """Let go of what waits, as it is."""
        held, self._held = self._held, None
        if held is None:
            return []
        held.slot.owner[held.slot.key] += held.tail
        return [self._written(held.frame, held.value), *held.behind]

    def _added(self, frame: Frame, value: dict[str, Any], slot: Slot) -> list[bytes]:
        held, before, out = self._held, "", list[bytes]()
        if held is not None and held.slot.channel == slot.channel:
            before = held.tail
        else:
            out, held = self.close(), None
        piece = slot.text
        text = before + piece
        tail = tail_of(text, self._table)
        if held is not None and tail == text:  # more of the same mask
            slot.owner[slot.key] = ""
            self._inward.value(value)
            self._held = held._replace(tail=tail, behind=[*held.behind, self._written(frame, value)])
            return out
        if held is not None:
            out = [self._written(held.frame, held.value), *held.behind]
        ready = self._inward.text(text[: len(text) - len(tail)], escaped=_is_escaped(slot.owner, slot.key))
        slot.owner[slot.key] = ready
        changed = self._inward.value(value) or ready != piece
        self._held = _Held(frame, value, slot, tail, []) if tail else None
        if tail:
            return out
        return [*out, self._written(frame, value) if changed else frame.raw]

    def _written(self, frame: Frame, value: dict[str, Any]) -> bytes:
        data = _json.encode(value)
        if frame.data is not None and frame.data in frame.raw:
            return frame.raw.replace(frame.data, data, 1)
        return ENCODERS[self._framing]().encode(msgspec.structs.replace(frame, data=data))


def _object(frame: Frame) -> dict[str, Any] | None:
    if frame.data is None:
        return None
    try:
        value = _json.decode(frame.data)
    except (_json.JsonError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
