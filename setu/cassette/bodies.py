"""Bodies as reviewable text, and back to the exact bytes.

JSON on one line is stored indented when one of a few styles gives the original bytes again; text keeps LF with a
mark of its real line ends; what is not UTF-8 text stays bytes.
"""

import json
import re
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from setu.cassette.emit import fits_literal
from setu.cassette.model import Eol


class Stored(NamedTuple):
    """A body as it is written: `text` is bytes where no text gives the bytes back."""

    text: str | bytes
    json: str | None = None
    eol: Eol = "lf"


# The indented ones are read, never written: what is indented already is stored as it stands.
_STYLES: dict[str, dict[str, Any]] = {
    "compact": {"separators": (",", ":")},
    "spaced": {"separators": (", ", ": ")},
    "indent2": {"indent": 2},
    "indent4": {"indent": 4},
}
_ENDS: dict[str, str] = {"crlf": "\r\n", "cr": "\r"}
# Control characters mean binary content; tab, LF and CR are text.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def store(body: bytes, *, normalise_eol: bool = True) -> Stored:
    """Return the most readable form that `restore` turns into exactly these bytes."""
    for stored in _candidates(body, normalise_eol=normalise_eol):
        if restore(stored) == body:
            return stored
    return Stored(body)


def restore(stored: Stored) -> bytes:
    """Return the bytes that were stored.

    Raises:
        ValueError: a JSON style is named but the text is not JSON (an edit broke it).
    """
    text = stored.text
    if stored.json is not None:
        return _dump(json.loads(text), stored.json)
    if isinstance(text, bytes):
        return text
    end = _ENDS.get(stored.eol)
    if end is not None:
        text = text.replace("\n", end)
    return text.encode("utf-8", "surrogatepass")


def decompress(data: bytes, encoding: str) -> bytes | None:
    """Undo a content encoding that the standard library knows; None for any other or for damaged data."""
    decoder = decompressor(encoding)
    if decoder is None:
        return None
    try:
        return decoder.decompress(data) + decoder.flush()
    except zlib.error:
        return None


def decompressor(encoding: str) -> "zlib._Decompress | None":
    """Return an incremental decoder for gzip or deflate; None for any other encoding."""
    match encoding.strip().lower():
        case "gzip" | "x-gzip":
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        case "deflate":
            return zlib.decompressobj()
    return None


def _candidates(body: bytes, *, normalise_eol: bool) -> Iterator[Stored]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return
    if _CONTROL.search(text):
        return
    style = _style_of(body)
    if style is not None:
        yield style
    if normalise_eol and "\r" in text:
        end: Eol = "crlf" if "\n" in text else "cr"
        plain = text.replace(_ENDS[end], "\n")
        if "\r" not in plain:
            yield Stored(plain, eol=end)
    yield Stored(text)


def _style_of(body: bytes) -> Stored | None:
    """Name the style of JSON that stands on one line; on several it is readable as it is."""
    bare = body.strip()
    if bare[:1] not in (b"{", b"[") or b"\n" in bare:
        return None
    try:
        value = json.loads(body)
        for name in _plausible(body):
            if _dump(value, name) == body:
                return Stored(_pretty(value), json=name)
    except (ValueError, RecursionError):
        return None
    return None


def _plausible(body: bytes) -> Iterator[str]:
    """Yield the styles that could have written this body."""
    end = "-lf" if body.endswith(b"\n") else ""
    for name in ("compact", "spaced"):
        if b"\\u" in body:
            yield f"{name}-ascii{end}"
        yield f"{name}{end}"


def _dump(value: Any, style: str) -> bytes:
    name, *marks = style.split("-")
    options = _STYLES.get(name)
    if options is None:
        raise ValueError(f"unknown JSON style {style!r}")
    text = json.dumps(value, ensure_ascii="ascii" in marks, **options)
    return (text + ("\n" if "lf" in marks else "")).encode("utf-8", "surrogatepass")


def _pretty(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # U+2028 and lone surrogates cannot stand in a block of YAML text; as JSON escapes they can.
    return text if fits_literal(text) else json.dumps(value, indent=2)
