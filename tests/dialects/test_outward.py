import json
from typing import Any

import pytest

from setu.chat.parts import ToolCall
from setu.chat.request import ChatRequest, CustomTool, FunctionTool, State, ToolChoice
from setu.dialects.outward import Writer, arguments, call_id, entries_of, functions, offered
from setu.dialects.record import Target
from setu.errors import LocalDialectError

ONE, TWO = FunctionTool(name="one"), FunctionTool(name="two")


def writer() -> Writer:
    return Writer("Host", Target(model="m"))


def asked(**members: Any) -> ChatRequest:
    return ChatRequest(model="m", messages=(), tools=(ONE, TWO), **members)


def test_a_choice_of_some_offers_only_those_with_their_places() -> None:
    assert offered(asked()) == [(0, ONE), (1, TWO)]
    assert offered(asked(tool_choice=ToolChoice(mode="allowed", names=("two",)))) == [(1, TWO)]


def test_a_choice_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(LocalDialectError, match="three") as refused:
        offered(asked(tool_choice=ToolChoice(mode="named", names=("three",))))

    assert refused.value.param == "tool_choice"


def test_a_free_text_tool_becomes_a_function_with_one_string() -> None:
    losing = writer()
    (made,) = functions([(0, CustomTool(name="say", description="it"))], losing)
    said = ToolCall(call_id="a", name="say", arguments="hello", kind="custom")

    assert json.loads(bytes(made["function"]["parameters"]))["required"] == ["input"]
    assert json.loads(arguments(said, ("messages", 0), losing)) == {"input": "hello"}
    assert [loss.pointer for loss in losing.losses] == ["/tools/0", "/messages/0"]


def test_a_schema_that_is_no_object_is_refused_with_its_place() -> None:
    with pytest.raises(LocalDialectError) as refused:
        functions([(3, FunctionTool(name="f", schema=b"[]"))], writer())

    assert refused.value.param == "tools[3]"


@pytest.mark.parametrize("state", [State(previous="r"), State(conversation=b'"c"')])
def test_a_conversation_kept_elsewhere_is_refused(state: State) -> None:
    with pytest.raises(LocalDialectError, match="keeps no conversation"):
        writer().need_no_state(asked(state=state))


def test_an_id_that_fits_stays() -> None:
    assert call_id("call_a") == "call_a"
    assert call_id("a b") != "a b"
    assert call_id("x" * 41) == call_id("x" * 41)


@pytest.mark.parametrize(
    ("tokens", "text", "kept"),
    [
        (["<think>", "Hm", "Hi", "!"], "Hi!", ["Hi", "!"]),
        (["Hi", "!"], " Hi!", ["Hi", "!"]),
        (["a", "b"], "c", ["a", "b"]),
        ([], "c", []),
    ],
)
def test_the_last_tokens_that_spell_the_text_are_its_own(tokens: list[str], text: str, kept: list[str]) -> None:
    found = entries_of([{"token": token} for token in tokens], text)

    assert [json.loads(entry)["token"] for entry in found or ()] == kept
