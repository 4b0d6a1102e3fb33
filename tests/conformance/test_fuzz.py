"""What the fuzz stage calls illegal: the document is narrow where requests come from, wide where answers are judged."""

import json
from typing import Any

import jsonschema_rs
import pytest

from setu.conformance.fuzz import taken
from setu.dialects.record import Route
from setu.dialects.registry import DIALECTS
from setu.errors import DialectError
from setu.server.openapi import document

ROUTE = Route(dialect="openai_chat", operation="chat")

WIDE = jsonschema_rs.validator_for(taken(document()))
NARROW = jsonschema_rs.validator_for(
    {"$ref": "#/components/schemas/ChatRequest", "components": document()["components"]}
)


def asked(**members: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "hi"}]} | members


def tool(**members: Any) -> dict[str, Any]:
    return asked(tools=[members])


@pytest.mark.parametrize(
    "request_",
    [
        tool(function={"name": "f"}),
        tool(type="function", function={"name": "f", "parameters": {"anyOf": []}}),
        tool(type="function", function={"name": "a b", "description": None}),
        tool(type="web_search"),
        asked(messages=[{"role": "user", "content": [{"type": "brand_new"}]}]),
    ],
)
def test_what_every_upstream_need_not_take_is_legal_but_never_generated(request_: dict[str, Any]) -> None:
    assert WIDE.is_valid(request_)
    assert not NARROW.is_valid(request_)


@pytest.mark.parametrize(
    "request_",
    [
        asked(tools=[3]),
        tool(type="function"),
        tool(type="function", function="f"),
        tool(type="function", function={}),
        tool(type="function", function={"name": ""}),
        tool(type="function", function={"name": "f", "parameters": "{}"}),
        tool(type=7, function={"name": "f"}),
        tool(type="custom"),
        asked(messages=[{"role": "user", "content": [{"type": "text"}]}]),
        asked(temperature=3),
    ],
)
def test_a_bad_shape_is_illegal_below_tools_too(request_: dict[str, Any]) -> None:
    assert not WIDE.is_valid(request_)
    assert not NARROW.is_valid(request_)
    with pytest.raises(DialectError):
        DIALECTS["openai_chat"].client["chat"].parse_request(json.dumps(request_).encode(), ROUTE)
