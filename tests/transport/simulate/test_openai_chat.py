import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.model import Model

from tests.transport.simulate.mutated import mutations
from tests.transport.simulate.upstream import WEATHER, ask, chat, events, user

TOOL: dict[str, Any] = {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}
OTHER: dict[str, Any] = {"type": "function", "function": {"name": "now"}}
CUSTOM: dict[str, Any] = {"type": "custom", "custom": {"name": "shell"}}
CALL: dict[str, Any] = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


def strict(answered) -> ChatCompletion:
    assert answered.status == 200, answered.body
    return ChatCompletion.model_validate_json(answered.body, strict=True)


def streamed(answered) -> list[ChatCompletionChunk]:
    assert answered.status == 200, answered.body
    assert answered.body.endswith(b"data: [DONE]\n\n")
    assert len(answered.chunks) > 2
    return [ChatCompletionChunk.model_validate_json(json.dumps(event), strict=True) for event in events(answered)]


def assembled(chunks: list[ChatCompletionChunk], index: int = 0) -> tuple[str, list[tuple[str, str]], str | None]:
    """Fold by hand: text, (name, arguments) of each call, finish reason."""
    text, finish = "", None
    calls: dict[int, Any] = {}
    for choice in (choice for chunk in chunks for choice in chunk.choices if choice.index == index):
        assert finish is None
        text += choice.delta.content or ""
        for part in choice.delta.tool_calls or []:
            name, arguments = calls.get(part.index, ("", ""))
            calls[part.index] = (name or part.function.name, arguments + part.function.arguments)
        finish = choice.finish_reason
    return text, list(calls.values()), finish


def test_a_plain_question_gets_text_and_usage_that_adds_up() -> None:
    completion = strict(chat())

    assert completion.choices[0].finish_reason == "stop"
    assert 3 <= completion.usage.completion_tokens <= 40
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    assert completion.created == 1_780_000_000


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"n": 3},
        {"logprobs": True, "top_logprobs": 2},
        {"tools": [TOOL, OTHER], "tool_choice": "required", "messages": [user("parallel:3")]},
        {"tools": [TOOL, OTHER], "messages": [user("call:weather please")]},
        {"max_completion_tokens": 2},
        {"response_format": {"type": "json_object"}},
        {"reasoning_effort": "low"},
    ],
    ids=lambda body: "-".join(body) or "plain",
)
def test_a_stream_says_the_same_as_a_document(body) -> None:
    whole = strict(chat(**body))
    chunks = streamed(chat(**body, stream=True, stream_options={"include_usage": True}))

    assert {chunk.id for chunk in chunks} == {whole.id}
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])
    for choice in whole.choices:
        calls = [(call.function.name, call.function.arguments) for call in choice.message.tool_calls or []]
        assert assembled(chunks, choice.index) == (choice.message.content or "", calls, choice.finish_reason)


def test_usage_is_streamed_only_when_asked() -> None:
    chunks = streamed(chat(stream=True))

    assert all("usage" not in chunk.model_fields_set for chunk in chunks)


def test_obfuscation_can_be_turned_off() -> None:
    noisy = streamed(chat(stream=True))
    quiet = streamed(chat(stream=True, stream_options={"include_obfuscation": False}))

    assert all(chunk.obfuscation for chunk in noisy)
    assert not any(chunk.obfuscation for chunk in quiet)


def test_a_nonce_is_echoed() -> None:
    completion = strict(chat(messages=[user("nonce:a1-B2.c")]))

    assert "nonce:a1-B2.c" in completion.choices[0].message.content


@given(st.integers(1, 50), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_the_cap_holds_for_every_choice(cap, n) -> None:
    completion = strict(chat(max_completion_tokens=cap, n=n, reasoning_effort="high"))

    assert completion.usage.completion_tokens <= cap * n
    assert len(completion.choices) == n


def test_a_cap_below_the_answer_ends_with_length() -> None:
    choice = strict(chat(max_tokens=1)).choices[0]

    assert choice.finish_reason == "length"
    assert len(choice.message.content.split()) == 1


def test_a_stop_sequence_that_the_user_names_cuts_the_answer() -> None:
    choice = strict(chat(messages=[user("Say STOPHERE soon")], stop=["STOPHERE"])).choices[0]

    assert choice.finish_reason == "stop"
    assert "STOPHERE" not in choice.message.content


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "weather"}}])
def test_a_forced_call_has_arguments_that_fit_the_schema(choice) -> None:
    made = strict(chat(tools=[TOOL], tool_choice=choice)).choices[0]
    call = made.message.tool_calls[0]

    jsonschema_rs.validate(WEATHER, json.loads(call.function.arguments))
    assert made.message.content is None
    assert made.finish_reason == ("tool_calls" if choice == "required" else "stop")


@pytest.mark.parametrize(
    ("body", "count"), [({}, 3), ({"parallel_tool_calls": False}, 1), ({"tool_choice": "none"}, 0)]
)
def test_the_user_asks_for_parallel_calls(body, count) -> None:
    made = strict(chat(messages=[user("parallel:3")], tools=[TOOL, OTHER], **body)).choices[0]
    calls = made.message.tool_calls or []

    assert len(calls) == count
    assert len({call.id for call in calls}) == count


def test_tool_results_are_answered_in_text() -> None:
    history = [user("call:weather"), {"role": "assistant", "tool_calls": [CALL]}]
    result = {"role": "tool", "tool_call_id": "call_1", "content": "21"}
    made = strict(chat(messages=[*history, result], tools=[TOOL])).choices[0]

    assert made.message.content
    assert made.message.tool_calls is None


def test_allowed_tools_narrow_the_choice() -> None:
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "now"}}]}
    made = strict(chat(tools=[TOOL, OTHER], tool_choice={"type": "allowed_tools", "allowed_tools": allowed})).choices[0]

    assert [call.function.name for call in made.message.tool_calls] == ["now"]


def test_deprecated_functions_are_called_the_deprecated_way() -> None:
    functions = [{"name": "weather", "parameters": WEATHER}]
    made = strict(chat(functions=functions, function_call={"name": "weather"})).choices[0]

    assert made.finish_reason == "function_call"
    jsonschema_rs.validate(WEATHER, json.loads(made.message.function_call.arguments))


def test_a_custom_tool_gets_text_streamed_or_not() -> None:
    body = {"tools": [CUSTOM], "tool_choice": "required"}
    call = strict(chat(**body)).choices[0].message.tool_calls[0]
    deltas = [choice["delta"] for event in events(chat(**body, stream=True)) for choice in event["choices"]]
    parts = [part for delta in deltas for part in delta.get("tool_calls", [])]

    assert (call.type, call.custom.name) == ("custom", "shell")
    assert "".join(part["custom"]["input"] for part in parts) == call.custom.input


def test_a_json_schema_is_obeyed() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "w", "strict": True, "schema": WEATHER}}
    made = strict(chat(response_format=form)).choices[0]

    jsonschema_rs.validate(WEATHER, json.loads(made.message.content))


def test_logprobs_spell_the_text() -> None:
    made = strict(chat(logprobs=True, top_logprobs=3)).choices[0]

    assert "".join(token.token for token in made.logprobs.content) == made.message.content
    assert all(token.logprob <= 0 and len(token.top_logprobs) == 3 for token in made.logprobs.content)


def test_reasoning_shows_in_the_usage_only() -> None:
    completion = strict(chat(reasoning_effort="medium"))

    details = completion.usage.completion_tokens_details
    assert 0 < details.reasoning_tokens < completion.usage.completion_tokens


def test_the_same_request_gets_the_same_bytes_whatever_the_order_of_keys() -> None:
    first = chat(temperature=1, seed=4)
    again = ask("/v1/chat/completions", {"seed": 4, "messages": [user("Hello")], "temperature": 1, "model": "gpt-x"})

    assert first.json == again.json
    assert chat(seed=5).json["id"] != first.json["id"]


SCALE = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": {"type": "object"}}}
ILLEGAL: list[tuple[dict[str, Any], str | None, str | None]] = [
    ({"model": None}, None, None),
    ({"messages": []}, "messages", "empty_array"),
    ({"messages": "hi"}, "messages", "invalid_type"),
    ({"messages": [{"role": "model", "content": "x"}]}, "messages[0].role", "invalid_value"),
    ({"messages": [{"role": "user", "content": None}]}, "messages[0].content", None),
    ({"messages": [user([{"type": "tool"}])]}, "messages[0].content[0].type", "invalid_value"),
    (
        {"messages": [user([{"type": "image_url", "image_url": {"url": "cat.png"}}])]},
        "messages[0].content[0].image_url.url",
        "invalid_value",
    ),
    ({"messages": [user("x"), {"role": "tool", "tool_call_id": "a", "content": "b"}]}, "messages.[1].role", None),
    ({"messages": [{"role": "assistant", "tool_calls": [CALL]}, user("x")]}, "messages.[1].role", None),
    ({"messages": [{"role": "assistant", "tool_calls": []}]}, "messages[0].content", None),
    ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
    ({"temperature": "hot"}, "temperature", "invalid_type"),
    ({"temperature": True}, "temperature", "invalid_type"),
    ({"n": 0}, "n", "integer_below_min_value"),
    ({"n": 1.5}, "n", "invalid_type"),
    ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
    ({"max_tokens": 1, "max_completion_tokens": 1}, "max_tokens", "invalid_parameter_combination"),
    ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "array_above_max_length"),
    ({"stop": [1]}, "stop[0]", "invalid_type"),
    ({"top_logprobs": 2}, "top_logprobs", None),
    ({"stream_options": {"include_usage": True}}, "stream_options", None),
    ({"reasoning_effort": "huge"}, "reasoning_effort", "invalid_value"),
    ({"logit_bias": {"1": 101}}, "logit_bias.1", "decimal_above_max_value"),
    ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name", "invalid_value"),
    (
        {"tools": [{"type": "function", "function": {"name": "a" * 65}}]},
        "tools[0].function.name",
        "string_above_max_length",
    ),
    ({"tools": [{"type": "function"}]}, "tools[0].function", "missing_required_parameter"),
    ({"tool_choice": "required"}, "tool_choice", None),
    ({"tools": [OTHER], "tool_choice": {"type": "function", "function": {"name": "x"}}}, "tool_choice", None),
    ({"parallel_tool_calls": True}, "parallel_tool_calls", None),
    ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value"),
    ({"response_format": SCALE}, "response_format", None),
    ({"system": "Be kind."}, None, None),
]


@pytest.mark.parametrize(("body", "param", "code"), ILLEGAL, ids=lambda value: json.dumps(value)[:60])
@pytest.mark.parametrize("stream", [False, True])
def test_an_illegal_request_is_refused_in_openai_s_envelope(body, param, code, stream) -> None:
    answered = chat(**body, stream=stream) if "stream_options" not in body else chat(**body)

    assert answered.status == 400
    assert answered.headers.get("x-request-id", "").startswith("req_")
    assert answered.json["error"]["type"] == "invalid_request_error"
    assert (answered.json["error"]["param"], answered.json["error"]["code"]) == (param, code)


def test_a_missing_messages_parameter_is_named() -> None:
    error = ask("/v1/chat/completions", {"model": "m"}).json["error"]

    assert (error["param"], error["code"]) == ("messages", "missing_required_parameter")


@pytest.mark.parametrize(
    "raw", [b"{", b"[]", b"\xff", b'{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}']
)
def test_a_body_that_is_no_json_text_is_a_400(raw) -> None:
    assert ask("/v1/chat/completions", raw).status == 400


def test_unknown_models_and_wrong_keys() -> None:
    missing = chat(model="openai/no-such-model-1")
    refused = ask("/v1/chat/completions", {}, authorization="Bearer invalid")

    assert (missing.status, missing.json["error"]["code"]) == (404, "model_not_found")
    assert (refused.status, refused.json["error"]["code"]) == (401, "invalid_api_key")


def test_models_are_listed_and_shown_one_by_one() -> None:
    listed = ask("/v1/models", method="GET").json
    for model in listed["data"]:
        Model.model_validate(model, strict=True)
        assert ask(f"/v1/models/{model['id']}", method="GET").json == model

    assert listed["object"] == "list"
    assert ask("/v1/models/nope", method="GET").status == 404


@pytest.mark.parametrize("base", ["", "/api", "/openai", "/v1beta/openai", "/proxy/x/"])
def test_a_base_path_does_not_matter(base) -> None:
    answered = ask(f"{base}/v1/chat/completions", {"model": "gpt-x", "messages": [user("Hello")]})

    assert answered.body == chat().body


def test_an_unknown_path_is_a_404() -> None:
    assert ask("/v1/nothing", {}).status == 404


RICH: dict[str, Any] = {
    "model": "gpt-x",
    "messages": [
        {"role": "system", "content": "Be brief."},
        user(
            [{"type": "text", "text": "call:weather"}, {"type": "image_url", "image_url": {"url": "https://x.test/a"}}]
        ),
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "21"}]},
        user("parallel:2"),
    ],
    "tools": [TOOL, OTHER, CUSTOM],
    "tool_choice": {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "weather"}}]},
    },
    "response_format": {"type": "json_schema", "json_schema": {"name": "w", "strict": True, "schema": WEATHER}},
    "stop": ["END"],
    "logit_bias": {"7": 1},
    "stream": True,
    "stream_options": {"include_usage": True},
    "n": 2,
    "logprobs": True,
    "top_logprobs": 1,
    "functions": [{"name": "f", "parameters": {}}],
    "function_call": {"name": "f"},
}


def test_the_request_that_is_mutated_is_legal() -> None:
    assert chat(**RICH).status == 200


@given(mutations(RICH))
@settings(max_examples=100, deadline=None)
def test_whatever_comes_is_answered_or_refused(body) -> None:
    assert ask("/v1/chat/completions", body).status in (200, 400)


@pytest.mark.parametrize("schema", [{"type": "text"}, {"properties": []}, {"$ref": "#/nowhere"}, {"required": "a"}])
def test_a_malformed_schema_is_refused(schema) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "w", "schema": schema}}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"} | schema}}

    assert chat(response_format=form).json["error"]["param"] == "response_format"
    assert chat(tools=[tool]).json["error"]["code"] == "invalid_function_parameters"


def test_json_nested_beyond_reason_is_a_400() -> None:
    assert ask("/v1/chat/completions", b'{"model":"m","messages":' + b"[" * 990 + b"]" * 990 + b"}").status == 400
