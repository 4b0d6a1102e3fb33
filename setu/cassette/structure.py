"""The structure of JSON values: which members of which types there are, whatever they say."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

_T = TypeVar("_T")

_DEPTH = 64
"""Deeper down nothing is looked at."""

_OPAQUE = frozenset(
    {"args", "arguments", "input", "input_schema", "json_schema", "metadata", "parameters", "parsed", "schema"}
)
"""Members whose content a model or a client made up; it says nothing about the provider."""

_NULL = frozenset({"null"})


class Structure(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a value that was seen once or more.

    `types` are JSON's names. `variants` are the members of objects by what their `type` member says, empty where it
    says nothing: blocks of text and tool calls in one list are no union of each other. `items` is the union over a
    list's items, None where all lists were empty.
    """

    types: frozenset[str] = frozenset()
    variants: Mapping[str, Mapping[str, "Structure"]] = {}
    items: "Structure | None" = None


class Change(NamedTuple):
    """Where two structures differ: a JSON pointer, in which `[]` stands for the items of a list."""

    kind: Literal["new", "removed", "type"]
    pointer: str
    message: str


def structure_of(value: Any, depth: int = 0) -> Structure:
    types = frozenset({_type_of(value)})
    if depth == _DEPTH:
        return Structure(types=types)
    if isinstance(value, Mapping):
        named = value.get("type")
        members = {
            name: Structure(types=frozenset({_type_of(item)})) if name in _OPAQUE else structure_of(item, depth + 1)
            for name, item in value.items()
        }
        return Structure(types=types, variants={named if depth and isinstance(named, str) else "": members})
    if isinstance(value, list) and value:
        return Structure(types=types, items=union(structure_of(item, depth + 1) for item in value))
    return Structure(types=types)


def union(structures: Iterable[Structure]) -> Structure:
    return reduce(merged, structures, Structure())


def merged(one: Structure, two: Structure) -> Structure:
    """Return what is known of values of which some are like `one` and some like `two`."""
    both = (items for items in (one.items, two.items) if items is not None)
    return Structure(
        types=one.types | two.types,
        variants=_merged(one.variants, two.variants, _members),
        items=union(both) if one.items is not None or two.items is not None else None,
    )


def changes(old: Structure, new: Structure, pointer: str = "") -> Iterator[Change]:
    """Yield how the new structure differs; of a member that came or went only itself, not what is below it.

    A null is a value that was not there: it goes with every type.
    """
    was, now = old.types - _NULL, new.types - _NULL
    if was and now - was:
        yield Change("type", pointer, f"was {_listed(was)}, is {_listed(now)}")
    yield from _variants(old.variants, new.variants, pointer)
    if old.items is not None and new.items is not None:
        yield from changes(old.items, new.items, f"{pointer}/[]")


def _variants(
    old: Mapping[str, Mapping[str, Structure]], new: Mapping[str, Mapping[str, Structure]], pointer: str
) -> Iterator[Change]:
    if not old or not new:
        return
    if "" in old or "" in new:  # objects that do not say what they are can only be compared as a whole
        yield from _compared(reduce(_members, old.values()), reduce(_members, new.values()), pointer)
        return
    for kind in sorted(old.keys() - new.keys()):
        yield Change("removed", f"{pointer}({kind})", f"no object of type {kind!r} any more")
    for kind in sorted(new.keys() - old.keys()):
        yield Change("new", f"{pointer}({kind})", f"new: an object of type {kind!r}")
    for kind in sorted(old.keys() & new.keys()):
        yield from _compared(old[kind], new[kind], f"{pointer}({kind})")


def _compared(old: Mapping[str, Structure], new: Mapping[str, Structure], pointer: str) -> Iterator[Change]:
    for name in [*old, *sorted(new.keys() - old.keys())]:
        here = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in new:
            yield Change("removed", here, f"gone; it was {_listed(old[name].types)}")
        elif name not in old:
            yield Change("new", here, f"new: {_listed(new[name].types)}")
        else:
            yield from changes(old[name], new[name], here)


def _members(one: Mapping[str, Structure], two: Mapping[str, Structure]) -> Mapping[str, Structure]:
    return _merged(one, two, merged)


def _merged(one: Mapping[str, _T], two: Mapping[str, _T], join: Callable[[_T, _T], _T]) -> Mapping[str, _T]:
    return {**one, **{name: join(one[name], value) if name in one else value for name, value in two.items()}}


def _type_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int() | float():
            return "number"
        case list():
            return "array"
    return "object"


def _listed(types: Iterable[str]) -> str:
    return " or ".join(sorted(types))
