"""Identifiers: minted in order, bounded the same way for a call and its result."""

import string

from hypothesis import given
from hypothesis import strategies as st

from setu.chat.ids import bounded, counter

LEGAL = frozenset(string.ascii_letters + string.digits + "_-")
ANY_ID = st.one_of(st.text(max_size=80), st.text("abc_-1", max_size=80), st.just("\ud800"))


def short(call_id: str) -> str:
    return bounded(call_id, prefix="call_", length=40, legal=LEGAL)


@given(ANY_ID)
def test_a_bounded_id_is_always_legal(call_id: str) -> None:
    found = short(call_id)

    assert 0 < len(found) <= 40
    assert LEGAL.issuperset(found)


@given(ANY_ID)
def test_bounding_twice_changes_nothing_more(call_id: str) -> None:
    assert short(short(call_id)) == short(call_id)


@given(st.text("abc_-1", min_size=1, max_size=40))
def test_a_legal_id_stays_as_it_is(call_id: str) -> None:
    assert short(call_id) == call_id


@given(st.sets(ANY_ID, min_size=2, max_size=8))
def test_different_ids_stay_different(ids: set[str]) -> None:
    assert len({short(call_id) for call_id in ids}) == len(ids)


def test_a_counter_counts_over_all_prefixes() -> None:
    mint = counter(start=5)

    assert [mint("call_"), mint("msg_"), mint("call_")] == ["call_5", "msg_6", "call_7"]


def test_counters_are_independent() -> None:
    assert (counter()("a"), counter()("a")) == ("a1", "a1")
