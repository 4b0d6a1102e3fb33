"""A stream as one JSON array, element by element: Gemini's `streamGenerateContent` without `alt=sse`."""

import re

from setu.framing.frame import Frame

_TOKEN = re.compile(rb'["{}\[\],]')
_STRING_END = re.compile(rb'["\\]')


class JsonArrayDecoder:
    """Cut the elements out of an array as they complete.

    Each frame's `raw` runs from the end of the frame before it (bracket, comma and space included). The closing
    bracket comes as a last frame without data; its absence leaves the tail flagged.
    """

    __slots__ = ("_at", "_buffer", "_depth", "_in_string", "_start")

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0
        self._depth = 0
        self._in_string = False
        self._start = 0

    def feed(self, data: bytes) -> list[Frame]:
        self._buffer += data
        frames: list[Frame] = []
        while self._step(frames):
            pass
        return frames

    def close(self) -> list[Frame]:
        raw, self._buffer = self._buffer, b""
        self._at = 0
        if not raw:
            return []
        # After the closing bracket only space may follow; anything else is an element cut off.
        done = self._depth == 0 and not raw.strip()
        return [Frame(data=None if done else raw.strip(b" \t\r\n,[") or None, raw=raw, terminated=done)]

    def _step(self, frames: list[Frame]) -> bool:
        """Consume up to the next structural byte; False when more input is needed."""
        buffer = self._buffer
        if self._in_string:
            quote = _STRING_END.search(buffer, self._at)
            if quote is None:
                self._at = len(buffer)
                return False
            if quote.group() == b"\\":
                if quote.end() == len(buffer):
                    self._at = quote.start()
                    return False
                self._at = quote.end() + 1
                return True
            self._in_string = False
            self._at = quote.end()
            return True
        token = _TOKEN.search(buffer, self._at)
        if token is None:
            self._at = len(buffer)
            return False
        self._at = token.end()
        self._structure(token.group(), frames)
        return True

    def _structure(self, token: bytes, frames: list[Frame]) -> None:
        if token == b'"':
            self._in_string = True
        elif token in b"{[":
            self._depth += 1
        elif token in b"}]":
            self._depth -= 1
            if (token == b"}" and self._depth == 1) or self._depth == 0:
                self._emit(frames)

    def _emit(self, frames: list[Frame]) -> None:
        raw, self._buffer = self._buffer[: self._at], self._buffer[self._at :]
        self._at = 0
        data = raw.lstrip(b" \t\r\n,[") if self._depth else b""
        frames.append(Frame(data=data or None, raw=raw))


class JsonArrayEncoder:
    """Write frames as the elements of one array."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open = False

    def encode(self, frame: Frame) -> bytes:
        if frame.data is None:
            return b""
        lead = b",\n" if self._open else b"["
        self._open = True
        return lead + frame.data

    def close(self) -> bytes:
        return b"]" if self._open else b"[]"
