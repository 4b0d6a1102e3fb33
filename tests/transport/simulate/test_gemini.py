import json
from typing import Any

import jsonschema_rs
import pytest
from google.genai import types
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transport.simulate.mutated import mutations
from tests.transport.simulate.upstream import WEATHER, ask, elements, events, generate

DECLARED: dict[str, Any] = {"name": "weather", "parametersJsonSchema": WEATHER}
OTHER: dict[str, Any] = {"name": "now"}
TOOLS = [{"functionDeclarations": [DECLARED, OTHER]}]
ANY = {"functionCallingConfig": {"mode": "ANY"}}
CALL = {"functionCall": {"name": "weather", "args": {}}}
RESULT = {"functionResponse": {"name": "weather", "response": {"t": 21}}}


def said(*texts: str, role: str = "user") -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text} for text in texts]}


def valid(payload: Any) -> types.GenerateContentResponse:
    return types.GenerateContentResponse.model_validate(payload)


def whole(**body: Any) -> types.GenerateContentResponse:
    answered = generate(**body)
    assert answered.status == 200, answered.body
    return valid(answered.json)


def config(**settings_: Any) -> dict[str, Any]:
    return {"generationConfig": settings_}


def projection(chunks: list[Any]) -> list[Any]:
    """Per candidate: thoughts, text, calls, signatures, reason; the last usage."""
    found: dict[int, list[Any]] = {}
    for candidate in (candidate for chunk in chunks for candidate in chunk["candidates"]):
        entry = found.setdefault(candidate["index"], ["", "", [], [], None])
        for part in candidate["content"].get("parts", []):
            entry[0 if part.get("thought") else 1] += part.get("text", "")
            entry[2] += [part["functionCall"]] if "functionCall" in part else []
            entry[3] += [part["thoughtSignature"]] if "thoughtSignature" in part else []
        assert entry[4] is None
        entry[4] = candidate.get("finishReason")
    return [sorted(found.items()), chunks[-1]["usageMetadata"], chunks[-1]["responseId"]]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"model": "gemini-3-pro-preview"},
        {"model": "gemini-3-pro-preview", "tools": TOOLS, "toolConfig": ANY, "contents": [said("parallel:3")]},
        config(candidateCount=3),
        config(maxOutputTokens=2, thinkingConfig={"thinkingBudget": 0}),
        config(thinkingConfig={"includeThoughts": True}),
        {"tools": TOOLS, "contents": [said("call:weather now")]},
        config(responseMimeType="application/json", responseJsonSchema=WEATHER),
        config(stopSequences=["HALT"]) | {"contents": [said("HALT")]},
    ],
    ids=json.dumps,
)
def test_both_streams_say_the_same_as_a_document(body) -> None:
    document = generate(**body)
    sse, array = generate(**body, stream="sse"), generate(**body, stream="array")

    valid(document.json)
    for chunk in events(sse):
        valid(chunk)
    assert sse.headers.get("content-type") == "text/event-stream"
    assert sse.body.endswith(b"\r\n\r\n")
    assert elements(array) == events(sse) == json.loads(array.body)
    assert projection(events(sse)) == projection([document.json])


def test_a_plain_question_gets_text_and_usage_that_adds_up() -> None:
    made = whole(**config(thinkingConfig={"includeThoughts": True}))
    usage = made.usage_metadata

    assert made.candidates[0].finish_reason == types.FinishReason.STOP
    assert [bool(part.thought) for part in made.candidates[0].content.parts] == [True, False]
    total = usage.prompt_token_count + usage.candidates_token_count + usage.thoughts_token_count
    assert usage.total_token_count == total


def test_thinking_can_be_turned_off() -> None:
    made = whole(**config(thinkingConfig={"thinkingBudget": 0}))

    assert made.usage_metadata.thoughts_token_count is None


def test_a_nonce_is_echoed() -> None:
    assert "nonce:q-9" in whole(contents=[said("well", "nonce:q-9")]).text


@given(st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_the_cap_holds(cap) -> None:
    made = whole(**config(maxOutputTokens=cap))
    usage = made.usage_metadata

    assert (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0) <= cap


def test_a_stop_sequence_is_not_in_the_text() -> None:
    made = whole(contents=[said("say HALT")], **config(stopSequences=["HALT"]))

    assert made.candidates[0].finish_reason == types.FinishReason.STOP
    assert "HALT" not in (made.text or "")


def test_a_forced_call_fits_its_schema_and_is_signed() -> None:
    made = generate(
        tools=TOOLS, toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}}
    )
    part = made.json["candidates"][0]["content"]["parts"][0]

    jsonschema_rs.validate(WEATHER, part["functionCall"]["args"])
    assert part["thoughtSignature"]
    assert "id" not in part["functionCall"]


def test_an_openapi_schema_is_obeyed() -> None:
    schema = {"type": "OBJECT", "properties": {"n": {"type": "INTEGER", "nullable": True}}, "required": ["n"]}
    made = whole(**config(responseMimeType="application/json", responseSchema=schema))

    jsonschema_rs.validate(
        {"type": "object", "properties": {"n": {"type": ["integer", "null"]}}, "required": ["n"]}, json.loads(made.text)
    )


def test_types_as_numbers_of_the_enum_are_the_same_schema() -> None:
    named = {"type": "OBJECT", "properties": {"n": {"type": "STRING"}}, "required": ["n"]}
    numbered = {"type": 6, "properties": {"n": {"type": 1}}, "required": ["n"]}

    for schema in (named, numbered):
        tools = [{"functionDeclarations": [{"name": "f", "parameters": schema}]}]
        part = generate(tools=tools, toolConfig=ANY).json["candidates"][0]["content"]["parts"][0]

        assert isinstance(part["functionCall"]["args"]["n"], str)


def test_parallel_calls_are_all_answered_at_once() -> None:
    contents = [said("x"), {"role": "model", "parts": [CALL, CALL]}, {"role": "user", "parts": [RESULT, RESULT]}]

    assert whole(contents=contents, tools=TOOLS).text


def test_snake_case_names_are_the_same_request() -> None:
    camel = generate(systemInstruction=said("be"), **config(maxOutputTokens=9))
    snake = generate(system_instruction=said("be"), generation_config={"max_output_tokens": 9})

    assert camel.body == snake.body


def test_logprobs_spell_the_text() -> None:
    made = whole(**config(responseLogprobs=True, logprobs=1))

    assert "".join(token.token or "" for token in made.candidates[0].logprobs_result.chosen_candidates) == made.text
    assert made.candidates[0].avg_logprobs <= 0


ILLEGAL: list[tuple[dict[str, Any], str]] = [
    ({"contents": []}, "* GenerateContentRequest.contents: contents is not specified"),
    ({"messages": []}, 'Invalid JSON payload received. Unknown name "messages": Cannot find field.'),
    (
        config(max_tokens=1),
        "Invalid JSON payload received. Unknown name \"max_tokens\" at 'generationConfig': Cannot find field.",
    ),
    ({"contents": [said("x", role="assistant")]}, "Please use a valid role: user, model."),
    (
        {"contents": [{"role": "user", "parts": []}]},
        "* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.",
    ),
    (
        {"contents": [{"role": "user", "parts": [{}]}]},
        "* GenerateContentRequest.contents[0].parts[0].data: required oneof",
    ),
    ({"contents": [{"parts": [{"text": "x", "inlineData": {}}]}]}, "Invalid value at 'contents[0].parts[0]' (oneof)"),
    ({"contents": [{"parts": [{"text": 1}]}]}, "Invalid value at 'contents[0].parts[0].text' (TYPE_STRING), 1"),
    (
        {"contents": [{"parts": [{"functionCall": {"name": "f", "args": "{}"}}]}]},
        "Invalid value at 'contents[0].parts[0].functionCall.args'",
    ),
    (
        {"contents": [{"role": "model", "parts": [CALL]}]},
        "Please ensure that function call turn comes immediately after",
    ),
    (
        {"contents": [said("x"), {"role": "model", "parts": [CALL, CALL]}, {"role": "user", "parts": [RESULT]}]},
        "Please ensure that the number of function response parts is equal",
    ),
    (
        {"contents": [said("x"), said("y", role="model"), {"role": "user", "parts": [RESULT]}]},
        "Please ensure that function response turn comes",
    ),
    (
        config(temperature=2.1),
        "* GenerateContentRequest.generation_config.temperature: temperature must be in the range",
    ),
    (config(candidateCount=9), "* GenerateContentRequest.generation_config.candidate_count"),
    (config(stopSequences=list("abcdef")), "* GenerateContentRequest.generation_config.stop_sequences"),
    (config(responseJsonSchema={}), "Response schema is only supported with response mime type"),
    (config(responseMimeType="text/html"), "* GenerateContentRequest.generation_config.response_mime_type"),
    (config(logprobs=1), "Response logprobs must be enabled"),
    (
        config(thinkingConfig={"thinkingBudget": 1, "thinkingLevel": "LOW"}),
        "You can only set only one of thinking budget",
    ),
    (
        {"tools": [{"functionDeclarations": [{"name": "1x"}]}]},
        "* GenerateContentRequest.tools[0].function_declarations[0].name",
    ),
    ({"tools": [{"functionDeclarations": [OTHER, OTHER]}]}, "Duplicate function declaration found: now"),
    (
        {"tools": [{"type": "function"}]},
        "Invalid JSON payload received. Unknown name \"type\" at 'tools[0]': Cannot find field.",
    ),
    (
        {"toolConfig": {"functionCallingConfig": {"mode": "REQUIRED"}}},
        "Invalid value at 'tool_config.function_calling_config.mode'",
    ),
]


@pytest.mark.parametrize(("body", "text"), ILLEGAL, ids=lambda value: json.dumps(value)[:60])
@pytest.mark.parametrize("stream", ["", "sse", "array"])
def test_an_illegal_request_is_refused_in_google_s_envelope(body, text, stream) -> None:
    answered = generate(**body, stream=stream)
    payload = answered.json[0] if stream == "array" else answered.json

    assert answered.status == 400
    assert (payload["error"]["code"], payload["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert payload["error"]["message"].startswith(text)


def test_a_missing_thought_signature_is_no_error() -> None:
    contents = [said("x"), {"role": "model", "parts": [CALL]}, {"role": "user", "parts": [RESULT]}]

    assert generate(model="gemini-3-pro-preview", contents=contents).status == 200


def test_unknown_models_and_wrong_keys() -> None:
    missing = generate(model="no-such-model")
    refused = ask("/v1beta/models/m:generateContent", {}, x_goog_api_key="invalid")

    assert (missing.status, missing.json["error"]["status"]) == (404, "NOT_FOUND")
    assert (refused.status, refused.json["error"]["details"][0]["reason"]) == (400, "API_KEY_INVALID")


def test_models_are_listed_and_tokens_counted() -> None:
    listed = ask("/v1beta/models", method="GET").json
    counted = ask("/v1beta/models/m:countTokens", {"contents": [said("one two three")]}).json

    for model in listed["models"]:
        assert ask(f"/v1beta/{model['name']}", method="GET").json == model
    assert (
        counted["totalTokens"] == generate(contents=[said("one two three")]).json["usageMetadata"]["promptTokenCount"]
    )


RICH: dict[str, Any] = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "x"}, {"inlineData": {"mimeType": "image/png", "data": "eA=="}}]},
        {"role": "model", "parts": [{"text": "a", "thought": True}, CALL]},
        {"role": "user", "parts": [RESULT, {"text": "parallel:2"}]},
    ],
    "tools": [
        *TOOLS,
        {
            "functionDeclarations": [
                {"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}}
            ]
        },
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    "generationConfig": {
        "candidateCount": 2,
        "stopSequences": ["END"],
        "responseMimeType": "application/json",
        "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "ARRAY", "items": {"type": "STRING"}}}},
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 128},
        "responseLogprobs": True,
        "logprobs": 1,
    },
}


def test_the_request_that_is_mutated_is_legal() -> None:
    assert generate(**RICH).status == 200


@given(mutations(RICH), st.sampled_from(["", "sse", "array"]))
@settings(max_examples=100, deadline=None)
def test_whatever_comes_is_answered_or_refused(body, stream) -> None:
    method = "streamGenerateContent" if stream else "generateContent"

    answered = ask(f"/v1beta/models/gemini-3-x:{method}", body, query="alt=sse" if stream == "sse" else "")

    assert answered.status in (200, 400)


@pytest.mark.parametrize("schema", [{"type": "TEXT"}, {"type": "OBJECT", "required": [1]}])
def test_a_malformed_schema_is_refused(schema) -> None:
    assert generate(tools=[{"functionDeclarations": [{"name": "f", "parameters": schema}]}]).status == 400
    assert generate(**config(responseMimeType="application/json", responseSchema=schema)).status == 400
