"""OpenAI's Responses API as the simulator plays it: strict SDK models read every answer and event."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from setu.framing.sse import SseDecoder
from tests.dialects.openai_responses.oracle import need_events, need_order, need_response
from tests.transport.simulate.mutated import mutations
from tests.transport.simulate.upstream import WEATHER, Answered, ask

TOOL: dict[str, Any] = {"type": "function", "name": "weather", "parameters": WEATHER, "strict": True}
CUSTOM: dict[str, Any] = {"type": "custom", "name": "shell"}
CALL: dict[str, Any] = {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"}
OUTPUT: dict[str, Any] = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}


def respond(**body: Any) -> Answered:
    return ask("/v1/responses", {"model": "gpt-x", "input": "Hello"} | body)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]},
        {"tools": [TOOL], "tool_choice": "required", "input": "parallel:3"},
        {"tools": [TOOL, CUSTOM], "tool_choice": {"type": "custom", "name": "shell"}},
        {"text": {"format": {"type": "json_schema", "name": "w", "schema": WEATHER}}},
        {"max_output_tokens": 16, "reasoning": {"effort": "high", "summary": "auto"}},
        {"input": [{"role": "user", "content": "hi"}, CALL, OUTPUT], "tools": [TOOL]},
    ],
)
def test_a_stream_is_legal_and_ends_in_the_plain_answer(body: dict[str, Any]) -> None:
    plain, stream = respond(**body), respond(stream=True, **body)

    need_response(plain.body)
    events = need_events(SseDecoder().feed(stream.body))
    need_order(events)
    assert events[-1]["response"] == plain.json
    assert events[-1]["type"] == f"response.{plain.json['status']}"
    usage = plain.json["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


def test_a_forced_tool_is_called_with_arguments_that_fit() -> None:
    answered = respond(tools=[TOOL], tool_choice={"type": "function", "name": "weather"})

    call = answered.json["output"][-1]
    assert (call["type"], call["name"]) == ("function_call", "weather")
    assert isinstance(json.loads(call["arguments"])["city"], str)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        ({"input": []}, "input"),
        ({"input": [OUTPUT]}, "input"),
        ({"input": [CALL]}, "input"),
        ({"input": [CALL | {"role": "assistant"}, OUTPUT]}, "input[0].role"),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
        ({"max_output_tokens": 5}, "max_output_tokens"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools[0].name"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"text": {"format": {"type": "json_schema", "json_schema": {}}}}, "text.format.name"),
    ],
)
def test_what_the_real_api_refuses_is_refused_by_name(body: dict[str, Any], param: str) -> None:
    answered = respond(**body)

    assert answered.status == 400
    assert answered.json["error"]["param"] == param


def test_a_wrong_key_and_an_unknown_model_are_refused() -> None:
    assert ask("/v1/responses", {"model": "m", "input": "x"}, authorization="Bearer invalid").status == 401
    assert respond(model="no-such-model").json["error"]["code"] == "model_not_found"
    assert ask("/v1/responses", b"{").status == 400


RICH = {
    "model": "gpt-x",
    "input": [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "Look."}, {"type": "input_image", "image_url": "https://x.test/a.png", "detail": "auto"}]},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gA"},
        CALL,
        OUTPUT,
    ],
    "tools": [TOOL, CUSTOM],
    "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "weather"}]},
    "text": {"format": {"type": "json_schema", "name": "w", "schema": WEATHER}, "verbosity": "low"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "stream": True,
    "max_output_tokens": 40,
}  # fmt: skip


def test_the_request_that_is_mutated_is_legal() -> None:
    assert respond(**RICH).status == 200


@given(mutations(RICH))
@settings(max_examples=100, deadline=None)
def test_whatever_comes_is_answered_or_refused(body: Any) -> None:
    assert ask("/v1/responses", body).status in (200, 400)
