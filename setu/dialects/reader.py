"""Read a JSON object member by member, keeping exact text and naming what is wrong where.

A dialect's parser takes the members it knows; what is left over is the source's extra. Requests are read strictly
(a wrong type is the client's error and names its `param`); answers are read liberally (`lenient`: a member of the
wrong type is as good as absent), because an upstream's oddity must not cost the user the answer.
"""

import re
from typing import Any, Self, TypeVar

import msgspec

from setu import _json
from setu._json import Json
from setu.chat.seals import Extra
from setu.errors import DialectError, LocalDialectError, RemoteDialectError

T = TypeVar("T")

_KINDS: dict[Any, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
}
_DECODERS: dict[Any, Any] = {kind: msgspec.json.Decoder(kind).decode for kind in (str, int, float, bool)}
_INTEGER = re.compile(rb"-?[0-9]{1,4300}")


def utf8(raw: bytes) -> bytes:
    """Return the bytes as valid UTF-8; an upstream's broken character must not cost the answer."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace").encode()
    return raw


class Obj:
    """A JSON object being read. `param` is its place in the body, such as `messages[0].content[1]`."""

    __slots__ = ("error", "lenient", "members", "param")

    def __init__(self, raw: bytes, param: str = "", *, lenient: bool = False) -> None:
        self.param = param
        self.lenient = lenient
        self.error: type[DialectError] = RemoteDialectError if lenient else LocalDialectError
        try:
            # A member is a span of a body that was checked as a whole.
            self.members = _json.split(raw, trusted=bool(param))
        except _json.JsonError as error:
            what = f"'{param}'" if param else "the body"
            if _json.kind_of(raw) not in ("object", None):
                problem = f"{what} must be an object, not {_json.kind_of(raw)}"
            else:
                problem = f"{what} is not valid JSON: {error}"
            raise self.error(problem, param=param or None) from None

    def at(self, key: str) -> str:
        """Return the place of a member."""
        return f"{self.param}.{key}" if self.param else key

    def has(self, key: str) -> bool:
        return key in self.members

    def is_null(self, key: str) -> bool:
        return self.members.get(key) == b"null"

    def raw(self, key: str) -> Json | None:
        """Take a member's exact text; None when absent or null."""
        raw = self.members.pop(key, None)
        return None if raw is None or raw == b"null" else raw

    def text(self, key: str) -> str | None:
        return self._scalar(key, str)

    def integer(self, key: str) -> int | None:
        """Take an integer; `1.0` counts as one."""
        raw = self.members.get(key, b"")
        if _INTEGER.fullmatch(raw):
            del self.members[key]
            return int(raw)
        if _json.kind_of(raw) != "number":
            return self._scalar(key, int)
        number = self._scalar(key, float)
        if number is None or number.is_integer() or self.lenient:
            return None if number is None or not number.is_integer() else int(number)
        raise self.wrong(key, "an integer")

    def number(self, key: str) -> float | None:
        return self._scalar(key, float)

    def flag(self, key: str) -> bool | None:
        return self._scalar(key, bool)

    def value(self, key: str) -> Any:
        """Take a member as plain Python values; None when absent."""
        raw = self.members.pop(key, None)
        return None if raw is None else self._decode(raw, key)

    def need_text(self, key: str) -> str:
        """Take a string that must be there."""
        value = self.text(key)
        if value is None:
            raise self.missing(key)
        return value

    def obj(self, key: str) -> Self | None:
        """Take a member that is an object; None when absent or null."""
        raw = self.raw(key)
        if raw is None or (self.lenient and _json.kind_of(raw) != "object"):
            return None
        return type(self)(raw, self.at(key), lenient=self.lenient)

    def array(self, key: str) -> list[Json] | None:
        """Take a member that is an array, as raw items; None when absent or null."""
        raw = self.raw(key)
        if raw is None:
            return None
        if _json.kind_of(raw) != "array":
            if self.lenient:
                return None
            raise self.wrong(key, "an array")
        try:
            return _json.items(raw, trusted=True)
        except _json.JsonError as error:  # the depth that the interpreter allows shrinks with its own stack
            raise self.error(f"'{self.at(key)}' is not valid JSON: {error}", param=self.at(key)) from None

    def objects(self, key: str) -> list[Self] | None:
        """Take a member that is an array of objects."""
        raws = self.array(key)
        if raws is None:
            return None
        return [
            type(self)(raw, f"{self.at(key)}[{index}]", lenient=self.lenient)
            for index, raw in enumerate(raws)
            if not self.lenient or _json.kind_of(raw) == "object"
        ]

    def texts(self, key: str) -> list[str] | None:
        """Take a member that is an array of strings."""
        raws = self.array(key)
        if raws is None:
            return None
        values: list[str] = []
        for index, raw in enumerate(raws):
            if _json.kind_of(raw) != "string":
                if self.lenient:
                    continue
                raise self.error(f"'{self.at(key)}[{index}]' must be a string", param=f"{self.at(key)}[{index}]")
            values.append(_json.decode(raw))
        return values

    def extra(self, dialect: str) -> Extra | None:
        """Return the members nobody took."""
        return Extra(dialect=dialect, members=self.members) if self.members else None

    def missing(self, key: str) -> DialectError:
        return self.error(f"'{self.at(key)}' is required", param=self.at(key))

    def wrong(self, key: str, wanted: str) -> DialectError:
        return self.error(f"'{self.at(key)}' must be {wanted}", param=self.at(key))

    def _scalar(self, key: str, kind: type[T]) -> T | None:
        raw = self.members.pop(key, None)
        if raw is None or raw == b"null":
            return None
        try:
            value: Any = _DECODERS[kind](raw)
        except msgspec.ValidationError:
            value = None
        except (msgspec.DecodeError, UnicodeDecodeError):
            value = self._decode(raw, key)  # a lone surrogate escape, or no JSON at all
        if isinstance(value, kind):
            return value
        if self.lenient:
            return None
        raise self.wrong(key, _KINDS[kind])

    def _decode(self, raw: bytes, key: str) -> Any:
        try:
            return _json.decode(raw)
        except _json.JsonError as error:
            raise self.error(f"'{self.at(key)}' is not valid JSON: {error}", param=self.at(key)) from None
