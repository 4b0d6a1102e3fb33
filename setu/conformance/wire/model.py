"""Strict wire models: how a value is checked against one, and what a mismatch says."""

import re
from typing import Any, NamedTuple

import msgspec

_PLACE = re.compile(r" - at `(?P<path>[^`]*)`$")


class Mismatch(NamedTuple):
    """A value that a model refuses: the first problem, and its JSON path."""

    message: str
    path: str


def mismatch(value: Any, model: Any) -> Mismatch | None:
    """Return the first place where a parsed JSON value departs from a model, None when it fits."""
    try:
        msgspec.convert(value, model, strict=True)
    except (msgspec.ValidationError, RecursionError, OverflowError) as error:
        return _described(str(error))
    return None


def _described(text: str) -> Mismatch:
    found = _PLACE.search(text)
    path = found["path"] if found else "$"
    return Mismatch(_PLACE.sub("", text), path or "$")


def words(text: str) -> frozenset[str]:
    """Return the words of a text: how the tables of member names are written."""
    return frozenset(text.split())
