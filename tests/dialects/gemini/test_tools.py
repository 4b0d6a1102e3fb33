"""Tools of any dialect as Gemini's, and Gemini's own both ways."""

import json
from typing import Any

import pytest

from setu.chat.parts import Text
from setu.chat.request import ChatRequest, CustomTool, FunctionTool, HostedTool, Message, Tool, ToolChoice
from setu.chat.seals import CacheMark, Extra
from setu.dialects.gemini.request import parse_request, render_request
from setu.dialects.record import Rendered, Route, Target
from setu.errors import LocalDialectError
from tests.dialects.gemini.oracle import check_request

ROUTE = Route(dialect="gemini", operation="chat", model="gemini-2.5-flash", stream=False)
USER = Message(role="user", parts=(Text(text="hi"),))


def read(*tools: Any) -> tuple[Tool, ...]:
    body = {"contents": [{"parts": [{"text": "hi"}]}], "tools": list(tools)}
    return parse_request(json.dumps(body, separators=(",", ":")).encode(), ROUTE).tools


def render(*tools: Tool, **fields: Any) -> Rendered:
    rendered = render_request(ChatRequest(model="m", messages=(USER,), tools=tools, **fields), Target(model="m"))
    check_request(rendered.body)
    return rendered


def written(*tools: Tool, **fields: Any) -> Any:
    return json.loads(render(*tools, **fields).body)


def test_declarations_and_hosted_tools_of_one_object_are_told_apart() -> None:
    assert read({"functionDeclarations": [{"name": "f"}, {"name": "g"}], "google_search": {}, "urlContext": {}}) == (
        FunctionTool(name="f"),
        FunctionTool(name="g"),
        HostedTool(kind="googleSearch", dialect="gemini", config=b'{"googleSearch":{}}'),
        HostedTool(kind="urlContext", dialect="gemini", config=b'{"urlContext":{}}'),
    )


def test_geminis_own_schema_is_json_schema_to_others_and_itself_to_gemini() -> None:
    tools = read({"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "nullable": True}}]})

    assert tools == (
        FunctionTool(name="f", schema=b'{"type":["object","null"]}', native=b'{"type":"OBJECT","nullable":true}'),
    )
    assert written(*tools)["tools"] == [
        {"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "nullable": True}}]}
    ]


def test_json_schema_goes_out_byte_for_byte() -> None:  # B-TOOL-28, B-SCH-01, B-SCH-02, B-SCH-03, B-SCH-18
    exact = b'{"$schema":"x","type":"object","additionalProperties":false,"z":1.10,"properties":{"b":{"$ref":"#/$defs/A"},"a":{"type":["string","null"]}},"$defs":{"A":{}}}'

    rendered = render(FunctionTool(name="f", schema=exact))

    assert b'"parametersJsonSchema":' + exact in rendered.body
    assert rendered.losses == ()


def test_a_schema_without_a_root_type_gets_one() -> None:  # B-SCH-09
    declaration = written(FunctionTool(name="f", schema=b'{"properties":{}}'))["tools"][0]["functionDeclarations"][0]

    assert declaration["parametersJsonSchema"] == {"properties": {}, "type": "object"}


def test_a_tool_without_a_schema_has_none() -> None:  # B-TOOL-13, B-SCH-08
    assert written(FunctionTool(name="f"))["tools"] == [{"functionDeclarations": [{"name": "f"}]}]


def test_a_schema_that_is_no_object_is_refused_by_place() -> None:
    with pytest.raises(LocalDialectError) as caught:
        render(FunctionTool(name="f", schema=b"[]"))

    assert caught.value.param == "tools[0]"


def test_members_that_only_gemini_knows_go_back() -> None:
    (tool,) = read({"functionDeclarations": [{"name": "f", "behavior": "BLOCKING", "response": {"type": "STRING"}}]})

    declaration = written(tool)["tools"][0]["functionDeclarations"][0]

    assert declaration == {"name": "f", "behavior": "BLOCKING", "response": {"type": "STRING"}}


def test_functions_stand_in_one_object_at_the_place_of_the_first() -> None:
    search = HostedTool(kind="googleSearch", dialect="gemini", config=b'{"googleSearch":{}}')

    tools = written(search, FunctionTool(name="f"), search, FunctionTool(name="g"))["tools"]

    assert tools == [
        {"googleSearch": {}},
        {"functionDeclarations": [{"name": "f"}, {"name": "g"}]},
        {"googleSearch": {}},
    ]


@pytest.mark.parametrize(
    ("kind", "twin"),
    [
        ("web_search_20250305", "googleSearch"),
        ("web_search_preview", "googleSearch"),
        ("code_execution_20250825", "codeExecution"),
        ("code_interpreter", "codeExecution"),
        ("web_fetch_20250910", "urlContext"),
    ],
)
def test_a_foreign_hosted_tool_becomes_its_twin_with_a_loss(kind: Any, twin: Any) -> None:
    rendered = render(HostedTool(kind=kind, dialect="anthropic", config=b"{}"))

    assert json.loads(rendered.body)["tools"] == [{twin: {}}]
    assert [loss.pointer for loss in rendered.losses] == ["/tools/0"]


def test_a_hosted_tool_that_gemini_lacks_is_refused_by_name() -> None:  # B-TOOL-15
    with pytest.raises(LocalDialectError, match="computer_20250124"):
        render(HostedTool(kind="computer_20250124", dialect="anthropic", config=b"{}"))


def test_a_free_text_tool_becomes_a_function_of_one_string() -> None:
    rendered = render(CustomTool(name="sql", description="d"))

    (declaration,) = json.loads(rendered.body)["tools"][0]["functionDeclarations"]
    assert declaration["parametersJsonSchema"]["required"] == ["input"]
    assert [loss.severity for loss in rendered.losses] == ["warn"]


def test_what_a_declaration_cannot_say_is_a_loss_each() -> None:
    tool = FunctionTool(
        name="f", strict=True, namespace="n", cache=CacheMark(), extra=Extra(dialect="openai_chat", members={"x": b"1"})
    )

    assert [loss.pointer for loss in render(tool).losses] == ["/tools/0/strict", "/tools/0", "/tools/0", "/tools/0/x"]


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        (ToolChoice(mode="auto"), {"mode": "AUTO"}),
        (ToolChoice(mode="none"), {"mode": "NONE"}),  # B-TOOL-17
        (ToolChoice(mode="required"), {"mode": "ANY"}),
        (ToolChoice(mode="named", names=("f",)), {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (ToolChoice(mode="allowed", names=("f", "g"), must=True), {"mode": "ANY", "allowedFunctionNames": ["f", "g"]}),
        (ToolChoice(mode="allowed", names=("f",)), {"mode": "VALIDATED", "allowedFunctionNames": ["f"]}),
        (ToolChoice(mode="allowed"), {"mode": "AUTO"}),
    ],
)
def test_the_choice_among_tools_has_geminis_words(choice: Any, config: Any) -> None:
    assert written(FunctionTool(name="f"), FunctionTool(name="g"), tool_choice=choice)["toolConfig"] == {
        "functionCallingConfig": config
    }


@pytest.mark.parametrize(("number", "mode"), [(1, "auto"), (2, "required"), (3, "none")])
def test_a_mode_may_be_a_number(number: Any, mode: Any) -> None:
    body = {"contents": [{"parts": []}], "toolConfig": {"functionCallingConfig": {"mode": number}}}

    choice = parse_request(json.dumps(body).encode(), ROUTE).tool_choice

    assert choice is not None
    assert choice.mode == mode


def test_one_call_at_a_time_cannot_be_promised() -> None:
    assert [loss.pointer for loss in render(FunctionTool(name="f"), parallel=False).losses] == ["/parallel"]


def test_no_tools_are_no_member() -> None:  # B-TOOL-10
    assert set(written()) == {"contents"}


def test_a_choice_of_a_tool_nobody_offered_is_refused() -> None:  # B-TOOL-20
    with pytest.raises(LocalDialectError) as caught:
        render(FunctionTool(name="f"), tool_choice=ToolChoice(mode="named", names=("g",)))

    assert caught.value.param == "tool_choice"


def test_a_search_for_tools_is_not_needed() -> None:
    rendered = render(HostedTool(kind="tool_search_tool_bm25_20251119", dialect="anthropic", config=b"{}"))

    assert set(json.loads(rendered.body)) == {"contents"}
    assert [loss.severity for loss in rendered.losses] == ["info"]
