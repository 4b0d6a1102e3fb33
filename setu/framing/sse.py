"""Server-sent events, by the WHATWG rules (HTML Living Standard, section 9.2.6), both ways.

Lines end in LF, CRLF or CR, mixed at will; a BOM may lead; a colon-led line is a comment; data lines join with LF.
Unlike a browser, the decoder gives every block as a frame (a comment too) and flags a tail without a blank line
instead of dropping it: providers forget the last one.
"""

import re

from setu.framing.frame import Frame

_BOM = b"\xef\xbb\xbf"
_LINE = re.compile(rb"\r\n|\n|\r")
# The end of a block: a line end, then another one. A CR at the very end of the buffer is undecided (CRLF?).
_BLANK = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n))")


class SseDecoder:
    """Cut a byte stream into SSE blocks; any cutting of the bytes gives the same frames."""

    __slots__ = ("_buffer", "_scanned", "_started")

    def __init__(self) -> None:
        self._buffer = b""
        self._scanned = 0
        self._started = False

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that these bytes complete."""
        buffer = self._buffer + data if self._buffer else data
        # Only a final CR is ambiguous: whether an LF follows decides where its line ends.
        limit = len(buffer) - 1 if buffer.endswith(b"\r") else len(buffer)
        if not self._started:
            if len(buffer) < len(_BOM) and _BOM.startswith(buffer):
                self._buffer = buffer
                return []
            self._started = True
        frames: list[Frame] = []
        start = 0
        # A blank line may begin just before the newly arrived bytes; never rescan more than that.
        at = max(self._scanned - 3, 0)
        plain = b"\r" not in buffer
        while True:
            end = self._plain_end(buffer, start, at) if plain else self._block_end(buffer, start, at, limit)
            if end is None:
                break
            frames.append(parse_block(buffer[start:end]))
            start = at = end
        self._buffer = buffer[start:]
        self._scanned = len(self._buffer)
        return frames

    def close(self) -> list[Frame]:
        """Return the unterminated tail, flagged, or the block that a final CR completed."""
        buffer, self._buffer = self._buffer, b""
        self._scanned = 0
        if not buffer:
            return []
        end = self._block_end(buffer, 0, 0, len(buffer))
        return [parse_block(buffer, terminated=end is not None)]

    @staticmethod
    def _block_end(buffer: bytes, start: int, at: int, limit: int) -> int | None:
        """Return where the block that starts at `start` ends, blank line included."""
        lead = _LINE.match(buffer, start, limit)
        if lead is not None:  # a stray blank line is a block of its own
            return lead.end()
        found = _BLANK.search(buffer, max(start, at), limit)
        return None if found is None else found.end()

    @staticmethod
    def _plain_end(buffer: bytes, start: int, at: int) -> int | None:
        """Return the same of bytes without a CR, as all but a few providers send: a search for two LF is faster."""
        if buffer.startswith(b"\n", start):
            return start + 1
        found = buffer.find(b"\n\n", max(start, at))
        return None if found < 0 else found + 2


def parse_block(raw: bytes, *, terminated: bool = True) -> Frame:
    """Parse one block of lines."""
    text = raw.removeprefix(_BOM)
    # By far the most common block: one data line.
    if text[:6] == b"data: " and text[-2:] == b"\n\n" and text.find(b"\n") == len(text) - 2 and b"\r" not in text:
        return Frame(data=text[6:-2], raw=raw, terminated=terminated)
    data: list[bytes] = []
    comments: list[bytes] = []
    event = identity = None
    retry = None
    for line in _LINE.split(text):
        if not line:
            continue
        name, colon, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not name and colon:
            comments.append(value)
        elif name == b"data":
            data.append(value)
        elif name == b"event":
            event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            identity = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit():
            retry = int(value)
    return Frame(
        data=b"\n".join(data) if data else None,
        event=event,
        id=identity,
        retry=retry,
        comment=b"\n".join(comments) if comments else None,
        raw=raw,
        terminated=terminated,
    )


class SseEncoder:
    """Write frames as LF-terminated SSE blocks."""

    __slots__ = ()

    def encode(self, frame: Frame) -> bytes:
        lines: list[bytes] = []
        if frame.comment is not None:
            lines += [b": " + line for line in frame.comment.split(b"\n")]
        if frame.event is not None:
            lines.append(b"event: " + frame.event.encode())
        if frame.id is not None:
            lines.append(b"id: " + frame.id.encode())
        if frame.retry is not None:
            lines.append(b"retry: %d" % frame.retry)
        if frame.data is not None:
            if b"\n" not in frame.data and b"\r" not in frame.data:
                lines.append(b"data: " + frame.data)
            else:
                lines += [b"data: " + line for line in _LINE.split(frame.data)]
        return b"\n".join(lines) + b"\n\n"

    def close(self) -> bytes:
        return b""
