import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.transport.simulate.answer import WORDS, Ask, Tool, answer, count, groups, slices
from setu.transport.simulate.dice import Dice, digest

TOOLS = (Tool(name="a", schema={"type": "object"}), Tool(name="b"))

asks = st.builds(
    Ask,
    seed=st.binary(min_size=1, max_size=8),
    text=st.sampled_from(["", "hi", "nonce:x1", "call:a", "call:b parallel:3", "parallel:2", "say STOP now"]),
    answered=st.booleans(),
    tools=st.sampled_from([(), TOOLS[:1], TOOLS]),
    force=st.booleans(),
    parallel=st.booleans(),
    cap=st.none() | st.integers(0, 50),
    stops=st.sampled_from([(), ("STOP",), ("e", "STOP"), (" ",)]),
    schema=st.sampled_from([None, {"type": "object"}]),
    thinks=st.booleans(),
)


@given(asks, st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_an_answer_keeps_its_cap_its_stops_and_its_end(ask, index) -> None:
    made = answer(ask, index)

    assert made == answer(ask, index)
    assert ask.cap is None or made.tokens + len(made.thinking) <= ask.cap
    assert not any(stop in made.text for stop in ask.stops)
    assert (made.end == "sequence") == (made.stop is not None)
    assert {call.name for call in made.calls} <= {tool.name for tool in ask.tools}
    assert made.calls or made.end != "call"
    assert len(made.calls) <= 1 or ask.parallel


@given(st.lists(st.sampled_from(WORDS)), st.binary(min_size=1), st.integers(1, 9))
@settings(deadline=None)
def test_cutting_loses_nothing(words, seed, most) -> None:
    text = "".join(words)

    assert "".join(groups(tuple(words), Dice(seed), most)) == text
    assert "".join(slices(text, Dice(seed))) == text


def test_candidates_of_one_request_differ() -> None:
    ask = Ask(seed=b"x")

    assert len({answer(ask, index).text for index in range(8)}) == 8


@pytest.mark.parametrize("index", range(8))
def test_an_unsteered_answer_is_3_to_40_words(index) -> None:
    assert 3 <= answer(Ask(seed=b"y"), index).tokens <= 40


def test_a_longer_prompt_counts_more_words() -> None:
    short = {"messages": [{"content": "one two"}]}
    long = {"messages": [{"content": "one two"}, {"content": [{"text": "three"}]}]}

    assert (count(short), count(long)) == (2, 3)


def test_a_digest_ignores_the_order_of_keys_and_nothing_else() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest({"a": 1}) != digest({"a": 1}, "salt")
