"""JSON Schema as data: Gemini's OpenAPI flavour to JSON Schema, and the root that tools need.

Schemas are not rewritten for any target: all of them take JSON Schema text as the client wrote it (Gemini in
`parametersJsonSchema` and `responseJsonSchema`), so key order and unknown keywords survive (B-SCH-01..07, 18).
"""

from collections.abc import Callable
from typing import Any

from setu import _json
from setu._json import Json, Raw

EMPTY_OBJECT: Json = b'{"type":"object","properties":{}}'

_TYPES = (b'""', b'"string"', b'"number"', b'"integer"', b'"boolean"', b'"array"', b'"object"', b'"null"')
"""Google's type enum by number, in JSON Schema's words."""

_SPELLINGS = {
    "any_of": "anyOf",
    "one_of": "oneOf",
    "all_of": "allOf",
    "prefix_items": "prefixItems",
    "additional_properties": "additionalProperties",
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_properties": "minProperties",
    "max_properties": "maxProperties",
    "property_ordering": "propertyOrdering",
    "example": "examples",
    "defs": "$defs",
    "ref": "$ref",
}
"""JSON Schema's keyword for each that Google spells otherwise (proto field names included)."""

_COMBINED = ("allOf", "anyOf", "oneOf")
_PLAIN = frozenset({"type", "properties", "required", "additionalProperties", "title", "description", "$comment"})
"""What a branch may hold and still be merged into the object it belongs to."""

_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions"})
_ONE = frozenset({"items", "additionalProperties", "not"})
_MANY = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_INTEGERS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_DEPTH = 200


def rooted(schema: Json) -> Json:
    """Return the schema with `type: object` at its root, where tools demand one (B-SCH-09); else the same text.

    Raises:
        JsonError: not a JSON object.
    """
    members = _json.split(schema)
    if "type" in members or "$ref" in members:
        return schema
    return _json.splice(schema, {"type": b'"object"'})


def one_object(schema: Json) -> Json:
    """Return the schema without `allOf`, `anyOf` or `oneOf` at its root, their objects merged into it (B-SCH-11).

    Whatever fitted before fits after: properties of all branches, required what every branch of a choice requires. The
    very text when there is nothing to merge.

    Raises:
        JsonError: a branch is no plain object, so that merging would change what it says.
    """
    members = _json.split(schema)
    if not any(key in members for key in _COMBINED):
        return schema
    merged = {key: value for key, value in members.items() if key not in _COMBINED}
    properties, required = _properties(merged), _required(merged)
    for key in _COMBINED:
        branches = [_branch(raw, members) for raw in _json.items(members.get(key, b"[]"))]
        objects = [branch for branch in branches if branch is not None]
        for branch in objects:
            for name, value in _properties(branch).items():
                properties[name] = _either(properties.get(name, value), value, "allOf" if key == "allOf" else "anyOf")
        wanted = [_required(branch) for branch in objects]
        always = [name for name in wanted[0] if all(name in names for names in wanted)] if wanted else []
        required += [name for names in wanted for name in names] if key == "allOf" else always
    merged |= {"type": b'"object"', "properties": _object(properties)}
    if required:
        merged["required"] = _json.encode(list(dict.fromkeys(required)))
    return _object(merged)


def _branch(raw: Json, root: dict[str, Json]) -> dict[str, Json] | None:
    """Return the members of a branch, its reference followed; None for one that only allows null."""
    members = _json.split(raw)
    if "$ref" in members:
        _, _, path = str(_json.decode(members["$ref"])).partition("#/")
        group, _, name = path.partition("/")
        members = _json.split(_json.split(root.get(group, b"{}")).get(name, b"null"))
    if members.get("type") == b'"null"':
        return None
    if not members.keys() <= _PLAIN or members.get("type", b'"object"') != b'"object"':
        raise _json.JsonError("a branch of the root is no plain object")
    return members


def _properties(members: dict[str, Json]) -> dict[str, Json]:
    return _json.split(members.get("properties", b"{}"))


def _required(members: dict[str, Json]) -> list[str]:
    names = _json.decode(members.get("required", b"[]"))
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _either(one: Json, other: Json, how: str) -> Json:
    return one if one == other else _json.encode({how: [Raw(one), Raw(other)]})


def from_openapi(schema: Json) -> Json:
    """Translate Gemini's OpenAPI subset into JSON Schema; the very text when there is nothing to translate.

    Types (words or numbers) become lower-case words, `nullable` a null type (B-SCH-04, B-SCH-10), numbers in strings
    (proto int64) numbers, `example` goes to `examples`, `propertyOrdering` is dropped.
    Source: ai.google.dev/api/caching#Schema, read 2026-11-20.

    Raises:
        JsonError: not a JSON object, or nested too deeply.
    """
    return _translate(schema, 0)


def _translate(schema: Json, depth: int) -> Json:
    if _json.kind_of(schema) != "object":
        return schema
    if depth > _DEPTH:
        raise _json.JsonError("the schema is nested too deeply")
    members = _json.split(schema)
    after: dict[str, Json] = {}
    for key, value in members.items():
        name = _SPELLINGS.get(key, key)
        if name not in ("propertyOrdering", "nullable"):
            after[name] = b"[" + value + b"]" if key == "example" else _keyword(name, value, depth)
    if members.get("nullable") == b"true":
        after = _nullable(after)
    return schema if after == members else _object(after)


def _keyword(key: str, value: Json, depth: int) -> Json:
    kind = _json.kind_of(value)
    if key == "type" and kind == "string":
        return value.lower()
    if key == "type" and value.isdigit() and int(value) < len(_TYPES):
        return _TYPES[int(value)]
    if key == "$ref":
        return value.replace(b"#/defs/", b"#/$defs/")
    if key in _INTEGERS and kind == "string":
        return value.strip(b'"')
    if key in _ONE and kind == "object":
        return _translate(value, depth + 1)
    if key in _MANY and kind == "array":
        return _each(value, lambda item: _translate(item, depth + 1))
    if key in _NAMED and kind == "object":
        before = _json.split(value)
        after = {name: _translate(item, depth + 1) for name, item in before.items()}
        return value if after == before else _object(after)
    return value


def _each(array: Json, change: Callable[[Json], Json]) -> Json:
    before = _json.items(array)
    after = [change(item) for item in before]
    return array if after == before else b"[" + b",".join(after) + b"]"


def _nullable(members: dict[str, Json]) -> dict[str, Json]:
    """Say `nullable` as a type, as a branch, and as a member of the enum."""
    changed = dict(members)
    kind = members.get("type")
    if kind is not None and _json.kind_of(kind) == "string" and kind != b'"null"':
        changed["type"] = b"[" + kind + b',"null"]'
    elif kind is None and "anyOf" in members:
        changed["anyOf"] = _json.encode([*map(Raw, _json.items(members["anyOf"])), {"type": "null"}])
    values = members.get("enum")
    if values is not None and _json.kind_of(values) == "array" and b"null" not in _json.items(values):
        changed["enum"] = _json.encode([*map(Raw, _json.items(values)), None])
    return changed


def _object(members: dict[str, Json]) -> Json:
    value: dict[str, Any] = {key: Raw(member) for key, member in members.items()}
    return _json.encode(value)
