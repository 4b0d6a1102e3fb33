"""Schemas: Gemini's flavour in JSON Schema's words, and every other one untouched."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu import schema
from setu._json import JsonError
from tests.documents import OBJECTS, Object


def translated(value: Any) -> Any:
    return json.loads(schema.from_openapi(json.dumps(value).encode()))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"type": "STRING"}, {"type": "string"}),
        ({"type": 6}, {"type": "object"}),
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "STRING", "nullable": False}, {"type": "string"}),
        (
            {"type": "STRING", "enum": ["a"], "nullable": True},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        (
            {"anyOf": [{"type": "STRING"}], "nullable": True},
            {"anyOf": [{"type": "string"}, {"type": "null"}]},
        ),
        ({"any_of": [{"type": "NUMBER"}]}, {"anyOf": [{"type": "number"}]}),
        ({"type": "ARRAY", "items": {"type": "INTEGER"}}, {"type": "array", "items": {"type": "integer"}}),
        ({"type": "ARRAY", "minItems": "2"}, {"type": "array", "minItems": 2}),
        (
            {"type": "OBJECT", "properties": {"type": {"type": "STRING"}}, "propertyOrdering": ["type"]},
            {"type": "object", "properties": {"type": {"type": "string"}}},
        ),
        (
            {"properties": {"nullable": {"nullable": True, "type": "NULL"}}},
            {"properties": {"nullable": {"type": "null"}}},
        ),
        ({"example": 5}, {"examples": [5]}),
        (
            {"ref": "#/defs/A", "defs": {"A": {"type": "OBJECT"}}},
            {"$ref": "#/$defs/A", "$defs": {"A": {"type": "object"}}},
        ),
    ],
)
def test_googles_flavour_becomes_json_schema(before: Any, after: Any) -> None:
    assert translated(before) == after


def test_nullability_survives_below_the_root() -> None:  # B-SCH-10
    value = {"type": "OBJECT", "properties": {"a": {"type": "OBJECT", "properties": {}, "nullable": True}}}

    assert translated(value)["properties"]["a"]["type"] == ["object", "null"]


def test_what_is_json_schema_already_stays_the_same_bytes() -> None:
    text = b'{ "type":"object", "properties" : {"n": {"type":"integer","maximum":12345678901234567890}}}'

    assert schema.from_openapi(text) is text


@given(OBJECTS)
def test_translating_twice_changes_nothing_more(document: Object) -> None:
    once = schema.from_openapi(document.data)

    assert schema.from_openapi(once) == once


def test_a_very_deep_schema_is_refused_and_not_a_crash() -> None:
    with pytest.raises(JsonError):
        schema.from_openapi(b'{"items":' * 500 + b"{}" + b"}" * 500)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'{"properties":{}}', b'{"properties":{},"type":"object"}'),
        (b"{}", b'{"type":"object"}'),
        (b'{"type":"object", "x":1.10}', b'{"type":"object", "x":1.10}'),
        (b'{"$ref":"#/$defs/A"}', b'{"$ref":"#/$defs/A"}'),
    ],
)
def test_only_a_root_without_a_type_gets_one(before: Any, after: Any) -> None:  # B-SCH-09
    assert schema.rooted(before) == after


@given(st.sampled_from([b"[]", b"1", b'"x"', b"{", b"null"]))
def test_a_schema_that_is_no_object_is_refused(text: Any) -> None:
    with pytest.raises(JsonError):
        schema.rooted(text)


def merged(value: Any) -> Any:
    return json.loads(schema.one_object(json.dumps(value).encode()))


A, B = {"type": "string"}, {"type": "integer"}


def an_object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"anyOf": [an_object(["a"], a=A), an_object(["a", "b"], a=A, b=B)]}, an_object(["a"], a=A, b=B)),
        ({"allOf": [an_object(["a"], a=A), an_object(["b"], b=B)]}, an_object(["a", "b"], a=A, b=B)),
        ({"oneOf": [an_object(["a"], a=A), an_object(["a"], a=B)]}, an_object(["a"], a={"anyOf": [A, B]})),
        ({"anyOf": [an_object(["a"], a=A), {"type": "null"}]}, an_object(["a"], a=A)),
        (
            {**an_object(["c"], c=A), "oneOf": [{"properties": {"b": B}}, {"required": ["c"]}]},
            an_object(["c"], c=A, b=B),
        ),
        (
            {"$defs": {"X": an_object(["a"], a=A)}, "anyOf": [{"$ref": "#/$defs/X"}]},
            {"$defs": {"X": an_object(["a"], a=A)}, **an_object(["a"], a=A)},
        ),
    ],
)
def test_a_choice_at_the_root_becomes_one_object(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert merged(before) == after


@pytest.mark.parametrize(
    "branch", [{"type": "string"}, {"not": {}}, {"$ref": "#/$defs/none"}, {"$ref": 7}, {"patternProperties": {}}, 7]
)
def test_a_choice_among_what_is_no_object_is_refused(branch: Any) -> None:
    with pytest.raises(JsonError):
        merged({"anyOf": [branch]})


@given(OBJECTS)
def test_a_schema_without_a_choice_at_its_root_is_the_same_text(document: Object) -> None:
    if not {"allOf", "anyOf", "oneOf"} & document.value.keys():
        assert schema.one_object(document.data) == document.data
