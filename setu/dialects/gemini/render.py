"""Parts of a content, value to wire, for requests and answers."""

import base64
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from setu import _json
from setu._json import JsonError, Raw
from setu.chat.parts import (
    AnyPart,
    Blocks,
    HostedCall,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Plain,
    Reasoning,
    Ref,
    Refusal,
    Text,
    ToolCall,
    Url,
)
from setu.chat.seals import Extra, Seal
from setu.dialects.gemini.parts import is_youtube, own_extra
from setu.dialects.gemini.proto import NAME, nested
from setu.dialects.record import Loss, param_of
from setu.errors import LocalDialectError
from setu.media import plain_mime

Wire = dict[str, Any]

_CLOUD = "gs://"
_MEDIA = "unsupported_media"


class Scribe(msgspec.Struct, kw_only=True):
    """What rendering parts needs besides the parts, and the losses it met.

    `media` are fetched bytes by URL. In a request, thoughts of others are dropped and a URL that nobody fetched is
    refused; in an answer both are shown.
    """

    phase: Literal["request", "response"]
    media: Mapping[str, Inline] = {}
    losses: list[Loss] = msgspec.field(default_factory=list)

    def lose(self, where: str, reason: str, severity: Literal["info", "warn"] = "warn") -> None:
        self.losses.append(Loss(phase=self.phase, pointer=where, reason=reason, severity=severity))


def render_part(part: AnyPart, where: str, scribe: Scribe) -> list[Wire]:
    """Write a part; none for what Gemini cannot hold, several for a document made of parts.

    Tool results are not parts to themselves: their content needs the call they answer (see `messages`).

    Raises:
        LocalDialectError: media that Gemini cannot read from where it is.
    """
    if part.cache is not None:
        scribe.lose(where, "Gemini has no cache marks", "info")
    if part.extra is not None and part.extra.dialect != NAME:
        lose_extra(part.extra, where, scribe)
    match part:
        case Text():
            return _text(part, where, scribe)
        case Refusal():
            return [{"text": part.text}] if part.text else []
        case Reasoning():
            return _reasoning(part, where, scribe)
        case Media():
            return _media(part, where, scribe)
        case ToolCall():
            return [render_call(part, where, scribe)]
        case HostedCall() | HostedResult() | Opaque():
            return _own(part, where, scribe)
        case _:
            scribe.lose(where, "a tool result has no place here")
            return []


def refused(reason: str, where: str, code: str | None = None) -> LocalDialectError:
    """Return the error for what Gemini cannot be sent, with the place (`/messages/0/content/1`) as its parameter."""
    param = param_of(where)
    return LocalDialectError(f"'{param}' {reason}", param=param, code=code)


def lose_extra(extra: Extra, where: str, scribe: Scribe) -> None:
    """Say that another dialect's members are not sent."""
    for key in extra.members:
        scribe.lose(f"{where}/{key}", f"only {extra.dialect} knows this member", "info")


def seal_of(seal: Seal | None, where: str, scribe: Scribe) -> str | None:
    """Return the signature if it is Gemini's: nobody else's is valid there."""
    if seal is None:
        return None
    if seal.issuer != NAME:
        scribe.lose(where, f"a signature of {seal.issuer} is valid there only", "info")
        return None
    return seal.data


def signed(wire: Wire, part: AnyPart, where: str, scribe: Scribe) -> Wire:
    """Add the signature and Gemini's own members to a part, inner ones (`inlineData.displayName`) in their place."""
    signature = seal_of(part.seal, where, scribe)
    if signature is not None:
        wire["thoughtSignature"] = signature
    for key, value in own_extra(part.extra).items():
        outer, _, inner = key.partition(".")
        if not inner:
            wire.setdefault(key, Raw(value))
        elif isinstance(wire.get(outer), dict):
            wire[outer].setdefault(inner, Raw(value))
    return wire


def _text(part: Text, where: str, scribe: Scribe) -> list[Wire]:
    # Gemini refuses a blank part, but closes its answers with one that is signed (B-THK-04): that one goes back.
    wire = signed({"text": part.text}, part, where, scribe)
    if scribe.phase == "request" and part.cites:
        scribe.lose(where, "citations of earlier answers are not sent", "info")
    return [wire] if part.text or len(wire) > 1 else []


def _reasoning(part: Reasoning, where: str, scribe: Scribe) -> list[Wire]:
    own = part.seal is not None and part.seal.issuer == NAME
    if scribe.phase == "request" and not own and not (part.extra is not None and part.extra.dialect == NAME):
        scribe.lose(where, "only Gemini's own thoughts go back to Gemini", "info")
        return []
    text = "\n\n".join(part.text or part.summary)
    wire = signed({"text": text, "thought": True}, part, where, scribe)
    return [wire] if text or "thoughtSignature" in wire else []


def render_call(part: ToolCall, where: str, scribe: Scribe) -> Wire:
    """Write a call; what is no JSON object becomes one (B-TOOL-11)."""
    call: Wire = {"id": part.call_id, "name": part.name, "args": _arguments(part, where, scribe)}
    return signed({"functionCall": call}, part, where, scribe)


def _arguments(part: ToolCall, where: str, scribe: Scribe) -> Any:
    if part.kind == "custom":
        scribe.lose(where, "Gemini has no free-text tools: the text travels as the argument `input`")
        return {"input": part.arguments}
    text = part.arguments.strip()
    if not text:
        return {}
    try:
        if _json.kind_of(text.encode()) == "object":
            raw = text.encode()
            _json.split(raw)
            return Raw(raw)
    except (JsonError, UnicodeEncodeError):
        pass
    scribe.lose(where, "the arguments are no JSON object and were replaced by an empty one")
    return {}


def _own(part: HostedCall | HostedResult | Opaque, where: str, scribe: Scribe) -> list[Wire]:
    if part.dialect != NAME:
        what = part.kind if isinstance(part, Opaque) else part.tool
        scribe.lose(where, f"Gemini does not know {part.dialect}'s {what}")
        return []
    if isinstance(part, Opaque):
        return [{key: Raw(value) for key, value in _json.split(part.raw, trusted=True).items()}]
    if isinstance(part, HostedResult):
        return [signed({part.tool: Raw(part.content)}, part, where, scribe)]
    kind = part.name or "toolCall"
    return [signed({kind: Raw(part.arguments or b"{}")}, part, where, scribe)]


def _media(part: Media, where: str, scribe: Scribe) -> list[Wire]:
    if part.name is not None or part.context is not None or part.detail is not None or part.cited is not None:
        scribe.lose(where, "Gemini takes no name, context, detail or citation wish for media", "info")
    if isinstance(part.source, Blocks):
        return [
            wire
            for index, inner in enumerate(part.source.parts)
            for wire in render_part(inner, f"{where}/{index}", scribe)
        ]
    wire = _source(part, where, scribe)
    if part.clip is not None:
        wire["videoMetadata"] = Raw(part.clip)
    return [signed(wire, part, where, scribe)]


def _source(part: Media, where: str, scribe: Scribe) -> Wire:
    match part.source:
        case Inline():
            return _inline(_labelled(part.source, part.kind, where, scribe))
        case Plain():
            data = base64.b64encode(part.source.text.encode("utf-8", "replace")).decode()
            return _inline(Inline(b64=data, mime=part.source.mime))
        case Url():
            return _url(part.source, where, scribe)
        case Ref():
            if part.source.issuer != NAME:
                raise refused(f"is a file of {part.source.issuer}, which Gemini cannot read", where, _MEDIA)
            return _file(part.source.id, part.source.mime)
        case _:
            raise refused("holds media of a kind Gemini does not take", where, _MEDIA)


def _url(source: Url, where: str, scribe: Scribe) -> Wire:
    """Write a URL: fetched bytes first; Gemini itself reads Cloud Storage, its Files API and YouTube (B-MED-03, 04).

    A public URL with a MIME type is one that a Gemini client wrote as `fileData`; it goes back as it came.
    """
    fetched = scribe.media.get(source.url)
    if fetched is not None:
        return _inline(fetched)
    own = source.url.startswith(_CLOUD) or is_youtube(source.url) or ".googleapis.com/" in source.url
    if own or source.mime is not None or scribe.phase == "response":
        return _file(source.url, source.mime)
    raise refused("is a URL, which Gemini cannot read: send the bytes", where, _MEDIA)


def _labelled(source: Inline, kind: str, where: str, scribe: Scribe) -> Inline:
    """Give an image's type its registered name (B-MED-02). Gemini does not mind a label that the bytes belie."""
    if scribe.phase == "response" or kind != "image":
        return source
    mime = plain_mime(source.mime)
    if mime == "image/svg+xml":
        raise refused("is an SVG image, which Gemini cannot read", where, _MEDIA)
    return Inline(b64=source.b64, mime=mime)


def _inline(source: Inline) -> Wire:
    return {"inlineData": {"mimeType": source.mime, "data": source.b64}}


def _file(uri: str, mime: str | None) -> Wire:
    file = {"fileUri": uri}
    if mime is not None:
        file["mimeType"] = mime
    return {"fileData": file}


def own_members(extra: Extra | None, path: str) -> dict[str, Raw]:
    """Return Gemini's own members below a path of the body."""
    return nested(own_extra(extra), path)
