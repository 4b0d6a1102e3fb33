import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.transport.simulate.dice import Dice
from setu.transport.simulate.instance import sample

NAMES = st.sampled_from(["a", "b", "c d", "é", "$x"])


def scalars() -> st.SearchStrategy[Any]:
    lengths = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted)
    bounds = st.tuples(st.integers(-9, 9), st.integers(0, 40)).map(lambda pair: (pair[0], pair[0] + pair[1]))
    return st.one_of(
        st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": "integer"}, {"type": "number"}, {}, True]),
        st.sampled_from([{"enum": ["x", 1, None]}, {"const": {"k": []}}, {"type": ["string", "null"]}]),
        st.sampled_from(["date-time", "date", "uuid", "email", "ipv4", "uri"]).map(
            lambda f: {"type": "string", "format": f}
        ),
        st.sampled_from([r"^[A-Z]{2}\d{3,5}$", r"^(a|bc)+x?$", r"^\w+@\w+\.com$", r"^[^a-z]{4}$", r"\S"]).map(
            lambda pattern: {"type": "string", "pattern": pattern}
        ),
        lengths.map(lambda pair: {"type": "string", "minLength": pair[0], "maxLength": pair[1]}),
        bounds.map(lambda pair: {"type": "integer", "minimum": pair[0], "maximum": pair[1]}),
        bounds.map(lambda pair: {"type": "number", "exclusiveMinimum": pair[0], "exclusiveMaximum": pair[1] + 1}),
        bounds.map(lambda pair: {"type": "integer", "exclusiveMinimum": pair[0], "exclusiveMaximum": pair[1] + 2}),
        st.integers(1, 7).map(lambda step: {"type": "integer", "multipleOf": step, "minimum": 5}),
    )


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.builds(_object, st.dictionaries(NAMES, inner, max_size=4), st.sets(NAMES, max_size=3), st.booleans()),
        st.builds(lambda items, least: {"type": "array", "items": items, "minItems": least}, inner, st.integers(0, 3)),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"anyOf": some}),
        inner.map(lambda one: {"allOf": [one], "description": "x"}),
        inner.map(lambda one: {"type": "object", "additionalProperties": one, "minProperties": 1}),
        st.lists(inner, min_size=1, max_size=2).map(
            lambda some: {"type": "array", "prefixItems": some, "items": False, "minItems": len(some)}
        ),
    )


def _object(properties: dict[str, Any], required: set[str], closed: bool) -> Any:
    wanted = sorted(name for name in required if name in properties)
    return {"type": "object", "properties": properties, "required": wanted, "additionalProperties": not closed}


@given(st.recursive(scalars(), nested, max_leaves=8), st.binary(min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_every_sample_satisfies_its_schema(schema, seed) -> None:
    made = sample(schema, Dice(seed))

    jsonschema_rs.validate(schema, json.loads(json.dumps(made)))
    assert sample(schema, Dice(seed)) == made


TREE = {
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "kids": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
                "up": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
            },
            "required": ["kids", "up"],
        }
    },
    "$ref": "#/$defs/Node",
}


@pytest.mark.parametrize("seed", range(20))
def test_a_recursive_schema_ends(seed) -> None:
    made = sample(TREE, Dice(bytes([seed])))

    jsonschema_rs.validate(TREE, made)


def test_required_names_without_a_property_are_filled() -> None:
    assert "free" in sample({"type": "object", "required": ["free"]}, Dice(b"s"))


def test_a_pattern_that_is_no_regular_expression_gives_the_empty_string() -> None:
    assert sample({"type": "string", "pattern": "("}, Dice(b"s")) == ""


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"type": "object", "properties": {"x": {"$ref": "#"}, "y": {"$ref": "#"}}, "required": ["x", "y"]},
        {"type": "string", "minLength": 10**9},
        {"type": "array", "items": {"type": "array", "minItems": 10**9}, "minItems": 10**9},
        {"type": "object", "minProperties": 10**9},
        {"type": "string", "pattern": "((a{9999}){9})"},
        {"type": "number", "minimum": -1.7e308, "maximum": 1.7e308},
    ],
    ids=json.dumps,
)
def test_a_schema_that_asks_for_too_much_gets_something_small_and_finite(schema) -> None:
    assert len(json.dumps(sample(schema, Dice(b"s")), allow_nan=False)) < 100_000
