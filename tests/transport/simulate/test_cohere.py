import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shapes import check_cohere
from tests.transport.simulate.mutated import mutations
from tests.transport.simulate.upstream import WEATHER, Answered, ask, events, user

TOOL = {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}
OTHER = {"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}
CALL = {"id": "w_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
THINKS = "command-a-reasoning-08-2025"


def chat(**body: Any) -> Answered:
    return ask("/v2/chat", {"model": "command-a-03-2025", "messages": [user("Hello")], **body})


def whole(**body: Any) -> dict[str, Any]:
    answered = chat(**body)
    assert answered.status == 200, answered.body
    check_cohere(answered.json)
    said: dict[str, Any] = answered.json
    return said


def projection(streamed: list[Any]) -> list[Any]:
    found: list[Any] = ["", "", "", [], []]
    for event in streamed:
        message = event.get("delta", {}).get("message", {})
        match event["type"]:
            case "content-delta":
                found[0] += message["content"].get("text", "")
                found[1] += message["content"].get("thinking", "")
            case "tool-plan-delta":
                found[2] += message["tool_plan"]
            case "tool-call-start":
                found[3].append(message["tool_calls"])
            case "tool-call-delta":
                found[3][-1]["function"]["arguments"] += message["tool_calls"]["function"]["arguments"]
            case "citation-start":
                found[4].append(message["citations"])
    return [*found, streamed[-1]["delta"], streamed[0]["id"]]


def of_document(made: dict[str, Any]) -> list[Any]:
    message = made["message"]
    blocks = message.get("content", [])
    return [
        "".join(block.get("text", "") for block in blocks),
        "".join(block.get("thinking", "") for block in blocks),
        message.get("tool_plan", ""),
        message.get("tool_calls", []),
        message.get("citations", []),
        {"finish_reason": made["finish_reason"], "usage": made["usage"]},
        made["id"],
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"model": THINKS},
        {"tools": [TOOL, OTHER], "tool_choice": "REQUIRED", "messages": [user("parallel:3")]},
        {"tools": [TOOL], "messages": [user("call:weather")]},
        {"max_tokens": 2},
        {"response_format": {"type": "json_object", "json_schema": WEATHER}},
        {"stop_sequences": ["HALT"], "messages": [user("HALT")]},
        {"documents": [{"id": "d", "data": {"text": "green"}}]},
        {"documents": ["green"], "logprobs": True},
    ],
    ids=json.dumps,
)
def test_a_stream_says_the_same_as_a_document(body) -> None:
    streamed = chat(**body, stream=True)

    for event in events(streamed):
        check_cohere(event)
    assert streamed.headers.get("content-type") == "text/event-stream"
    assert streamed.body.endswith(b"data: [DONE]\n\n")
    assert projection(events(streamed)) == of_document(whole(**body))


def test_a_forced_call_fits_its_schema() -> None:
    made = whole(tools=[TOOL], tool_choice="REQUIRED")
    (call,) = made["message"]["tool_calls"]

    assert made["finish_reason"] == "TOOL_CALL"
    jsonschema_rs.validate(WEATHER, json.loads(call["function"]["arguments"]))


def test_no_call_is_made_where_calls_are_forbidden() -> None:
    made = whole(tools=[TOOL], tool_choice="NONE", messages=[user("call:weather")])

    assert "tool_calls" not in made["message"]


def test_thinking_can_be_turned_off() -> None:
    kinds = [block["type"] for block in whole(model=THINKS)["message"]["content"]]
    off = whole(model=THINKS, thinking={"type": "disabled"})["message"]["content"]

    assert kinds == ["thinking", "text"]
    assert [block["type"] for block in off] == ["text"]


def test_log_probabilities_spell_the_text() -> None:
    made = whole(logprobs=True)

    assert "".join(entry["text"] for entry in made["logprobs"]) == made["message"]["content"][0]["text"]


@given(st.integers(1, 60))
@settings(max_examples=20, deadline=None)
def test_the_cap_holds(cap) -> None:
    assert whole(max_tokens=cap)["usage"]["billed_units"]["output_tokens"] <= cap


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"nonsense": 1}, 422),
        ({"max_completion_tokens": 5}, 422),
        ({"model": "no-such-model"}, 404),
        ({"model": ""}, 400),
        ({"messages": []}, 400),
        ({"messages": [{"role": "robot", "content": "x"}]}, 400),
        ({"messages": [user("")]}, 400),
        ({"messages": [user([{"type": "input_text", "text": "x"}])]}, 400),
        ({"messages": [user("x"), {"role": "tool", "tool_call_id": "a", "content": "x"}]}, 400),
        ({"messages": [user("x"), {"role": "assistant", "tool_calls": [CALL]}]}, 400),
        ({"messages": [user("x"), {"role": "assistant", "tool_calls": [CALL]}, user("y")]}, 400),
        ({"messages": [user("x"), {"role": "assistant", "content": "y"}]}, 400),
        ({"temperature": 1.5}, 400),
        ({"p": 0}, 400),
        ({"max_tokens": 0}, 400),
        ({"stop_sequences": list("abcdef")}, 400),
        ({"stop_sequences": "a"}, 400),
        ({"stream": "yes"}, 400),
        ({"tools": []}, 400),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, 400),
        ({"tools": [TOOL], "tool_choice": "auto"}, 400),
        ({"tool_choice": "REQUIRED"}, 400),
        ({"tools": [TOOL], "response_format": {"type": "json_object"}}, 400),
        ({"response_format": {"type": "xml"}}, 400),
        ({"thinking": {"type": "enabled", "token_budget": 0}}, 400),
    ],
    ids=str,
)
def test_what_is_illegal_is_refused(body, status) -> None:
    refused = chat(**body)

    assert refused.status == status
    assert refused.json.keys() == {"id", "message"}


def test_a_wrong_key_and_no_json_are_refused() -> None:
    assert ask("/v2/chat", {"model": "m"}, authorization="Bearer invalid").status == 401
    assert ask("/v2/chat", b"{").status == 400
    assert ask("/v2/chat", b"[]").status == 400


@given(mutations({"model": "m", "messages": [user("x")], "tools": [TOOL], "thinking": {"type": "enabled"}}))
@settings(max_examples=100, deadline=None)
def test_any_body_gets_an_answer_or_a_refusal(body) -> None:
    answered = ask("/v2/chat", body)

    assert answered.status in (200, 400, 404, 422)
