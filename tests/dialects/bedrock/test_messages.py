"""The conversation as Converse takes it."""

import pytest

from setu.chat.parts import HostedCall, HostedResult, Inline, Media, Opaque, Reasoning, Refusal, Text
from setu.chat.request import Message
from setu.chat.seals import CacheMark, Cite, Extra, Seal
from setu.errors import LocalDialectError
from tests.dialects.bedrock.wire import (
    CLAUDE,
    LLAMA,
    NOVA,
    PROFILE,
    WEATHER,
    assistant,
    body,
    call,
    rendered,
    result,
    user,
)

MARK = CacheMark()
POINT = {"cachePoint": {"type": "default"}}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


def test_results_of_two_messages_share_one_user_turn_and_come_first() -> None:
    """B-TOOL-01, B-TOOL-02."""
    made = body(
        user("Go."),
        assistant(call("a"), call("b")),
        Message(role="tool", parts=(result("a", "1"),)),
        user("And?"),
        Message(role="tool", parts=(result("b", "2"),)),
        tools=(WEATHER,),
    )

    turn = made["messages"][2]["content"]
    assert [next(iter(block)) for block in turn] == ["toolResult", "toolResult", "text"]
    assert [block["toolResult"]["toolUseId"] for block in turn[:2]] == ["a", "b"]


def test_system_texts_are_blocks_of_their_own_in_order_with_their_marks() -> None:
    """B-MSG-01."""
    made, losses = rendered(
        user("One."),
        Message(role="system", parts=(Text(text="MID", cache=MARK), Text(text=" "))),
        system=(Text(text="TOP", cache=CacheMark(ttl="1h")),),
    )

    hour = {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert made["system"] == [{"text": "TOP"}, hour, {"text": "MID"}, POINT]
    assert [(loss.pointer, loss.severity) for loss in losses] == [("/messages/1", "info")]


@pytest.mark.parametrize("empty", [(), (Text(text=""),), (Text(text=" \n"),)])
def test_an_assistant_that_says_nothing_is_left_out_and_its_neighbours_merge(empty) -> None:
    """B-MSG-08."""
    made = body(user("One."), Message(role="assistant", parts=empty), user("Two."))

    assert made["messages"] == [{"role": "user", "content": [{"text": "One."}, {"text": "Two."}]}]


@pytest.mark.parametrize("content", [(), ("",), ("\n",)])
def test_a_result_without_words_is_one_block(content) -> None:
    """B-MSG-09."""
    made = body(user("Go."), assistant(call("a")), user(result("a", *content)), tools=(WEATHER,))

    assert made["messages"][2]["content"] == [{"toolResult": {"toolUseId": "a", "content": [{"text": "(no output)"}]}}]


def test_a_result_keeps_each_text_a_block_and_json_a_text() -> None:
    """B-TOOL-07, B-TOOL-26."""
    made = body(user("Go."), assistant(call("a")), user(result("a", "x", '{"": 1}', is_error=True)), tools=(WEATHER,))

    wire = made["messages"][2]["content"][0]["toolResult"]
    assert wire == {"toolUseId": "a", "content": [{"text": "x"}, {"text": '{"": 1}'}], "status": "error"}


def test_an_image_in_a_result_stays_there() -> None:
    image = Media(kind="image", source=Inline(b64=PNG, mime="image/jpeg"))

    made = body(user("Go."), assistant(call("a")), user(result("a", image)), tools=(WEATHER,))

    content = made["messages"][2]["content"][0]["toolResult"]["content"]
    assert content == [{"image": {"format": "png", "source": {"bytes": PNG}}}]


def test_marks_follow_what_they_mark_and_move_with_it() -> None:
    """B-USG-12, B-USG-13."""
    marked = result("a", Text(text="rain", cache=MARK))
    made = body(
        user(Text(text="Go.", cache=MARK)),
        assistant(Text(text="Wait.", cache=MARK), call("a")),
        user(Text(text="Hm.", cache=MARK), marked),
        tools=(WEATHER,),
    )

    assert made["messages"][0]["content"] == [{"text": "Go."}, POINT]
    assert made["messages"][1]["content"][:2] == [{"text": "Wait."}, POINT]
    assert [next(iter(block)) for block in made["messages"][2]["content"]] == [
        "toolResult",
        "cachePoint",
        "text",
        "cachePoint",
    ]


def test_a_mark_of_a_dropped_empty_text_goes_to_the_block_before() -> None:
    """B-MED-11."""
    made = body(user("Go.", Text(text="", cache=MARK)))

    assert made["messages"][0]["content"] == [{"text": "Go."}, POINT]


def test_models_without_a_prompt_cache_get_no_marks() -> None:
    made = body(user(Text(text="Go.", cache=MARK)), model=LLAMA)

    assert made["messages"][0]["content"] == [{"text": "Go."}]


def test_ids_are_bounded_alike_for_call_and_result() -> None:
    """B-TOOL-23, B-TOOL-24."""
    odd = "call/" + "x" * 100

    made = body(user("Go."), assistant(call(odd)), user(result(odd, "1")), tools=(WEATHER,))

    used = made["messages"][1]["content"][0]["toolUse"]["toolUseId"]
    assert used == made["messages"][2]["content"][0]["toolResult"]["toolUseId"]
    assert len(used) <= 64


def test_arguments_are_spliced_as_written_and_what_is_no_object_is_a_loss() -> None:
    made, losses = rendered(
        user("Go."),
        assistant(call("a", '{"n": 1.10}'), call("b", '{"cut')),
        user(result("a", "1"), result("b", "2")),
        tools=(WEATHER,),
    )

    inputs = [block["toolUse"]["input"] for block in made["messages"][1]["content"]]
    assert inputs == [{"n": 1.10}, {}]
    assert [loss.pointer for loss in losses] == ["/messages/1/content/1"]


def test_a_call_in_two_spellings_is_sent_once() -> None:
    """B-MSG-11."""
    made = body(user("Go."), assistant(call("a"), call("a")), user(result("a", "1")), tools=(WEATHER,))

    assert len(made["messages"][1]["content"]) == 1


SIGNED = Reasoning(text=("I think.",), seal=Seal(issuer="anthropic", kind="signature", data="c2ln"))
HIDDEN = Reasoning(redacted=True, seal=Seal(issuer="anthropic", kind="redacted", data="EmwK"))


@pytest.mark.parametrize("model", [CLAUDE, PROFILE])
def test_claude_gets_back_its_thinking_with_signature_and_redacted(model) -> None:
    made = body(user("Go."), assistant(SIGNED, HIDDEN, "So."), user("On."), model=model)

    assert made["messages"][1]["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "I think.", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "RW13Sw=="}},
        {"text": "So."},
    ]


@pytest.mark.parametrize(
    ("model", "part"),
    [
        (NOVA, SIGNED),
        (CLAUDE, Reasoning(text=("x",))),
        (CLAUDE, Reasoning(seal=Seal(issuer="gemini", kind="signature", data="x"))),
    ],
)
def test_thinking_that_the_model_cannot_check_is_left_out_with_an_info(model, part) -> None:
    made, losses = rendered(user("Go."), assistant(part, "So."), user("On."), model=model)

    assert made["messages"][1]["content"] == [{"text": "So."}]
    assert [loss.severity for loss in losses] == ["info"]


def test_space_at_the_very_end_of_a_prefill_is_stripped_and_only_there() -> None:
    """B-MSG-13."""
    made = body(user("Go. "), assistant("One ", "Two "))

    assert made["messages"][0]["content"] == [{"text": "Go. "}]
    assert made["messages"][1]["content"] == [{"text": "One "}, {"text": "Two"}]


def test_own_blocks_and_citations_go_back_as_they_came() -> None:
    cite = Cite(kind="documentChar", dialect="bedrock", raw=b'{"title":"T"}')
    opaque = Opaque(dialect="bedrock", kind="guardContent", raw=b'{"guardContent":{"text":{"text":"x"}}}')

    made = body(user(opaque), assistant(Text(text="A", cites=(cite,)), Refusal(text="No.")), user("On."))

    assert made["messages"][0]["content"] == [{"guardContent": {"text": {"text": "x"}}}]
    assert made["messages"][1]["content"] == [
        {"citationsContent": {"content": [{"text": "A"}], "citations": [{"title": "T"}]}},
        {"text": "No."},
    ]


def test_a_hosted_call_and_its_result_go_back() -> None:
    hosted = HostedCall(call_id="h", tool="server_tool_use", dialect="bedrock", name="calc", arguments=b'{"a":1}')
    answer = HostedResult(call_id="h", tool="calc_result", dialect="bedrock", content=b'[{"text":"2"}]', is_error=False)

    made = body(user("Go."), assistant(hosted, answer, "Two."), user("On."))

    assert made["messages"][1]["content"][:2] == [
        {"toolUse": {"toolUseId": "h", "name": "calc", "input": {"a": 1}, "type": "server_tool_use"}},
        {"toolResult": {"toolUseId": "h", "content": [{"text": "2"}], "type": "calc_result", "status": "success"}},
    ]


def test_what_only_another_dialect_knows_is_a_loss_each() -> None:
    foreign = Opaque(dialect="anthropic", kind="container", raw=b"{}")
    cited = Text(
        text="x",
        cites=(Cite(kind="url_citation", dialect="openai_chat"),),
        extra=Extra(dialect="gemini", members={"a": b"1"}),
    )
    message = Message(
        role="user", parts=(foreign, cited), name="ann", extra=Extra(dialect="openai_chat", members={"z": b"1"})
    )

    _, losses = rendered(message)

    assert [loss.pointer for loss in losses] == [
        "/messages/0/content/0",
        "/messages/0/content/1",
        "/messages/0/content/1/a",
        "/messages/0/name",
        "/messages/0/z",
    ]


def test_media_of_an_assistant_are_a_loss_and_its_transcript_stays() -> None:
    spoken = Media(kind="audio", source=Inline(b64="AAAA", mime="audio/wav"), transcript="Hello.")

    made, losses = rendered(user("Go."), assistant(spoken), user("On."))

    assert made["messages"][1]["content"] == [{"text": "Hello."}]
    assert len(losses) == 1


def test_a_request_without_a_user_is_refused() -> None:
    with pytest.raises(LocalDialectError, match="at least one message"):
        rendered(Message(role="system", parts=(Text(text="x"),)))
