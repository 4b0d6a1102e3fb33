"""Read proto-JSON: camelCase or snake_case keys, null as good as absent, enums as words or numbers.

Source: protobuf.dev/programming-guides/json ("parsers accept both the lowerCamelCase name and the original proto
field name", "both enum names and integer values are accepted"), read 2026-11-20. Only messages are normalised;
free-form values (arguments, schemas, labels) stay the text that arrived.
"""

import re
from collections.abc import Mapping
from typing import Self

from setu import _json
from setu._json import Json, Raw
from setu.dialects.reader import Obj

NAME = "gemini"

_SNAKE = re.compile(r"_+([a-zA-Z0-9])")


def camel(name: str) -> str:
    """Return the lowerCamelCase spelling of a proto field name."""
    return _SNAKE.sub(lambda found: found[1].upper(), name) if "_" in name.strip("_") else name


class Fields(Obj):
    """A proto message being read: members under their camelCase names, nulls left out."""

    __slots__ = ()

    def __init__(self, raw: bytes, param: str = "", *, lenient: bool = False) -> None:
        super().__init__(raw, param, lenient=lenient)
        for key, value in self.members.items():
            if "_" in key or value == b"null":
                self.members = {camel(name): raw for name, raw in self.members.items() if raw != b"null"}
                break

    def enum(self, key: str, numbers: Mapping[int, str]) -> str | None:
        """Take an enum; an unknown number stays one, as text."""
        raw = self.members.get(key)
        if raw is not None and _json.kind_of(raw) == "number":
            number = self.integer(key)
            return None if number is None else numbers.get(number, str(number))
        return self.text(key)

    def many(self, key: str) -> list[Self]:
        """Take a repeated message; Google reads a single one as a list of one."""
        if _json.kind_of(self.members.get(key, b"")) == "object":
            only = self.obj(key)
            return [] if only is None else [only]
        return self.objects(key) or []

    def rest(self, path: str) -> dict[str, Json]:
        """Return the members nobody took, named by their path in the body."""
        return {f"{path}.{key}": value for key, value in self.members.items()}


def nested(members: Mapping[str, Json], path: str) -> dict[str, Raw]:
    """Return the members that `rest` named under a path, by their own names."""
    lead = path + "."
    return {key.removeprefix(lead): Raw(value) for key, value in members.items() if key.startswith(lead)}
