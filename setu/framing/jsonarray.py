"""A stream as one JSON array, element by element: Gemini's `streamGenerateContent` without `alt=sse`."""

import re

from setu.framing.frame import Frame

_TOKEN = re.compile(rb'["{}\[\],]')
_STRING_END = re.compile(rb'["\\]')
_SPACE = b" \t\r\n"


class JsonArrayDecoder:
    """Cut the elements out of an array as they complete: an object at its brace, a scalar at the comma after it.

    Each frame's `raw` runs from the end of the frame before it (bracket, comma and space included). The closing
    bracket comes as a last frame without data; where it is missing, `close` gives a flagged frame even if nothing is
    left over. A document that is no array (an error object, say) is one element.
    """

    __slots__ = ("_array", "_at", "_buffer", "_depth", "_done", "_in_string", "_mark")

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0  # what was scanned of the buffer
        self._mark = 0  # where the text of the element in progress may begin
        self._depth = 0  # within that element
        self._in_string = False
        self._array = False
        self._done = False

    def feed(self, data: bytes) -> list[Frame]:
        self._buffer += data
        frames: list[Frame] = []
        start = 0
        while (token := self._next()) is not None:
            end = self._element_end(token)
            if end is not None:
                frames.append(self._cut(start, end))
                start = end
            if self._depth < 0:  # the array's own bracket (or a stray one: no reason to lose what follows)
                self._depth, self._done = 0, True
                frames.append(Frame(raw=self._buffer[start : self._at]))
                start = self._mark = self._at
            elif token == b"," and self._depth == 0:
                self._mark = self._at
        self._buffer = self._buffer[start:]
        self._at -= start
        self._mark = max(self._mark - start, 0)
        return frames

    def close(self) -> list[Frame]:
        raw, self._buffer = self._buffer, b""
        data = raw[self._mark :].strip(_SPACE) or None
        terminated = data is None and (self._done or not self._array)
        self._at = self._mark = 0
        if not raw and terminated:
            return []
        return [Frame(data=data, raw=raw, terminated=terminated)]

    def _next(self) -> bytes | None:
        """Scan to the next structural byte outside of strings and count depth; None when more input is needed."""
        while True:
            found = (_STRING_END if self._in_string else _TOKEN).search(self._buffer, self._at)
            if found is None:
                self._at = len(self._buffer)
                return None
            token = found.group()
            if token == b"\\":
                if found.end() == len(self._buffer):
                    self._at = found.start()
                    return None
                self._at = found.end() + 1
                continue
            self._at = found.end()
            if token == b'"':
                self._in_string = not self._in_string
                continue
            if token == b"[" and self._depth == 0 and not self._array:
                self._array, self._mark = True, self._at
                continue
            self._depth += (token in b"{[") - (token in b"}]")
            return token

    def _element_end(self, token: bytes) -> int | None:
        """Return where an element ends that this token completes."""
        if token in b"}]" and self._depth == 0:
            return self._at
        boundary = token == b"," and self._depth == 0
        if (boundary or self._depth < 0) and self._buffer[self._mark : self._at - 1].strip(_SPACE):
            return self._at - 1
        return None

    def _cut(self, start: int, end: int) -> Frame:
        frame = Frame(data=self._buffer[self._mark : end].strip(_SPACE), raw=self._buffer[start:end])
        self._mark = end
        return frame


class JsonArrayEncoder:
    """Write frames as the elements of one array; `continued` when others wrote its first elements.

    Lines end as Google ends them: there are clients that cut at `,` CR LF, and at the line before the last bracket.
    """

    __slots__ = ("_open",)

    def __init__(self, *, continued: bool = False) -> None:
        self._open = continued

    def encode(self, frame: Frame) -> bytes:
        if frame.data is None:
            return b""
        lead = b"\n,\r\n" if self._open else b"["
        self._open = True
        return lead + frame.data

    def close(self) -> bytes:
        return b"\n]" if self._open else b"[]"
