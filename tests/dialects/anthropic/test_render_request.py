"""Writing requests for Anthropic, whatever dialect they came from."""

import json

import pytest

from setu.chat.parts import (
    HostedCall,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Url,
)
from setu.chat.request import ChatRequest, Message, State
from setu.chat.seals import CacheMark, Cite, Extra, Seal
from setu.dialects.record import Target
from setu.errors import LocalDialectError
from tests.dialects.anthropic.wire import UPSTREAM, assistant, render, sent, user

EPHEMERAL = {"cache_control": {"type": "ephemeral"}}


def said(role, text):
    return Message(role=role, parts=(Text(text=text),))


def called(*ids):
    return assistant(*(ToolCall(call_id=call_id, name="f", arguments='{"n":1}') for call_id in ids))


def answered(call_id, text="42"):
    return Message(role="tool", parts=(ToolResult(call_id=call_id, content=(Text(text=text),)),))


def request(*messages, **members):
    return ChatRequest(model="m", messages=messages, **members)


def test_leading_system_and_developer_messages_become_blocks_of_their_own_in_order():  # P05, B-MSG-01
    top = Text(text="TOP", cache=CacheMark())

    body = sent(said("system", "A"), said("developer", "B"), user("Hi"), system=(top,))

    assert body["system"] == [
        {"type": "text", "text": "TOP"} | EPHEMERAL,
        {"type": "text", "text": "A"},
        {"type": "text", "text": "B"},
    ]
    assert body["messages"] == [{"role": "user", "content": "Hi"}]


def test_a_later_system_message_moves_to_the_top_with_a_note():  # B-MSG-01
    body, losses = render(request(user("Hi"), said("system", "MID"), user("there")))

    assert body["system"] == "MID"
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "there"}]}
    ]
    assert [(loss.pointer, loss.severity) for loss in losses] == [("/messages/1", "info")]


def test_a_later_system_message_stays_where_the_model_takes_it():  # B-MSG-02
    body, losses = render(request(user("Hi"), said("system", "MID")), system_turns=True)

    assert body["messages"] == [{"role": "user", "content": "Hi"}, {"role": "system", "content": "MID"}]
    assert losses == ()


def test_a_system_message_never_parts_a_call_from_its_result():  # B-TOOL-03
    body, _ = render(request(user("?"), called("t1"), said("system", "MID"), answered("t1")), system_turns=True)

    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user", "system"]


def test_a_system_message_after_the_last_answer_moves_to_the_top() -> None:
    body, _ = render(request(user("?"), assistant("yes"), said("system", "MID")), system_turns=True)

    assert body["system"] == "MID"


def test_results_of_parallel_calls_share_the_next_user_turn_and_come_first():  # B-TOOL-01, B-TOOL-02, P07
    body = sent(user("?"), called("t1", "t2"), answered("t1"), user("and?"), answered("t2"))

    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert [block["type"] for block in body["messages"][2]["content"]] == ["tool_result", "tool_result", "text"]


def test_a_message_with_nothing_left_to_say_disappears_and_its_neighbours_merge():  # B-MSG-07, B-MSG-08
    body = sent(user("a"), assistant(""), user("b"))

    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    ]


def test_empty_text_beside_a_call_is_left_out():  # B-MSG-07
    body = sent(user("?"), assistant("", *called("t1").parts), answered("t1"))

    assert [block["type"] for block in body["messages"][1]["content"]] == ["tool_use"]


def test_only_the_last_assistant_text_loses_its_trailing_space():  # B-MSG-13
    body = sent(user("a"), assistant("one \n"), user("b"), assistant("two \n"))

    assert [message["content"] for message in body["messages"]] == ["a", "one \n", "b", "two"]


def test_a_request_without_a_single_message_is_refused():  # B-MSG-04
    with pytest.raises(LocalDialectError) as caught:
        render(request(said("system", "alone")))

    assert caught.value.param == "messages"


def test_the_mark_of_a_dropped_empty_text_moves_to_the_block_before():  # B-MED-11
    image = Media(kind="image", source=Url(url="https://x/y.png"))

    body = sent(user(image, Text(text="", cache=CacheMark(ttl="5m"))))

    assert body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "5m"}


def test_cache_marks_stay_on_every_kind_of_block():  # B-USG-13
    mark = CacheMark(ttl="1h")
    call = ToolCall(call_id="t1", name="f", arguments="{}", cache=mark)
    result = ToolResult(call_id="t1", content=(), cache=mark)

    body = sent(user(Text(text="a", cache=mark)), assistant(call), user(result))

    marks = [block["cache_control"] for message in body["messages"] for block in message["content"]]
    assert marks == [{"type": "ephemeral", "ttl": "1h"}] * 3


def test_ids_are_bounded_the_same_way_on_both_ends():  # B-TOOL-23, B-TOOL-24
    long = "call/" + "x" * 300

    body = sent(user("?"), called(long, "t1"), answered(long), answered("t1"))

    calls, results = body["messages"][1]["content"], body["messages"][2]["content"]
    assert [block["id"] for block in calls] == [block["tool_use_id"] for block in results]
    assert calls[1]["id"] == "t1"
    assert len(calls[0]["id"]) <= 64


@pytest.mark.parametrize(
    ("arguments", "value", "lost"),
    [
        ("", "{}", 0),
        ("{}", "{}", 0),
        ('{"n": 1.10, "big": 123456789012345678901}', '{"n": 1.10, "big": 123456789012345678901}', 0),
        ('{"n":', "{}", 1),
        ("[1]", "{}", 1),
    ],
    ids=["empty", "none", "exact", "cut", "array"],
)
def test_arguments_go_out_to_the_letter_and_never_as_a_string(arguments, value, lost):  # B-TOOL-11, P11, P12
    call = ToolCall(call_id="t1", name="f", arguments=arguments)

    rendered = UPSTREAM.render_request(request(user("?"), assistant(call), answered("t1")), Target(model="claude"))

    assert f'"input":{value}}}'.encode() in rendered.body
    assert len(rendered.losses) == lost


def test_a_call_in_two_spellings_goes_out_once():  # B-MSG-11
    body = sent(user("?"), called("t1", "t1"), answered("t1"))

    assert [block["id"] for block in body["messages"][1]["content"]] == ["t1"]


def test_a_result_may_hold_images():  # B-TOOL-08
    image = Media(kind="image", source=Inline(b64="iVBORw0KGgoAAAANSUhEUg==", mime="image/png"))
    result = ToolResult(call_id="t1", content=(Text(text="see"), image), is_error=False)

    body = sent(user("?"), called("t1"), user(result))

    block = body["messages"][2]["content"][0]
    assert [inner["type"] for inner in block["content"]] == ["text", "image"]
    assert block["is_error"] is False


def test_signed_thinking_goes_back_byte_for_byte_and_before_the_call():  # B-THK-07, B-THK-10
    thinking = Reasoning(
        text=("hm \n",), seal=Seal(issuer="anthropic", kind="signature", data="s=="), cache=CacheMark()
    )

    body = sent(user("?"), assistant(thinking, *called("t1").parts), answered("t1"))

    assert body["messages"][1]["content"][0] == {"type": "thinking", "thinking": "hm \n", "signature": "s=="}


def test_redacted_thinking_goes_back_as_it_came():  # B-THK-09
    redacted = Reasoning(redacted=True, seal=Seal(issuer="anthropic", kind="redacted", data="xx"))

    body = sent(user("?"), assistant(redacted, "yes"), user("why?"))

    assert body["messages"][1]["content"][0] == {"type": "redacted_thinking", "data": "xx"}


@pytest.mark.parametrize(
    "seal", [None, Seal(issuer="gemini", kind="signature", data="g")], ids=["unsigned", "of another issuer"]
)
def test_thinking_that_anthropic_did_not_sign_is_left_out_with_a_note(seal):  # B-THK-11
    body, losses = render(request(user("?"), assistant(Reasoning(text=("hm",), seal=seal), "yes"), user("why?")))

    assert body["messages"][1]["content"] == "yes"
    assert [(loss.pointer, loss.severity) for loss in losses] == [("/messages/1/content/0", "info")]


def test_a_refusal_is_what_the_assistant_said() -> None:
    assert sent(user("?"), assistant(Refusal(text="No.")), user("why?"))["messages"][1]["content"] == "No."


def test_what_only_another_dialect_knows_is_noted_key_by_key():  # P15
    foreign = Extra(dialect="openai_chat", members={"annotations": b"[]", "a/b": b"1"})
    text = Text(text="x", extra=foreign, cites=(Cite(kind="url_citation", dialect="openai_chat"),))

    body, losses = render(request(user("?"), assistant(text), user("go"), extra=foreign))

    assert body["messages"][1]["content"] == "x"
    assert {loss.pointer for loss in losses} == {
        "/messages/1/content/0",
        "/messages/1/content/0/annotations",
        "/messages/1/content/0/a~1b",
        "/annotations",
        "/a~1b",
    }


def test_parts_that_only_another_dialect_runs_are_left_out_with_a_note() -> None:
    hosted = HostedCall(call_id="h", tool="web_search_call", dialect="openai_responses")
    opaque = Opaque(dialect="gemini", kind="x", raw=b"{}")

    body, losses = render(request(user("?"), assistant(hosted, opaque, "yes"), user("go")))

    assert body["messages"][1]["content"] == "yes"
    assert [(loss.pointer, loss.severity) for loss in losses] == [
        ("/messages/1/content/0", "warn"),
        ("/messages/1/content/1", "warn"),
    ]


def test_a_name_on_a_message_is_noted() -> None:
    _, losses = render(request(Message(role="user", name="ann", parts=(Text(text="Hi"),))))

    assert [loss.pointer for loss in losses] == ["/messages/0/name"]


def test_media_in_an_assistant_turn_leave_their_transcript() -> None:
    audio = Media(kind="audio", source=Inline(b64="", mime="audio/wav"), transcript="spoken")

    body, losses = render(request(user("?"), assistant(audio), user("go")))

    assert body["messages"][1]["content"] == "spoken"
    assert len(losses) == 1


def test_a_conversation_kept_elsewhere_is_refused() -> None:
    with pytest.raises(LocalDialectError):
        render(request(user("go"), state=State(previous="resp_1")))


def test_keeping_the_answer_is_noted_only_if_asked_for() -> None:
    assert render(request(user("go"), state=State(store=False)))[1] == ()
    assert [loss.pointer for loss in render(request(user("go"), state=State(store=True, background=True)))[1]] == [
        "/store",
        "/background",
    ]


def test_a_lone_surrogate_is_the_clients_error():  # P22
    with pytest.raises(LocalDialectError):
        render(request(user("\ud800")))


def test_a_longer_history_starts_with_the_shorter_one():  # P19
    history = (user("a"), assistant("b"), user("c"))

    short, long = sent(*history), sent(*history, assistant("d"), user("e"))

    assert json.dumps(long["messages"])[: len(json.dumps(short["messages"])) - 1] == json.dumps(short["messages"])[:-1]


def test_anthropics_own_parts_go_back_as_they_came() -> None:
    call = HostedCall(
        call_id="s1", tool="server_tool_use", dialect="anthropic", name="web_search", arguments=b'{"q":1.10}'
    )
    result = HostedResult(call_id="s1", tool="web_search_tool_result", dialect="anthropic", content=b"[]")
    opaque = Opaque(dialect="anthropic", kind="container_upload", raw=b'{"type":"container_upload","file_id":"f"}')

    body = sent(user("?", opaque), assistant(call, result, "found"), user("go"))

    assert body["messages"][0]["content"][1] == {"type": "container_upload", "file_id": "f"}
    assert body["messages"][1]["content"] == [
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"q": 1.1}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
        {"type": "text", "text": "found"},
    ]


def test_a_tool_addition_stays_in_its_system_message_whatever_the_model() -> None:
    addition = Opaque(dialect="anthropic", kind="tool_addition", raw=b'{"type":"tool_addition"}')

    body = sent(user("?"), Message(role="system", parts=(addition,)))

    assert body["messages"][1] == {"role": "system", "content": [{"type": "tool_addition"}]}


def test_a_system_prompt_holds_only_text() -> None:
    image = Media(kind="image", source=Url(url="https://x/y"))

    body, losses = render(request(Message(role="system", parts=(image, Text(text="A"))), user("Hi")))

    assert body["system"] == "A"
    assert [loss.pointer for loss in losses] == ["/messages/0/content/0"]


def test_an_empty_system_message_in_the_middle_disappears() -> None:
    body, losses = render(request(user("Hi"), said("system", " "), user("there")), system_turns=True)

    assert len(body["messages"]) == 1
    assert losses == ()


def test_the_input_of_a_custom_tool_goes_out_as_an_object() -> None:
    call = ToolCall(call_id="t1", name="shell", arguments="ls -l", kind="custom")

    assert sent(user("?"), assistant(call), answered("t1"))["messages"][1]["content"][0]["input"] == {"input": "ls -l"}


def test_a_cache_lifetime_that_anthropic_does_not_have_is_left_to_its_default() -> None:
    body = sent(user(Text(text="a", cache=CacheMark(ttl="30d"))))

    assert body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}
