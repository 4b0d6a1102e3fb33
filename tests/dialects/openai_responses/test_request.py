"""Requests: what clients may write, and what an upstream is sent."""

import json
from typing import Any

import pytest
from msgspec import UNSET

from setu.chat.parts import Inline, Media, Opaque, Plain, Reasoning, Refusal, Text, ToolCall, ToolResult
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
from setu.chat.seals import CacheMark, Extra, Seal
from setu.dialects.record import Facts
from setu.errors import LocalDialectError
from tests.dialects.openai_responses.oracle import request_problems
from tests.dialects.openai_responses.wire import (
    WEATHER,
    call,
    items,
    losses,
    message,
    output,
    parse,
    render,
    rendered,
    user,
)


def chat(*history: Message, **members: Any) -> ChatRequest:
    return ChatRequest(model="x", messages=history or (Message(role="user", parts=(Text(text="hi"),)),), **members)


def says(role: Any, *parts: Any, **members: Any) -> Message:
    return Message(role=role, parts=parts, **members)


def refused(*history: dict[str, Any], **members: Any) -> str | None:
    with pytest.raises(LocalDialectError) as caught:
        parse(*history, **members)
    return caught.value.param


def test_a_string_is_a_users_message_and_instructions_are_the_system_prompt() -> None:
    request = parse(input="hi", instructions="Be brief.")

    assert request.messages == (says("user", Text(text="hi")),)
    assert request.system == (Text(text="Be brief."),)


def test_an_untyped_message_is_one_of_any_role() -> None:
    """B-MSG-18."""
    roles = ("user", "system", "developer", "assistant")

    request = parse(*({"role": role, "content": [{"type": "output_text", "text": "x"}]} for role in roles))

    assert request.messages == tuple(says(role, Text(text="x")) for role in roles)


def test_each_item_is_a_message_of_its_own_in_order() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gA"}

    request = parse(user(), thought, call(id="fc_1"), output(), message("done", phase="final_answer"))

    assert [m.role for m in request.messages] == ["user", "assistant", "assistant", "tool", "assistant"]
    assert request.messages[1].parts == (
        Reasoning(id="rs_1", seal=Seal(issuer="openai_responses", kind="encrypted", data="gA")),
    )
    assert request.messages[2].parts == (ToolCall(id="fc_1", call_id="call_1", name="f", arguments="{}"),)
    assert request.messages[3].parts == (ToolResult(call_id="call_1", name="f", content=(Text(text="ok"),)),)
    assert (request.messages[4].id, request.messages[4].phase) == ("msg_1", "final_answer")


@pytest.mark.parametrize(
    "url", ["data:image/png;base64,AAAA", {"url": "data:image/png;base64,AAAA"}], ids=["string", "chat's object"]
)
def test_an_image_comes_as_a_string_or_as_chats_object(url: Any) -> None:
    request = parse(user([{"type": "input_image", "image_url": url, "detail": "auto"}]))

    assert request.messages[0].parts == (Media(kind="image", source=Inline(b64="AAAA", mime="image/png")),)


def test_unknown_items_and_parts_are_kept_apart_and_given_back() -> None:
    """B-RSP-06."""
    strange = {"type": "agent_message", "content": [1]}
    request = parse(strange, user([{"type": "novelty", "x": 1}]), {"id": "msg_7"})

    assert [m.parts[0].kind for m in request.messages if isinstance(m.parts[0], Opaque)] == [
        "agent_message",
        "content.novelty",
        "item_reference",
    ]
    assert items(request)[0] == strange
    assert items(request)[1]["content"] == [{"type": "novelty", "x": 1}]
    assert items(request)[2] == {"id": "msg_7"}


@pytest.mark.parametrize("nested", [False, True])
def test_tools_and_choices_are_read_flat_and_nested(nested: bool) -> None:
    function = {"name": "f", "parameters": WEATHER, "strict": None}
    tool = {"type": "function", "function": function} if nested else {"type": "function"} | function
    choice = {"type": "function", "function": {"name": "f"}} if nested else {"type": "function", "name": "f"}

    request = parse(tools=[tool], tool_choice=choice)

    assert request.tools == (FunctionTool(name="f", schema=json.dumps(WEATHER).encode()),)
    assert request.tool_choice == ToolChoice(mode="named", names=("f",))
    assert rendered(request)["tools"] == [{"type": "function", "name": "f", "parameters": WEATHER, "strict": False}]
    assert rendered(request)["tool_choice"] == {"type": "function", "name": "f"}


def test_a_namespace_is_its_tools_and_becomes_one_again() -> None:
    inner = {"type": "function", "name": "f", "parameters": WEATHER, "strict": True}
    space = {"type": "namespace", "name": "crm", "description": "d", "tools": [inner]}

    request = parse(tools=[space])

    assert [(tool.name, tool.namespace) for tool in request.tools if isinstance(tool, FunctionTool)] == [("f", "crm")]
    assert rendered(request)["tools"] == [space]


def test_a_grammar_is_flat_here_and_nested_in_the_model() -> None:
    flat = {"type": "grammar", "syntax": "regex", "definition": "x"}

    request = parse(tools=[{"type": "custom", "name": "c", "format": flat}])

    assert request.tools == (
        CustomTool(name="c", grammar=b'{"type":"grammar","grammar":{"syntax":"regex","definition":"x"}}'),
    )
    assert rendered(request)["tools"][0]["format"] == flat


def test_tools_of_the_host_pass_as_they_are() -> None:
    """B-TOOL-32."""
    request = parse(tools=[{"type": "computer"}], tool_choice={"type": "computer"})

    assert request.tools == (HostedTool(kind="computer", dialect="openai_responses", config=b'{"type": "computer"}'),)
    assert rendered(request)["tools"] == [{"type": "computer"}]
    assert rendered(request)["tool_choice"] == {"type": "computer"}


def test_thinking_says_effort_what_is_shown_and_whether_it_is_sealed() -> None:
    request = parse(reasoning={"effort": "low", "summary": "detailed"}, include=["reasoning.encrypted_content"])

    assert request.thinking == Thinking(effort="low", show="full", sealed=True)
    assert parse(reasoning={"effort": "none"}).thinking == Thinking(mode="off", effort="none")
    assert rendered(parse(reasoning={"summary": "concise"}))["reasoning"] == {"summary": "concise"}


def test_state_is_always_there_and_says_what_was_said() -> None:
    assert parse().state == State()
    assert parse(store=False, previous_response_id="resp_1", prompt={"id": "p"}, background=True).state == State(
        store=False, previous="resp_1", prompt=b'{"id": "p"}', background=True
    )


def test_a_request_that_builds_on_a_response_needs_no_input_and_no_calls() -> None:
    """B-RSP-07."""
    request = parse(output("call_9"), previous_response_id="resp_1")

    assert request.messages[0].parts == (ToolResult(call_id="call_9", content=(Text(text="ok"),)),)
    assert "input" not in rendered(parse(input=None, previous_response_id="resp_1"))


@pytest.mark.parametrize(
    ("history", "members", "param"),
    [
        ((), {"model": None}, "model"),
        ((), {"input": None}, "input"),
        ((), {"input": 5}, "input"),
        ((output(),), {}, "input[0].call_id"),
        (({"role": "robot", "content": "x"},), {}, "input[0].role"),
        (({"content": "x"},), {}, "input[0].type"),
        (({"role": "user"},), {}, "input[0].content"),
        ((call(call_id=None),), {}, "input[0].call_id"),
        ((user([{"text": "x"}]),), {}, "input[0].content[0].type"),
        ((user([{"type": "input_image"}]),), {}, "input[0].content[0].image_url"),
        ((), {"tools": [{"type": "function"}]}, "tools[0].name"),
        ((), {"tool_choice": "sometimes"}, "tool_choice"),
        ((), {"tools": [], "tool_choice": {"type": "function", "name": "f"}}, "tool_choice"),
        ((), {"text": {"format": {"type": "json_schema", "name": "a"}}}, "text.format.schema"),
        ((), {"temperature": 3}, "temperature"),
        ((), {"top_logprobs": 21}, "top_logprobs"),
    ],
)
def test_nonsense_is_refused_by_its_place(history: Any, members: dict[str, Any], param: str) -> None:
    assert refused(*history, **members) == param


def test_other_apis_system_prompts_are_instructions_and_their_turns_items() -> None:
    request = chat(
        says("user", Text(text="a"), Media(kind="document", source=Plain(text="doc"))),
        says("assistant", Text(text="b"), ToolCall(call_id="t", name="f", arguments="")),
        says("user", Text(text="c"), ToolResult(call_id="t", content=(), is_error=True)),
        system=(Text(text="one", cache=CacheMark()), Text(text="two")),
    )

    assert rendered(request)["instructions"] == "one\ntwo"
    assert [item.get("type") for item in items(request)] == [
        "message", "message", "function_call", "function_call_output", "message",
    ]  # fmt: skip
    assert items(request)[2] == {"type": "function_call", "call_id": "t", "name": "f", "arguments": "{}"}
    assert items(request)[3]["output"] == ""
    assert losses(request) == [("/system/0/cache", "info"), ("/messages/2/content/1/is_error", "info")]


def test_long_ids_are_bounded_alike_on_call_and_result() -> None:
    """B-TOOL-23."""
    long = "call_" + "x" * 200
    request = chat(
        says("assistant", ToolCall(call_id=long, name="f", arguments="{}")),
        says("tool", ToolResult(call_id=long, content=(Text(text="r"),))),
    )

    first, second = items(request)

    assert first["call_id"] == second["call_id"]
    assert len(first["call_id"]) <= 64


def test_what_is_others_own_stays_out() -> None:
    """B-RSP-05, B-RSP-09."""
    signed = Seal(issuer="gemini", kind="signature", data="s")
    request = chat(
        says("assistant", ToolCall(id="fc-1", call_id="t", name="f", arguments="{}", seal=signed)),
        says("tool", ToolResult(call_id="t", name="f", content=(Text(text="r"),))),
        says("user", Text(text="x", extra=Extra(dialect="anthropic", members={"k": b"1"})), name="Ann"),
    )

    assert items(request)[0] == {"type": "function_call", "call_id": "t", "name": "f", "arguments": "{}"}
    assert losses(request) == [
        ("/messages/0/content/0/seal", "info"),
        ("/messages/2/name", "info"),
        ("/messages/2/content/0/k", "warn"),
    ]


def test_thinking_goes_back_with_its_proof_and_its_item_or_not_at_all() -> None:
    """B-THK-17, B-THK-19, B-MSG-17."""
    own = Reasoning(id="rs_1", seal=Seal(issuer="openai_responses", kind="encrypted", data="gA"))
    foreign = Reasoning(text=("hm",), seal=Seal(issuer="anthropic", kind="signature", data="s"))
    request = chat(
        says("user", Text(text="q")),
        says("assistant", own, Text(text="a")),
        says("user", Text(text="r")),
        says("assistant", foreign),
        says("assistant", own),
        says("user", Text(text="s")),
    )

    assert [item["type"] for item in items(request)] == ["message", "reasoning", "message", "message", "message"]
    assert items(request)[1] == {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gA"}
    assert losses(request) == [("/messages/3/content/0", "info"), ("/messages/4/content/0", "info")]


def test_a_refusal_goes_back_as_text_and_an_empty_turn_stays_out() -> None:
    request = chat(
        says("assistant", Refusal(text="no")), says("assistant", Text(text="")), says("user", Text(text="x"))
    )

    assert [item["content"] for item in items(request)] == ["no", "x"]


def test_clients_of_other_apis_are_not_kept() -> None:
    thinks = Facts(thinking="effort")

    assert rendered(chat())["store"] is False
    assert rendered(chat(), facts=thinks)["include"] == ["reasoning.encrypted_content"]
    assert rendered(chat(state=State(store=True)))["store"] is True
    assert "store" not in rendered(parse())


@pytest.mark.parametrize(
    ("output_asked", "strict"),
    [
        (Output(kind="schema", schema=b'{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}', dialect="anthropic"), True),
        (Output(kind="schema", schema=b'{"type":"object","properties":{"a":{"type":"string"}}}', dialect="gemini"), False),
        (Output(kind="schema", schema=b'{"type":"object"}', dialect="openai_chat"), None),
        (Output(kind="schema", schema=b'{"type":"object"}', strict=True, dialect="openai_chat"), True),
    ],
)  # fmt: skip
def test_a_schema_is_strict_where_it_can_be(output_asked: Output, strict: bool | None) -> None:
    """B-SCH-17."""
    form = rendered(chat(output=output_asked))["text"]["format"]

    assert form["name"] == "response"
    assert form.get("strict") is strict


def test_a_schema_that_nobody_gave_is_any_object() -> None:
    assert rendered(chat(output=Output(kind="schema")))["text"]["format"] == {"type": "json_object"}


def test_options_have_their_places_and_what_has_none_is_lost() -> None:
    options = Options(max_tokens=5, stop=("x",), seed=1, n=1, verbosity="low", logprobs=True, service_tier="on_demand")

    body = rendered(chat(options=options))

    assert (body["max_output_tokens"], body["text"], body["include"]) == (
        16, {"verbosity": "low"}, ["message.output_text.logprobs"],
    )  # fmt: skip
    assert losses(chat(options=options)) == [
        ("/max_tokens", "warn"),
        ("/stop", "warn"),
        ("/seed", "warn"),
        ("/service_tier", "info"),
    ]


def test_several_answers_are_refused() -> None:
    """B-PRM-07: one answer where two were asked for looks like success."""
    with pytest.raises(LocalDialectError) as caught:
        rendered(chat(options=Options(n=2)))

    assert caught.value.param == "n"


def test_what_both_of_openais_apis_know_is_no_extra() -> None:
    shared = {"safety_identifier": "s", "moderation": {"model": "m"}}

    request = parse(user("hi"), **shared, prompt_cache_options={"mode": "explicit", "ttl": "30m"})

    assert request.extra is None
    assert (request.options.safety_identifier, request.options.moderation) == ("s", b'{"model": "m"}')
    assert rendered(request).items() >= shared.items()
    assert request_problems(render(request).body) == []


def test_cache_options_that_chat_does_not_know_go_home_only() -> None:
    given = {"mode": "implicit", "prewarm": True, "comparison_response_id": "resp_1"}

    request = parse(user("hi"), prompt_cache_options=given)

    assert request.options.cache_options == b'{"mode":"implicit"}'
    assert request.extra is not None
    assert request.extra.members.keys() == {"prompt_cache_options"}
    assert rendered(request)["prompt_cache_options"] == given
    assert parse(user("hi"), prompt_cache_options={"prewarm": True}).options.cache_options is UNSET
    assert refused(user("hi"), prompt_cache_options="explicit") == "prompt_cache_options"


def test_a_budget_becomes_the_nearest_effort_that_the_model_has() -> None:
    request = chat(thinking=Thinking(budget=20_000, show="summary"))

    body = rendered(request, facts=Facts(thinking="effort", efforts=("low", "medium")))

    assert body["reasoning"] == {"effort": "medium", "summary": "auto"}
    assert "reasoning" not in rendered(request, facts=Facts(thinking="none"))
    assert rendered(chat(thinking=Thinking(mode="off")), facts=Facts(efforts=("none",)))["reasoning"] == {
        "effort": "none"
    }


def test_cache_marks_go_where_they_are_taken() -> None:
    request = chat(says("user", Text(text="x", cache=CacheMark(ttl="5m"))))

    assert items(request, "prompt_cache_breakpoint")[0]["content"][0]["prompt_cache_breakpoint"] == {"mode": "explicit"}
    assert losses(request) == [("/messages/0/content/0/cache", "info")]
    assert request_problems(render(request, "prompt_cache_breakpoint").body) == []


def test_sound_is_taken_only_where_the_host_says_so() -> None:
    request = chat(says("user", Media(kind="audio", source=Inline(b64="AAAA", mime="audio/wav")), Text(text="x")))

    assert items(request)[0]["content"] == "x"
    assert items(request, "input_audio")[0]["content"][0]["input_audio"] == {"data": "AAAA", "format": "wav"}
