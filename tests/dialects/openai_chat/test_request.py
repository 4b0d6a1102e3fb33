"""Reading requests: what is accepted, and what is refused with its place."""

import json
from typing import Any

import pytest
from msgspec import UNSET

from setu.chat.parts import Inline, Media, Opaque, Reasoning, Ref, Refusal, Text, ToolCall, ToolResult, Url
from setu.chat.request import CustomTool, FunctionTool, HostedTool, Output, State, Thinking, ToolChoice
from setu.chat.seals import CacheMark, Seal
from setu.dialects.record import Route
from setu.errors import LocalDialectError
from tests.dialects.openai_chat.wire import CLIENT, ROUTE, body, call, calls, parse, result, user

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


@pytest.mark.parametrize(
    ("wire", "param"),
    [
        ({"messages": [user()]}, "model"),
        ({"model": 3, "messages": [user()]}, "model"),
        ({"model": "m"}, "messages"),
        ({"model": "m", "messages": []}, "messages"),
        ({"model": "m", "messages": "hi"}, "messages"),
        ({"model": "m", "messages": ["hi"]}, "messages[0]"),
        ({"model": "m", "messages": [{"content": "hi"}]}, "messages[0].role"),
        ({"model": "m", "messages": [{"role": "king", "content": "hi"}]}, "messages[0].role"),
        ({"model": "m", "messages": [{"role": "user"}]}, "messages[0].content"),
        ({"model": "m", "messages": [{"role": "user", "content": None}]}, "messages[0].content"),
        ({"model": "m", "messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"model": "m", "messages": [{"role": "user", "content": [{}]}]}, "messages[0].content[0].type"),
        ({"model": "m", "messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0].image_url"),
        ({"model": "m", "messages": [calls({"type": "function", "function": {"name": "f"}})]}, "messages[0].tool_calls[0].id"),
        ({"model": "m", "messages": [calls({"id": "a", "type": "function"})]}, "messages[0].tool_calls[0].function"),
        ({"model": "m", "messages": [user()], "temperature": "hot"}, "temperature"),
        ({"model": "m", "messages": [user()], "temperature": 2.1}, "temperature"),
        ({"model": "m", "messages": [user()], "max_tokens": 0}, "max_tokens"),
        ({"model": "m", "messages": [user()], "n": 0}, "n"),
        ({"model": "m", "messages": [user()], "stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"model": "m", "messages": [user()], "stream": "yes"}, "stream"),
        ({"model": "m", "messages": [user()], "tools": [{}]}, "tools[0].type"),
        ({"model": "m", "messages": [user()], "tools": [{"type": "function"}]}, "tools[0].function"),
        ({"model": "m", "messages": [user()], "tools": [{"type": "custom"}]}, "tools[0].custom"),
        ({"model": "m", "messages": [user()], "tools": [{"type": "function", "function": {"name": ""}}]}, "tools[0].function.name"),
        ({"model": "m", "messages": [user()], "tools": [{"type": "function", "function": {"name": "f", "parameters": []}}]}, "tools[0].function.parameters"),
        ({"model": "m", "messages": [user()], "tool_choice": "sometimes"}, "tool_choice"),
        ({"model": "m", "messages": [user()], "response_format": {}}, "response_format.type"),
        ({"model": "m", "messages": [user()], "response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"model": "m", "messages": [user()], "response_format": {"type": "json_schema", "json_schema": {"schema": 1}}}, "response_format.json_schema.schema"),
    ],
)  # fmt: skip
def test_a_wrong_request_names_the_member(wire: dict[str, Any], param: str) -> None:
    with pytest.raises(LocalDialectError) as caught:
        CLIENT.parse_request(json.dumps(wire).encode(), ROUTE)

    assert caught.value.param == param
    assert caught.value.info().status == 400


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{", b'{"model":"\xff"}', b'"x"', b'{"model":"m","messages":[{"role":"user","content":"\\ud83d"}]}'],
)
def test_a_body_that_is_not_a_json_object_in_utf8_is_refused(data: bytes) -> None:
    with pytest.raises(LocalDialectError):
        CLIENT.parse_request(data, ROUTE)


def test_a_paired_surrogate_escape_is_text() -> None:
    data = b'{"model":"m","messages":[{"role":"user","content":"\\ud83d\\ude00"}]}'

    assert CLIENT.parse_request(data, ROUTE).messages[0].parts == (Text(text="\U0001f600"),)


def test_the_path_may_name_the_model() -> None:
    route = Route(dialect="openai_chat", operation="chat", model="in-the-path")

    assert CLIENT.parse_request(b'{"messages":[{"role":"user","content":"a"}]}', route).model == "in-the-path"


def test_roles_and_names_stay_where_they_stood() -> None:
    request = parse(
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u", "name": "ann"},
        {"role": "developer", "content": "d"},
    )

    assert [(m.role, m.name) for m in request.messages] == [("system", None), ("user", "ann"), ("developer", None)]
    assert request.system == ()


def test_every_kind_of_part_is_read() -> None:
    data = "data:image/png;base64,AAAA"
    parts = [
        {"type": "text", "text": "t", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "image_url", "image_url": {"url": data, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
        {"type": "image_url", "image_url": "https://x.test/b.png"},
        {"type": "input_audio", "input_audio": {"data": "BBBB", "format": "mp3"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,CCCC", "filename": "a.pdf"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "video_url", "video_url": {"url": "https://x.test/c.mp4"}},
        {"type": "document_url", "document_url": "https://x.test/d.pdf"},
        {"type": "refusal", "refusal": "no"},
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "thinking", "thinking": "hm"},
    ]

    assert parse({"role": "user", "content": parts}).messages[0].parts == (
        Text(text="t", cache=CacheMark(ttl="1h")),
        Media(kind="image", source=Inline(b64="AAAA", mime="image/png"), detail="low"),
        Media(kind="image", source=Url(url="https://x.test/a.png")),
        Media(kind="image", source=Url(url="https://x.test/b.png")),
        Media(kind="audio", source=Inline(b64="BBBB", mime="audio/mpeg")),
        Media(kind="document", source=Inline(b64="CCCC", mime="application/pdf"), name="a.pdf"),
        Media(kind="document", source=Ref(issuer="openai_chat", id="file-1")),
        Media(kind="video", source=Url(url="https://x.test/c.mp4")),
        Media(kind="document", source=Url(url="https://x.test/d.pdf")),
        Refusal(text="no"),
        Reasoning(text=("hm",)),
        Reasoning(text=("hm",)),
    )


@pytest.mark.parametrize(
    "part",
    [
        {"type": "novelty", "x": 1},
        {"type": "input_audio", "input_audio": "https://x.test/a.wav"},
        {"type": "input_audio", "input_audio": {"data": "data:;base64,AA", "format": "wav"}},
        {"type": "file", "file": {"file_data": "neither an address nor a data URL"}},
    ],
)
def test_a_part_of_an_unknown_form_stays_as_it_is(part: dict[str, Any]) -> None:
    raw = json.dumps(part).encode()

    assert parse({"role": "user", "content": [part]}).messages[0].parts == (
        Opaque(dialect="openai_chat", kind=part["type"], raw=raw),
    )


def test_a_pdf_in_an_image_part_is_a_document() -> None:
    """B-MED-07."""
    part = {"type": "image_url", "image_url": {"url": "data:application/pdf;base64,AAAA"}}

    assert parse({"role": "user", "content": [part]}).messages[0].parts[0].kind == "document"  # type: ignore[union-attr]  # a Media


def test_a_result_learns_the_name_of_its_call() -> None:
    """B-TOOL-05."""
    request = parse(
        calls(call("a", "f"), call("b", "g")), result("b", "2"), result("a", [{"type": "text", "text": "1"}])
    )

    assert [message.parts[0] for message in request.messages[1:]] == [
        ToolResult(call_id="b", name="g", content=(Text(text="2"),)),
        ToolResult(call_id="a", name="f", content=(Text(text="1"),)),
    ]


@pytest.mark.parametrize(
    ("history", "param"),
    [
        ([user(), result("a")], "messages[1].role"),
        ([calls(call("a")), result("b")], "messages[1].tool_call_id"),
        ([calls(call("a")), {"role": "tool", "content": "x"}], "messages[1].tool_call_id"),
        ([calls(call("a")), {"role": "tool", "tool_call_id": "a"}], "messages[1].content"),
        ([{"role": "function", "name": "f", "content": "x"}], "messages[0].role"),
    ],
)
def test_a_tool_message_that_answers_nothing_is_refused(history: list[dict[str, Any]], param: str) -> None:
    with pytest.raises(LocalDialectError) as caught:
        parse(*history)

    assert caught.value.param == param


def test_functions_of_old_become_tools() -> None:
    """B-TOOL-31."""
    request = parse(
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "1"},
        functions=[{"name": "f", "parameters": {"type": "object"}}],
        function_call={"name": "f"},
    )

    assert request.tools == (FunctionTool(name="f", schema=b'{"type": "object"}'),)
    assert request.tool_choice == ToolChoice(mode="named", names=("f",))
    made, answered = request.messages[0].parts[0], request.messages[1].parts[0]
    assert isinstance(made, ToolCall)
    assert isinstance(answered, ToolResult)
    assert made.call_id == answered.call_id


def test_thinking_and_calls_of_an_assistant_are_read_in_order() -> None:
    request = parse(
        calls(
            call("a") | {"extra_content": {"google": {"thought_signature": "sig"}}},
            {"id": "b", "type": "custom", "custom": {"name": "c", "input": "free"}},
            content="text",
            reasoning_content="why",
            refusal="no",
            audio={"id": "audio_1"},
        )
    )

    assert request.messages[0].parts == (
        Reasoning(text=("why",)),
        Text(text="text"),
        Refusal(text="no"),
        Media(kind="audio", source=Ref(issuer="openai_chat", id="audio_1")),
        ToolCall(call_id="a", name="f", arguments="{}", seal=Seal(issuer="gemini", kind="signature", data="sig")),
        ToolCall(call_id="b", name="c", arguments="free", kind="custom"),
    )


def test_reasoning_details_carry_the_seals_of_their_issuers() -> None:
    details = [
        {"type": "reasoning.text", "text": "a", "signature": "s", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.summary", "summary": "b", "index": 1},
        {"type": "reasoning.encrypted", "data": "e", "format": "openai-responses-v1", "id": "rs_1", "index": 2},
        {"type": "reasoning.encrypted", "data": "g", "format": "google-gemini-v1", "index": 3},
        {"type": "reasoning.encrypted", "data": "r", "format": "anthropic-claude-v1", "index": 4},
        {"type": "novelty"},
    ]
    parts = (
        parse({"role": "assistant", "content": "", "reasoning": "ab", "reasoning_details": details}).messages[0].parts
    )

    assert [(p.text, p.summary, p.redacted, p.id, p.seal) for p in parts if isinstance(p, Reasoning)] == [
        (("a",), (), False, None, Seal(issuer="anthropic", kind="signature", data="s")),
        ((), ("b",), False, None, None),
        ((), (), True, "rs_1", Seal(issuer="openai_responses", kind="encrypted", data="e")),
        ((), (), True, None, Seal(issuer="gemini", kind="encrypted", data="g")),
        ((), (), True, None, Seal(issuer="anthropic", kind="redacted", data="r")),
    ]


def test_a_detail_that_only_signs_takes_the_words_beside_it() -> None:
    details = [{"type": "reasoning.text", "signature": "s", "format": "anthropic-claude-v1"}]
    message = {"role": "assistant", "content": "x", "reasoning_content": "words", "reasoning_details": details}

    part = parse(message).messages[0].parts[0]

    assert isinstance(part, Reasoning)
    assert part.text == ("words",)
    assert part.seal == Seal(issuer="anthropic", kind="signature", data="s")


def test_a_cache_mark_of_a_message_belongs_to_its_last_part() -> None:
    request = parse({"role": "system", "content": "s", "cache_control": {"type": "ephemeral"}})

    assert request.messages[0].parts == (Text(text="s", cache=CacheMark()),)
    assert request.messages[0].extra is None


def test_all_scalar_options_are_read() -> None:
    wire = {"temperature": 0, "top_p": 0, "seed": 2**70, "stop": "END", "n": 2, "top_k": 3, "logprobs": True, "top_logprobs": 5,
            "presence_penalty": -1, "frequency_penalty": 1, "logit_bias": {"1": 2}, "modalities": ["text"], "audio": {"voice": "a"},
            "service_tier": "flex", "user": "u", "metadata": {"a": "b"}, "prompt_cache_key": "k", "prompt_cache_retention": "24h",
            "verbosity": "low", "stream_options": {"include_usage": True}, "safety_identifier": "s",
            "prompt_cache_options": {"mode": "explicit"}, "moderation": {"model": "m"}}  # fmt: skip
    options = parse(**wire).options

    assert (options.temperature, options.top_p) == (0, 0)
    assert (options.seed, options.stop, options.n, options.top_k) == (2**70, ("END",), 2, 3)
    assert (options.logprobs, options.top_logprobs) == (True, 5)
    assert (options.presence_penalty, options.frequency_penalty) == (-1, 1)
    assert (options.logit_bias, options.metadata, options.audio) == (b'{"1": 2}', b'{"a": "b"}', b'{"voice": "a"}')
    assert (options.modalities, options.service_tier, options.user) == (("text",), "flex", "u")
    assert (options.cache_key, options.cache_retention, options.verbosity) == ("k", "24h", "low")
    assert (options.cache_options, options.moderation) == (b'{"mode": "explicit"}', b'{"model": "m"}')
    assert (options.safety_identifier, options.stream_usage) == ("s", True)


def test_the_newer_name_of_the_cap_wins() -> None:
    """B-PRM-05."""
    assert parse(max_tokens=5).options.max_tokens == 5
    assert parse(max_completion_tokens=6).options.max_tokens == 6
    assert parse(max_completion_tokens=6, max_tokens=5).options.max_tokens == 6
    assert parse().options.max_tokens is UNSET


def test_what_nobody_knows_stays_in_the_extra() -> None:
    request = parse(
        novelty={"a": 1.10}, logprobs=1, stream_options={"include_usage": False, "x": 1}, prediction={"type": "content"}
    )

    assert request.extra is not None
    assert request.extra.members == {
        "novelty": b'{"a": 1.1}', "logprobs": b"1", "stream_options": b'{"x":1}', "prediction": b'{"type": "content"}'
    }  # fmt: skip
    assert request.state is None
    assert parse(store=False).state == State(store=False)


@pytest.mark.parametrize(
    ("form", "output"),
    [
        ({"type": "text"}, Output(kind="text")),
        ({"type": "json_object"}, Output(kind="json")),
        (
            {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": {"a": 1}, "strict": True, "description": "d"},
            },
            Output(kind="schema", name="n", schema=b'{"a": 1}', strict=True, description="d", dialect="openai_chat"),
        ),
        ({"type": "json_schema", "schema": {"a": 1}}, Output(kind="schema", schema=b'{"a": 1}', dialect="openai_chat")),
        ({"type": "regex", "value": "a+"}, None),
        (None, None),
    ],
)
def test_the_forms_of_an_answer_are_read(form: dict[str, Any] | None, output: Output | None) -> None:
    assert parse(response_format=form).output == output


@pytest.mark.parametrize(
    ("members", "thinking"),
    [
        ({"reasoning_effort": "high"}, Thinking(effort="high")),
        ({"reasoning_effort": "none"}, Thinking(mode="off", effort="none")),
        ({"reasoning_effort": "default"}, Thinking(mode="on")),
        ({"reasoning": {"max_tokens": 2000, "exclude": True}}, Thinking(budget=2000, show="none")),
        ({"reasoning": {"enabled": True, "effort": "low"}}, Thinking(mode="on", effort="low")),
        ({"reasoning": {"enabled": False}}, Thinking(mode="off")),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, Thinking(mode="on", budget=1024)),
        ({"thinking": {"type": "disabled"}}, Thinking(mode="off")),
        ({"thinking": {"type": "novelty"}}, None),
        ({}, None),
    ],
)
def test_the_forms_of_a_thinking_request_are_read(members: dict[str, Any], thinking: Thinking | None) -> None:
    assert parse(**members).thinking == thinking


def test_tools_of_every_kind_are_read() -> None:
    custom = {"type": "custom", "custom": {"name": "c", "description": "d", "format": {"type": "text"}}}
    cached = {"type": "function", "function": {"name": "g", "strict": True}, "cache_control": {"type": "ephemeral"}}
    request = parse(tools=[{"function": {"name": "f", "description": ""}}, cached, custom, {"type": "web_search"}])

    assert request.tools == (
        FunctionTool(name="f", description=""),
        FunctionTool(name="g", strict=True, cache=CacheMark()),
        CustomTool(name="c", description="d", grammar=b'{"type": "text"}'),
        HostedTool(kind="web_search", dialect="openai_chat", config=b'{"type": "web_search"}'),
    )


@pytest.mark.parametrize(
    ("wire", "choice"),
    [
        ("auto", ToolChoice(mode="auto")),
        ("none", ToolChoice(mode="none")),
        ("required", ToolChoice(mode="required")),
        ("any", ToolChoice(mode="required")),
        ({"type": "required"}, ToolChoice(mode="required")),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice(mode="named", names=("f",))),
        ({"function": {"name": "f"}}, ToolChoice(mode="named", names=("f",))),
        ({"type": "custom", "custom": {"name": "f"}}, ToolChoice(mode="named", names=("f",))),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [TOOL]}},
            ToolChoice(mode="allowed", names=("f",), must=True),
        ),
        ({"type": "web_search"}, None),
        (None, None),
    ],
)
def test_tool_choices_are_read(wire: Any, choice: ToolChoice | None) -> None:
    assert parse(tools=[TOOL], tool_choice=wire).tool_choice == choice


@pytest.mark.parametrize("wire", [{"type": "function", "function": {"name": "nobody"}}, {}, {"type": "custom"}, {"type": "allowed_tools"},
                                  {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "mcp"}]}}])  # fmt: skip
def test_a_choice_of_a_tool_that_is_not_there_is_refused(wire: dict[str, Any]) -> None:
    """B-TOOL-20, B-TOOL-33."""
    with pytest.raises(LocalDialectError, match="tool"):
        parse(tools=[TOOL], tool_choice=wire)


def test_reading_twice_gives_equal_requests() -> None:
    assert CLIENT.parse_request(body(), ROUTE) == CLIENT.parse_request(body(), ROUTE)
