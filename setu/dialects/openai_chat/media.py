"""Content parts of chat messages, both ways."""

import re
from typing import Any

from setu._json import Json, Raw, kind_of
from setu.chat.parts import AnyPart, Blocks, Inline, Media, Opaque, Plain, Reasoning, Ref, Refusal, Text, Url
from setu.chat.seals import CacheMark
from setu.dialects.openai_chat.extras import give_back, put_back
from setu.dialects.openai_chat.words import NAME
from setu.dialects.reader import Obj
from setu.dialects.record import Loss, Target, pointer

Where = tuple[str | int, ...]

_DATA_URL = re.compile(r"data:([^;,\s]*);base64,([A-Za-z0-9+/=_\-\s]*)")
_AUDIO_MIMES = {"wav": "audio/wav", "mp3": "audio/mpeg", "pcm16": "audio/pcm"}
_AUDIO_FORMATS = {mime: name for name, mime in _AUDIO_MIMES.items()} | {"audio/mp3": "mp3", "audio/x-wav": "wav"}


def source_of(url: str) -> Inline | Url:
    """Read an address; a base64 data URL is media in the request itself."""
    found = _DATA_URL.fullmatch(url)
    return Inline(b64=found[2], mime=found[1]) if found else Url(url=url)


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
    if lenient and kind_of(raw) != "object":
        return Opaque(dialect=NAME, kind="", raw=raw)
    obj = Obj(raw, where, lenient=lenient)
    kind = obj.text("type")
    if kind is None:
        if lenient:
            return Opaque(dialect=NAME, kind="", raw=raw)
        raise obj.missing("type")
    read = _PARSERS.get(kind)
    part = read(obj, cache_of(obj)) if read is not None else None
    return part if part is not None else Opaque(dialect=NAME, kind=kind, raw=raw)


def _text(obj: Obj, cache: CacheMark | None) -> AnyPart:
    text = obj.text("text")
    if text is None and not obj.lenient:
        raise obj.missing("text")
    return Text(text=text or "", cache=cache, extra=obj.extra(NAME))


def _refusal(obj: Obj, cache: CacheMark | None) -> AnyPart:
    text = obj.text("refusal")
    if text is None and not obj.lenient:
        raise obj.missing("refusal")
    return Refusal(text=text or "", cache=cache, extra=obj.extra(NAME))


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
    # B-MED-07: a PDF in an image part is a document.
    pdf = isinstance(source, Inline) and source.mime == "application/pdf"
    kind = "document" if pdf else "image"
    return Media(kind=kind, source=source, detail=detail, cache=cache, extra=obj.extra(NAME))  # type: ignore[arg-type]  # two of the four kinds


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
    elif data is not None and (data.startswith(("http:", "https:")) or _DATA_URL.fullmatch(data)):
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


_PARSERS = {
    "text": _text,
    "refusal": _refusal,
    "thinking": _thinking,
    "image_url": _image,
    "input_audio": _audio,
    "file": _file,
    "video_url": _video,
    "document_url": _document,
}


class PartWriter:
    """Renders content parts for one target and collects what it cannot say."""

    def __init__(self, target: Target, losses: list[Loss]) -> None:
        self.target = target
        self.losses = losses

    def lose(self, where: Where, reason: str, *, info: bool = False) -> None:
        self.losses.append(
            Loss(phase="request", pointer=pointer(*where), reason=reason, severity="info" if info else "warn")
        )

    def part(self, part: AnyPart, where: Where) -> list[dict[str, Any] | Raw]:
        """Render one part of a user, system or tool message; nothing when it cannot be said."""
        match part:
            case Text():
                if not part.text and part.extra is None:  # some hosts refuse an empty block
                    if part.cache is not None:
                        self.lose((*where, "cache"), "a cache mark on an empty text", info=True)
                    return []
                rendered: list[dict[str, Any] | Raw] = [{"type": "text", "text": part.text}]
            case Refusal():
                rendered = [{"type": "refusal", "refusal": part.text}]
            case Media(source=Blocks(parts=blocks)):
                return [piece for index, block in enumerate(blocks) for piece in self.part(block, (*where, index))]
            case Media():
                rendered = self._media(part, where)
            case Opaque(dialect="openai_chat"):
                return [Raw(part.raw)]
            case _:
                self.lose(where, f"{type(part).__name__} has no place in a chat message")
                return []
        if part.seal is not None:
            self.lose(where, "the signature is another host's", info=True)
        for item in rendered:
            if isinstance(item, dict):
                self.mark(item, part.cache, where)
                give_back(item, part.extra, where, self.losses)
        return rendered

    def mark(self, item: dict[str, Any], cache: CacheMark | None, where: Where) -> None:
        """Write a cache mark for hosts that take it."""
        if cache is None:
            return
        if "cache_control" not in self.target.capabilities:
            self.lose((*where, "cache"), "the target takes no cache marks", info=True)
            return
        item["cache_control"] = {"type": "ephemeral"} | ({"ttl": cache.ttl} if cache.ttl else {})

    def _media(self, part: Media, where: Where) -> list[dict[str, Any] | Raw]:
        source = part.source
        if isinstance(source, Url):
            source = self.target.media.get(source.url, source)
        for said, what in ((part.cited, "citations"), (part.context, "document context"), (part.clip, "a clip")):
            if said:
                self.lose(where, f"chat has no way to ask for {what}")
        if isinstance(source, Plain):
            return [{"type": "text", "text": source.text}] if source.text else []
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
            case "document" if not isinstance(source, Blocks) and self._takes(source):
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


def address(source: Inline | Url) -> str:
    """Write a source as a URL."""
    return source.url if isinstance(source, Url) else f"data:{source.mime};base64,{source.b64}"
