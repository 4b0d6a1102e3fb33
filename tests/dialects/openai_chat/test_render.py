"""Writing requests for chat hosts, from any dialect's model."""

from typing import Any

import msgspec
import pytest

from setu.chat.parts import (
    AnyPart,
    Blocks,
    HostedCall,
    Inline,
    Media,
    Opaque,
    Plain,
    Reasoning,
    Ref,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Url,
)
from setu.chat.request import (
    ChatRequest,
    Message,
)
from setu.chat.seals import CacheMark, Cite, Extra, Seal
from setu.errors import LocalDialectError
from tests.dialects.openai_chat.wire import messages, parse, render, rendered

PNG = Media(kind="image", source=Inline(b64="AAAA", mime="image/png"))
PNG_WIRE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
SEAL = Seal(issuer="anthropic", kind="signature", data="sig")


def says(role: Any, *parts: AnyPart, **members: Any) -> Message:
    return Message(role=role, parts=parts, **members)


def chat(*history: Message, **members: Any) -> ChatRequest:
    return ChatRequest(model="x", messages=history or (says("user", Text(text="hi")),), **members)


def made(identity: str = "a", **members: Any) -> ToolCall:
    return ToolCall(**({"call_id": identity, "name": "f", "arguments": "{}"} | members))


def lost(request: ChatRequest, *capabilities: str) -> list[str]:
    return [loss.pointer for loss in render(request, *capabilities).losses]


def test_the_system_prompt_becomes_one_message() -> None:
    """B-MSG-03."""
    request = chat(system=(Text(text="a", cache=CacheMark(ttl="1h")), Text(text="b")))

    assert messages(request)[0] == {"role": "system", "content": "a\nb"}
    assert lost(request) == ["/system/0/cache"]
    assert messages(request, "cache_control")[0]["content"] == [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "b"},
    ]
    assert [m["role"] for m in messages(chat(system=(Text(text=""),)))] == ["user"]


def test_results_follow_their_calls_each_in_a_message() -> None:
    """B-TOOL-01, B-ANT-07: an Anthropic user turn of results and text becomes tool messages and a user message."""
    request = chat(
        says("assistant", made("a"), made("b")),
        says(
            "user",
            ToolResult(call_id="a", content=(Text(text="1"),)),
            ToolResult(call_id="b", content=()),
            Text(text="go"),
        ),
    )

    assert messages(request) == [
        {"role": "assistant", "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "b", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        ], "content": None},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": ""},
        {"role": "user", "content": "go"},
    ]  # fmt: skip


def test_images_of_results_wait_for_the_last_result() -> None:
    """B-TOOL-08."""
    request = chat(
        says("assistant", made("a"), made("b")),
        says("user", ToolResult(call_id="a", content=(Text(text="see"), PNG)), ToolResult(call_id="b", content=(PNG,))),
        says("assistant", Text(text="ok")),
    )

    assert [(m["role"], m["content"]) for m in messages(request)[1:]] == [
        ("tool", "see"), ("tool", ""), ("user", [PNG_WIRE, PNG_WIRE]), ("assistant", "ok")
    ]  # fmt: skip
    assert messages(request, "tool_media")[2]["content"] == [PNG_WIRE]


def test_images_of_results_join_the_users_next_words() -> None:
    request = chat(
        says("assistant", made()), says("user", ToolResult(call_id="a", content=(PNG,)), Text(text="what is it?"))
    )

    assert messages(request)[2] == {"role": "user", "content": [PNG_WIRE, {"type": "text", "text": "what is it?"}]}


def test_media_of_results_at_the_end_are_not_forgotten() -> None:
    request = chat(says("assistant", made()), says("tool", ToolResult(call_id="a", content=(PNG,), is_error=True)))

    assert [m["role"] for m in messages(request)] == ["assistant", "tool", "user"]
    assert lost(request) == ["/messages/1/content/0/is_error"]


def test_items_of_one_turn_join() -> None:
    """A Responses turn: thinking, words and two calls, each an envelope of its own."""
    request = chat(
        says("assistant", Reasoning(text=("hm",))),
        says("assistant", Text(text="I look.")),
        says("assistant", made("a")),
        says("assistant", made("b")),
        says("assistant", Text(text="next")),
    )

    first, *rest = messages(request, "reasoning_content")

    assert (first["reasoning_content"], first["content"]) == ("hm", "I look.")
    assert [item["id"] for item in first["tool_calls"]] == ["a", "b"]
    assert rest == [{"role": "assistant", "content": "next"}]


def test_thinking_alone_is_no_message_where_it_is_not_taken() -> None:
    """B-MSG-17."""
    request = chat(says("user", Text(text="a")), says("assistant", Reasoning(text=("hm",), seal=SEAL)))

    assert [m["role"] for m in messages(request)] == ["user"]
    assert lost(request) == ["/messages/1/content/0"]


def test_thinking_goes_back_in_the_form_that_the_host_takes() -> None:
    request = chat(says("assistant", Reasoning(text=("hm",), seal=SEAL), Text(text="x")))

    assert "reasoning_content" not in messages(request)[0]
    assert messages(request, "reasoning_content")[0]["reasoning_content"] == "hm"
    assert messages(request, "reasoning_content", "reasoning_details")[0]["reasoning_details"] == [
        {"type": "reasoning.text", "text": "hm", "signature": "sig", "format": "anthropic-claude-v1", "index": 0}
    ]
    assert messages(request, "thinking_parts")[0]["content"][0] == {
        "type": "thinking", "thinking": [{"type": "text", "text": "hm"}]
    }  # fmt: skip


def test_thinking_without_words_is_no_part() -> None:
    request = chat(says("assistant", Reasoning(seal=SEAL), Text(text="x")))

    assert messages(request, "thinking_parts") == [{"role": "assistant", "content": "x"}]
    assert lost(request, "thinking_parts") == ["/messages/0/content/0"]


def test_joined_turns_number_their_details_anew() -> None:
    sealed = Reasoning(text=("hm",), seal=SEAL)
    request = chat(says("assistant", sealed), says("assistant", sealed, Text(text="x")))

    details = messages(request, "reasoning_details")[0]["reasoning_details"]

    assert [detail["index"] for detail in details] == [0, 1]


def test_the_same_call_is_not_written_twice() -> None:
    """B-MSG-11."""
    request = chat(says("assistant", made("a"), made("a")))

    assert len(messages(request)[0]["tool_calls"]) == 1
    assert lost(request) == ["/messages/0/content/1"]


@pytest.mark.parametrize(("capability", "length"), [("tool_id_9", 9), ("", 40)])
def test_long_ids_are_bounded_the_same_for_call_and_result(capability: str, length: int) -> None:
    """B-TOOL-22, B-TOOL-23."""
    identity = "call_" + "x" * 900
    request = chat(says("assistant", made(identity)), says("tool", ToolResult(call_id=identity, content=())))

    call, result = messages(request, capability)

    assert call["tool_calls"][0]["id"] == result["tool_call_id"]
    assert len(result["tool_call_id"]) <= length


def test_a_signature_of_google_travels_with_its_text() -> None:
    """B-THK-04."""
    request = chat(says("assistant", Text(text="42", seal=Seal(issuer="gemini", kind="signature", data="s"))))

    assert messages(request, "extra_content")[0] == {
        "role": "assistant",
        "content": "42",
        "extra_content": {"google": {"thought_signature": "s"}},
    }
    assert lost(request, "extra_content") == []
    assert lost(request) == ["/messages/0/content/0/seal"]


def test_a_signature_of_google_travels_with_its_call() -> None:
    """B-THK-02."""
    request = chat(says("assistant", made(seal=Seal(issuer="gemini", kind="signature", data="s"))))

    assert messages(request, "extra_content")[0]["tool_calls"][0]["extra_content"] == {
        "google": {"thought_signature": "s"}
    }
    assert lost(request) == ["/messages/0/content/0/seal"]


@pytest.mark.parametrize(
    ("part", "capabilities", "wire"),
    [
        (Media(kind="image", source=Url(url="https://x.test/a"), detail="low"), (), {"type": "image_url", "image_url": {"url": "https://x.test/a", "detail": "low"}}),
        (Media(kind="audio", source=Inline(b64="A", mime="audio/mp3")), (), {"type": "input_audio", "input_audio": {"data": "A", "format": "mp3"}}),
        (Media(kind="audio", source=Inline(b64="A", mime="audio/ogg;codecs=opus")), (), {"type": "input_audio", "input_audio": {"data": "A", "format": "ogg"}}),
        (Media(kind="document", source=Inline(b64="A", mime="application/pdf"), name="a.pdf"), (), {"type": "file", "file": {"file_data": "data:application/pdf;base64,A", "filename": "a.pdf"}}),
        (Media(kind="document", source=Ref(issuer="openai_chat", id="f")), (), {"type": "file", "file": {"file_id": "f"}}),
        (Media(kind="document", source=Url(url="https://x.test/a.pdf")), ("file_url",), {"type": "file", "file": {"file_data": "https://x.test/a.pdf"}}),
        (Media(kind="document", source=Url(url="https://x.test/a.pdf"), name="a"), ("document_url",), {"type": "document_url", "document_url": "https://x.test/a.pdf", "document_name": "a"}),
        (Media(kind="document", source=Plain(text="words")), (), {"type": "text", "text": "words"}),
        (Media(kind="video", source=Url(url="https://x.test/v")), ("video_url",), {"type": "video_url", "video_url": {"url": "https://x.test/v"}}),
        (Media(kind="document", source=Blocks(parts=(Text(text="b"),))), (), {"type": "text", "text": "b"}),
        (Refusal(text="no"), (), {"type": "refusal", "refusal": "no"}),
        (Opaque(dialect="openai_chat", kind="n", raw=b'{"type":"n"}'), (), {"type": "n"}),
    ],
)  # fmt: skip
def test_a_part_takes_its_wire_form(part: AnyPart, capabilities: tuple[str, ...], wire: dict[str, Any]) -> None:
    request = chat(says("user", part, Text(text="and")))

    assert messages(request, *capabilities)[0]["content"][0] == wire
    assert lost(request, *capabilities) == []


@pytest.mark.parametrize(
    "part",
    [
        Media(kind="audio", source=Url(url="https://x.test/a")),
        Media(kind="video", source=Url(url="https://x.test/a")),
        Media(kind="document", source=Url(url="https://x.test/a")),
        Media(kind="image", source=Ref(issuer="openai_chat", id="f")),
        Media(kind="document", source=Ref(issuer="gemini", id="f")),
        HostedCall(call_id="h", tool="web_search", dialect="anthropic"),
        Opaque(dialect="anthropic", kind="n", raw=b"{}"),
    ],
)
def test_a_part_that_cannot_be_said_is_a_loss_and_never_an_empty_turn(part: AnyPart) -> None:
    """B-MED-03, B-MED-05."""
    request = chat(says("user", part), says("user", Text(text="a")))

    assert lost(request) == ["/messages/0/content/0"]
    assert messages(request) == [{"role": "user", "content": "a"}]


def test_fetched_media_stand_in_for_their_addresses() -> None:
    part = Media(kind="document", source=Url(url="https://x.test/a"))
    fetched = {"https://x.test/a": Inline(b64="AAAA", mime="application/pdf")}

    out = render(chat(says("user", part)), media=fetched)

    assert b"data:application/pdf;base64,AAAA" in out.body
    assert out.losses == ()


def test_what_chat_cannot_ask_of_a_document_is_lost() -> None:
    part = Media(kind="document", source=Plain(text="w"), cited=True, context="c", clip=b"{}")

    assert lost(chat(says("user", part))) == ["/messages/0/content/0"] * 3


def test_extras_of_another_dialect_are_a_loss_each() -> None:
    foreign = Extra(dialect="anthropic", members={"a": b"1", "b": b"2"})
    request = chat(says("user", Text(text="x", extra=foreign)), extra=foreign)

    assert lost(request) == ["/messages/0/content/0/a", "/messages/0/content/0/b", "/a", "/b"]
    assert rendered(request).keys() == {"model", "messages"}


def test_own_extras_go_back_where_they_stood() -> None:
    request = parse(
        {"role": "user", "content": "x", "odd": 1},
        novelty=[1.5],
        tools=[{"type": "function", "function": {"name": "f", "odd": 2}, "odd": 3}],
    )

    wire = rendered(request)

    assert (wire["messages"][0]["odd"], wire["novelty"]) == (1, [1.5])
    assert wire["tools"] == [{"type": "function", "function": {"name": "f", "odd": 2}, "odd": 3}]


def test_marks_of_citations_and_late_text_are_said() -> None:
    cited = Text(text="b", cites=(Cite(kind="char_location", dialect="anthropic"),), seal=SEAL)
    request = chat(says("assistant", made(), cited, PNG))

    assert lost(request) == [
        "/messages/0/content/1/cites",
        "/messages/0/content/1",
        "/messages/0/content/1/seal",
        "/messages/0/content/2",
    ]


def test_a_developer_is_the_system_to_a_host_that_does_not_know_the_role() -> None:
    request = chat(says("developer", Text(text="d")))

    assert messages(request)[0]["role"] == "system"
    assert messages(request, "developer")[0]["role"] == "developer"


def test_text_that_is_not_unicode_is_refused() -> None:
    with pytest.raises(LocalDialectError, match="surrogate"):
        render(chat(says("user", Text(text="\ud83d"))))


def test_rendering_changes_nothing_and_repeats() -> None:
    request = parse({"role": "user", "content": "x"}, novelty=1)
    copy = msgspec.structs.replace(request)

    assert render(request) == render(request)
    assert request == copy
