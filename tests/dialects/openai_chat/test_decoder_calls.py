"""Chunks to events: calls, their ids and fragments, and why a candidate ended."""

from typing import Any

import pytest

from setu.chat.events import (
    ArgumentsDelta,
    Event,
    Finished,
)
from setu.chat.fold import fold
from setu.chat.parts import AnyPart, Text, ToolCall
from tests.dialects.openai_chat.wire import chunk, decode


def tool(index: int | None = 0, identity: Any = None, name: Any = None, arguments: Any = None) -> dict[str, Any]:
    wire: dict[str, Any] = {"id": identity, "function": {"name": name, "arguments": arguments}}
    return {"tool_calls": [wire if index is None else wire | {"index": index}]}


def parts(events: list[Event], candidate: int = 0) -> list[AnyPart]:
    found = [each for each in fold(events).response.candidates if each.index == candidate]
    return [part for message in found[0].messages for part in message.parts]


def finishes(events: list[Event]) -> list[tuple[int, str]]:
    return [(event.candidate, event.finish.reason) for event in events if isinstance(event, Finished)]


def test_interleaved_calls_find_their_arguments() -> None:
    """B-STR-08."""
    events = decode(
        chunk(tool(0, "a", "f", "")), chunk(tool(1, "b", "g", "")), chunk(tool(0, arguments='{"x":')),
        chunk(tool(1, arguments="{}")), chunk(tool(0, arguments="1}")), chunk(finish="tool_calls"),
    )  # fmt: skip

    assert parts(events) == [
        ToolCall(call_id="a", name="f", arguments='{"x":1}'),
        ToolCall(call_id="b", name="g", arguments="{}"),
    ]
    assert finishes(events) == [(0, "tool_calls")]


@pytest.mark.parametrize("blank", ["", None])
def test_a_blank_id_or_name_never_overwrites(blank: str | None) -> None:
    """B-STR-10."""
    events = decode(chunk(tool(0, "a", "f", "{")), chunk(tool(0, blank, blank, "}")))

    assert parts(events) == [ToolCall(call_id="a", name="f", arguments="{}")]


def test_a_repeated_name_is_not_joined_to_itself() -> None:
    """B-STR-10."""
    events = decode(chunk(tool(0, "a", "f", "{")), chunk(tool(0, "a", "f", "}")))

    assert parts(events) == [ToolCall(call_id="a", name="f", arguments="{}")]


def test_calls_that_share_one_index_are_told_apart() -> None:
    """B-STR-07."""
    by_id = decode(chunk(tool(0, "a", "f", '{"q":1}')), chunk(tool(0, "b", "f", '{"q":2}')))
    by_whole = decode(chunk(tool(0, None, "f", '{"q":1}')), chunk(tool(0, None, "f", '{"q":2}')))
    by_name = decode(chunk(tool(0, None, "f", "{")), chunk(tool(0, None, "g", "{}")))

    for events in (by_id, by_whole, by_name):
        calls = [part for part in parts(events) if isinstance(part, ToolCall)]
        assert len({call.call_id for call in calls}) == 2
    assert [part.arguments for part in parts(by_id) if isinstance(part, ToolCall)] == ['{"q":1}', '{"q":2}']


def test_ids_are_minted_and_unique() -> None:
    """B-STR-06: one id for two calls, or none."""
    events = decode(
        chunk(tool(0, "same", "f", "{}")), chunk(tool(1, "same", "f", "{}")), chunk(tool(None, None, "g", "{}"))
    )

    calls = [part for part in parts(events) if isinstance(part, ToolCall)]
    assert calls[0].call_id == "same"
    assert len({call.call_id for call in calls}) == len(calls) >= 2
    assert all(call.call_id for call in calls)


def test_a_name_may_come_late_or_never() -> None:
    late = decode(chunk(tool(0, "a", None, "{")), chunk(tool(0, None, "f", "}")))
    never = decode(chunk(tool(0, "a", None, "{}")))

    assert parts(late) == [ToolCall(call_id="a", name="f", arguments="{}")]
    assert parts(never) == [ToolCall(call_id="a", name="", arguments="{}")]


def test_arguments_may_be_an_object() -> None:
    """B-STR-12."""
    assert parts(decode(chunk(tool(0, "a", "f", {"x": 1})))) == [ToolCall(call_id="a", name="f", arguments='{"x":1}')]


def test_custom_and_old_function_calls() -> None:
    custom = {"tool_calls": [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "c", "input": "x"}}]}
    old = decode(
        chunk({"function_call": {"name": "f", "arguments": ""}}),
        chunk({"function_call": {"arguments": "{}"}}),
        chunk(finish="function_call"),
    )

    assert parts(decode(chunk(custom))) == [ToolCall(call_id="a", name="c", arguments="x", kind="custom")]
    assert parts(old) == [ToolCall(call_id="call_1", name="f", arguments="{}")]
    assert finishes(old) == [(0, "tool_calls")]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["tool_calls", "stop"], "tool_calls"), (["stop", "tool_calls"], "tool_calls"), (["stop"], "tool_calls"),
        (["tool_calls", "length"], "length"), (["content_filter", "stop"], "content_filter"), ([""], "tool_calls"),
    ],
)  # fmt: skip
def test_the_stronger_reason_wins(words: list[str], reason: str) -> None:
    """B-STR-14, B-FIN-11."""
    assert finishes(decode(chunk(tool(0, "a", "f", "{}")), *(chunk(finish=word) for word in words))) == [(0, reason)]


def test_a_call_after_the_reason_still_counts() -> None:
    assert finishes(decode(chunk({"content": "a"}, finish="stop"), chunk(tool(0, "a", "f", "{}")))) == [
        (0, "tool_calls")
    ]


def test_every_candidate_finishes_for_itself() -> None:
    events = decode(
        chunk({"content": "a"}), chunk({"content": "b"}, index=1), chunk(finish="length", index=1), chunk(finish="stop")
    )

    assert finishes(events) == [(0, "stop"), (1, "length")]
    assert parts(events, 1) == [Text(text="b")]


def test_arguments_stream_as_they_come() -> None:
    events = decode(chunk(tool(0, "a", "f", "{")), chunk(tool(0, arguments='"x')), chunk(tool(0, arguments='"}')))

    assert [event.text for event in events if isinstance(event, ArgumentsDelta)] == ["{", '"x', '"}']
