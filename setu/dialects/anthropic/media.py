"""Images and documents as Anthropic's blocks."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from setu.chat.parts import AnyPart, Blocks, Inline, Media, MediaSource, Plain, Ref, Url
from setu.dialects.anthropic.words import NAME
from setu.dialects.losses import Losses
from setu.dialects.record import Target, param_of
from setu.errors import LocalDialectError
from setu.media import plain_mime, true_mime

_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")

WriteParts = Callable[[tuple[AnyPart, ...], str], list[dict[str, Any]]]


def write_media(media: Media, where: str, target: Target, losses: Losses, parts: WriteParts) -> dict[str, Any]:
    """Return an image or a document block.

    Raises:
        LocalDialectError: Anthropic cannot take it; an answer that never saw it would look right (B-MED-05).
    """
    if media.kind in ("audio", "video"):
        raise _refused(f"Anthropic takes no {media.kind}", where)
    for name, value in (("detail", media.detail), ("clip", media.clip)):
        if value is not None and value != "auto":
            losses.note(where, f"Anthropic has no {name}", "info")
    source = media.source
    if isinstance(source, Url):
        source = target.media.get(source.url, source)
    kind, members = _source(media, source, where, parts)
    if kind == "image":
        return {"type": "image", "source": members}
    return {"type": "document", "source": members} | _document(media)


def _document(media: Media) -> dict[str, Any]:
    members: dict[str, Any] = {"title": media.name, "context": media.context}
    if media.cited is not None:
        members["citations"] = {"enabled": media.cited}
    return {key: value for key, value in members.items() if value is not None}


def _source(media: Media, source: MediaSource, where: str, parts: WriteParts) -> tuple[str, dict[str, Any]]:
    match source:
        case Inline():
            return _inline(source, where)
        case Url():
            if not source.url.startswith(("https://", "http://")):
                raise _refused("Anthropic fetches only http and https URLs", where)
            kind = "document" if plain_mime(source.mime or "") == "application/pdf" else media.kind
            return kind, {"type": "url", "url": source.url}
        case Ref():
            if source.issuer != NAME:
                raise _refused(f"the file {source.id!r} was uploaded to {source.issuer}", where)
            return media.kind, {"type": "file", "file_id": source.id}
        case Plain():
            return "document", {"type": "text", "media_type": "text/plain", "data": source.text}
        case Blocks():
            return "document", {"type": "content", "content": parts(source.parts, where)}


def _inline(source: Inline, where: str) -> tuple[str, dict[str, Any]]:
    """Label bytes as what they are (B-MED-01, B-MED-02, B-MED-07)."""
    mime = true_mime(source.b64, source.mime)
    if mime in _IMAGES:
        return "image", {"type": "base64", "media_type": mime, "data": source.b64}
    if mime == "application/pdf":
        return "document", {"type": "base64", "media_type": mime, "data": source.b64}
    if mime.startswith("text/") or mime == "application/json":
        return "document", {"type": "text", "media_type": "text/plain", "data": _decoded(source, where)}
    raise _refused(f"Anthropic takes no media of the type {mime!r}", where)


def _decoded(source: Inline, where: str) -> str:
    try:
        return base64.b64decode(source.b64).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise _refused("the data is not base64", where) from None


def _refused(reason: str, where: str) -> LocalDialectError:
    return LocalDialectError(reason, param=param_of(where), code="unsupported_media")
