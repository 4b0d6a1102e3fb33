"""Two descriptions of the same wire, as JSON Schemas, compared member by member.

Pure: it knows neither whose schemas they are nor what is right. Three things are compared wherever both sides describe
a value: its types, the values of a closed set, and of objects the members and which of them are required. Where one
side describes nothing (an open object, an unknown value) there is nothing to compare.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

import msgspec
import tomli

Aspect = Literal["member", "required", "type", "value"]
TAGS = ("type", "role", "object")
"""Members that tell the kinds of an object apart, where each kind has one value of its own."""

_NULL = "null"


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One description: `name` says whose and of what, `schema` may refer into `root` by JSON pointer.

    `nulls` says whether null means something there: a TypedDict's does, that of a model's optional member is but the
    value that stands for its absence. References in `apart` are compared by themselves, and not again wherever they
    are used.
    """

    name: str
    schema: Mapping[str, Any]
    root: Mapping[str, Any]
    nulls: bool = True
    apart: frozenset[str] = frozenset()


class Difference(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Where two sides part: `lacks` names the side that has less, `has` the one that has more."""

    place: str
    aspect: Aspect
    what: str
    lacks: str
    has: str

    def __str__(self) -> str:
        return f"{self.lacks}{self.place} {self.aspect} lacks {self.what!r} that {self.has} has"


class Intended(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A difference that is meant: patterns (`*`) of what it says, and why."""

    lacks: str
    has: str
    place: str
    reason: str
    aspect: str = "*"
    what: str = "*"

    def covers(self, difference: Difference) -> bool:
        return all(
            fnmatchcase(getattr(difference, name), getattr(self, name).replace("[", "[[]"))
            for name in ("lacks", "has", "place", "aspect", "what")
        )


class Branch(msgspec.Struct, frozen=True):
    """One alternative of a schema, without references."""

    types: frozenset[str]
    schema: Mapping[str, Any]


def compare(left: Side, right: Side) -> list[Difference]:
    """Return where two descriptions of one value part, in the order of their places."""
    return sorted(set(_compared(left, right, left.schema, right.schema, "", required=True, seen=frozenset())))


def unexplained(found: list[Difference], intended: list[Intended]) -> tuple[list[Difference], list[Intended]]:
    """Return the differences that nobody intends, and the intentions that nothing differs by any more."""
    strange = [one for one in found if not any(intent.covers(one) for intent in intended)]
    stale = [intent for intent in intended if not any(intent.covers(one) for one in found)]
    return strange, stale


def intentions(text: str) -> list[Intended]:
    """Read the differences that are meant, from TOML: `[[intended]]` rows.

    Raises:
        msgspec.ValidationError: a row lacks a key or has one of no meaning.
    """
    return msgspec.convert(tomli.loads(text)["intended"], list[Intended])


_Seen = frozenset[tuple[int, int]]


def _compared(
    left: Side, right: Side, mine: Any, theirs: Any, place: str, *, required: bool, seen: _Seen
) -> Iterator[Difference]:
    pair = (id(mine), id(theirs))
    if pair in seen or (seen and mine.get("$ref") in left.apart) or (seen and theirs.get("$ref") in right.apart):
        return
    seen |= {pair}
    ours, others = _branches(mine, left.root), _branches(theirs, right.root)
    if not all(branch.types for branch in (*ours, *others)):
        return  # somebody says nothing of it
    nulls = required or (left.nulls and right.nulls)
    yield from _types(left, right, ours, others, place, nulls=nulls)
    yield from _values(left, right, ours, others, place)
    yield from _items(left, right, ours, others, place, seen)
    yield from _objects(left, right, ours, others, place, seen)


def _branches(schema: Any, root: Mapping[str, Any]) -> list[Branch]:
    """Return the alternatives of a schema; an alternative without types says nothing."""
    while "$ref" in schema:
        schema = _at(root, schema["$ref"])
    for word in ("anyOf", "oneOf"):
        if word in schema and "properties" not in schema:  # beside members it only says which go together
            return [branch for inner in schema[word] for branch in _branches(inner, root)]
    return [Branch(_kinds(schema), schema)]


def _at(root: Mapping[str, Any], reference: str) -> Any:
    found: Any = root
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


_NAMES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): _NULL}


def _kinds(schema: Mapping[str, Any]) -> frozenset[str]:
    if "const" in schema:
        return frozenset({_NAMES.get(type(schema["const"]), "object")})
    if "enum" in schema:
        return frozenset(_NAMES[type(value)] for value in schema["enum"])
    named = schema.get("type", ())
    kinds = {named} if isinstance(named, str) else set(named)
    return frozenset(kinds)


def _types(
    left: Side, right: Side, ours: list[Branch], others: list[Branch], place: str, *, nulls: bool
) -> Iterator[Difference]:
    mine = frozenset().union(*(branch.types for branch in ours))
    theirs = frozenset().union(*(branch.types for branch in others))
    both = {"integer"} if "number" in mine & theirs else set()  # every integer is a number
    ignored = both | (set() if nulls else {_NULL})
    for name in mine - theirs - ignored:
        yield Difference(place=place, aspect="type", what=name, lacks=right.name, has=left.name)
    for name in theirs - mine - ignored:
        yield Difference(place=place, aspect="type", what=name, lacks=left.name, has=right.name)


ANY = "any other"
"""What an open set of values has beside those that it names."""


def _values(left: Side, right: Side, ours: list[Branch], others: list[Branch], place: str) -> Iterator[Difference]:
    mine, theirs = _set(ours), _set(others)
    if mine is None or theirs is None or (ANY in mine and ANY in theirs):
        return
    if ANY in mine or ANY in theirs:
        wide, narrow = (left, right) if ANY in mine else (right, left)
        yield Difference(place=place, aspect="value", what=ANY, lacks=narrow.name, has=wide.name)
    for value in [] if ANY in theirs else mine - theirs - {ANY}:
        yield Difference(place=place, aspect="value", what=value, lacks=right.name, has=left.name)
    for value in [] if ANY in mine else theirs - mine - {ANY}:
        yield Difference(place=place, aspect="value", what=value, lacks=left.name, has=right.name)


def _set(branches: list[Branch]) -> frozenset[str] | None:
    """Return the strings that a value may be, with `ANY` for an open set; None when it is no string."""
    texts = [branch.schema for branch in branches if "string" in branch.types]
    if not texts:
        return None
    found: set[str] = set()
    for schema in texts:
        if "const" in schema:
            found.add(schema["const"])
        elif "enum" in schema:
            found.update(value for value in schema["enum"] if isinstance(value, str))
        else:
            found.add(ANY)
    return frozenset(found)


def _items(
    left: Side, right: Side, ours: list[Branch], others: list[Branch], place: str, seen: _Seen
) -> Iterator[Difference]:
    mine = [branch.schema.get("items", {}) for branch in ours if "array" in branch.types]
    theirs = [branch.schema.get("items", {}) for branch in others if "array" in branch.types]
    if mine and theirs:
        yield from _compared(left, right, _either(mine), _either(theirs), f"{place}[]", required=True, seen=seen)


def _either(schemas: list[Any]) -> Any:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _objects(
    left: Side, right: Side, ours: list[Branch], others: list[Branch], place: str, seen: _Seen
) -> Iterator[Difference]:
    mine, theirs = _described(ours), _described(others)
    if not mine or not theirs:
        return
    tag = _tag(mine, left.root) or _tag(theirs, right.root)
    if tag is None or not all(_tagged(schema, tag, left.root) for schema in mine):
        yield from _members(left, right, _merged(mine), _merged(theirs), place, seen)
        return
    kinds, others_ = _by_tag(mine, tag, left.root), _by_tag(theirs, tag, right.root)
    open_left, open_right = ANY in kinds, ANY in others_
    for value in sorted((kinds.keys() | others_.keys()) - {ANY}):
        if value in kinds and value in others_:
            yield from _members(left, right, kinds[value], others_[value], f"{place}<{value}>", seen)
        elif value in kinds and not open_right:
            yield Difference(place=f"{place}.{tag}", aspect="value", what=value, lacks=right.name, has=left.name)
        elif value in others_ and not open_left:
            yield Difference(place=f"{place}.{tag}", aspect="value", what=value, lacks=left.name, has=right.name)


def _described(branches: list[Branch]) -> list[Mapping[str, Any]]:
    """Return the objects that say what is in them."""
    return [branch.schema for branch in branches if "object" in branch.types and branch.schema.get("properties")]


def _tag(objects: list[Mapping[str, Any]], root: Mapping[str, Any]) -> str | None:
    """Return the member that tells several kinds of object apart."""
    if len(objects) < 2:
        return None
    return next((tag for tag in TAGS if all(_tagged(schema, tag, root) for schema in objects)), None)


def _tagged(schema: Mapping[str, Any], tag: str, root: Mapping[str, Any]) -> frozenset[str] | None:
    named = schema["properties"].get(tag)
    return None if named is None else _set(_branches(named, root))


def _by_tag(objects: list[Mapping[str, Any]], tag: str, root: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the kinds by the tag's value, without the tag itself, whose values are compared by being found."""
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for schema in objects:
        members = {name: inner for name, inner in schema["properties"].items() if name != tag}
        kind = {**schema, "properties": members, "required": [*set(schema.get("required", ())) - {tag}]}
        for value in _tagged(schema, tag, root) or (ANY,):
            kinds.setdefault(value, []).append(kind)
    return {value: _merged(alike) for value, alike in kinds.items()}


def _merged(objects: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return several kinds of object as one: what any of them has, required where all of them require it."""
    if len(objects) == 1:
        return objects[0]
    members: dict[str, list[Any]] = {}
    for schema in objects:
        for name, inner in schema["properties"].items():
            members.setdefault(name, []).append(inner)
    required = set.intersection(*(set(schema.get("required", ())) for schema in objects))
    return {
        "properties": {name: _either(schemas) for name, schemas in members.items()},
        "required": sorted(required),
    }


def _members(
    left: Side, right: Side, mine: Mapping[str, Any], theirs: Mapping[str, Any], place: str, seen: _Seen
) -> Iterator[Difference]:
    ours, others = mine["properties"], theirs["properties"]
    needed, expected = set(mine.get("required", ())), set(theirs.get("required", ()))
    for name in ours.keys() - others.keys():
        yield Difference(place=place, aspect="member", what=name, lacks=right.name, has=left.name)
    for name in others.keys() - ours.keys():
        yield Difference(place=place, aspect="member", what=name, lacks=left.name, has=right.name)
    for name in ours.keys() & others.keys():
        if name in needed - expected:
            yield Difference(place=place, aspect="required", what=name, lacks=right.name, has=left.name)
        if name in expected - needed:
            yield Difference(place=place, aspect="required", what=name, lacks=left.name, has=right.name)
        yield from _compared(
            left,
            right,
            ours[name],
            others[name],
            f"{place}.{name}",
            required=name in needed & expected,
            seen=seen,
        )
