"""Typed netstrings as mitmproxy writes them: a length, a colon, so many bytes, and a character that says what they are.

Read 2026-11-20: mitmproxy/io/tnetstring.py. `,` is bytes, `;` UTF-8 text, `#` an integer, `^` a float, `!` a boolean,
`~` null, `]` a list and `}` a dictionary.
"""

from collections.abc import Iterable, Iterator
from typing import Any

_MAX_DIGITS = 12
_BOOLEANS = {b"true": True, b"false": False}


def values(data: Iterable[bytes]) -> Iterator[Any]:
    """Yield the values of a file as its pieces complete them; only one is held at a time.

    Raises:
        ValueError: not a tnetstring, or one that is cut off.
    """
    buffer = bytearray()
    wanted = 0
    for piece in data:
        buffer += piece
        while len(buffer) >= wanted:
            size = _size(buffer, 0)
            if size is None:
                break
            start, end = size
            wanted = end + 1
            if len(buffer) < wanted:
                break
            yield _value(buffer[end], memoryview(bytes(buffer[start:end])))
            del buffer[:wanted]
            wanted = 0
    if buffer:
        raise ValueError("the last value is cut off")


def _size(buffer: bytearray | memoryview, at: int) -> tuple[int, int] | None:
    """Return where the value that starts at `at` begins and ends; None while its length is not there yet."""
    digits = bytes(buffer[at : at + _MAX_DIGITS + 1])
    number, colon, _ = digits.partition(b":")
    if number.isdigit() and colon:
        start = at + len(number) + 1
        return start, start + int(number)
    if (number.isdigit() or not number) and not colon and len(digits) <= _MAX_DIGITS:
        return None
    raise ValueError("not a tnetstring")


def _value(kind: int, data: memoryview) -> Any:
    match chr(kind):
        case ",":
            return bytes(data)
        case ";":
            return bytes(data).decode()
        case "#":
            return int(bytes(data))
        case "^":
            return float(bytes(data))
        case "!" if bytes(data) in _BOOLEANS:
            return _BOOLEANS[bytes(data)]
        case "~" if not data:
            return None
        case "]":
            return list(_items(data))
        case "}":
            found = list(_items(data))
            if len(found) % 2 == 0:
                return {_key(key): value for key, value in zip(found[::2], found[1::2], strict=True)}
    raise ValueError("not a tnetstring")


def _key(key: Any) -> Any:
    """Return a key as text: Python 2 wrote bytes."""
    return key.decode("latin-1") if isinstance(key, bytes) else key


def _items(data: memoryview) -> Iterator[Any]:
    at = 0
    while at < len(data):
        size = _size(data, at)
        if size is None or size[1] >= len(data):
            raise ValueError("not a tnetstring")
        start, end = size
        yield _value(data[end], data[start:end])
        at = end + 1
