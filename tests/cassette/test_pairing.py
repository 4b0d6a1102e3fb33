from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.model import Interaction, Recording
from setu.cassette.pairing import changes_of, diff_of, pairs_of
from setu.studio import key_of
from tests.cassette.samples import ANTHROPIC_STREAM, interaction, talk


def told(old: list[Interaction], new: list[Interaction]) -> list[tuple[str, str, str]]:
    return [(each.kind, each.old, each.new) for each in changes_of(pairs_of(old, new, key_of), 40)]


def of(text: str, body: bytes = b'{"a":1}', place: str = "", **recording: Any) -> Interaction:
    return msgspec.structs.replace(
        interaction(body, asked=talk(text), recording=Recording(**recording)), place=place or text
    )


def test_recordings_of_the_same_call_are_compared_and_the_others_told() -> None:
    old = [of("gone"), of("same"), of("other", b'{"a":1}', "old")]
    new = [of("other", b'{"a":2}', "new"), of("come"), of("same", recorded="2026-11-20")]

    assert told(old, new) == [("removed", "gone", ""), ("changed", "old", "new"), ("added", "", "come")]


def test_the_second_recording_of_a_call_is_compared_with_the_second() -> None:
    one, two, three = of("a", b"1"), of("a", b"2"), of("a", b"3")

    assert told([one, two], [one, two]) == []
    assert [kind for kind, _, _ in told([one, two], [one, three, two])] == ["changed", "added"]


def test_the_two_sides_of_a_call_are_not_compared_with_each_other() -> None:
    assert [kind for kind, _, _ in told([of("a")], [of("a", side="client")])] == ["removed", "added"]


def test_a_change_is_shown_where_it_is() -> None:
    [change] = changes_of(pairs_of([of("x", b'{"a":1,"b":2}')], [of("x", b'{"a":1,"b":3}')], key_of), 40)

    assert change.call == "POST https://api.anthropic.com/v1/messages (m)"
    assert [line for line in change.diff if line[0] in "+-"] == ['-  "b": 2', '+  "b": 3']


def test_a_stream_is_shown_event_by_event() -> None:
    changed = ANTHROPIC_STREAM.replace(b'"n":1.0', b'"n":2')

    lines = diff_of(interaction(ANTHROPIC_STREAM), interaction(changed))

    assert [line for line in lines if line[0] in "+-"] == [
        '-something_new: {"type":"something_new","n":1.0}', '+something_new: {"type":"something_new","n":2}',
    ]  # fmt: skip


def test_a_difference_of_spelling_is_told_as_such() -> None:
    assert diff_of(of("x", b'{"a":1}'), of("x", b'{"a": 1}')) == ["the bytes differ, what they say does not"]


def test_a_long_diff_is_cut_and_says_so() -> None:
    old, new = (of("x", msgspec.json.encode(list(range(start, start + 500)))) for start in (0, 1000))

    [change] = changes_of(pairs_of([old], [new], key_of), 10)

    assert len(change.diff) == 11
    assert change.diff[-1].endswith(" more lines")


def test_recordings_that_are_too_long_are_not_compared_line_by_line() -> None:
    old, new = (of("x", msgspec.json.encode([value] * 5000)) for value in (1, 2))

    assert diff_of(old, new) == [
        "the recordings are too long to be compared line by line: answers of 10001 and 10001 bytes"
    ]


CALLS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([b"1", b"2"])), max_size=5)


@given(CALLS, CALLS)
def test_every_recording_is_paired_once(old: list[tuple[str, bytes]], new: list[tuple[str, bytes]]) -> None:
    before, after = [of(*call) for call in old], [of(*call) for call in new]

    pairs = pairs_of(before, after, key_of)

    assert [pair.old for pair in pairs if pair.old is not None] == before
    assert sorted(id(pair.new) for pair in pairs if pair.new is not None) == sorted(map(id, after))
    assert told(before, before) == []
