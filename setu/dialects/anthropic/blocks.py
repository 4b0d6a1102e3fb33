"""Content blocks to parts, for requests (strict) and answers (lenient).

A block of an unknown type, or of a known type with a source this version does not know, becomes `Opaque`: it goes
back to Anthropic as it came.
"""

from collections.abc import Callable, Mapping

import msgspec

from setu import _json
from setu._json import Json
from setu.chat.ids import Mint
from setu.chat.parts import (
    AnyPart,
    Blocks,
    HostedCall,
    HostedResult,
    Inline,
    Media,
    MediaSource,
    Opaque,
    Plain,
    Reasoning,
    Ref,
    Text,
    ToolCall,
    ToolResult,
    Url,
)
from setu.chat.seals import CacheMark, Cite, Seal
from setu.dialects.anthropic.words import NAME, own_id
from setu.dialects.reader import Obj
from setu.dialects.record import json_text
from setu.errors import RemoteDialectError

_DEPTH = 6
"""Contents inside contents; the API knows three: a message's result's document's blocks."""


class Known:
    """What reading a block may need to know: the names of the calls so far, and how to mint an id that is missing."""

    __slots__ = ("mint", "names")

    def __init__(self, mint: Mint | None = None) -> None:
        self.mint = mint
        self.names: dict[str, str] = {}


def read_content(obj: Obj, key: str, known: Known) -> tuple[AnyPart, ...]:
    """Take a content: a string is one text, an array is blocks; absent is nothing."""
    if obj.param.count("content[") > _DEPTH:
        raise obj.error("content is nested too deeply", param=obj.param[:100])
    raw = obj.members.get(key)
    if raw is not None and _json.kind_of(raw) == "string":
        return (Text(text=obj.need_text(key)),)
    if raw is not None and not obj.lenient and _json.kind_of(raw) not in ("array", "null"):
        raise obj.wrong(key, "a string or an array")
    items = obj.array(key) or []
    return tuple(
        read_block(item, f"{obj.at(key)}[{index}]", known, lenient=obj.lenient)
        for index, item in enumerate(items)
        if not obj.lenient or _json.kind_of(item) == "object"
    )


def read_block(raw: Json, param: str, known: Known, *, lenient: bool) -> AnyPart:
    """Read one block.

    Raises:
        LocalDialectError: (strict) a member is missing or of the wrong type.
    """
    block = Obj(raw, param, lenient=lenient)
    kind = block.text("type") or ""
    if not kind and not lenient:
        raise block.missing("type")
    reader = _reader_of(kind)
    try:
        part = reader(block, kind, known) if reader else None
    except RemoteDialectError:  # an answer's block with a member missing: kept as it is, never fatal
        part = None
    if part is None:
        return Opaque(dialect=NAME, kind=kind, raw=raw)
    cache = read_cache(block)
    extra = block.extra(NAME)
    if cache is None and extra is None:
        return part
    return msgspec.structs.replace(part, cache=cache, extra=extra)


def read_cache(block: Obj) -> CacheMark | None:
    """Take `cache_control`; a form this version does not know stays behind as an extra."""
    raw = block.members.get("cache_control")
    if raw is None or _json.kind_of(raw) != "object":
        if raw == b"null":
            del block.members["cache_control"]
        return None
    mark = Obj(raw, block.at("cache_control"), lenient=True)
    kind, ttl = mark.text("type"), mark.text("ttl")
    if kind != "ephemeral" or mark.members:
        return None
    del block.members["cache_control"]
    return CacheMark(ttl=ttl)


def _reader_of(kind: str) -> "Callable[[Obj, str, Known], AnyPart | None] | None":
    reader = _READERS.get(kind)
    if reader is None and kind.endswith("_tool_result"):
        return _hosted_result
    return reader


def _text(block: Obj, _kind: str, _known: Known) -> AnyPart:
    text = block.text("text")
    if text is None:
        if not block.lenient:
            raise block.missing("text")
        text = ""
    return Text(text=text, cites=tuple(read_cite(raw) for raw in block.array("citations") or ()))


def read_cite(raw: Json) -> Cite:
    """Read a citation; its offsets count in the document cited, not in the text, so they stay in `raw`."""
    if _json.kind_of(raw) != "object":
        return Cite(kind="", dialect=NAME, raw=raw)
    cite = Obj(raw, lenient=True)
    return Cite(
        kind=cite.text("type") or "",
        dialect=NAME,
        url=cite.text("url"),
        title=cite.text("title") or cite.text("document_title"),
        quoted=cite.text("cited_text"),
        source=cite.text("source"),
        raw=raw,
    )


def _thinking(block: Obj, _kind: str, _known: Known) -> AnyPart:
    text = block.text("thinking") if block.lenient else block.need_text("thinking")
    signature = block.text("signature")
    return Reasoning(
        text=(text,) if text else (),
        seal=Seal(issuer=NAME, kind="signature", data=signature) if signature else None,
    )


def _redacted(block: Obj, _kind: str, _known: Known) -> AnyPart:
    data = block.text("data") or "" if block.lenient else block.need_text("data")
    return Reasoning(redacted=True, seal=Seal(issuer=NAME, kind="redacted", data=data))


def _media(block: Obj, kind: str, known: Known) -> AnyPart | None:
    source = block.obj("source")
    if source is None:
        if block.lenient:
            return None
        raise block.missing("source")
    found = _source(source, known)
    if found is None or source.members:
        return None
    if kind == "image":
        return Media(kind="image", source=found)
    citations = block.obj("citations")
    cited = citations.flag("enabled") if citations else None
    if citations is not None and citations.members:
        return None
    name, context = block.text("title"), block.text("context")
    return Media(kind="document", source=found, name=name, context=context, cited=cited)


def _source(source: Obj, known: Known) -> MediaSource | None:
    match source.text("type"):
        case "base64":
            return Inline(b64=source.need_text("data"), mime=source.need_text("media_type"))
        case "url":
            return Url(url=source.need_text("url"))
        case "file":
            return Ref(issuer=NAME, id=source.need_text("file_id"))
        case "text":
            return Plain(text=source.need_text("data"), mime=source.text("media_type") or "text/plain")
        case "content":
            return Blocks(parts=read_content(source, "content", known))
        case None if not source.lenient:
            raise source.missing("type")
        case _:
            return None


def _tool_use(block: Obj, _kind: str, known: Known) -> AnyPart:
    call_id, name = _id(block, "id", known), _name(block)
    known.names[call_id] = name
    return ToolCall(call_id=call_id, name=name, arguments=json_text(_input(block)), caller=block.raw("caller"))


def _tool_result(block: Obj, _kind: str, known: Known) -> AnyPart:
    call_id = _id(block, "tool_use_id", known)
    return ToolResult(
        call_id=call_id,
        name=known.names.get(call_id),
        content=read_content(block, "content", known),
        is_error=block.flag("is_error"),
    )


def _hosted_call(block: Obj, kind: str, known: Known) -> AnyPart:
    return HostedCall(
        call_id=_id(block, "id", known),
        tool=kind,
        dialect=NAME,
        name=_name(block),
        arguments=_input(block),
        server=block.text("server_name"),
    )


def _hosted_result(block: Obj, kind: str, known: Known) -> AnyPart:
    return HostedResult(
        call_id=_id(block, "tool_use_id", known),
        tool=kind,
        dialect=NAME,
        content=block.raw("content") or b"null",
        is_error=block.flag("is_error"),
    )


def _id(block: Obj, key: str, known: Known) -> str:
    found = block.text(key)
    if found:
        return own_id(found)
    if known.mint is None:
        raise block.missing(key)
    return known.mint("toolu_")


def _name(block: Obj) -> str:
    return block.text("name") or "" if block.lenient else block.need_text("name")


def _input(block: Obj) -> Json:
    """Take a call's input as exact text; Anthropic wants an object there."""
    raw = block.raw("input")
    if raw is None or _json.kind_of(raw) != "object":
        if block.lenient:
            return raw or b"{}"
        raise block.missing("input") if raw is None else block.wrong("input", "an object")
    return raw


_READERS: Mapping[str, Callable[[Obj, str, Known], AnyPart | None]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "image": _media,
    "document": _media,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "server_tool_use": _hosted_call,
    "mcp_tool_use": _hosted_call,
}
