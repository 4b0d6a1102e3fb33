"""Writing what stands beside the messages: options, tools, thinking, output, state."""

import json
from typing import Any

import pytest

from setu.chat.parts import (
    AnyPart,
    Inline,
    Media,
    Text,
)
from setu.chat.request import (
    ChatRequest,
    CustomTool,
    FunctionTool,
    HostedTool,
    Message,
    Options,
    Output,
    State,
    Thinking,
    ToolChoice,
)
from setu.chat.seals import CacheMark, Seal
from setu.dialects.record import Facts
from setu.errors import LocalDialectError
from tests.dialects.openai_chat.wire import render, rendered

PNG = Media(kind="image", source=Inline(b64="AAAA", mime="image/png"))
PNG_WIRE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
SEAL = Seal(issuer="anthropic", kind="signature", data="sig")


def says(role: Any, *parts: AnyPart, **members: Any) -> Message:
    return Message(role=role, parts=parts, **members)


def chat(*history: Message, **members: Any) -> ChatRequest:
    return ChatRequest(model="x", messages=history or (says("user", Text(text="hi")),), **members)


def lost(request: ChatRequest, *capabilities: str) -> list[str]:
    return [loss.pointer for loss in render(request, *capabilities).losses]


def test_the_cap_takes_the_name_that_the_host_knows() -> None:
    """B-PRM-05."""
    request = chat(options=Options(max_tokens=5))

    assert rendered(request)["max_tokens"] == 5
    assert rendered(request, "max_completion_tokens") == rendered(request, "max_completion_tokens") | {
        "max_completion_tokens": 5
    }
    assert "max_tokens" not in rendered(request, "max_completion_tokens")


def test_zeros_are_sent_and_foreign_values_are_bent() -> None:
    """B-PRM-01."""
    options = Options(temperature=0, top_p=0, top_k=40.0, stop=tuple("abcdef"), presence_penalty=3)
    wire = rendered(chat(options=options), "top_k")

    assert (wire["temperature"], wire["top_p"], wire["top_k"]) == (0, 0, 40)
    assert (wire["stop"], wire["presence_penalty"]) == (list("abcd"), 2)
    assert lost(chat(options=options)) == ["/top_k", "/stop", "/presence_penalty"]


def test_usage_is_asked_for_where_the_host_understands_it() -> None:
    """B-PRM-11."""
    assert "stream_options" not in rendered(chat(stream=True))
    assert "stream_options" not in rendered(chat(), "stream_usage")
    assert rendered(chat(stream=True), "stream_usage")["stream_options"] == {"include_usage": True}
    assert rendered(chat(options=Options(stream_usage=True)))["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("thinking", "capabilities", "facts", "wire"),
    [
        (Thinking(effort="high"), (), Facts(), {"reasoning_effort": "high"}),
        (Thinking(mode="on", budget=9000), (), Facts(), {"reasoning_effort": "medium"}),
        (Thinking(mode="on", budget=5), (), Facts(), {"reasoning_effort": "minimal"}),
        (Thinking(effort="max"), (), Facts(efforts=("low", "high")), {"reasoning_effort": "high"}),
        (Thinking(effort="minimal"), (), Facts(efforts=("low", "high")), {"reasoning_effort": "low"}),
        (Thinking(effort="low"), (), Facts(efforts=("odd",)), {"reasoning_effort": "low"}),
        (Thinking(effort="odd"), (), Facts(efforts=("low",)), {"reasoning_effort": "odd"}),
        (Thinking(mode="off"), (), Facts(efforts=("none", "low")), {"reasoning_effort": "none"}),
        (Thinking(mode="off"), (), Facts(), {}),
        (Thinking(mode="off", effort="none"), (), Facts(), {"reasoning_effort": "none"}),
        (Thinking(mode="on", budget=9000), (), Facts(thinking="none"), {}),
        (Thinking(mode="on", budget=9000, show="none"), ("reasoning",), Facts(), {"reasoning": {"max_tokens": 9000, "enabled": True, "exclude": True}}),
        (Thinking(mode="on", budget=9000), ("thinking",), Facts(), {"thinking": {"type": "enabled", "budget_tokens": 9000}}),
        (Thinking(show="full"), (), Facts(), {}),
    ],
)  # fmt: skip
def test_thinking_is_asked_for_in_the_form_the_host_takes(
    thinking: Thinking, capabilities: tuple[str, ...], facts: Facts, wire: dict[str, Any]
) -> None:
    """B-PRM-12."""
    full = rendered(chat(thinking=thinking), *capabilities, facts=facts)

    assert {key: value for key, value in full.items() if key not in {"model", "messages"}} == wire


def test_tools_and_their_choice_are_written() -> None:
    tools = (
        FunctionTool(name="f", schema=b'{"b":1,"a":1.10}', cache=CacheMark(), defer=True),
        CustomTool(name="c", description="d", grammar=b"{}"),
    )
    request = chat(tools=tools, tool_choice=ToolChoice(mode="allowed", names=("f", "c")), parallel=False)

    out = render(request)

    assert b'{"b":1,"a":1.10}' in out.body
    wire = json.loads(out.body)
    assert wire["tools"][1] == {"type": "custom", "custom": {"name": "c", "description": "d", "format": {}}}
    assert wire["tool_choice"]["allowed_tools"] == {"mode": "auto", "tools": [
        {"type": "function", "function": {"name": "f"}}, {"type": "custom", "custom": {"name": "c"}},
    ]}  # fmt: skip
    assert wire["parallel_tool_calls"] is False
    assert [loss.pointer for loss in out.losses] == ["/tools/0/defer", "/tools/0/cache"]


def test_a_named_choice_names_its_kind() -> None:
    named = ToolChoice(mode="named", names=("c",))

    assert rendered(chat(tools=(CustomTool(name="c"),), tool_choice=named))["tool_choice"] == {
        "type": "custom",
        "custom": {"name": "c"},
    }


def test_tools_of_another_host_are_lost_aloud_and_no_empty_list_is_sent() -> None:
    """B-TOOL-10, B-TOOL-15."""
    request = chat(
        tools=(HostedTool(kind="web_search_20250305", dialect="anthropic", config=b"{}", name="web_search"),),
        tool_choice=ToolChoice(mode="required"),
        parallel=True,
    )

    assert lost(request) == ["/tools/0", "/tool_choice", "/parallel"]
    assert rendered(request).keys() == {"model", "messages"}


@pytest.mark.parametrize(
    ("output", "wire"),
    [
        (Output(kind="text"), {"type": "text"}),
        (Output(kind="json"), {"type": "json_object"}),
        (Output(kind="schema", schema=b"{}"), {"type": "json_schema", "json_schema": {"name": "response", "schema": {}}}),
        (Output(kind="schema", schema=b"{}", dialect="openai_chat", description="d"), {"type": "json_schema", "json_schema": {"schema": {}, "description": "d"}}),
        (Output(kind="grammar"), None),
    ],
)  # fmt: skip
def test_the_form_of_the_answer_is_written(output: Output, wire: dict[str, Any] | None) -> None:
    assert rendered(chat(output=output)).get("response_format") == wire


def test_a_wish_that_chat_does_not_know_is_lost() -> None:
    request = chat(state=State(store=True, background=True))

    assert rendered(request)["store"] is True
    assert lost(request) == ["/background"]


@pytest.mark.parametrize(
    ("state", "param"),
    [
        (State(previous="resp_1"), "previous_response_id"),
        (State(conversation=b'"c"'), "conversation"),
        (State(prompt=b"{}"), "prompt"),
    ],
)
def test_words_that_another_provider_keeps_are_refused_by_the_name_of_the_pointer(state: State, param: str) -> None:
    with pytest.raises(LocalDialectError) as caught:
        rendered(chat(state=state))

    assert caught.value.param == param


@pytest.mark.parametrize(
    ("tier", "sent"), [("standard_only", "default"), ("auto", "auto"), ("flex", "flex"), ("on_demand", "on_demand")]
)
def test_a_tier_is_said_in_openais_words(tier: str, sent: str) -> None:
    assert rendered(chat(options=Options(service_tier=tier)))["service_tier"] == sent
