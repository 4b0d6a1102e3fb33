"""Content parts of input messages and of tool results, both ways."""

from typing import Any

from setu._json import Json, kind_of
from setu.chat.parts import AnyPart, Inline, Media, Ref, Refusal, Text, Url
from setu.chat.seals import CacheMark, Cite
from setu.dialects import openai_parts
from setu.dialects.addresses import address, source_of
from setu.dialects.extras import Where, put_back
from setu.dialects.openai_parts import Item, Kinds, Read, kind_of_image, need_said, read_part
from setu.dialects.openai_responses.words import NAME
from setu.dialects.reader import Obj

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
    return read_part(_KINDS, raw, where, lenient=lenient)


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
    text = need_said(obj, "text")
    where = obj.at("annotations")
    cites = tuple(
        parse_cite(Obj(raw, f"{where}[{index}]", lenient=True), raw)
        for index, raw in enumerate(obj.array("annotations") or ())
        if kind_of(raw) == "object"
    )
    logprobs = obj.array("logprobs")
    return Text(
        text=text, cites=cites, logprobs=tuple(logprobs) if logprobs else None, cache=cache, extra=obj.extra(NAME)
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
    return Refusal(text=need_said(obj, "refusal"), cache=cache, extra=obj.extra(NAME))


def _image(obj: Obj, cache: CacheMark | None) -> AnyPart | None:
    detail = obj.text("detail")
    identity = obj.text("file_id")
    url = _address(obj)
    if identity is None and url is None:
        if not obj.lenient:
            raise obj.missing("image_url")
        return None
    source = source_of(url) if url is not None else Ref(issuer=NAME, id=identity or "")
    return Media(
        kind=kind_of_image(source),
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


_READERS: dict[str, Read] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}


_KINDS = Kinds(dialect=NAME, readers=_READERS, mark=_mark, opaque=CONTENT)


class PartWriter(openai_parts.PartWriter):
    """Renders the parts of an input message or a tool result."""

    dialect = NAME
    place = "an input message"
    api = "this API"

    def text(self, text: str) -> Item:
        return {"type": "input_text", "text": text}

    def refusal(self, part: Refusal) -> list[Item]:
        return [self.text(part.text)] if part.text else []

    def mark(self, item: dict[str, Any], cache: CacheMark | None, where: Where) -> None:
        """Write a cache mark for hosts that take it."""
        if cache is None:
            return
        if "prompt_cache_breakpoint" not in self.target.capabilities:
            self.lose((*where, "cache"), "the target takes no cache marks", info=True)
            return
        item["prompt_cache_breakpoint"] = {"mode": "explicit"}

    def media(self, part: Media, source: Inline | Url | Ref, where: Where) -> list[Item]:
        if isinstance(source, Ref) and source.issuer not in _ISSUERS:
            self.lose(where, f"the file is known to {source.issuer} only")
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
