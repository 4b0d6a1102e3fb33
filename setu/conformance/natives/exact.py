"""JSON read so that nothing is lost: numbers keep their spelling, objects their repeated keys."""

import json
from typing import Any

from setu._json import Raw


class Number(str):
    """A number as it was spelled."""

    __slots__ = ()


class Members(dict[str, Any]):
    """An object; `pairs` are its members as they stood, repetitions included."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def load(text: str | bytes) -> Any:
    """Parse; raises ValueError for what is not JSON."""
    return json.loads(text, parse_int=Number, parse_float=Number, object_pairs_hook=Members)


def lenient(text: bytes) -> Any:
    """Parse; what is no JSON (yet) stays text."""
    try:
        return load(text)
    except ValueError:
        return text.decode()


_FREE = ("args", "input", "arguments")
"""Members whose values are the model's own, whatever stands in them."""


def answer(data: str | bytes) -> Any:
    """Parse an answer: numbers are numbers, but arguments stay exact."""
    return _settled(load(data))


def _settled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: item if key in _FREE else _settled(item) for key, item in value.items()}
    return [_settled(item) for item in value] if isinstance(value, list) else plain(value)


def dump(value: Any) -> str:
    """Write what `load` gave, compactly; plain values too."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Raw):
        return bytes(value).decode()
    if isinstance(value, dict):
        pairs = value.pairs if isinstance(value, Members) else list(value.items())
        return "{" + ",".join(f"{json.dumps(key)}:{dump(item)}" for key, item in pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(dump(item) for item in value) + "]"
    return json.dumps(value)


def spelled(text: str) -> str:
    """Return JSON text in one form, every number as it was; text that is no JSON stays as it is."""
    try:
        return dump(load(text or "{}"))
    except ValueError:
        return text


def plain(value: Any) -> Any:
    """Return a loaded value with numbers as numbers."""
    if isinstance(value, Number):
        return json.loads(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value
