"""Images, documents, films and sounds as Converse's blocks.

Formats, names and limits: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_{Image,Document,Video,Audio}Block
(2026-11).
"""

import base64
import re
from collections.abc import Mapping
from typing import Any

from setu.chat.normal import text_of
from setu.chat.parts import Blocks, Inline, Media, MediaSource, Plain, Ref, Url
from setu.dialects.losses import Losses
from setu.dialects.record import Target, param_of
from setu.errors import LocalDialectError
from setu.media import plain_mime, true_mime

Block = dict[str, Any]

_DOCUMENTS: Mapping[str, str] = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/markdown": "md",
    "text/x-markdown": "md",
    "text/plain": "txt",
    "application/json": "txt",
}
_FORMATS: Mapping[str, Mapping[str, str]] = {
    "image": {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"},
    "video": {
        "video/x-matroska": "mkv",
        "video/quicktime": "mov",
        "video/mp4": "mp4",
        "video/webm": "webm",
        "video/x-flv": "flv",
        "video/mpeg": "mpeg",
        "video/mpg": "mpg",
        "video/x-ms-wmv": "wmv",
        "video/wmv": "wmv",
        "video/3gpp": "three_gp",
    },
    "audio": {
        "audio/mpeg": "mp3",
        "audio/mp3": "mp3",
        "audio/opus": "opus",
        "audio/wav": "wav",
        "audio/x-wav": "wav",
        "audio/aac": "aac",
        "audio/flac": "flac",
        "audio/mp4": "mp4",
        "audio/ogg": "ogg",
        "audio/webm": "webm",
        "audio/x-m4a": "m4a",
        "audio/pcm": "pcm",
    },
}
_EXTENSIONS = frozenset(_DOCUMENTS.values()) | {"json"}

_UNFIT = re.compile(r"[^a-zA-Z0-9\s\-()\[\]]+")
_SPACES = re.compile(r"\s+")
_LONGEST_NAME = 200


class Names:
    """Document names: fit for Converse, and each once in a request (B-MED-08).

    It takes letters, digits, single spaces, hyphens, parentheses and square brackets.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def pick(self, name: str | None) -> str:
        """Return a legal name like this one that was not given out yet."""
        bare = _without_extension(name or "")
        fit = _SPACES.sub(" ", _UNFIT.sub(" ", bare)).strip()[:_LONGEST_NAME].rstrip() or "document"
        unique, count = fit, 1
        while unique in self._taken:
            count += 1
            mark = f" ({count})"
            unique = fit[: _LONGEST_NAME - len(mark)].rstrip() + mark
        self._taken.add(unique)
        return unique


def _without_extension(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return stem if dot and stem and extension.lower() in _EXTENSIONS else name


def write_media(media: Media, where: str, target: Target, names: Names, losses: Losses) -> Block:
    """Return an image, document, video or audio block.

    Raises:
        LocalDialectError: Converse cannot take it; an answer that never saw it would look right (B-MED-05).
    """
    for name, value in (("detail", media.detail), ("clip", media.clip)):
        if value is not None and value != "auto":
            losses.note(where, f"Bedrock has no {name}", "info")
    source = media.source
    if isinstance(source, Url):
        source = target.media.get(source.url, source)
    kind, form, members = _source(media, source, where)
    if kind != "document":
        return {kind: {"format": form, "source": members}}
    document: Block = {"name": names.pick(media.name)} | ({"format": form} if form else {}) | {"source": members}
    if media.context:
        document["context"] = media.context
    if media.cited is not None:
        document["citations"] = {"enabled": media.cited}
    return {"document": document}


def _source(media: Media, source: MediaSource, where: str) -> tuple[str, str | None, Block]:
    match source:
        case Inline():
            mime = true_mime(source.b64, source.mime)
            kind, form = _kind_and_format(mime, media.name, where)
            return kind, form, {"bytes": source.b64}
        case Url():
            return _located(media, source, where)
        case Ref():
            raise _refused(f"the file {source.id!r} was uploaded to {source.issuer}", where)
        case Plain():
            text = base64.b64encode(source.text.encode("utf-8", "replace")).decode()
            return "document", _DOCUMENTS.get(plain_mime(source.mime), "txt"), {"bytes": text}
        case Blocks():
            texts = [{"text": text} for part in source.parts if (text := text_of((part,)))]
            return "document", None, {"content": texts}


def _located(media: Media, source: Url, where: str) -> tuple[str, str, Block]:
    """Point to an object in S3; Bedrock fetches nothing else (B-MED-03)."""
    if not source.url.startswith("s3://"):
        raise _refused("Bedrock takes media inline or from s3://, not from a URL", where)
    extension = source.url.rpartition(".")[2].lower()
    if source.mime is not None:
        kind, form = _kind_and_format(plain_mime(source.mime), media.name, where)
        return kind, form, {"s3Location": {"uri": source.url}}
    known = set(_FORMATS.get(media.kind, _DOCUMENTS).values())
    form = {"jpg": "jpeg", "3gp": "three_gp"}.get(extension, extension)
    if form not in known:
        raise _refused(f"the format of {source.url!r} is not known", where)
    return media.kind, form, {"s3Location": {"uri": source.url}}


def _kind_and_format(mime: str, name: str | None, where: str) -> tuple[str, str]:
    """Return kind and format of bytes by what they are, else by the file's name (B-MED-01, B-MED-07)."""
    for kind, formats in _FORMATS.items():
        if mime in formats:
            return kind, formats[mime]
    if mime in _DOCUMENTS:
        named = _extension(name)
        return "document", named if mime == "text/plain" and named else _DOCUMENTS[mime]
    if mime.startswith("text/"):
        return "document", "txt"
    named = _extension(name)
    if named and mime in ("", "application/octet-stream"):
        return "document", named
    raise _refused(f"Bedrock takes no media of the type {mime!r}", where)


def _extension(name: str | None) -> str | None:
    extension = (name or "").rpartition(".")[2].lower()
    return extension if extension in _EXTENSIONS - {"json"} else None


def _refused(reason: str, where: str) -> LocalDialectError:
    return LocalDialectError(reason, param=param_of(where), code="unsupported_media")
