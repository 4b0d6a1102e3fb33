"""A JSON document read value by value: a file of gigabytes costs the memory of its largest entry."""

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any

from setu.errors import CassetteDecodeError

_PIECE = 1 << 20
"""Bytes that are read at once; where a value is longer, twice as many each time."""

_SCAN = json.JSONDecoder()
_BLANKS = " \t\r\n"
_ENDS = ",:]}" + _BLANKS
"""What follows a value."""


class Pull:
    """Reads a document from its start; every method raises ValueError where the text is not what it asks for."""

    def __init__(self, data: bytes | Iterable[bytes]) -> None:
        self._pieces = _pieces(data)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("surrogatepass")
        self._text = ""
        self._at = 0
        self._ended = False

    def member(self, *names: str) -> None:
        """Go to the value of a member, or of a member of that one."""
        for name in names:
            self._take("{")
            while self.value() != name:
                self._take(":")
                self.value()
                if self._peek() == "}":
                    raise ValueError(f"no member {name!r}")
                self._take(",")
            self._take(":")

    def items(self) -> Iterator[Any]:
        """Yield the items of an array."""
        self._take("[")
        if self._peek() == "]":
            return
        while True:
            yield self.value()
            if self._peek() == "]":
                return
            self._take(",")

    def value(self) -> Any:
        """Return the next value as a whole."""
        self._peek()
        while True:
            try:
                value, end = _SCAN.raw_decode(self._text, self._at)
            except json.JSONDecodeError:
                if self._ended:
                    raise
            else:
                # What looks like a number may be the start of one: 12 of 12.5e3.
                if self._ended or (end < len(self._text) and self._text[end] in _ENDS):
                    self._at = end
                    return value
            self._more(len(self._text) - self._at)

    def _peek(self) -> str:
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BLANKS:
                self._at += 1
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._more(0)

    def _take(self, wanted: str) -> None:
        found = self._peek()
        if found != wanted:
            raise ValueError(f"{wanted!r} expected, {found!r} found")
        self._at += 1

    def _more(self, size: int) -> None:
        """Read on, at least so many bytes; what has been read is forgotten."""
        taken: list[str] = [self._text[self._at :]]
        self._at = 0
        while size >= 0 and not self._ended:
            piece = next(self._pieces, b"")
            self._ended = not piece
            taken.append(self._decoder.decode(piece, final=self._ended))
            size -= max(len(piece), 1)
        self._text = "".join(taken)


def entries(data: bytes | Iterable[bytes], name: str, what: str, *path: str) -> Iterator[tuple[str, Any]]:
    """Yield the items of the array that stands at a path of members, each with its place.

    Raises:
        CassetteDecodeError: not JSON as far as it was read, or no such array; says that it is not `what`.
    """
    pull = Pull(data)
    try:
        pull.member(*path)
        for number, item in enumerate(pull.items(), 1):
            yield f"{name}#{number}", item
    except (ValueError, RecursionError) as error:
        raise CassetteDecodeError(f"{name}: not {what}: {error}") from None


def _pieces(data: bytes | Iterable[bytes]) -> Iterator[bytes]:
    """Cut a file into pieces of one size: its lines may be as long as it is."""
    read = getattr(data, "read", None)
    if read is not None:
        return iter(lambda: bytes(read(_PIECE)), b"")
    if isinstance(data, bytes):
        return (data[at : at + _PIECE] for at in range(0, len(data), _PIECE))
    return (piece for piece in data if piece)
