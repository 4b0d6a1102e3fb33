"""Amazon's event stream (`application/vnd.amazon.eventstream`), both ways.

A message is a prelude of two lengths and their CRC-32, headers, a payload, and the CRC-32 of all before it; numbers
are big-endian. Source: docs.aws.amazon.com/transcribe/latest/dg/event-stream.html and the Smithy specification
`smithy.io/2.0/aws/amazon-eventstream.html` (2026-11).

Damage never raises. Where a message's own checksum is wrong its length can still be trusted, so the next message is
read; where the prelude's is, nothing after it can be found: the rest is one more frame, given at the end.
"""

import struct
from collections.abc import Iterator
from zlib import crc32

from setu.framing.frame import Frame, Header, HeaderKind

_PRELUDE = struct.Struct(">III")
_CRC = struct.Struct(">I")
_SMALLEST = _PRELUDE.size + _CRC.size
_MOST_HEADERS = 128 * 1024
_MOST_PAYLOAD = 24 * 1024 * 1024

_TRUE, _FALSE = 0, 1
_FIXED: dict[int, tuple[HeaderKind, struct.Struct]] = {
    2: ("byte", struct.Struct(">b")),
    3: ("short", struct.Struct(">h")),
    4: ("integer", struct.Struct(">i")),
    5: ("long", struct.Struct(">q")),
    8: ("timestamp", struct.Struct(">q")),
    9: ("uuid", struct.Struct(">16s")),
}
_SIZED: dict[int, HeaderKind] = {6: "bytes", 7: "string"}
_LENGTH = struct.Struct(">H")
_CODES: dict[HeaderKind, int] = {kind: code for code, (kind, _) in _FIXED.items()} | {
    kind: code for code, kind in _SIZED.items()
}


class EventStreamDecoder:
    """Cut a byte stream into messages; any cutting of the bytes gives the same frames.

    A frame's `event` is the `:event-type`, or the `:exception-type` or `:error-code` of a message that is no event.
    """

    __slots__ = ("_broken", "_need", "_pieces", "_size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._need = _PRELUDE.size
        self._broken = False

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that these bytes complete."""
        self._pieces.append(data)
        self._size += len(data)
        if self._broken or self._size < self._need:  # a long message in many chunks is joined once, at its end
            return []
        buffer = b"".join(self._pieces)
        frames: list[Frame] = []
        at = 0
        while (end := self._end(buffer, at)) is not None:
            frames.append(_broken(buffer[at:end]) if self._broken else parse_message(buffer[at:end]))
            at = end
        self._pieces = [buffer[at:]]
        self._size = len(buffer) - at
        return frames

    def close(self) -> list[Frame]:
        """Return what is left: a message cut short, or what stands after a broken prelude."""
        tail, self._pieces, self._size = b"".join(self._pieces), [], 0
        if not tail:
            return []
        return [Frame(raw=tail, terminated=False, flaw=_NO_PRELUDE if self._broken else None)]

    def _end(self, buffer: bytes, at: int) -> int | None:
        """Return where the message at `at` ends (of a broken one its prelude), None when more bytes are needed."""
        self._need = _PRELUDE.size
        if self._broken or len(buffer) - at < _PRELUDE.size:
            return None
        total, headers, checksum = _PRELUDE.unpack_from(buffer, at)
        if checksum != crc32(buffer[at : at + 8]) or not _plausible(total, headers):
            self._broken = True
            return at + _PRELUDE.size
        if len(buffer) - at < total:
            self._need = total
            return None
        return at + int(total)


_NO_PRELUDE = "the prelude of an event-stream message is damaged"


def _broken(raw: bytes) -> Frame:
    return Frame(raw=raw, flaw=_NO_PRELUDE)


def _plausible(total: int, headers: int) -> bool:
    payload = total - headers - _SMALLEST
    return headers <= _MOST_HEADERS and 0 <= payload <= _MOST_PAYLOAD


def parse_message(raw: bytes) -> Frame:
    """Parse one message whose prelude is sound."""
    if _CRC.unpack_from(raw, len(raw) - _CRC.size)[0] != crc32(raw[: -_CRC.size]):
        return Frame(raw=raw, flaw="the checksum of an event-stream message is wrong")
    start = _PRELUDE.size
    end = start + _PRELUDE.unpack_from(raw)[1]
    try:
        headers = tuple(_headers(raw[start:end]))
    except (ValueError, struct.error, IndexError):
        return Frame(raw=raw, flaw="the headers of an event-stream message are malformed")
    return Frame(data=raw[end : -_CRC.size], event=_event(headers), raw=raw, headers=headers)


def _headers(block: bytes) -> Iterator[Header]:
    at = 0
    while at < len(block):
        size = block[at]
        name = _exactly(block, at + 1, size).decode()
        code = block[at + 1 + size]
        at += 2 + size
        if code in (_TRUE, _FALSE):
            yield Header(name, "bool", code == _TRUE)
        elif code in _FIXED:
            kind, form = _FIXED[code]
            yield Header(name, kind, form.unpack_from(block, at)[0])
            at += form.size
        else:
            (length,) = _LENGTH.unpack_from(block, at)
            value = _exactly(block, at + _LENGTH.size, length)
            yield Header(name, *_sized(code, value))
            at += _LENGTH.size + length


def _sized(code: int, value: bytes) -> tuple[HeaderKind, str | bytes]:
    if code not in _SIZED:
        raise ValueError(f"unknown header type {code}")
    kind = _SIZED[code]
    return kind, value.decode() if kind == "string" else value


def _exactly(block: bytes, at: int, size: int) -> bytes:
    found = block[at : at + size]
    if len(found) < size:
        raise ValueError("a header reaches beyond the headers")
    return found


def _event(headers: tuple[Header, ...]) -> str | None:
    values = {header.name: header.value for header in headers}
    for name in (":event-type", ":exception-type", ":error-code"):
        if isinstance(found := values.get(name), str):
            return found
    return None


class EventStreamEncoder:
    """Write frames as messages: with their own headers, or with those of an event or an exception of that name."""

    __slots__ = ()

    def encode(self, frame: Frame) -> bytes:
        """Return the message; a frame without data and headers (an SSE comment, say) has none."""
        if frame.data is None and not frame.headers:
            return b""
        payload = frame.data or b""
        headers = b"".join(map(_header, frame.headers or _named(frame.event)))
        lengths = _PRELUDE.pack(_SMALLEST + len(headers) + len(payload), len(headers), 0)[:8]
        message = lengths + _CRC.pack(crc32(lengths)) + headers + payload
        return message + _CRC.pack(crc32(message))

    def close(self) -> bytes:
        return b""


def _named(event: str | None) -> tuple[Header, ...]:
    """Return the headers that AWS sends, in its order; the name of an exception ends in that word."""
    kind = "exception" if event is not None and event.endswith("Exception") else "event"
    return (
        Header(f":{kind}-type", "string", event or ""),
        Header(":content-type", "string", "application/json"),
        Header(":message-type", "string", kind),
    )


def _header(header: Header) -> bytes:
    name = header.name.encode()
    lead = bytes([len(name)]) + name
    if header.kind == "bool":
        return lead + bytes([_TRUE if header.value else _FALSE])
    code = _CODES[header.kind]
    if code in _FIXED:
        return lead + bytes([code]) + _FIXED[code][1].pack(header.value)
    value = header.value.encode() if isinstance(header.value, str) else bytes(header.value)
    return lead + bytes([code]) + _LENGTH.pack(len(value)) + value
