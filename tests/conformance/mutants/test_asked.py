"""Which requests a mutant is about."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.conformance.mutants import asked

USER = {"role": "user", "content": "Hi."}
ASSISTANT = {"role": "assistant", "content": "Hello."}
RESULT = {"role": "tool", "tool_call_id": "a", "content": "4"}
PARTS = [{"type": "text", "text": "Hi."}, {"type": "text", "text": " You."}]
PICTURE = {"type": "image_url", "image_url": {"url": "data:"}}
TWO_TOOLS = {"messages": [USER], "tools": [{}, {}], "tool_choice": "required"}

CASES: list[tuple[str, Any, bool]] = [
    ("alone", {"model": "m", "messages": [], "stream": True}, True),
    ("alone", {"model": "m", "messages": [], "seed": 1}, False),
    ("later_turn", {"messages": [USER, ASSISTANT, USER]}, True),
    ("later_turn", {"messages": [USER]}, False),
    ("later_turn", {"messages": [USER, ASSISTANT, RESULT]}, False),
    ("with_results", {"messages": [USER, ASSISTANT, RESULT]}, True),
    ("with_results", {"messages": [USER, ASSISTANT]}, False),
    ("one_of_two_tools", TWO_TOOLS, True),
    ("one_of_two_tools", {**TWO_TOOLS, "tools": [{}]}, False),
    ("one_of_two_tools", {**TWO_TOOLS, "tool_choice": "auto"}, False),
    ("one_of_two_tools", {**TWO_TOOLS, "messages": [{"role": "user", "content": "parallel:2"}]}, False),
    ("in_parts", {"messages": [{"role": "user", "content": PARTS}]}, True),
    ("in_parts", {"messages": [{"role": "user", "content": [*PARTS, PICTURE]}]}, False),
    ("in_parts", {"messages": [USER]}, False),
]


@pytest.mark.parametrize(("name", "body", "about"), CASES)
def test_a_request_is_told_by_what_was_asked(name: str, body: Any, about: bool) -> None:
    assert getattr(asked, name)(body) is about


@given(
    st.dictionaries(st.sampled_from(["messages", "tools", "model"]), st.none() | st.just([None, 1, {"role": "user"}]))
)
def test_no_request_is_too_strange_to_be_told(body: Any) -> None:
    told = [tell(body) for tell in (asked.alone, asked.later_turn, asked.with_results, asked.one_of_two_tools)]

    assert told[1:] == [False, False, False]
    assert asked.in_parts(body) is False
