"""Conversations of any dialect as Gemini's contents."""

import json
from typing import Any

import pytest

from setu.chat.parts import (
    AnyPart,
    Blocks,
    HostedCall,
    Inline,
    Media,
    MediaSource,
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
from setu.chat.request import ChatRequest, Message, Role
from setu.chat.seals import CacheMark, Extra, Seal
from setu.dialects.gemini.messages import UNSIGNED, needs_signatures
from setu.dialects.gemini.request import render_request
from setu.dialects.record import Rendered, Target
from setu.errors import LocalDialectError
from tests.dialects.gemini.oracle import check_request


def said(role: Role, *parts: AnyPart | str, **fields: Any) -> Message:
    texts = tuple(Text(text=part) if isinstance(part, str) else part for part in parts)
    return Message(role=role, parts=texts, **fields)


def render(
    *messages: Message, model: str = "gemini-2.5-flash", system: tuple[AnyPart, ...] = (), **target: Any
) -> Rendered:
    request = ChatRequest(model="m", messages=messages, system=system)
    rendered = render_request(request, Target(model=model, **target))
    check_request(rendered.body)
    return rendered


def contents(*messages: Message, **target: Any) -> list[tuple[str, list[Any]]]:
    body = json.loads(render(*messages, **target).body)
    return [(content["role"], content["parts"]) for content in body["contents"]]


def call(call_id: str, name: str, arguments: str = "{}", seal: Seal | None = None) -> ToolCall:
    return ToolCall(call_id=call_id, name=name, arguments=arguments, seal=seal)


def answer(call_id: str, *content: AnyPart, text: str | None = None) -> ToolResult:
    return ToolResult(call_id=call_id, content=content or (Text(text=text or call_id),))


PICTURE = Media(kind="image", source=Inline(b64="AAAA", mime="image/png"))


def test_all_system_prompts_stand_in_order_in_one_instruction() -> None:  # B-MSG-05, B-MSG-06
    rendered = render(
        said("system", "a"), said("developer", "b"), said("user", "hi"), said("system", "c"), system=(Text(text="top"),)
    )

    body = json.loads(rendered.body)

    assert body["systemInstruction"] == {"parts": [{"text": "top"}, {"text": "a"}, {"text": "b"}, {"text": "c"}]}
    assert [loss.pointer for loss in rendered.losses] == ["/messages/3"]


def test_a_request_with_only_a_system_prompt_gets_an_empty_user_turn() -> None:  # B-MSG-04
    rendered = render(said("system", "a"))

    assert json.loads(rendered.body)["contents"] == [{"role": "user", "parts": [{"text": ""}]}]
    assert [loss.severity for loss in rendered.losses] == ["info"]


def test_a_request_with_nothing_in_it_is_refused() -> None:
    with pytest.raises(LocalDialectError) as caught:
        render()

    assert caught.value.param == "messages"


def test_a_conversation_that_the_assistant_starts_gets_a_user_turn_first() -> None:
    assert contents(said("assistant", "hi"), said("user", "x"))[0] == ("user", [{"text": ""}])


def test_a_billing_header_stays_with_anthropic() -> None:  # B-MSG-19
    body = json.loads(
        render(said("user", "hi"), system=(Text(text="x-anthropic-billing-header: a"), Text(text="b"))).body
    )

    assert body["systemInstruction"] == {"parts": [{"text": "b"}]}


def test_neighbours_of_one_role_merge_and_empty_texts_vanish() -> None:
    assert contents(said("user", "a"), said("user", "", "b"), said("assistant", "c"), said("assistant", "d")) == [
        ("user", [{"text": "a"}, {"text": "b"}]),
        ("model", [{"text": "c"}, {"text": "d"}]),
    ]


def test_parallel_results_are_one_content_in_the_order_of_the_calls() -> None:  # B-TOOL-04, B-TOOL-05
    found = contents(
        said("user", "hi"),
        said("assistant", call("1", "f"), call("2", "g"), call("3", "f")),
        said("tool", answer("3")),
        said("tool", answer("1")),
        said("tool", answer("2")),
        said("user", "and?"),
    )

    assert found[2] == (
        "user",
        [
            {"functionResponse": {"id": "1", "name": "f", "response": {"result": 1}}},
            {"functionResponse": {"id": "2", "name": "g", "response": {"result": 2}}},
            {"functionResponse": {"id": "3", "name": "f", "response": {"result": 3}}},
            {"text": "and?"},
        ],
    )


def test_a_result_is_named_by_its_own_name_when_the_call_is_gone() -> None:
    result = ToolResult(call_id="x", name="f", content=(Text(text="a"),))

    assert contents(said("tool", result))[0][1][0]["functionResponse"]["name"] == "f"


def test_an_id_used_twice_means_the_later_call() -> None:  # corpus: pydantic-ai-5ef5f0f9d2
    found = contents(
        said("user", "hi"),
        said("assistant", call("1", "f")),
        said("tool", answer("1")),
        said("assistant", call("1", "g")),
        said("tool", answer("1")),
    )

    assert [found[n][1][0]["functionResponse"]["name"] for n in (2, 4)] == ["f", "g"]


def test_a_result_nobody_can_name_is_refused() -> None:
    with pytest.raises(LocalDialectError) as caught:
        render(said("tool", answer("x")))

    assert caught.value.param == "messages[0].content[0]"


@pytest.mark.parametrize(
    ("arguments", "args", "losses"),
    [
        ('{"a": 12345678901234567890, "b": 1.10}', '{"a": 12345678901234567890, "b": 1.10}', 0),
        ("", "{}", 0),
        (" ", "{}", 0),
        ('{"a":', "{}", 1),
        ("[1]", "{}", 1),
    ],
)
def test_arguments_are_spliced_as_they_are_or_become_an_empty_object(
    arguments: Any, args: Any, losses: Any
) -> None:  # B-TOOL-11
    rendered = render(said("user", "hi"), said("assistant", call("1", "f", arguments)))

    assert f'"args":{args}'.encode() in rendered.body
    assert len(rendered.losses) == losses


def test_a_free_text_call_travels_as_one_argument() -> None:
    custom = ToolCall(call_id="1", name="f", arguments="SELECT 1", kind="custom")

    assert contents(said("user", "hi"), said("assistant", custom))[1][1][0]["functionCall"]["args"] == {
        "input": "SELECT 1"
    }


def test_pictures_in_results_go_inside_for_gemini_3_and_behind_before_it() -> None:
    turns = (
        said("user", "hi"),
        said("assistant", call("1", "f")),
        said("tool", answer("1", Text(text="see"), PICTURE)),
    )
    wire = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}

    old, new = contents(*turns)[2][1], contents(*turns, model="gemini-3-pro")[2][1]

    assert old[1:] == [wire]
    assert new[0]["functionResponse"]["parts"] == [wire]
    assert len(new) == 1


def signatures(*calls: ToolCall, **target: Any) -> list[str | None]:
    _, parts = contents(said("user", "hi"), said("assistant", *calls), **target)[1]
    return [part.get("thoughtSignature") for part in parts]


OWN = Seal(issuer="gemini", kind="signature", data="b3du")
FOREIGN = Seal(issuer="anthropic", kind="signature", data="eHg=")


def test_a_call_carries_its_own_signature_before_any_stored_one() -> None:  # B-THK-01
    stored = {"1": Seal(issuer="gemini", kind="signature", data="c3RvcmVk")}

    assert signatures(call("1", "f", seal=OWN), seals=stored) == ["b3du"]
    assert signatures(call("1", "f"), seals=stored) == ["c3RvcmVk"]
    assert signatures(call("1", "f", seal=FOREIGN), seals=stored) == ["c3RvcmVk"]


def test_an_unsigned_call_gets_the_documented_dummy_for_gemini_3_only() -> None:  # B-THK-02
    assert signatures(call("1", "f"), call("2", "g"), model="gemini-3-pro") == [UNSIGNED, None]
    assert signatures(call("1", "f"), model="gemini-2.5-pro") == [None]


def test_a_foreign_signature_is_never_sent() -> None:
    rendered = render(said("user", "hi"), said("assistant", call("1", "f", seal=FOREIGN)))

    assert b"eHg=" not in rendered.body
    assert [loss.severity for loss in rendered.losses] == ["info"]


@pytest.mark.parametrize(
    ("model", "needed"),
    [
        ("gemini-3-pro-preview", True),
        ("models/gemini-3.5-flash", True),
        ("gemini-10-pro", True),
        ("gemini-2.5-flash", False),
        ("gemini-1.5-pro", False),
        ("gemini-flash-latest", False),
        ("gemma-3-27b-it", False),
    ],
)
def test_signatures_are_a_matter_of_gemini_3_and_later(model: Any, needed: Any) -> None:
    assert needs_signatures(model) is needed


def test_only_geminis_own_thoughts_go_back_to_gemini() -> None:
    own = Reasoning(text=("mine",), seal=OWN)

    rendered = render(said("user", "hi"), said("assistant", own, Reasoning(text=("theirs",)), "x"))

    assert json.loads(rendered.body)["contents"][1]["parts"] == [
        {"text": "mine", "thought": True, "thoughtSignature": "b3du"},
        {"text": "x"},
    ]
    assert [(loss.pointer, loss.severity) for loss in rendered.losses] == [("/messages/1/content/1", "info")]


def test_an_empty_signed_text_goes_back() -> None:  # B-THK-04
    assert contents(said("user", "hi"), said("assistant", "x", Text(text="", seal=OWN)))[1][1] == [
        {"text": "x"},
        {"text": "", "thoughtSignature": "b3du"},
    ]


@pytest.mark.parametrize(
    ("source", "wire"),
    [
        (Inline(b64="AAAA", mime="image/png"), {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
        # B-MED-02: the registered name of the type.
        (Inline(b64="AAAA", mime="image/jpg"), {"inlineData": {"mimeType": "image/jpeg", "data": "AAAA"}}),
        (Plain(text="abc"), {"inlineData": {"mimeType": "text/plain", "data": "YWJj"}}),
        (Url(url="gs://b/c"), {"fileData": {"fileUri": "gs://b/c"}}),
        (Url(url="https://youtu.be/x"), {"fileData": {"fileUri": "https://youtu.be/x"}}),
        (Url(url="https://e.com/a", mime="a/b"), {"fileData": {"fileUri": "https://e.com/a", "mimeType": "a/b"}}),
        (Url(url="https://e.com/known"), {"inlineData": {"mimeType": "image/gif", "data": "R0lG"}}),
        (Ref(issuer="gemini", id="files/x"), {"fileData": {"fileUri": "files/x"}}),
        (Blocks(parts=(Text(text="in"),)), {"text": "in"}),
    ],
)
def test_media_are_sent_from_where_gemini_can_read_them(source: Any, wire: Any) -> None:  # B-MED-03, B-MED-04
    media = {"https://e.com/known": Inline(b64="R0lG", mime="image/gif")}

    assert contents(said("user", Media(kind="image", source=source)), media=media) == [("user", [wire])]


@pytest.mark.parametrize(
    "source",
    [
        Url(url="https://e.com/a.png"),
        Ref(issuer="openai_chat", id="file-1"),
        Inline(b64="AAAA", mime="image/svg+xml"),
    ],
)
def test_media_out_of_geminis_reach_are_refused_by_place(source: MediaSource) -> None:
    with pytest.raises(LocalDialectError) as caught:
        render(said("user", "see", Media(kind="image", source=source)))

    assert caught.value.param == "messages[0].content[1]"


def test_what_has_no_place_in_gemini_is_a_loss_each() -> None:
    rendered = render(
        said(
            "user",
            Text(text="a", cache=CacheMark(), extra=Extra(dialect="anthropic", members={"k": b"1"})),
            Media(kind="image", source=Inline(b64="AAAA", mime="image/png"), detail="high"),
            name="bob",
            extra=Extra(dialect="openai_chat", members={"weight": b"1"}),
        ),
        said(
            "assistant",
            Opaque(dialect="anthropic", kind="compaction", raw=b"{}"),
            HostedCall(call_id="h", tool="web_search", dialect="anthropic"),
            Refusal(text="no"),
        ),
    )

    assert json.loads(rendered.body)["contents"][1]["parts"] == [{"text": "no"}]
    assert [(loss.pointer, loss.severity) for loss in rendered.losses] == [
        ("/messages/0/name", "info"),
        ("/messages/0/weight", "info"),
        ("/messages/0/content/0", "info"),
        ("/messages/0/content/0/k", "info"),
        ("/messages/0/content/1", "info"),
        ("/messages/1/content/0", "warn"),
        ("/messages/1/content/1", "warn"),
    ]
