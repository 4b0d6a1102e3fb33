"""Content parts of chat messages, both ways."""

from typing import Any

from setu._json import Json, kind_of
from setu.chat.parts import AnyPart, Inline, Media, Reasoning, Ref, Refusal, Text, Url
from setu.chat.seals import CacheMark
from setu.dialects import openai_parts
from setu.dialects.addresses import address, source_of
from setu.dialects.extras import Where, put_back
from setu.dialects.openai_chat.words import NAME
from setu.dialects.openai_parts import Item, Kinds, Read, kind_of_image, need_said, read_part
from setu.dialects.reader import Obj

_AUDIO_MIMES = {"wav": "audio/wav", "mp3": "audio/mpeg", "pcm16": "audio/pcm"}
_AUDIO_FORMATS = {mime: name for name, mime in _AUDIO_MIMES.items()} | {"audio/mp3": "mp3", "audio/x-wav": "wav"}


def cache_of(obj: Obj) -> CacheMark | None:
    """Take Anthropic's cache mark, a habit of OpenRouter and LiteLLM clients."""
    raw = obj.members.get("cache_control")
    if raw is None or kind_of(raw) != "object":
        return None
    mark = Obj(raw, obj.at("cache_control"), lenient=obj.lenient)
    kind, ttl = mark.text("type"), mark.text("ttl")
    if kind != "ephemeral" or mark.members:
        return None
    obj.raw("cache_control")
    return CacheMark(ttl=ttl)


def parse_content(obj: Obj, key: str) -> tuple[AnyPart, ...]:
    """Take a content member: a string, a list of parts, or nothing."""
    raw = obj.members.get(key)
    if raw is None or raw == b"null":
        obj.raw(key)
        return ()
    kind = kind_of(raw)
    if kind == "array":
        where = obj.at(key)
        return tuple(
            parse_part(item, f"{where}[{index}]", lenient=obj.lenient)
            for index, item in enumerate(obj.array(key) or ())
        )
    if obj.lenient and kind != "string":
        # Some hosts answer with the object that a JSON mode asked for instead of its text.
        return (Text(text=(obj.raw(key) or b"").decode("utf-8", "replace")),)
    text = obj.text(key)
    return (Text(text=text),) if text else ()


def parse_part(raw: Json, where: str, *, lenient: bool = False) -> AnyPart:
    """Read one content part; a kind this version does not know stays opaque."""
    return read_part(_KINDS, raw, where, lenient=lenient)


def _text(obj: Obj, cache: CacheMark | None) -> AnyPart:
    return Text(text=need_said(obj, "text"), cache=cache, extra=obj.extra(NAME))


def _refusal(obj: Obj, cache: CacheMark | None) -> AnyPart:
    return Refusal(text=need_said(obj, "refusal"), cache=cache, extra=obj.extra(NAME))


def _thinking(obj: Obj, _: CacheMark | None) -> AnyPart:
    """Read Mistral's thinking part (https://docs.mistral.ai/capabilities/reasoning, 2026-11)."""
    if kind_of(obj.members.get("thinking", b"")) == "string":
        return Reasoning(text=(obj.need_text("thinking"),))
    pieces = [piece.text("text") or "" for piece in obj.objects("thinking") or ()]
    obj.raw("closed")
    return Reasoning(text=("".join(pieces),) if pieces else ())


def _image(obj: Obj, cache: CacheMark | None) -> AnyPart | None:
    if kind_of(obj.members.get("image_url", b"")) == "string":  # a habit of Mistral clients
        url, detail = obj.need_text("image_url"), None
    else:
        image = obj.obj("image_url")
        if image is None:
            return _absent(obj, "image_url")
        url, detail = image.need_text("url"), image.text("detail")
        put_back(obj, "image_url", image)
    source = source_of(url)
    return Media(kind=kind_of_image(source), source=source, detail=detail, cache=cache, extra=obj.extra(NAME))


def _audio(obj: Obj, cache: CacheMark | None) -> AnyPart | None:
    if kind_of(obj.members.get("input_audio", b"")) != "object":
        return None if "input_audio" in obj.members else _absent(obj, "input_audio")
    audio = Obj(obj.members["input_audio"], obj.at("input_audio"), lenient=obj.lenient)
    data, form = audio.need_text("data"), audio.text("format")
    if form is None or audio.members or data.startswith(("data:", "http:", "https:")):
        return None  # a host's own form (Alibaba: data URLs)
    obj.raw("input_audio")
    mime = _AUDIO_MIMES.get(form, f"audio/{form}")
    return Media(kind="audio", source=Inline(b64=data, mime=mime), cache=cache, extra=obj.extra(NAME))


def _file(obj: Obj, cache: CacheMark | None) -> AnyPart | None:
    file = obj.obj("file")
    if file is None:
        return _absent(obj, "file")
    identity, data, name = file.text("file_id"), file.text("file_data"), file.text("filename")
    if identity is not None and data is None:
        source: Inline | Url | Ref = Ref(issuer=NAME, id=identity)
    elif data is not None and (data.startswith(("http:", "https:")) or isinstance(source_of(data), Inline)):
        source = source_of(data)
    else:
        return None
    put_back(obj, "file", file)
    return Media(kind="document", source=source, name=name, cache=cache, extra=obj.extra(NAME))


def _video(obj: Obj, cache: CacheMark | None) -> AnyPart | None:
    video = obj.obj("video_url")
    if video is None:
        return _absent(obj, "video_url")
    source = source_of(video.need_text("url"))
    put_back(obj, "video_url", video)
    return Media(kind="video", source=source, cache=cache, extra=obj.extra(NAME))


def _document(obj: Obj, cache: CacheMark | None) -> AnyPart | None:
    """Read Mistral's document part."""
    url = obj.text("document_url")
    if url is None:
        return _absent(obj, "document_url")
    name = obj.text("document_name")
    return Media(kind="document", source=source_of(url), name=name, cache=cache, extra=obj.extra(NAME))


def _absent(obj: Obj, key: str) -> AnyPart | None:
    if not obj.lenient:
        raise obj.missing(key)
    return None


_READERS: dict[str, Read] = {
    "text": _text,
    "refusal": _refusal,
    "thinking": _thinking,
    "image_url": _image,
    "input_audio": _audio,
    "file": _file,
    "video_url": _video,
    "document_url": _document,
}


_KINDS = Kinds(dialect=NAME, readers=_READERS, mark=cache_of)


class PartWriter(openai_parts.PartWriter):
    """Renders the parts of a user's, the system's or a tool's message."""

    dialect = NAME
    place = "a chat message"
    api = "chat"

    def text(self, text: str) -> Item:
        return {"type": "text", "text": text}

    def refusal(self, part: Refusal) -> list[Item]:
        return [{"type": "refusal", "refusal": part.text}]

    def mark(self, item: dict[str, Any], cache: CacheMark | None, where: Where) -> None:
        """Write a cache mark for hosts that take it."""
        if cache is None:
            return
        if "cache_control" not in self.target.capabilities:
            self.lose((*where, "cache"), "the target takes no cache marks", info=True)
            return
        item["cache_control"] = {"type": "ephemeral"} | ({"ttl": cache.ttl} if cache.ttl else {})

    def media(self, part: Media, source: Inline | Url | Ref, where: Where) -> list[Item]:
        if isinstance(source, Ref) and (source.issuer != NAME or part.kind != "document"):
            self.lose(where, f"the file is known to {source.issuer} only")
            return []
        match part.kind:
            case "image" if isinstance(source, (Inline, Url)):
                rendered = _render_image(part, source)
            case "audio" if isinstance(source, Inline):
                rendered = _render_audio(source)
            case "video" if isinstance(source, (Inline, Url)) and "video_url" in self.target.capabilities:
                rendered = {"type": "video_url", "video_url": {"url": address(source)}}
            case "document" if self._takes(source):
                rendered = self._render_document(part, source)
            case _:
                self.lose(where, f"the target takes no {part.kind} from such a source")
                return []
        return [rendered]

    def _takes(self, source: Inline | Url | Ref) -> bool:
        """Tell whether the target takes a document: by address only where it says so."""
        return not isinstance(source, Url) or not self.target.capabilities.isdisjoint({"file_url", "document_url"})

    def _render_document(self, part: Media, source: Inline | Url | Ref) -> dict[str, Any]:
        if isinstance(source, Ref):
            file = {"file_id": source.id}
        elif "document_url" in self.target.capabilities:
            name = {"document_name": part.name} if part.name else {}
            return {"type": "document_url", "document_url": address(source)} | name
        else:
            file = {"file_data": address(source)}
        return {"type": "file", "file": file | ({"filename": part.name} if part.name else {})}


def _render_image(part: Media, source: Inline | Url) -> dict[str, Any]:
    image: dict[str, Any] = {"url": address(source)}
    if part.detail is not None:
        image["detail"] = part.detail
    return {"type": "image_url", "image_url": image}


def _render_audio(source: Inline) -> dict[str, Any]:
    mime = source.mime.partition(";")[0]
    form = _AUDIO_FORMATS.get(mime, mime.removeprefix("audio/"))
    return {"type": "input_audio", "input_audio": {"data": source.b64, "format": form}}
