"""JSON without loss: exact spans of text, integers of any size, duplicate keys seen.

Values that pass through Setu unread (tool schemas, hosted payloads) stay the bytes that arrived; `split`,
`items` and `members` cut a document into such spans, `encode` splices them back.
"""

import json
import math
import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import msgspec

Json = bytes
"""Exact JSON text: spliced, never re-serialised."""

Raw = msgspec.Raw

_POSITION = re.compile(r" \(byte (\d+)\)$")
_SPACE = re.compile(rb"[ \t\n\r]*")
# Possessive repeats: a backtracking one keeps a hundred bytes of state for each byte of a long string.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\]]', re.DOTALL)
_SCALAR = re.compile(rb"[^,\]} \t\n\r]+")
_LONE_SURROGATE = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?:[^\\]|\\[^u]|\\u[^dD]|\\u[dD][^c-fC-F])", re.DOTALL)

_EARLY = "JSON ends too early"

_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class JsonError(ValueError):
    """Text that is not JSON, or not the kind of JSON asked for; says where when that is known."""

    def __init__(self, problem: str, position: int | None = None) -> None:
        where = "" if position is None else f" at byte {position}"
        super().__init__(f"{problem}{where}")
        self.position = position


class Member(NamedTuple):
    """One member of a JSON object: its key and the half-open byte span of its value."""

    key: str
    start: int
    end: int


def decode(data: bytes | str) -> Any:
    """Parse a document; lone surrogates (legal JSON escapes) survive, NaN and 1e400 do not."""
    try:
        return _decode(data)
    except UnicodeEncodeError as error:  # a `str` that holds a bare surrogate is no text to parse
        raise JsonError("text holds a lone surrogate", error.start) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = data if isinstance(data, bytes) else data.encode()
        if isinstance(error, msgspec.DecodeError) and b"\\u" in text:
            return _decode_surrogates(text, error)
        raise _problem(error, text) from None


def encode(value: Any) -> bytes:
    """Serialise compactly; `Raw` members are spliced as they are.

    Raises:
        JsonError: the value holds a lone surrogate, a cycle or something that is not JSON.
    """
    try:
        return _encode(value)
    except UnicodeEncodeError:
        raise JsonError("text holds a lone surrogate") from None
    except (RecursionError, TypeError, ValueError) as error:
        raise JsonError(f"not JSON: {error}") from None


def split(data: bytes, *, trusted: bool = False) -> dict[str, bytes]:
    """Cut an object into raw members, in order; of duplicate keys the last one stays.

    A lone surrogate is refused here, so that no text which cannot be written again gets in. `trusted` text is part of
    a document that was split before and is not checked for UTF-8 a second time (spans are cut without looking inside).
    """
    try:
        found = {key: bytes(raw) for key, raw in _split(data).items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _problem(error, data) from None
    if not trusted:
        _require_utf8(data)
    return found


def items(data: bytes, *, trusted: bool = False) -> list[bytes]:
    """Cut an array into its raw items; `trusted` as for `split`."""
    try:
        found = [bytes(raw) for raw in _items(data)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _problem(error, data) from None
    if not trusted:
        _require_utf8(data)
    return found


def members(data: bytes) -> list[Member]:
    """Return every top-level member of an object with the span of its value, duplicates included."""
    values = split(data)
    found: list[Member] = []
    at = _skip(data, _skip(data, 0) + 1)
    while data[at : at + 1] == b'"':
        quoted = _STRING.match(data, at)
        assert quoted is not None
        key = str(_decode(quoted.group()))
        start = _skip(data, _skip(data, quoted.end()) + 1)
        raw = values[key]
        end = start + len(raw)
        # The value that `split` kept tells the length for free, unless an earlier duplicate stands here.
        if data[start:end] != raw or data[_skip(data, end) : _skip(data, end) + 1] not in (b",", b"}"):
            end = _value_end(data, start)
        found.append(Member(key, start, end))
        at = _skip(data, _skip(data, end) + 1)
    return found


def splice(data: bytes, changes: Mapping[str, Json]) -> bytes:
    """Replace or add top-level members; every other byte of the document stays.

    Raises:
        JsonError: a changed key occurs twice, so which one the reader takes is not certain.
    """
    if not changes:
        return data
    spans: dict[str, Member] = {}
    found = members(data)
    for member in found:
        if member.key in changes:
            if member.key in spans:
                raise JsonError(f"duplicate key {member.key!r}", member.start)
            spans[member.key] = member
    pieces: list[bytes] = []
    at = 0
    for member in sorted(spans.values(), key=lambda span: span.start):
        pieces += [data[at : member.start], changes[member.key]]
        at = member.end
    close = data.rindex(b"}")
    pieces.append(data[at:close])
    added = [encode(key) + b":" + value for key, value in changes.items() if key not in spans]
    if added:
        pieces.append((b"," if found else b"") + b",".join(added))
    pieces.append(data[close:])
    return b"".join(pieces)


def without(data: bytes, keys: Collection[str]) -> bytes:
    """Take top-level members out, every duplicate too; the values of the others keep their bytes."""
    kept = [member for member in members(data) if member.key not in keys]
    return b"{" + b",".join(encode(member.key) + b":" + data[member.start : member.end] for member in kept) + b"}"


def _skip(data: bytes, at: int) -> int:
    space = _SPACE.match(data, at)
    assert space is not None
    return space.end()


def _value_end(data: bytes, start: int) -> int:
    if data[start : start + 1] not in (b"{", b"["):
        scalar = (_STRING if data[start : start + 1] == b'"' else _SCALAR).match(data, start)
        assert scalar is not None
        return scalar.end()
    depth = 0
    for token in _TOKEN.finditer(data, start):
        first = token.group()[:1]
        if first in b"{[":
            depth += 1
        elif first in b"}]":
            depth -= 1
            if depth == 0:
                return token.end()
    raise JsonError(_EARLY, len(data))


def _decode_surrogates(text: bytes, error: msgspec.DecodeError) -> Any:
    """Parse with the standard library, which keeps lone surrogate escapes."""
    try:
        return json.loads(text.decode(), parse_constant=_refuse, parse_float=_finite)
    except JsonError:
        raise
    except (ValueError, RecursionError):
        raise _problem(error, text) from None


def _refuse(name: str) -> Any:
    raise JsonError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise JsonError(f"number out of range: {text[:40]}")
    return number


def _require_utf8(data: bytes) -> None:
    if data.isascii():
        return
    try:
        data.decode()
    except UnicodeDecodeError as error:
        raise JsonError("text is not valid UTF-8", error.start) from None


def _problem(error: Exception, data: bytes) -> JsonError:
    """Say what is wrong and where; msgspec counts bytes from the document, the codecs from the string they were in."""
    if isinstance(error, RecursionError):
        return JsonError("JSON is nested too deeply", _deepest(data))
    if isinstance(error, UnicodeDecodeError):
        try:
            data.decode()
        except UnicodeDecodeError as whole:
            return JsonError("text is not valid UTF-8", whole.start)
    text = str(error)
    # msgspec calls a high surrogate without its other half a truncated text or a bad escape.
    lone = _LONE_SURROGATE.search(data) if "truncated" in text or "escape" in text else None
    if lone is not None:
        return JsonError("text holds a lone surrogate", lone.start())
    if "truncated" in text:
        return JsonError(_EARLY, len(data))
    found = _POSITION.search(text)
    if text.startswith("Expected"):
        return JsonError(text, _skip(data, 0))
    return JsonError(_POSITION.sub("", text), int(found.group(1)) if found else None)


def _deepest(data: bytes) -> int:
    """Return where a document is deepest."""
    depth = deepest = place = 0
    for token in _TOKEN.finditer(data):
        first = token.group()[:1]
        depth += (first in b"{[") - (first in b"}]")
        if depth > deepest:
            deepest, place = depth, token.start()
    return place


_KIND_OF_FIRST = {b"{": "object", b"[": "array", b'"': "string", b"t": "boolean", b"f": "boolean", b"n": "null"}


def kind_of(raw: bytes) -> str | None:
    """Name the kind of JSON value that a text starts; None for no value at all."""
    first = raw.lstrip(b" \t\r\n")[:1]
    return _KIND_OF_FIRST.get(first) or ("number" if first in b"-0123456789" and first else None)
