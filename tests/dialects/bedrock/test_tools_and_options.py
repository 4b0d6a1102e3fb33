"""Tools, their choice, settings by family, and structured output."""

from typing import Any

import pytest

from setu.chat.parts import Text
from setu.chat.request import (
    ChatRequest,
    CustomTool,
    FunctionTool,
    HostedTool,
    Options,
    Output,
    State,
    Thinking,
    ToolChoice,
)
from setu.chat.seals import CacheMark, Extra
from setu.dialects.bedrock.codec import path
from setu.dialects.bedrock.words import own_name, wire_name
from setu.dialects.record import Facts
from setu.errors import LocalDialectError
from tests.dialects.bedrock.wire import (
    CLAUDE,
    LLAMA,
    NOVA,
    OLD,
    PROFILE,
    WEATHER,
    assistant,
    body,
    call,
    rendered,
    result,
    user,
)

SCHEMA = b'{"type":"object","properties":{"b":{"type":"number"},"a":{}},"required":["b"]}'
TIME = FunctionTool(name="get_time", description="Now.", schema=b"{}", strict=True)


def test_model_and_streaming_are_said_by_the_path() -> None:
    assert path("us.anthropic.claude-x-v1:0", False) == ("/model/us.anthropic.claude-x-v1%3A0/converse", "")
    assert path("arn:aws:bedrock:a/b", True) == ("/model/arn%3Aaws%3Abedrock%3Aa%2Fb/converse-stream", "")
    assert body(stream=True).keys() == {"messages"}


def test_a_tool_keeps_its_schema_and_gets_the_root_type_that_is_required() -> None:
    made = body(tools=(WEATHER, TIME, FunctionTool(name="bare", description=" ")))

    specs = [tool["toolSpec"] for tool in made["toolConfig"]["tools"]]
    assert specs[0] == {
        "name": "get_weather",
        "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}}},
    }
    assert specs[1] == {
        "name": "get_time",
        "description": "Now.",
        "inputSchema": {"json": {"type": "object"}},
        "strict": True,
    }
    assert specs[2] == {"name": "bare", "inputSchema": {"json": {"type": "object", "properties": {}}}}, "B-TOOL-12"


@pytest.mark.parametrize(("model", "points"), [(CLAUDE, 1), (PROFILE, 1), (NOVA, 0), (LLAMA, 0)])
def test_a_marked_tool_is_followed_by_its_mark_where_tools_are_cached(model, points) -> None:
    tool = FunctionTool(name="f", schema=SCHEMA, cache=CacheMark())

    made = body(tools=(tool,), model=model)

    assert len(made["toolConfig"]["tools"]) == 1 + points


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        (None, None),
        (ToolChoice(mode="auto"), {"auto": {}}),
        (ToolChoice(mode="required"), {"any": {}}),
        (ToolChoice(mode="named", names=("get_time",)), {"tool": {"name": "get_time"}}),
        (ToolChoice(mode="allowed", names=("get_time",), must=True), {"any": {}}),
    ],
)
def test_the_choice_in_converse_s_words(choice, wire) -> None:
    made = body(tools=(WEATHER, TIME), tool_choice=choice)

    assert made["toolConfig"].get("toolChoice") == wire
    assert len(made["toolConfig"]["tools"]) == (1 if choice is not None and choice.mode == "allowed" else 2)


def test_where_no_tool_may_be_called_none_is_sent() -> None:
    """B-TOOL-17."""
    assert "toolConfig" not in body(tools=(WEATHER,), tool_choice=ToolChoice(mode="none"))


HISTORY = (user("Go."), assistant(call("a")), user(result("a", "rain")))


def test_tools_of_the_history_are_declared_when_none_are_given() -> None:
    """B-TOOL-09."""
    made, losses = rendered(*HISTORY)

    spec = {"name": "get_weather", "inputSchema": {"json": {"type": "object", "properties": {}}}}
    assert made["toolConfig"] == {"tools": [{"toolSpec": spec}]}
    assert [(loss.pointer, loss.severity) for loss in losses] == [("/tools", "info")]


def test_a_forbidden_call_in_a_conversation_with_tools_is_said_to_be_possible() -> None:
    made, losses = rendered(*HISTORY, tools=(WEATHER, TIME), tool_choice=ToolChoice(mode="none"))

    assert [tool["toolSpec"]["name"] for tool in made["toolConfig"]["tools"]] == ["get_weather"]
    assert [(loss.pointer, loss.severity) for loss in losses] == [("/tool_choice", "warn")]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": (CustomTool(name="c"),)}, "tools[0]"),
        ({"tools": (HostedTool(kind="web_search", dialect="anthropic", config=b"{}"),)}, "tools[0]"),
        ({"tools": (WEATHER,), "tool_choice": ToolChoice(mode="named", names=("x",))}, "tool_choice"),
        ({"tools": (FunctionTool(name="n" * 65),)}, "tools[0].name"),
        ({"options": Options(n=2)}, "n"),
        ({"output": Output(kind="json")}, "response_format"),
        ({"state": State(previous="resp_1")}, "previous_response_id"),
    ],
)
def test_what_cannot_be_sent_is_a_400_that_names_it(fields: dict[str, Any], param) -> None:
    """B-SCH-13, B-SCH-20, B-TOOL-15, B-TOOL-20, B-PRM-07."""
    with pytest.raises(LocalDialectError) as caught:
        rendered(**fields)

    assert caught.value.param == param


def test_a_system_tool_goes_back_as_it_came() -> None:
    tool = HostedTool(kind="systemTool", dialect="bedrock", config=b'{"systemTool":{"name":"nova_grounding"}}')

    assert body(tools=(tool,))["toolConfig"]["tools"] == [{"systemTool": {"name": "nova_grounding"}}]


@pytest.mark.parametrize("name", ["plain", "a.b", "a:b/c", "setu--x", "é", "a-b", "-2e-"])
def test_names_are_escaped_reversibly_and_only_where_needed(name) -> None:
    wire = wire_name(name, "tools[0].name")

    assert own_name(wire) == name
    assert (wire == name) == (name in ("plain", "a-b", "-2e-"))


def test_settings_have_their_places_and_bounds() -> None:
    made, losses = rendered(
        options=Options(max_tokens=9, temperature=1.7, top_p=0.5, stop=("END", " "), seed=3, service_tier="flex", n=1)
    )

    assert made["inferenceConfig"] == {"maxTokens": 9, "temperature": 1, "topP": 0.5, "stopSequences": ["END"]}
    assert made["serviceTier"] == {"type": "flex"}
    assert {loss.pointer for loss in losses} == {"/temperature", "/seed", "/stop"}


def test_the_cap_is_the_model_s() -> None:
    made, losses = rendered(options=Options(max_tokens=9000), facts=Facts(max_output=4096))

    assert made["inferenceConfig"] == {"maxTokens": 4096}
    assert [loss.pointer for loss in losses] == ["/max_tokens"]


@pytest.mark.parametrize(
    ("model", "extra"),
    [(CLAUDE, {"top_k": 20}), (NOVA, {"inferenceConfig": {"topK": 20}}), (LLAMA, None)],
)
def test_top_k_is_the_family_s_own_field(model, extra) -> None:
    made, losses = rendered(options=Options(top_k=20.0), model=model)

    assert made.get("additionalModelRequestFields") == extra
    assert [loss.pointer for loss in losses] == ([] if extra else ["/top_k"])


@pytest.mark.parametrize(
    ("model", "thinking", "extra"),
    [
        (CLAUDE, Thinking(mode="on", budget=2000), {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
        (
            CLAUDE,
            Thinking(mode="adaptive", effort="high"),
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
        ),
        (CLAUDE, Thinking(mode="off"), {"thinking": {"type": "disabled"}}),
        ("openai.gpt-oss-120b-1:0", Thinking(effort="minimal"), {"reasoning_effort": "low"}),
        ("openai.gpt-oss-120b-1:0", Thinking(mode="on", budget=16384), {"reasoning_effort": "high"}),
        ("qwen.qwen3-32b-v1:0", Thinking(mode="on"), {"reasoning_config": "medium"}),
        (
            "us.amazon.nova-2-lite-v1:0",
            Thinking(effort="max"),
            {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}},
        ),
        (NOVA, Thinking(mode="off"), None),
        (LLAMA, Thinking(effort="low"), None),
    ],
)
def test_thinking_is_asked_for_in_the_family_s_words(model, thinking, extra) -> None:
    assert body(thinking=thinking, model=model).get("additionalModelRequestFields") == extra


def test_an_unnamed_deployment_thinks_as_claude_where_its_facts_say_so() -> None:
    made = body(thinking=Thinking(effort="low"), model=PROFILE, facts=Facts(thinking="budget"))

    assert made["additionalModelRequestFields"] == {"thinking": {"type": "enabled", "budget_tokens": 2048}}


def test_thinking_drops_the_samplers_and_the_force_that_do_not_go_with_it() -> None:
    """B-PRM-06, B-TOOL-21."""
    made, losses = rendered(
        thinking=Thinking(mode="on", budget=2000),
        options=Options(temperature=0.2, top_p=0.99, top_k=5),
        tools=(WEATHER,),
        tool_choice=ToolChoice(mode="required"),
    )

    assert made["inferenceConfig"] == {"topP": 0.99}
    assert made["toolConfig"]["toolChoice"] == {"auto": {}}
    assert {loss.pointer for loss in losses} == {"/temperature", "/top_k", "/tool_choice"}


def test_a_tool_turn_without_its_thinking_is_answered_without_thinking() -> None:
    """B-THK-07."""
    made, losses = rendered(*HISTORY, tools=(WEATHER,), thinking=Thinking(mode="on", budget=2000))

    assert "additionalModelRequestFields" not in made
    assert [loss.pointer for loss in losses] == ["/thinking"]


def test_new_claude_takes_no_samplers_at_all() -> None:
    made, losses = rendered(options=Options(temperature=1, top_p=1), facts=Facts(sampling="none"))

    assert "inferenceConfig" not in made
    assert {loss.pointer for loss in losses} == {"/temperature", "/top_p"}


FORM = Output(kind="schema", name="person", schema=SCHEMA, description="Who.")


def test_a_schema_is_asked_for_as_the_text_that_came() -> None:
    """B-SCH-14, B-SCH-15."""
    made = body(output=FORM)

    structure = {"jsonSchema": {"schema": SCHEMA.decode(), "name": "person", "description": "Who."}}
    assert made["outputConfig"] == {"textFormat": {"type": "json_schema", "structure": structure}}
    assert "toolConfig" not in made


@pytest.mark.parametrize("model", [OLD, NOVA, LLAMA])
def test_a_model_without_schemas_has_to_call_for_its_answer(model) -> None:
    """B-SCH-16."""
    made, losses = rendered(output=FORM, model=model, thinking=Thinking(mode="on", budget=2000))

    (tool,) = made["toolConfig"]["tools"]
    assert tool["toolSpec"]["name"] == "setu-json-answer"
    assert made["toolConfig"]["toolChoice"] == {"tool": {"name": "setu-json-answer"}}
    assert "additionalModelRequestFields" not in made
    assert {(loss.pointer, loss.severity) for loss in losses} == {("/response_format", "info"), ("/thinking", "warn")}


def test_beside_other_tools_one_of_them_or_the_answer_has_to_be_called() -> None:
    made = body(output=FORM, model=OLD, tools=(WEATHER,))

    assert len(made["toolConfig"]["tools"]) == 2
    assert made["toolConfig"]["toolChoice"] == {"any": {}}


def test_own_further_members_are_kept_and_others_are_losses() -> None:
    own = Extra(dialect="bedrock", members={"guardrailConfig": b'{"guardrailIdentifier":"g"}'})
    foreign = Extra(dialect="openai_chat", members={"prediction": b"{}"})

    made = body(extra=own)
    _, losses = rendered(extra=foreign, parallel=False, tools=(WEATHER,), state=State(store=True, background=True))

    assert made["guardrailConfig"] == {"guardrailIdentifier": "g"}
    assert {loss.pointer for loss in losses} == {"/prediction", "/parallel_tool_calls", "/store", "/background"}


def test_rendering_changes_no_input() -> None:
    request = ChatRequest(model="m", messages=(user(Text(text="x", cache=CacheMark())),), tools=(WEATHER,))
    before = repr(request)

    rendered(*request.messages, tools=request.tools)

    assert repr(request) == before
