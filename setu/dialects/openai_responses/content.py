"""Content parts of input messages and of tool results, both ways."""

from typing import Any

from setu._json import Json, Raw, kind_of
from setu.chat.parts import AnyPart, Blocks, Inline, Media, Opaque, Plain, Ref, Refusal, Text, Url
from setu.chat.seals import CacheMark, Cite
from setu.dialects.openai_chat.media import address, source_of
from setu.dialects.openai_responses.extras import Where, give_back, lose, put_back
from setu.dialects.openai_responses.words import NAME
from setu.dialects.reader import Obj
from setu.dialects.record import Loss, Target

Item = dict[str, Any] | Raw

CONTENT = "content."
"""How the kinds of opaque content parts begin; opaque items have their bare type."""

_AUDIO_MIMES = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_AUDIO_FORMATS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}


def parse_content(obj: Obj, key: str) -> tuple[AnyPart, ...]:
    """Take a content member: a string or a list of parts."""
    kind = kind_of(obj.members.get(key, b"null"))
    if kind == "null":
        if not obj.lenient:
            raise obj.missing(key)
        obj.raw(key)
        return ()
    if kind == "string":
        text = obj.text(key)
        return (Text(text=text),) if text else ()
    where = obj.at(key)
    raws = obj.array(key) or ()
    return tuple(parse_part(raw, f"{where}[{index}]", lenient=obj.lenient) for index, raw in enumerate(raws))


def parse_part(raw: Json, where: str, *, lenient: bool = False) -> AnyPart:
    """Read one content part; a kind this version does not know stays opaque (B-RSP-06)."""
    if lenient and kind_of(raw) != "object":
        return Opaque(dialect=NAME, kind=CONTENT, raw=raw)
    obj = Obj(raw, where, lenient=lenient)
    kind = obj.text("type")
    if kind is None:
        if lenient:
            return Opaque(dialect=NAME, kind=CONTENT, raw=raw)
        raise obj.missing("type")
    read = _PARSERS.get(kind)
    part = read(obj, _mark(obj)) if read is not None else None
    return part if part is not None else Opaque(dialect=NAME, kind=CONTENT + kind, raw=raw)


def _mark(obj: Obj) -> CacheMark | None:
    """Take a cache mark without a lifetime; lifetimes are words of this dialect's own and stay in the extra."""
    raw = obj.members.get("prompt_cache_breakpoint", b"")
    if kind_of(raw) != "object":
        return None
    mark = Obj(raw, obj.at("prompt_cache_breakpoint"), lenient=obj.lenient)
    if mark.text("mode") != "explicit" or mark.members:
        return None
    obj.raw("prompt_cache_breakpoint")
    return CacheMark()


def _text(obj: Obj, cache: CacheMark | None) -> AnyPart:
    text = obj.text("text")
    if text is None and not obj.lenient:
        raise obj.missing("text")
    where = obj.at("annotations")
    cites = tuple(
        parse_cite(Obj(raw, f"{where}[{index}]", lenient=True), raw)
        for index, raw in enumerate(obj.array("annotations") or ())
        if kind_of(raw) == "object"
    )
    logprobs = obj.array("logprobs")
    return Text(
        text=text or "", cites=cites, logprobs=tuple(logprobs) if logprobs else None, cache=cache, extra=obj.extra(NAME)
    )


def parse_cite(obj: Obj, raw: Json) -> Cite:
    """Read an annotation; its own text is kept, for only `url_citation` says more than a file's id."""
    kind = obj.text("type") or ""
    start, end = obj.integer("start_index"), obj.integer("end_index")
    return Cite(
        kind=kind,
        dialect=NAME,
        start=start if end else None,
        end=end or None,
        url=obj.text("url"),
        title=obj.text("title") or obj.text("filename"),
        raw=raw,
    )


def _refusal(obj: Obj, cache: CacheMark | None) -> AnyPart:
    text = obj.text("refusal")
    if text is None and not obj.lenient:
        raise obj.missing("refusal")
    return Refusal(text=text or "", cache=cache, extra=obj.extra(NAME))


def _image(obj: Obj, cache: CacheMark | None) -> AnyPart | None:
    detail = obj.text("detail")
    identity = obj.text("file_id")
    url = _address(obj)
    if identity is None and url is None:
        if not obj.lenient:
            raise obj.missing("image_url")
        return None
    source = source_of(url) if url is not None else Ref(issuer=NAME, id=identity or "")
    # B-MED-07: a PDF in an image part is a document.
    pdf = isinstance(source, Inline) and source.mime == "application/pdf"
    return Media(
        kind="document" if pdf else "image",
        source=source,
        detail=None if detail == "auto" else detail,  # the default
        cache=cache,
        extra=obj.extra(NAME),
    )


def _address(obj: Obj) -> str | None:
    """Take `image_url`: a string, or the object that chat has there."""
    if kind_of(obj.members.get("image_url", b"")) != "object":
        return obj.text("image_url")
    image = obj.obj("image_url")
    assert image is not None
    url = image.need_text("url") if not image.lenient else image.text("url")
    put_back(obj, "image_url", image)
    return url


def _file(obj: Obj, cache: CacheMark | None) -> AnyPart | None:
    identity, data, url = obj.text("file_id"), obj.text("file_data"), obj.text("file_url")
    name = obj.text("filename")
    source: Inline | Url | Ref | None = None
    if url is not None:
        source = Url(url=url)
    elif identity is not None:
        source = Ref(issuer=NAME, id=identity)
    elif data is not None and isinstance(found := source_of(data), Inline):
        source = found
    if source is None:
        return None
    return Media(kind="document", source=source, name=name, cache=cache, extra=obj.extra(NAME))


def _audio(obj: Obj, cache: CacheMark | None) -> AnyPart | None:
    audio = obj.obj("input_audio")
    if audio is None:
        return None
    data, form = audio.text("data"), audio.text("format")
    if data is None or form not in _AUDIO_MIMES or audio.members:
        return None
    return Media(kind="audio", source=Inline(b64=data, mime=_AUDIO_MIMES[form]), cache=cache, extra=obj.extra(NAME))


_PARSERS = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}


class PartWriter:
    """Renders content parts for one target and collects what it cannot say."""

    def __init__(self, target: Target, losses: list[Loss]) -> None:
        self.target = target
        self.losses = losses

    def lose(self, where: Where, reason: str, *, info: bool = False) -> None:
        lose(self.losses, where, reason, info=info)

    def part(self, part: AnyPart, where: Where) -> list[Item]:
        """Render one part of an input message or a tool result; nothing when it cannot be said."""
        match part:
            case Text():
                if not part.text and part.extra is None:
                    if part.cache is not None:
                        self.lose((*where, "cache"), "a cache mark on an empty text", info=True)
                    return []
                rendered: list[Item] = [{"type": "input_text", "text": part.text}]
            case Refusal():
                rendered = [{"type": "input_text", "text": part.text}] if part.text else []
            case Media(source=Blocks(parts=blocks)):
                return [piece for index, block in enumerate(blocks) for piece in self.part(block, (*where, index))]
            case Media():
                rendered = self._media(part, where)
            case Opaque(dialect="openai_responses"):
                return [Raw(part.raw)]
            case _:
                self.lose(where, f"{type(part).__name__} has no place in an input message")
                return []
        if part.seal is not None:
            self.lose((*where, "seal"), "the signature is another host's", info=True)
        for item in rendered:
            if isinstance(item, dict):
                self.mark(item, part.cache, where)
                give_back(item, part.extra, where, self.losses)
        return rendered

    def mark(self, item: dict[str, Any], cache: CacheMark | None, where: Where) -> None:
        """Write a cache mark for hosts that take it."""
        if cache is None:
            return
        if "prompt_cache_breakpoint" not in self.target.capabilities:
            self.lose((*where, "cache"), "the target takes no cache marks", info=True)
            return
        item["prompt_cache_breakpoint"] = {"mode": "explicit"}

    def _media(self, part: Media, where: Where) -> list[Item]:
        source = part.source
        if isinstance(source, Url):
            source = self.target.media.get(source.url, source)
        for said, what in ((part.cited, "citations"), (part.context, "document context"), (part.clip, "a clip")):
            if said:
                self.lose(where, f"this API has no way to ask for {what}")
        if isinstance(source, Plain):
            return [{"type": "input_text", "text": source.text}] if source.text else []
        if isinstance(source, Ref) and source.issuer not in _ISSUERS:
            self.lose(where, f"the file is known to {source.issuer} only")
            return []
        if isinstance(source, Blocks):
            return []
        match part.kind:
            case "image":
                return [_render_image(part, source)]
            case "document":
                return [_render_file(part, source)]
            case "audio" if isinstance(source, Inline) and (form := self._audio_format(source)):
                return [{"type": "input_audio", "input_audio": {"data": source.b64, "format": form}}]
            case _:
                self.lose(where, f"the target takes no {part.kind} from such a source")
                return []

    def _audio_format(self, source: Inline) -> str | None:
        takes = "input_audio" in self.target.capabilities
        return _AUDIO_FORMATS.get(source.mime.partition(";")[0]) if takes else None


_ISSUERS = frozenset({NAME, "openai_chat"})
"""OpenAI keeps files for both of its APIs."""


def _render_image(part: Media, source: Inline | Url | Ref) -> dict[str, Any]:
    place = {"file_id": source.id} if isinstance(source, Ref) else {"image_url": address(source)}
    return {"type": "input_image", "detail": part.detail or "auto"} | place


def _render_file(part: Media, source: Inline | Url | Ref) -> dict[str, Any]:
    file: dict[str, Any] = {"type": "input_file"}
    match source:
        case Ref():
            file["file_id"] = source.id
        case Url():
            file["file_url"] = source.url
        case Inline():
            # OpenAI refuses bytes without a name; its extension tells the kind.
            file["filename"] = part.name or f"document.{source.mime.partition('/')[2] or 'pdf'}"
            file["file_data"] = address(source)
            return file
    return file | ({"filename": part.name} if part.name else {})
