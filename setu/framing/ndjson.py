"""Newline-delimited JSON: one value a line, LF or CRLF."""

from setu.framing.frame import Frame


class NdjsonDecoder:
    """Cut a byte stream into lines; a blank line is a frame without data."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def feed(self, data: bytes) -> list[Frame]:
        if b"\n" not in data:  # a long line in many chunks is joined once, at its end
            self._pieces.append(data)
            return []
        lines = b"".join([*self._pieces, data]).split(b"\n")
        self._pieces = [lines.pop()]
        return [_frame(line + b"\n") for line in lines]

    def close(self) -> list[Frame]:
        tail, self._pieces = b"".join(self._pieces), []
        return [_frame(tail, terminated=False)] if tail else []


class NdjsonEncoder:
    """Write each frame's data as one line; the data must not hold a line feed."""

    __slots__ = ()

    def encode(self, frame: Frame) -> bytes:
        return b"" if frame.data is None else frame.data + b"\n"

    def close(self) -> bytes:
        return b""


def _frame(raw: bytes, *, terminated: bool = True) -> Frame:
    data = raw.strip(b" \t\r\n")
    return Frame(data=data or None, raw=raw, terminated=terminated)
