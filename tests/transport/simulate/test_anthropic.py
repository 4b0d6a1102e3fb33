import json
from typing import Any

import jsonschema_rs
import pytest
from anthropic.types import Message, ModelInfo, RawMessageStreamEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tests.transport.simulate.mutated import mutations
from tests.transport.simulate.upstream import WEATHER, ask, events, message, user

EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
TOOL: dict[str, Any] = {"name": "weather", "input_schema": WEATHER}
OTHER: dict[str, Any] = {"name": "now", "input_schema": {"type": "object"}}
USE: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}}
RESULT: dict[str, Any] = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "21"}
THINKING = {"type": "enabled", "budget_tokens": 1024}


def strict(answered) -> Message:
    assert answered.status == 200, answered.body
    return Message.model_validate_json(answered.body, strict=True)


def assembled(answered) -> dict[str, Any]:
    """Fold a stream by hand, by the documented rules; every event is valid and in order."""
    folded: dict[str, Any] = {}
    partial: dict[int, str] = {}
    opened: list[int] = []
    for event in events(answered):
        if event["type"] == "ping":
            continue
        EVENT.validate_json(json.dumps(event), strict=True)
        match event["type"]:
            case "message_start":
                assert not folded
                folded = event["message"]
            case "content_block_start":
                assert event["index"] == len(folded["content"])
                opened.append(event["index"])
                folded["content"].append(event["content_block"])
            case "content_block_delta":
                assert opened == [event["index"]]
                grow(folded["content"][-1], event["delta"], partial, event["index"])
            case "content_block_stop":
                opened.remove(event["index"])
                if partial.get(event["index"]):
                    folded["content"][-1]["input"] = json.loads(partial[event["index"]])
            case "message_delta":
                folded |= event["delta"]
                folded["usage"] |= event["usage"]
    assert not opened
    return folded


def grow(block, delta, partial, index) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]
        case "input_json_delta":
            partial[index] = partial.get(index, "") + delta["partial_json"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"max_tokens": 2},
        {"max_tokens": 0},
        {"thinking": THINKING, "max_tokens": 2000},
        {"thinking": {"type": "adaptive", "display": "omitted"}},
        {"tools": [TOOL, OTHER], "tool_choice": {"type": "any"}, "messages": [user("parallel:3")]},
        {"tools": [OTHER], "tool_choice": {"type": "tool", "name": "now"}},
        {"tools": [TOOL], "messages": [user("call:weather")], "thinking": {"type": "adaptive"}},
        {"stop_sequences": ["STOPHERE"], "messages": [user("say STOPHERE")]},
        {"output_config": {"format": {"type": "json_schema", "schema": WEATHER}}},
    ],
    ids=json.dumps,
)
def test_a_stream_says_the_same_as_a_document(body) -> None:
    whole = message(**body)
    stream = message(**body, stream=True)

    strict(whole)
    assert stream.headers.get("content-type", "").startswith("text/event-stream")
    assert stream.body.endswith(b'event: message_stop\ndata: {"type":"message_stop"}\n\n')
    assert assembled(stream) == whole.json


def test_a_plain_question_ends_its_turn() -> None:
    made = strict(message())

    assert made.stop_reason == "end_turn"
    assert [block.type for block in made.content] == ["text"]
    assert 3 <= made.usage.output_tokens <= 40


def test_every_stream_with_content_has_a_ping() -> None:
    assert b'event: ping\ndata: {"type":"ping"}\n\n' in message(stream=True).body


def test_a_nonce_is_echoed_from_the_last_user_turn() -> None:
    blocks = [{"type": "text", "text": "well"}, {"type": "text", "text": "nonce:77"}]

    assert "nonce:77" in strict(message(messages=[user(blocks)])).content[0].text


@given(st.integers(0, 60))
@settings(max_examples=30, deadline=None)
def test_the_cap_holds(cap) -> None:
    made = strict(message(max_tokens=cap, thinking={"type": "adaptive"}))

    assert made.usage.output_tokens <= cap
    assert made.stop_reason in {"max_tokens", "end_turn"}


def test_a_stop_sequence_is_named_and_not_in_the_text() -> None:
    made = strict(message(messages=[user("say HALT")], stop_sequences=["other-one", "HALT"]))

    assert (made.stop_reason, made.stop_sequence) == ("stop_sequence", "HALT")
    assert not any("HALT" in block.text for block in made.content)


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "weather"}])
def test_a_forced_call_has_input_that_fits_the_schema(choice) -> None:
    made = strict(message(tools=[TOOL], tool_choice=choice))

    assert made.stop_reason == "tool_use"
    assert [block.type for block in made.content] == ["tool_use"]
    jsonschema_rs.validate(WEATHER, made.content[0].input)


@pytest.mark.parametrize(("more", "count"), [({}, 2), ({"disable_parallel_tool_use": True}, 1)])
def test_the_user_asks_for_parallel_calls(more, count) -> None:
    choice = {"type": "auto", **more}
    made = strict(message(messages=[user("parallel:2")], tools=[TOOL, OTHER], tool_choice=choice))

    assert len({block.id for block in made.content if block.type == "tool_use"}) == count


def test_tool_results_are_answered_in_text() -> None:
    history = [user("call:weather"), {"role": "assistant", "content": [USE]}, user([RESULT])]
    made = strict(message(messages=history, tools=[TOOL]))

    assert [block.type for block in made.content] == ["text"]


def test_consecutive_turns_are_one_turn() -> None:
    second = {"type": "tool_result", "tool_use_id": "toolu_2", "content": []}
    turns = [
        {"role": "assistant", "content": [USE]},
        {"role": "assistant", "content": [USE | {"id": "toolu_2"}]},
        user([RESULT]),
        user([second, {"type": "text", "text": "so?"}]),
    ]

    assert message(messages=turns, tools=[TOOL]).status == 200


def test_thinking_is_signed_and_counted() -> None:
    made = strict(message(thinking=THINKING, max_tokens=2000))
    thinking, text = made.content

    assert thinking.type == "thinking"
    assert thinking.signature
    thought = len(thinking.thinking.split(" "))
    assert made.usage.output_tokens == thought + len(text.text.split(" "))
    assert made.usage.output_tokens_details.thinking_tokens == thought


def test_the_same_request_gets_the_same_bytes() -> None:
    assert message(temperature=0.5).body == message(temperature=0.5).body
    assert message(temperature=0.5).json["id"] != message(temperature=0.6).json["id"]


BIG = {"type": "object", "properties": {"a": {"type": "object"}}, "additionalProperties": False}
BIG_CLOSED = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
ILLEGAL: list[tuple[dict[str, Any], str]] = [
    ({"foo": 1}, "foo: Extra inputs are not permitted"),
    ({"max_tokens": "9"}, "max_tokens: Input should be a valid integer"),
    ({"messages": []}, "messages: at least one message is required"),
    ({"messages": [user("")]}, "messages.0: all messages must have non-empty content"),
    ({"messages": [user([{"type": "text", "text": ""}])]}, "messages: text content blocks must be non-empty"),
    (
        {"messages": [user([{"type": "text", "text": " "}])]},
        "messages: text content blocks must contain non-whitespace",
    ),
    ({"messages": [user("x") | {"name": "bo"}]}, "messages.0.name: Extra inputs are not permitted"),
    ({"messages": [{"role": "tool", "content": "x"}]}, 'messages: Unexpected role "tool"'),
    ({"messages": [user([{"type": "image_url"}])]}, "messages.0.content.0: Input tag 'image_url' found"),
    (
        {"messages": [user([{"type": "text", "text": "x", "detail": 1}])]},
        "messages.0.content.0.text.detail: Extra inputs",
    ),
    (
        {"messages": [{"role": "assistant", "content": [USE]}, user("hi")]},
        "messages.0: `tool_use` ids were found without",
    ),
    (
        {"messages": [{"role": "assistant", "content": [USE]}, user([{"type": "text", "text": "a"}, RESULT])]},
        "messages.0: `tool_use` ids were found without",
    ),
    ({"messages": [user([RESULT])]}, "messages.0.content.0: unexpected `tool_use_id`"),
    (
        {"messages": [user("x"), {"role": "assistant", "content": "so "}]},
        "messages: final assistant content cannot end",
    ),
    ({"temperature": 1.1}, "temperature: range: 0..1"),
    ({"stop_sequences": [" "]}, "stop_sequences: each stop sequence must contain non-whitespace"),
    (
        {"tools": [{"name": "a b", "input_schema": {"type": "object"}}]},
        "tools.0.custom.name: String should match pattern",
    ),
    ({"tools": [{"name": "a", "parameters": {}}]}, "tools.0.custom.parameters: Extra inputs are not permitted"),
    ({"tools": [{"name": "a", "input_schema": {}}]}, "tools.0.custom.input_schema.type: Input should be 'object'"),
    ({"tools": [OTHER, OTHER]}, "tools: Tool names must be unique."),
    ({"tool_choice": {"type": "any"}}, "tool_choice: tool_choice may only be specified while providing tools."),
    ({"tools": [OTHER], "tool_choice": {"type": "required"}}, "tool_choice: Input tag 'required' found"),
    ({"tools": [OTHER], "tool_choice": "auto"}, "tool_choice: Input should be a valid dictionary"),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 1023}},
        "thinking.enabled.budget_tokens: Input should be greater",
    ),
    ({"thinking": THINKING, "max_tokens": 1024}, "`max_tokens` must be greater than `thinking.budget_tokens`."),
    (
        {"thinking": THINKING, "max_tokens": 2000, "tools": [OTHER], "tool_choice": {"type": "any"}},
        "Thinking may not be enabled when tool_choice forces tool use.",
    ),
    ({"thinking": {"type": "adaptive"}, "temperature": 0.2}, "`temperature` may only be set to 1 when thinking"),
    (
        {"output_config": {"format": {"type": "json_schema", "schema": BIG}}},
        "output_config.format.schema: For 'object'",
    ),
    (
        {"system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}] * 5},
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
]


@pytest.mark.parametrize(("body", "text"), ILLEGAL, ids=lambda value: json.dumps(value)[:60])
def test_an_illegal_request_is_refused_in_anthropic_s_envelope(body, text) -> None:
    answered = message(**body)

    assert answered.status == 400
    assert answered.json["type"] == "error"
    assert answered.json["error"]["type"] == "invalid_request_error"
    assert answered.json["error"]["message"].startswith(text)
    assert answered.json["request_id"] == answered.headers.get("request-id")


@pytest.mark.parametrize("name", ["model", "messages", "max_tokens"])
def test_required_fields_are_named(name) -> None:
    whole = {"model": "m", "messages": [user("x")], "max_tokens": 1}
    del whole[name]
    answered = ask("/v1/messages", whole, anthropic_version="2023-06-01")

    assert answered.json["error"]["message"] == f"{name}: Field required"


def test_the_version_header_is_required() -> None:
    answered = ask("/v1/messages", {"model": "m", "messages": [user("x")], "max_tokens": 1})

    assert answered.json["error"]["message"] == "anthropic-version: header is required"


def test_unknown_models_and_wrong_keys() -> None:
    refused = ask("/v1/messages", {}, x_api_key="invalid", anthropic_version="2023-06-01")

    assert message(model="no-such-model").json["error"] == {
        "type": "not_found_error",
        "message": "model: no-such-model",
    }
    assert (refused.status, refused.json["error"]["type"]) == (401, "authentication_error")


def test_models_are_listed_for_anthropic_s_clients() -> None:
    listed = ask("/v1/models", method="GET", anthropic_version="2023-06-01").json

    for model in listed["data"]:
        ModelInfo.model_validate_json(json.dumps(model), strict=True)
    assert listed["last_id"] == listed["data"][-1]["id"]
    assert ask("/v1/models/nope", method="GET", anthropic_version="2023-06-01").status == 404


RICH: dict[str, Any] = {
    "model": "claude-x",
    "max_tokens": 3000,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        user([{"type": "text", "text": "x"}, {"type": "image", "source": {"type": "url", "url": "https://x.test/a"}}]),
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "a", "signature": "b"}, USE]},
        user([RESULT | {"content": [{"type": "text", "text": "21"}]}, {"type": "text", "text": "parallel:2"}]),
    ],
    "tools": [TOOL, OTHER, {"type": "web_search_20250305", "name": "web_search"}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": BIG_CLOSED}},
    "stop_sequences": ["END"],
    "metadata": {"user_id": "u"},
    "stream": True,
    "top_p": 0.9,
}


def test_the_request_that_is_mutated_is_legal() -> None:
    assert message(**RICH).status == 200


@given(mutations(RICH))
@settings(max_examples=100, deadline=None)
def test_whatever_comes_is_answered_or_refused(body) -> None:
    assert ask("/v1/messages", body, anthropic_version="2023-06-01").status in (200, 400)


@pytest.mark.parametrize("schema", [{"properties": []}, {"properties": {"a": {"type": "text"}}}, {"$ref": "#/nowhere"}])
def test_a_malformed_schema_is_refused(schema) -> None:
    tool = {"name": "f", "input_schema": {"type": "object"} | schema}

    assert (
        message(tools=[tool]).json["error"]["message"].startswith("tools.0.custom.input_schema: JSON schema is invalid")
    )
