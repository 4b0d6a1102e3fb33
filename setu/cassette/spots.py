"""Where the strings of a JSON text stand, by JSON pointer: for edits that leave everything else byte for byte."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# No string starts after a backslash: a text that was cut off is searched once, not from each of its quotes.
_TOKEN = re.compile(r'(?<!\\)"(?:[^"\\]|\\.)*+"|[\[\]{},]', re.DOTALL)


class Spot(NamedTuple):
    """A string that is a value: its pointer, and the half-open span of what stands between its quotes."""

    pointer: str
    start: int
    end: int


def strings(text: str) -> Iterator[Spot]:
    """Yield the string values of JSON text in order; of a stream too, whose other text is passed over.

    The text is not checked: of what is no JSON some quoted strings are yielded.
    """
    path: list[str | int] = []
    naming = False
    for found in _TOKEN.finditer(text):
        mark = text[found.start()]
        if mark == '"':
            if naming:
                path[-1] = text[found.start() + 1 : found.end() - 1].replace("~", "~0").replace("/", "~1")
                naming = False
            else:
                yield Spot("".join(f"/{step}" for step in path), found.start() + 1, found.end() - 1)
        elif mark == ",":
            last = path[-1] if path else ""
            naming = isinstance(last, str) and bool(path)
            if isinstance(last, int):
                path[-1] = last + 1
        elif mark in "{[":
            path.append("" if mark == "{" else 0)
            naming = mark == "{"
        else:
            del path[-1:]
            naming = False


def pointer_at(text: str, offset: int) -> str:
    """Return the pointer of the string value that an offset lies in; empty when it lies in none."""
    for spot in strings(text):
        if spot.end > offset:
            return spot.pointer if spot.start <= offset else ""
    return ""


def fits(pointer: str, pattern: str) -> bool:
    """Say whether a pointer is one that a pattern names; `*` stands for any one key or index."""
    steps, wanted = pointer.split("/"), pattern.split("/")
    return len(steps) == len(wanted) and all(want in ("*", step) for want, step in zip(wanted, steps, strict=True))
