"""A value that satisfies a JSON Schema, chosen by dice: what a model fills into a tool's arguments.

Understands what tools and structured outputs use: types, enum, const, $ref and $defs (recursive ones end as soon as
they may), allOf, anyOf, oneOf, formats, simple patterns, and bounds on numbers, strings, arrays and objects. Not
`not`, `if`, `dependentSchemas`: a model cannot be trusted with those either.
"""

import math
from collections.abc import Mapping
from typing import Any

from setu.transport.simulate.dice import Dice
from setu.transport.simulate.pattern import matching
from setu.transport.simulate.schema_rules import resolve

Schema = Any
"""A schema as parsed JSON: an object, or true or false."""

DEEP = 4
"""Levels of nesting after which only what is required is generated."""

BOTTOM = 40
"""Levels after which a schema that recurses without end is cut off."""

MOST = 2000
"""Values after which a schema that multiplies without end gets nulls."""

LONGEST = 2000
"""Characters and items that a schema may ask for at least; a model would not write more either."""

WORDS = (
    "amber",
    "basalt",
    "café",
    "delta",
    "Ωmega",
    "fjord",
    "granite",
    "日本",
    "iris",
    "🙂 smile",
    'the "quoted"',
    "back\\slash",
)

_FORMATS: Mapping[str, tuple[str, ...]] = {
    "date-time": ("2026-03-14T09:26:53Z", "2025-12-31T23:59:59Z"),
    "date": ("2026-03-14", "2024-02-29"),
    "time": ("09:26:53Z", "23:59:59Z"),
    "duration": ("P3D", "PT45M"),
    "email": ("ada@example.com", "grace@example.org"),
    "hostname": ("example.com", "host.example.org"),
    "ipv4": ("192.0.2.1", "198.51.100.7"),
    "ipv6": ("2001:db8::1", "2001:db8::2:1"),
    "uri": ("https://example.com/a", "https://example.org/b?c=d"),
    "uuid": ("0b4e0f6a-6f3c-4a52-8f0e-2f1c5d1a7e90", "7c9e6679-7425-40de-944b-e07fc1f90ae7"),
}
_COMBINED = ("allOf", "anyOf", "oneOf", "$ref")


class Sampler:
    """Fill schemas of one document; `$ref` is resolved against `root`."""

    __slots__ = ("_dice", "_left", "_root")

    def __init__(self, root: Schema, dice: Dice) -> None:
        self._root = root
        self._dice = dice
        self._left = MOST

    def sample(self, schema: Schema | None = None, depth: int = 0) -> Any:
        """Return a value for a schema, by default the document itself."""
        self._left -= 1
        if self._left < 0 or depth > BOTTOM:
            return None
        flat = self._flatten(self._root if schema is None else schema, depth)
        if "const" in flat:
            return flat["const"]
        if flat.get("enum"):
            return self._dice.pick(flat["enum"])
        match self._kind(flat, depth):
            case "object":
                return self._object(flat, depth)
            case "array":
                return self._array(flat, depth)
            case "integer":
                return self._integer(flat)
            case "number":
                return self._number(flat)
            case "boolean":
                return self._dice.chance(2)
            case "null":
                return None
            case _:
                return self._string(flat)

    def _flatten(self, schema: Schema, depth: int) -> dict[str, Any]:
        """Resolve references and choose among alternatives until only plain keywords are left."""
        if not isinstance(schema, dict) or depth > BOTTOM:
            return {}
        flat = {key: value for key, value in schema.items() if key not in _COMBINED}
        for part in self._parts(schema, depth):
            flat = _merge(flat, self._flatten(part, depth + 1))
        return flat

    def _parts(self, schema: Mapping[str, Any], depth: int) -> list[Schema]:
        parts = list(schema.get("allOf") or ())
        if "$ref" in schema:
            parts.append(resolve(schema["$ref"], self._root))
        return parts + [self._choose(schema[key], depth) for key in ("anyOf", "oneOf") if schema.get(key)]

    def _choose(self, options: list[Schema], depth: int) -> Schema:
        """Pick one alternative; a deep one takes the alternative that nests least, so that recursion ends."""
        if depth < DEEP:
            return self._dice.pick(options)
        return min(options, key=_nesting)

    def _kind(self, flat: Mapping[str, Any], depth: int) -> str:
        kind = flat.get("type")
        if isinstance(kind, list):
            return "null" if depth >= DEEP and "null" in kind else str(self._dice.pick(kind))
        if kind is not None:
            return str(kind)
        if "properties" in flat or "required" in flat:
            return "object"
        if "items" in flat or "prefixItems" in flat:
            return "array"
        return "number" if "minimum" in flat or "maximum" in flat else "string"

    def _object(self, flat: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = flat.get("properties") or {}
        required = list(flat.get("required") or ())
        least = min(flat.get("minProperties", 0), LONGEST)
        made: dict[str, Any] = {}
        for name in [*properties, *(name for name in required if name not in properties)]:
            wanted = name in required or len(made) < least or (depth < DEEP and self._dice.chance(2))
            if wanted and len(made) < flat.get("maxProperties", math.inf):
                made[name] = self.sample(properties.get(name, {"type": "string"}), depth + 1)
        rest = flat.get("additionalProperties", True)
        while len(made) < least or (isinstance(rest, dict) and not made and depth < DEEP):
            made[f"key_{len(made)}"] = self.sample(rest, depth + 1)
            if flat.get("maxProperties") == 0:
                return {}
        return made

    def _array(self, flat: Mapping[str, Any], depth: int) -> list[Any]:
        lead = [self.sample(part, depth + 1) for part in flat.get("prefixItems") or ()]
        least = min(max(flat.get("minItems", 0), len(lead)), LONGEST)
        most = flat.get("maxItems", least + 2)
        size = least if depth >= DEEP else self._dice.between(least, max(least, min(most, least + 2)))
        items = flat.get("items", True)
        if items is False:
            return lead
        made = list(lead)
        for _ in range(2 * LONGEST):  # uniqueItems over a small domain may need several throws
            if len(made) >= size:
                break
            value = self.sample({"type": "string"} if items is True else items, depth + 1)
            if not flat.get("uniqueItems") or value not in made:
                made.append(value)
        return made

    def _integer(self, flat: Mapping[str, Any]) -> int:
        step = math.ceil(flat.get("multipleOf") or 1)
        low, high = _bounds(flat, step)
        first, last = math.ceil(low / step), math.floor(high / step)
        return step * self._dice.between(first, max(first, last))

    def _number(self, flat: Mapping[str, Any]) -> float | int:
        step = flat.get("multipleOf")
        if step:
            low, high = _bounds(flat, step)
            first = math.ceil(low / step)
            return float(step * self._dice.between(first, max(first, math.floor(high / step))))
        low, high = _bounds(flat, 0)
        share = self._dice.between(1, 15) / 16  # strictly inside, so that exclusive bounds hold too
        return low if low == high else low * (1 - share) + high * share

    def _string(self, flat: Mapping[str, Any]) -> str:
        if flat.get("pattern"):
            return matching(str(flat["pattern"]), self._dice)
        if flat.get("format") in _FORMATS:
            return self._dice.pick(_FORMATS[flat["format"]])
        text = " ".join(self._dice.pick(WORDS) for _ in range(self._dice.between(1, 3)))
        while len(text) < min(flat.get("minLength", 0), LONGEST):
            text += " " + self._dice.pick(WORDS)
        most = flat.get("maxLength")
        return text if most is None else text[:most]


def sample(schema: Schema, dice: Dice) -> Any:
    """Return a value that satisfies the schema."""
    return Sampler(schema, dice).sample()


def _merge(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """Conjoin two plain schemas as far as a sampler needs it."""
    merged = {**left, **right}
    if "properties" in left and "properties" in right:
        merged["properties"] = {**left["properties"], **right["properties"]}
    if "required" in left and "required" in right:
        merged["required"] = list(dict.fromkeys([*left["required"], *right["required"]]))
    if "enum" in left and "enum" in right:
        merged["enum"] = [value for value in left["enum"] if value in right["enum"]]
    for key, tighter in (
        ("minimum", max),
        ("minLength", max),
        ("minItems", max),
        ("maximum", min),
        ("maxLength", min),
        ("maxItems", min),
    ):
        if key in left and key in right:
            merged[key] = tighter(left[key], right[key])
    return merged


def _nesting(schema: Schema) -> int:
    """Say how much an alternative may nest: a scalar least, a reference most."""
    if not isinstance(schema, dict) or "$ref" in schema:
        return 3
    if schema.get("type") == "null":
        return 0
    nested = any(key in schema for key in ("properties", "items", "allOf", "anyOf", "oneOf"))
    return 2 if nested else 1


def _bounds(flat: Mapping[str, Any], step: float) -> tuple[float, float]:
    """Return inclusive bounds; an exclusive bound moves inwards by one step."""
    low = flat.get("minimum")
    high = flat.get("maximum")
    over, under = flat.get("exclusiveMinimum"), flat.get("exclusiveMaximum")
    if isinstance(over, int | float) and not isinstance(over, bool):
        low = max(over + step, low if low is not None else over + step)
    if isinstance(under, int | float) and not isinstance(under, bool):
        high = min(under - step, high if high is not None else under - step)
    if low is None:
        low = min(0, high - 100) if high is not None else 0
    return low, high if high is not None else low + 100
