"""What Cohere and Ollama share: the order of a history, and what has no place in it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.parts import (
    AnyPart,
    Blocks,
    HostedCall,
    Inline,
    Media,
    Plain,
    Reasoning,
    Ref,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Url,
)
from setu.chat.request import ChatRequest, Message
from setu.chat.seals import CacheMark, Cite, Extra, Seal
from setu.dialects.cohere.codec import DIALECT as COHERE
from setu.dialects.ollama.codec import DIALECT as OLLAMA
from setu.dialects.record import Dialect, Rendered, Target
from setu.errors import LocalDialectError

IMAGE = Media(kind="image", source=Inline(b64="AAAA", mime="image/png"))
CALL = ToolCall(call_id="a", name="f", arguments="{}")
both = pytest.mark.parametrize("dialect", [COHERE, OLLAMA], ids=lambda dialect: dialect.name)


def rendered(dialect: Dialect, *turns: tuple[Any, AnyPart | tuple[AnyPart, ...]]) -> Rendered:
    messages = tuple(Message(role=role, parts=parts if isinstance(parts, tuple) else (parts,)) for role, parts in turns)
    return dialect.upstream["chat"].render_request(ChatRequest(model="m", messages=messages), Target(model="m"))


def sent(dialect: Dialect, *turns: tuple[Any, AnyPart | tuple[AnyPart, ...]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(rendered(dialect, *turns).body)["messages"]
    return found


def lost(dialect: Dialect, *turns: tuple[Any, AnyPart | tuple[AnyPart, ...]]) -> set[str]:
    return {loss.pointer for loss in rendered(dialect, *turns).losses}


@both
def test_the_parts_of_neighbouring_assistant_messages_are_one_turn(dialect: Dialect) -> None:
    messages = sent(
        dialect, ("assistant", Text(text="So")), ("assistant", CALL), ("tool", ToolResult(call_id="a", content=()))
    )

    assert [message["role"] for message in messages] == ["assistant", "tool"]
    assert (messages[0]["content"], len(messages[0]["tool_calls"])) == ("So", 1)


@both
def test_a_call_that_stands_twice_is_made_once(dialect: Dialect) -> None:
    (turn, _) = sent(dialect, ("assistant", (CALL, CALL)), ("tool", ToolResult(call_id="a", content=())))

    assert len(turn["tool_calls"]) == 1


@both
def test_images_of_results_wait_for_the_last_result_and_then_a_user_shows_them(dialect: Dialect) -> None:
    other = ToolCall(call_id="b", name="f", arguments="{}")
    results = [("tool", ToolResult(call_id=identity, content=(Text(text="ok"), IMAGE))) for identity in ("a", "b")]

    messages = sent(dialect, ("assistant", (CALL, other)), *results)

    assert [message["role"] for message in messages] == ["assistant", "tool", "tool", "user"]
    assert json.dumps(messages[-1]).count("AAAA") == 2


@both
def test_a_result_that_answers_no_call_is_refused(dialect: Dialect) -> None:
    with pytest.raises(LocalDialectError, match="answers no tool call"):
        rendered(dialect, ("tool", ToolResult(call_id="nobody", content=())))


@both
@pytest.mark.parametrize(
    ("part", "word"),
    [
        (Media(kind="video", source=Inline(b64="AAAA", mime="video/mp4")), "is video"),
        (Media(kind="audio", source=Url(url="https://x.test/a.wav")), "is audio"),
        (Media(kind="image", source=Ref(issuer="openai_chat", id="f")), "cannot read"),
    ],
)
def test_media_that_cannot_be_read_are_refused_with_their_place(dialect: Dialect, part: Media, word: str) -> None:
    with pytest.raises(LocalDialectError, match=word) as refused:
        rendered(dialect, ("user", (Text(text="x"), part)))

    assert (refused.value.param, refused.value.code) == ("messages[0].content[1]", "unsupported_media")


@both
@pytest.mark.parametrize(
    ("role", "part", "place"),
    [
        ("user", Text(text="x", cache=CacheMark()), "/cache"),
        ("assistant", Text(text="x", seal=Seal(issuer="gemini", kind="signature", data="s")), "/seal"),
        ("assistant", Text(text="x", cites=(Cite(kind="k", dialect="anthropic"),)), "/cites"),
        ("user", Text(text="x", extra=Extra(dialect="anthropic", members={"odd": b"1"})), "/odd"),
        ("assistant", IMAGE, ""),
        ("assistant", Reasoning(text=("hm",), seal=Seal(issuer="anthropic", kind="signature", data="s")), ""),
        ("assistant", HostedCall(call_id="h", tool="web_search", dialect="anthropic", name="search"), ""),
    ],
)
def test_what_has_no_place_is_a_loss_with_its_pointer(dialect: Dialect, role: str, part: AnyPart, place: str) -> None:
    assert f"/messages/0/content/0{place}" in lost(dialect, (role, part), ("user", Text(text="y")))


@both
def test_an_error_and_a_name_are_said_to_be_lost(dialect: Dialect) -> None:
    failed = ToolResult(call_id="a", content=(Text(text="no"),), is_error=True)

    assert "/messages/1/content/0/is_error" in lost(dialect, ("assistant", CALL), ("tool", failed))


@both
def test_blocks_of_a_document_are_content_like_any_other(dialect: Dialect) -> None:
    blocks = Media(kind="document", source=Blocks(parts=(Text(text="one"), Refusal(text="two"))))

    assert "one" in json.dumps(sent(dialect, ("user", blocks)))
    assert "two" in json.dumps(sent(dialect, ("user", blocks)))


def test_a_text_document_is_text_to_ollama_and_a_document_to_cohere() -> None:
    document = Media(kind="document", source=Plain(text="long"), name="a.txt")

    (message,) = sent(OLLAMA, ("user", document))
    body = json.loads(rendered(COHERE, ("user", (document, Text(text="?")))).body)

    assert message["content"] == "long"
    assert body["documents"] == [{"data": {"text": "long", "title": "a.txt"}}]


@both
@given(texts=st.lists(st.text("ab", min_size=1), min_size=1, max_size=4))
def test_every_text_of_a_user_arrives_in_order(dialect: Dialect, texts: list[str]) -> None:
    (message,) = sent(dialect, ("user", tuple(Text(text=text) for text in texts)))

    content = message["content"]
    said = content if isinstance(content, str) else "\n".join(item["text"] for item in content)
    assert said == "\n".join(texts)
