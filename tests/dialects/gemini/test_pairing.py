"""Calls and results without ids: paired by name and order, named the same in every turn."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from setu.chat.parts import AnyPart, HostedCall, HostedResult, Text, ToolCall, ToolResult
from setu.chat.request import Message
from setu.dialects.gemini.pairing import name_calls


def call(name: str, call_id: str = "") -> ToolCall:
    return ToolCall(call_id=call_id, name=name, arguments="{}")


def result(name: str, call_id: str = "") -> ToolResult:
    return ToolResult(call_id=call_id, name=name, content=(Text(text="x"),))


def ids(*turns: list[AnyPart]) -> list[list[str]]:
    messages = tuple(Message(role="user", parts=tuple(turn)) for turn in turns)
    return [[getattr(part, "call_id", "") for part in message.parts] for message in name_calls(messages)]


def test_results_are_paired_by_name_and_in_order() -> None:
    found = ids([call("a"), call("b"), call("a")], [result("b"), result("a"), result("a")])

    assert found == [
        ["gemini_call_1", "gemini_call_2", "gemini_call_3"],
        ["gemini_call_2", "gemini_call_1", "gemini_call_3"],
    ]


def test_given_ids_are_kept_and_never_minted_again() -> None:
    found = ids([call("a", "gemini_call_1"), call("a")], [result("a", "gemini_call_1"), result("a")])

    assert found == [["gemini_call_1", "gemini_call_2"], ["gemini_call_1", "gemini_call_2"]]


def test_a_result_without_a_call_still_gets_an_id() -> None:
    assert ids([result("a")]) == [["gemini_call_1"]]


def test_a_hosted_result_belongs_to_the_hosted_call_before_it() -> None:
    found = ids(
        [
            HostedCall(call_id="", tool="code_execution", dialect="gemini"),
            HostedResult(call_id="", tool="codeExecutionResult", dialect="gemini", content=b"{}"),
        ]
    )

    assert found == [["gemini_call_1", "gemini_call_1"]]


PART = st.builds(call, st.sampled_from("ab"), st.sampled_from(["", "x"])) | st.builds(
    result, st.sampled_from("ab"), st.sampled_from(["", "x"])
)


@given(st.lists(st.lists(PART, max_size=3), max_size=4), st.lists(PART, max_size=3))
def test_a_further_turn_renames_nothing(turns: Any, more: Any) -> None:
    assert ids(*turns, more)[:-1] == ids(*turns)


@given(st.lists(st.lists(PART, max_size=3), max_size=4))
def test_every_call_and_result_has_an_id_and_naming_again_changes_nothing(turns: Any) -> None:
    messages = name_calls(tuple(Message(role="user", parts=tuple(turn)) for turn in turns))

    assert all(getattr(part, "call_id", "") for message in messages for part in message.parts)
    assert name_calls(messages) == messages
