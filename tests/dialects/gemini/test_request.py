"""Whole requests: every member is read, and written back to the same meaning."""

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.normal import normal_request
from setu.chat.parts import AnyPart, Text, ToolResult
from setu.chat.request import ChatRequest, FunctionTool, Message, Output, State, ToolChoice
from setu.chat.seals import Extra
from setu.dialects.gemini.request import parse_request, render_request
from setu.dialects.record import Route, Target
from setu.errors import LocalDialectError
from tests.dialects.gemini.oracle import RequestBody
from tests.dialects.gemini.requests import ROUTE, USER, parse, render, written
from tests.documents import DOCUMENTS, Document


def losses(**fields: Any) -> list[tuple[str, str]]:
    fields = {"messages": (Message(role="user", parts=(Text(text="hi"),)),)} | fields
    rendered = render(ChatRequest(model="m", **fields))
    return [(loss.pointer, loss.severity) for loss in rendered.losses]


def test_the_model_and_the_stream_come_from_the_path() -> None:
    route = Route(dialect="gemini", operation="chat", model="gemini-x", stream=True)

    request = parse_request(json.dumps({"contents": [USER], "model": "models/other"}).encode(), route)

    assert (request.model, request.stream, request.extra) == ("gemini-x", True, None)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "contents"),
        ({"contents": []}, "contents"),
        ({"contents": "hi"}, "contents"),
        ({"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "contents[0].role"),
        ({"contents": [{"role": 1, "parts": [{"text": "x"}]}]}, "contents[0].role"),
        ({"contents": [{"parts": {"text": "x"}}]}, "contents[0].parts"),
        ({"contents": [USER], "tools": [{"functionDeclarations": [{}]}]}, "tools[0].functionDeclarations[0].name"),
        (
            {"contents": [USER], "toolConfig": {"functionCallingConfig": {"mode": "SOME"}}},
            "toolConfig.functionCallingConfig.mode",
        ),
    ],
)
def test_a_malformed_request_is_refused_by_name(body: Any, param: Any) -> None:
    with pytest.raises(LocalDialectError) as caught:
        parse_request(json.dumps(body).encode(), ROUTE)

    assert caught.value.param == param


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"contents":"\\ud800"}', b'{"a":' * 3000])
def test_a_body_that_is_no_json_object_is_refused(body: Any) -> None:
    with pytest.raises(LocalDialectError):
        parse_request(body, ROUTE)


def test_snake_case_means_the_same_as_camel_case() -> None:
    snake = parse(
        system_instruction={"parts": [{"text": "s"}]},
        generation_config={"max_output_tokens": 5, "thinking_config": {"thinking_budget": 0}, "stop_sequences": ["a"]},
        tool_config={"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
        tools=[{"function_declarations": [{"name": "f"}]}, {"google_search": {}}],
    )
    camel = parse(
        systemInstruction={"parts": [{"text": "s"}]},
        generationConfig={"maxOutputTokens": 5, "thinkingConfig": {"thinkingBudget": 0}, "stopSequences": ["a"]},
        toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        tools=[{"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}],
    )

    assert snake == camel


@pytest.mark.parametrize("system", ["s", {"parts": [{"text": "s"}]}, {"role": "user", "parts": [{"text": "s"}]}])
def test_the_system_prompt_is_a_string_or_a_content(system: Any) -> None:
    assert parse(systemInstruction=system).system == (Text(text="s"),)


def test_what_only_gemini_knows_is_kept_by_path_and_written_back() -> None:
    members = {
        "cachedContent": "cachedContents/x",
        "labels": {"team_name": "a"},
        "generationConfig": {"speechConfig": {"languageCode": "de"}, "thinkingConfig": {"includeThoughts": True}},
        "toolConfig": {"retrievalConfig": {"languageCode": "de"}, "functionCallingConfig": {"mode": "VALIDATED"}},
    }

    request = parse(**members)
    body = json.loads(render(request).body)

    assert request.extra is not None
    assert set(request.extra.members) == {
        "cachedContent",
        "labels",
        "generationConfig.speechConfig",
        "toolConfig.retrievalConfig",
        "toolConfig.functionCallingConfig.mode",
    }
    assert {key: body[key] for key in members} == members


def test_the_members_of_another_dialect_are_one_loss_each() -> None:
    extra = Extra(dialect="openai_chat", members={"a": b"1", "b": b"2"})

    assert losses(extra=extra) == [("/a", "warn"), ("/b", "warn")]


def test_what_gemini_cannot_keep_or_constrain_is_a_loss() -> None:
    state = State(store=True, background=True)

    assert losses(state=state, output=Output(kind="grammar")) == [
        ("/output", "warn"),
        ("/store", "info"),
        ("/background", "warn"),
    ]


@pytest.mark.parametrize(
    ("state", "param"),
    [
        (State(previous="resp_1"), "previous_response_id"),
        (State(conversation=b'"c"'), "conversation"),
        (State(prompt=b"{}"), "prompt"),
    ],
)
def test_a_conversation_kept_elsewhere_is_refused(state: State, param: str) -> None:
    with pytest.raises(LocalDialectError) as caught:
        losses(state=state)

    assert caught.value.param == param


@pytest.mark.parametrize(
    "part",
    [
        Text(text="\ud800"),
        ToolResult(call_id="x", name="f", content=(Text(text="\ud800"),)),
    ],
)
def test_text_that_json_cannot_carry_is_refused(part: AnyPart) -> None:
    request = ChatRequest(model="m", messages=(Message(role="user", parts=(part,)),))

    with pytest.raises(LocalDialectError):
        render_request(request, Target(model="m"))


@given(DOCUMENTS)
def test_any_document_is_a_request_or_a_local_error(document: Document) -> None:
    for body in (document.data, b'{"contents":[' + document.data + b"]}", b'{"tools":' + document.data + b"}"):
        with contextlib.suppress(LocalDialectError):
            parse_request(body, ROUTE)


TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
SIGNED = st.fixed_dictionaries({}, optional={"thoughtSignature": st.just("c2ln")})
PART = st.one_of(
    st.builds(lambda text, seal: {"text": text} | seal, TEXT, SIGNED),
    st.builds(lambda text, seal: {"text": text, "thought": True} | seal, TEXT.filter(bool), SIGNED),
    st.builds(
        lambda name, seal: {"functionCall": {"name": name, "args": {"x": 1.5}}} | seal, st.sampled_from("fg"), SIGNED
    ),
    st.builds(lambda text: {"functionCall": {"name": "f", "id": text or "x"}}, TEXT),
    st.builds(lambda mime: {"inlineData": {"mimeType": mime, "data": "AAAA"}}, st.sampled_from(["image/png", "a/b"])),
    st.just({"fileData": {"fileUri": "gs://b/c", "mimeType": "video/mp4"}, "videoMetadata": {"fps": 1}}),
    st.just({"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "c2ln"}),
    st.just({"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}),
    st.just({"toolCall": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "args": {}}}),
    st.just({"novelty": {"a": [1]}}),
)
RESULT = st.builds(
    lambda name, response: {"functionResponse": {"name": name, "response": response}},
    st.sampled_from("fg"),
    st.dictionaries(st.sampled_from(["result", "error", "x"]), st.integers() | TEXT | st.just({"y": 1}), max_size=2),
)
CONTENTS = st.lists(
    st.builds(lambda parts: {"role": "user", "parts": parts}, st.lists(PART | RESULT, max_size=3))
    | st.builds(lambda parts: {"role": "model", "parts": parts}, st.lists(PART, max_size=3)),
    min_size=1,
    max_size=4,
)
TOOLS = [
    {"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}, {"name": "g"}]},
    {"googleSearch": {}},
]
BODY = st.fixed_dictionaries(
    {"contents": CONTENTS, "tools": st.just(TOOLS)},
    optional={
        "systemInstruction": st.builds(lambda text: {"parts": [{"text": text}]}, TEXT),
        "toolConfig": st.fixed_dictionaries(
            {},
            optional={
                "functionCallingConfig": st.fixed_dictionaries(
                    {"mode": st.sampled_from(["AUTO", "ANY", "NONE", "VALIDATED"])},
                    optional={"allowedFunctionNames": st.lists(st.sampled_from("fg"), max_size=2, unique=True)},
                ),
                "newConfig": st.just({}),
            },
        ),
        "generationConfig": st.fixed_dictionaries(
            {}, optional={"temperature": st.floats(0, 2), "mediaResolution": st.just("MEDIA_RESOLUTION_LOW")}
        ),
        "futureField": st.integers(),
    },
)


@given(BODY)
def test_reading_what_was_written_gives_the_same_request(body: dict[str, Any]) -> None:
    request = parse_request(json.dumps(body, separators=(",", ":")).encode(), ROUTE)
    before = msgspec.structs.replace(request)

    rendered = render_request(request, Target(model="gemini-2.5-flash"))
    again = parse_request(rendered.body, ROUTE)

    assert request == before
    assert turns(again) == turns(request)


def turns(request: ChatRequest) -> ChatRequest:
    """The normal form without empty turns; results, which follow the order of their calls, sorted in their places."""
    request = normal_request(request)
    messages = tuple(message for message in request.messages if message.parts)
    request = normal_request(msgspec.structs.replace(request, messages=messages))
    return msgspec.structs.replace(
        request,
        messages=tuple(
            msgspec.structs.replace(message, parts=_sorted_results(message.parts)) for message in request.messages
        ),
    )


def _sorted_results(parts: tuple[AnyPart, ...]) -> tuple[AnyPart, ...]:
    results = iter(sorted((part for part in parts if isinstance(part, ToolResult)), key=repr))
    return tuple(next(results) if isinstance(part, ToolResult) else part for part in parts)


@given(BODY)
def test_a_rendered_request_is_what_googles_types_allow(body: dict[str, Any]) -> None:
    body.pop("futureField", None)
    body.get("toolConfig", {}).pop("newConfig", None)
    contents = [
        {**content, "parts": [part for part in content["parts"] if "novelty" not in part]}
        for content in body["contents"]
    ]
    request = parse_request(json.dumps(body | {"contents": contents}).encode(), ROUTE)

    rendered = render_request(request, Target(model="gemini-3-pro"))

    RequestBody.model_validate_json(rendered.body)


def test_the_tool_choice_is_written_back() -> None:
    for choice in (
        ToolChoice(mode="none"),
        ToolChoice(mode="auto"),
        ToolChoice(mode="required"),
        ToolChoice(mode="named", names=("f",)),
        ToolChoice(mode="allowed", names=("f", "g"), must=True),
        ToolChoice(mode="allowed", names=("f", "g")),
    ):
        body = written(tool_choice=choice, tools=(FunctionTool(name="f"), FunctionTool(name="g")))
        assert parse(toolConfig=body["toolConfig"]).tool_choice == choice
