"""Content blocks of answers to parts; liberal: a block this version does not know becomes `Opaque`."""

import base64
import binascii
from collections.abc import Callable, Mapping

import msgspec

from setu import _json
from setu._json import Json
from setu.chat.ids import Mint
from setu.chat.parts import AnyPart, HostedCall, HostedResult, Inline, Media, Opaque, Reasoning, Text, ToolCall
from setu.chat.seals import Cite, Seal
from setu.dialects.bedrock.words import ANSWER, NAME, own_name
from setu.dialects.claude import ISSUER
from setu.dialects.reader import Obj
from setu.dialects.record import json_text
from setu.errors import RemoteDialectError

SERVER = "server_tool_use"


def read_blocks(raws: list[Json], mint: Mint) -> tuple[AnyPart, ...]:
    """Read the content of a message; what is no object is left out."""
    return tuple(read_block(raw, mint) for raw in raws if _json.kind_of(raw) == "object")


def read_block(raw: Json, mint: Mint) -> AnyPart:
    """Read one block: an object with one member, which names its kind."""
    block = Obj(raw, "content", lenient=True)
    kind = next((key for key in block.members if key in _READERS), next(iter(block.members), ""))
    reader = _READERS.get(kind)
    try:
        part = reader(block, mint) if reader else None
    except RemoteDialectError:  # a member is missing: kept as it is, never fatal
        part = None
    return part if part is not None else Opaque(dialect=NAME, kind=kind, raw=raw)


def _text(block: Obj, _mint: Mint) -> AnyPart:
    return Text(text=block.need_text("text"))


def _call(block: Obj, mint: Mint) -> AnyPart | None:
    use = block.obj("toolUse")
    if use is None:
        return None
    call_id, name = use.text("toolUseId") or mint("tooluse_"), use.text("name") or ""
    arguments = use.raw("input") or b"{}"
    if name == ANSWER:
        return Text(text=json_text(arguments))
    if use.text("type") == SERVER:
        return HostedCall(call_id=call_id, tool=SERVER, dialect=NAME, name=name, arguments=arguments)
    return ToolCall(call_id=call_id, name=own_name(name), arguments=json_text(arguments))


def _result(block: Obj, mint: Mint) -> AnyPart | None:
    """A result in an answer is that of a tool which Bedrock ran itself."""
    result = block.obj("toolResult")
    if result is None:
        return None
    status = result.text("status")
    return HostedResult(
        call_id=result.text("toolUseId") or mint("tooluse_"),
        tool=result.text("type") or "toolResult",
        dialect=NAME,
        content=result.raw("content") or b"[]",
        is_error=None if status is None else status == "error",
    )


def _reasoning(block: Obj, _mint: Mint) -> AnyPart | None:
    content = block.obj("reasoningContent")
    if content is None:
        return None
    redacted = content.text("redactedContent")
    if redacted is not None:
        return Reasoning(redacted=True, seal=Seal(issuer=ISSUER, kind="redacted", data=unredacted(redacted)))
    words = content.obj("reasoningText")
    if words is None:
        return None
    text, signature = words.text("text"), words.text("signature")
    return Reasoning(
        text=(text,) if text else (),
        seal=Seal(issuer=ISSUER, kind="signature", data=signature) if signature else None,
    )


def unredacted(blob: str) -> str:
    """Return Anthropic's own text of redacted thinking, which Converse wraps in base64 once more."""
    try:
        return base64.b64decode(blob, validate=True).decode()
    except (binascii.Error, ValueError):
        return blob


def redacted(data: str) -> str:
    """Return redacted thinking as Converse carries it."""
    return base64.b64encode(data.encode("utf-8", "surrogatepass")).decode()


def _cited(block: Obj, _mint: Mint) -> AnyPart | None:
    content = block.obj("citationsContent")
    if content is None:
        return None
    text = "".join(piece.text("text") or "" for piece in content.objects("content") or ())
    return Text(text=text, cites=tuple(read_cite(raw) for raw in content.array("citations") or ()))


def read_cite(raw: Json) -> Cite:
    """Read a citation; its location counts in the document cited, so it stays in `raw`."""
    if _json.kind_of(raw) != "object":
        return Cite(kind="", dialect=NAME, raw=raw)
    cite = Obj(raw, lenient=True)
    location = cite.obj("location")
    kind = next(iter(location.members), "") if location else ""
    web = location.obj("web") if location else None
    quoted = "".join(piece.text("text") or "" for piece in cite.objects("sourceContent") or ())
    return Cite(
        kind=kind,
        dialect=NAME,
        url=web.text("url") if web else None,
        title=cite.text("title"),
        quoted=quoted or None,
        source=cite.text("source"),
        raw=raw,
    )


def _image(block: Obj, _mint: Mint) -> AnyPart | None:
    image = block.obj("image")
    source = image.obj("source") if image else None
    data = source.text("bytes") if source else None
    if image is None or data is None:
        return None
    return Media(kind="image", source=Inline(b64=data, mime=f"image/{image.text('format') or 'png'}"))


_READERS: Mapping[str, Callable[[Obj, Mint], AnyPart | None]] = {
    "text": _text,
    "toolUse": _call,
    "toolResult": _result,
    "reasoningContent": _reasoning,
    "citationsContent": _cited,
    "image": _image,
}


def is_call(part: AnyPart) -> bool:
    """Tell a call that the client has to answer."""
    return isinstance(part, ToolCall)


def reopened(part: HostedResult, pieces: list[Json]) -> HostedResult:
    """Return a result with the content that its deltas brought."""
    return msgspec.structs.replace(part, content=b"[" + b",".join(pieces) + b"]") if pieces else part
