"""Is a JSON Schema well formed, as far as providers look? One that is not they refuse, with its tool or format."""

from collections.abc import Iterator, Mapping
from typing import Any

from setu.transport.simulate.refused import is_integer, is_number

_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_NUMBERS = ("minimum", "maximum", "multipleOf")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_TEXTS = ("$ref", "title", "description", "format", "pattern")
_SCHEMAS = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SCHEMA_MAPS = ("properties", "$defs", "definitions", "patternProperties")


def malformed(schema: Any, root: Any = None) -> str | None:
    """Return what is wrong with a schema, None if nothing is; references are looked up in the root."""
    return next(_problems(schema, schema if root is None else root), None)


def resolve(reference: str, root: Any) -> Any:
    """Return what a local reference points to, None if nothing is there."""
    node = root
    for step in reference.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        node = node.get(name) if isinstance(node, dict) else None
    return node


def _problems(schema: Any, root: Any) -> Iterator[str]:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        yield f"{_shown(schema)} is not of type 'object', 'boolean'"
        return
    yield from _type_problems(schema.get("type"))
    yield from _scalar_problems(schema)
    yield from _reference_problems(schema, root)
    if "enum" in schema and not (isinstance(schema["enum"], list) and schema["enum"]):
        yield f"{_shown(schema['enum'])} is not a non-empty array of enum values"
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        yield f"{_shown(required)} is not an array of property names"
    for inner in _inner(schema):
        if isinstance(inner, str):
            yield inner
        else:
            yield from _problems(inner[0], root)


def _type_problems(kind: Any) -> Iterator[str]:
    kinds = kind if isinstance(kind, list) and kind else [kind]
    for one in kinds if kind is not None else ():
        if not isinstance(one, str) or one not in _TYPES:
            yield f"{_shown(one)} is not valid under any of the given schemas"


def _scalar_problems(schema: Mapping[str, Any]) -> Iterator[str]:
    for name in _NUMBERS:
        if name in schema and not is_number(schema[name]):
            yield f"{_shown(schema[name])} is not of type 'number'"
    for name in _COUNTS:
        if name in schema and not (is_integer(schema[name]) and schema[name] >= 0):
            yield f"{_shown(schema[name])} is not a non-negative integer"
    for name in _TEXTS:
        if name in schema and not isinstance(schema[name], str):
            yield f"{_shown(schema[name])} is not of type 'string'"


def _reference_problems(schema: Mapping[str, Any], root: Any) -> Iterator[str]:
    reference = schema.get("$ref")
    if isinstance(reference, str) and (reference[:1] != "#" or resolve(reference, root) is None):
        yield f"reference {_shown(reference)} is unresolvable"


def _inner(schema: Mapping[str, Any]) -> Iterator[tuple[Any] | str]:
    """Yield the schemas inside, each in a tuple, or what is wrong where they should be."""
    for name in _SCHEMAS:
        if schema.get(name) is not None:
            yield (schema[name],)
    for name in _SCHEMA_LISTS:
        if name in schema:
            if not isinstance(schema[name], list):
                yield f"{_shown(schema[name])} is not of type 'array'"
            else:
                yield from ((item,) for item in schema[name])
    for name in _SCHEMA_MAPS:
        if name in schema:
            if not isinstance(schema[name], dict):
                yield f"{_shown(schema[name])} is not of type 'object'"
            else:
                yield from ((item,) for item in schema[name].values())


def _shown(value: Any) -> str:
    return repr(value)[:60]
