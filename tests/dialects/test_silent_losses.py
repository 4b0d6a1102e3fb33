"""What a target has no place for is named, where real traffic showed that it was left out without a word."""

import json
from typing import Any

import pytest

from setu.chat.parts import HostedCall, Media, Opaque, Plain, Text, ToolCall, ToolResult, Url
from setu.chat.request import ChatRequest, FunctionTool, Message, Options, Output
from setu.chat.seals import CacheMark, Extra, Seal
from setu.dialects.record import Rendered, Target
from setu.dialects.registry import DIALECTS
from setu.errors import LocalDialectError

CALL = ToolCall(call_id="c1", name="look", arguments="{}", seal=Seal(issuer="gemini", kind="signature", data="c2ln"))
USER = Message(role="user", parts=(Text(text="Hi."),))


def rendered(target: str, *messages: Message, model: str = "m", **members: Any) -> Rendered:
    request = ChatRequest(model="m", messages=messages or (USER,), **members)
    return DIALECTS[target].upstream["chat"].render_request(request, Target(model=model))


def lost(done: Rendered) -> dict[str, str]:
    return {loss.pointer: loss.severity for loss in done.losses}


@pytest.mark.parametrize("target", ["anthropic", "bedrock"])
def test_a_signature_of_another_host_on_a_call_is_named(target: str) -> None:
    answer = Message(role="tool", parts=(ToolResult(call_id="c1", content=(Text(text="found"),)),))

    done = rendered(target, USER, Message(role="assistant", parts=(CALL,)), answer)

    assert lost(done)["/messages/1/content/0"] == "info"
    assert b"c2ln" not in done.body


@pytest.mark.parametrize("target", ["openai_chat", "anthropic", "gemini", "bedrock", "cohere", "ollama"])
def test_the_phase_of_a_message_is_named(target: str) -> None:
    said = Message(role="assistant", parts=(Text(text="Wait."),), phase="commentary")

    assert lost(rendered(target, USER, said, USER))["/messages/1/phase"] == "info"


@pytest.mark.parametrize("target", ["anthropic", "gemini", "cohere", "ollama"])
def test_the_description_of_a_schema_is_named(target: str) -> None:
    output = Output(kind="schema", name="City", schema=b'{"type":"object","properties":{}}', description="A city.")

    assert lost(rendered(target, output=output))["/output/description"] == "info"


def test_cache_marks_for_a_model_without_a_prompt_cache_are_named() -> None:
    mark = CacheMark(ttl="5m")
    user = Message(role="user", parts=(Text(text="Hi.", cache=mark),))
    members = {"system": (Text(text="Be kind.", cache=mark),), "tools": (FunctionTool(name="look", cache=mark),)}

    llama, claude = (
        rendered("bedrock", user, model=model, **members) for model in ("meta.llama3-3-70b", "anthropic.claude-sonnet")
    )

    assert lost(llama) == dict.fromkeys(["/messages/0/content/0", "/system/0", "/tools/0"], "info")
    assert b"cachePoint" not in llama.body
    assert lost(claude) == {}
    assert claude.body.count(b"cachePoint") == 3


@pytest.mark.parametrize("inside", [False, True])
def test_a_cache_mark_on_a_result_is_named_for_gemini(*, inside: bool) -> None:
    mark = CacheMark()
    content = (Text(text="found", cache=mark if inside else None),)
    answer = ToolResult(call_id="c1", content=content, cache=None if inside else mark)

    done = rendered(
        "gemini",
        USER,
        Message(role="assistant", parts=(CALL,)),
        Message(role="tool", parts=(answer,)),
        model="gemini-2",
    )

    assert "/messages/2/content/0" + ("/content/0" if inside else "") in lost(done)


@pytest.mark.parametrize("target", ["openai_chat", "ollama"])
def test_the_name_of_a_text_document_is_named(target: str) -> None:
    document = Media(kind="document", source=Plain(text="1,2"), name="sales.csv")

    done = rendered(target, Message(role="user", parts=(Text(text="Sum up."), document)))

    assert lost(done) == {"/messages/0/content/1/name": "info"}
    assert b"1,2" in done.body


def test_a_loss_beside_a_tool_result_names_the_parts_own_place_for_chat() -> None:
    far = Media(kind="document", source=Url(url="https://example.com/a.pdf"))
    answer = ToolResult(call_id="c1", content=(Text(text="found"),))

    done = rendered(
        "openai_chat", USER, Message(role="assistant", parts=(CALL,)), Message(role="user", parts=(answer, far))
    )

    assert "/messages/2/content/1" in lost(done)
    assert "/messages/2/content/0" not in lost(done)


def test_a_namespace_of_tools_is_named_for_chat() -> None:
    assert "/tools/0/namespace" in lost(rendered("openai_chat", tools=(FunctionTool(name="look", namespace="all"),)))


def test_a_result_whose_call_chat_does_not_have_is_lost_with_it() -> None:
    made = HostedCall(call_id="s1", tool="tool_search_call", dialect="openai_responses")
    answer = Message(role="tool", parts=(ToolResult(call_id="s1", content=(Text(text="found"),)),))

    done = rendered("openai_chat", USER, Message(role="assistant", parts=(made,)), answer)

    assert lost(done) == {"/messages/1/content/0": "warn", "/messages/2/content/0": "warn"}
    assert [message["role"] for message in json.loads(done.body)["messages"]] == ["user"]


def test_only_ollamas_own_options_are_given_on() -> None:
    extra = Extra(dialect="openai_chat", members={"options": b'{"chatCompletion":true,"num_ctx":4096}'})

    done = rendered("ollama", options=Options(seed=1), extra=extra)

    assert json.loads(done.body)["options"] == {"num_ctx": 4096, "seed": 1}
    assert lost(done) == {"/options/chatCompletion": "warn"}


def test_a_conversation_of_which_nothing_is_left_is_refused() -> None:
    opaque = Opaque(dialect="bedrock", kind="guardContent", raw=b"{}")

    with pytest.raises(LocalDialectError) as caught:
        rendered("cohere", Message(role="user", parts=(opaque,)))

    assert caught.value.param == "messages"


def test_a_whole_number_beyond_a_bound_that_is_a_fraction_becomes_the_fraction() -> None:
    done = rendered("cohere", options=Options(top_p=1))

    assert json.loads(done.body)["p"] == 0.99
    assert lost(done) == {"/top_p": "warn"}
