"""The configuration's models as ways to keys: which tables, lists and plain values there are."""

from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel

from setu.config.layers import Path

ANY = "*"
"""Stands in a way for a name that the user chooses, such as a provider's."""

Kind = Literal["table", "names", "list", "value"]


class Shape(NamedTuple):
    """What a key holds: a table with known keys, one with names of the user's, a list of plain values, or one value."""

    kind: Kind
    of: Any = None


def shape(annotation: Any) -> Shape:
    """Read a field's annotation; `X | None` is X, and of other unions the first member that is no plain value."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return shape(get_args(annotation)[0])
    if origin in (Union, UnionType):
        members = [shape(member) for member in get_args(annotation) if member is not type(None)]
        return next((member for member in members if member.kind != "value"), members[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Shape("table", annotation)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Shape("names", get_args(annotation)[1])
    if isinstance(origin, type) and issubclass(origin, Sequence | set | frozenset):
        return Shape("list", get_args(annotation)[0])
    return Shape("value", annotation)


def keys(model: type[BaseModel], path: Path = ()) -> Iterator[tuple[Path, Shape]]:
    """Yield the way to every plain value and every list of plain values, with `*` for the user's names."""
    for name, field in model.model_fields.items():
        yield from _below(shape(field.annotation), (*path, name))


def _below(found: Shape, path: Path) -> Iterator[tuple[Path, Shape]]:
    if found.kind == "table":
        yield from keys(found.of, path)
    elif found.kind == "names":
        yield from _below(shape(found.of), (*path, ANY))
    elif found.kind == "value" or shape(found.of).kind == "value":
        yield path, found


def table_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """Return the table that a way leads to, past the user's names and positions in lists; None for no table."""
    found = Shape("table", model)
    for step in path:
        if found.kind == "table":
            field = found.of.model_fields.get(step)
            if field is None:
                return None
            found = shape(field.annotation)
        elif found.kind in ("names", "list"):
            found = shape(found.of)
        else:
            return None
    return found.of if found.kind == "table" else None
