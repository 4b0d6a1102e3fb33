import json

from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.match import canonical_of
from setu.cassette.misses import MAX_LINES, Neighbours, differences, explain
from tests.cassette.samples import request, talk


def canonicals(*requests):
    return [canonical_of(each) for each in requests]


def pointers(one, other):
    return [difference.pointer for difference in differences(*canonicals(one, other))]


def test_the_longest_common_conversation_is_nearest() -> None:
    recorded = canonicals(talk("a"), talk("a", "b", "c"), talk("a", "b", "other words entirely"), talk("x", "b", "c"))

    [asked] = canonicals(talk("a", "b", "c", "d", "e"))

    assert Neighbours(recorded).nearest(asked, limit=4) == [1, 2, 0, 3]


def test_words_in_common_decide_between_equals() -> None:
    recorded = canonicals(talk("the weather in Paris"), talk("the weather in Rome"), talk("sums"))

    [asked] = canonicals(talk("the weather in Rome today"))

    assert Neighbours(recorded).nearest(asked)[0] == 1


def test_other_operations_are_neighbours_of_last_resort() -> None:
    recorded = canonicals(request({"input": "a b c"}, path="/v1/embeddings"), talk("z"))

    [asked] = canonicals(talk("a b c"))

    assert Neighbours(recorded).nearest(asked) == [1, 0]


def test_the_conversation_differs_first() -> None:
    one = talk("a", "b", system="s", max_tokens=1)
    other = talk("a", "c", system="s", max_tokens=2)

    assert pointers(one, other) == ["/messages/1/content", "/max_tokens"]


def test_a_longer_conversation_differs_where_the_shorter_ends() -> None:
    assert pointers(talk("a"), talk("a", "b")) == ["/messages/1"]


def test_paths_and_streams_differ_too() -> None:
    one = request({"a": 1}, path="/v1beta/models/a:generateContent")
    other = request({"a": 1}, path="/v1beta/models/b:streamGenerateContent")

    assert pointers(one, other) == ["path", "stream", "framing"]


def test_odd_keys_make_a_legal_pointer() -> None:
    assert pointers(request({"a/b~c": 1}), request({"a/b~c": 2})) == ["/a~1b~0c"]


def test_long_values_are_shown_where_they_part() -> None:
    [recorded, asked] = canonicals(talk("x" * 5000 + "cat" + "y" * 5000), talk("x" * 5000 + "dog" + "y" * 5000))

    lines = explain("a.yaml:3", recorded, asked)

    assert lines[:2] == ["nearest recording: a.yaml:3", "first difference: /messages/0/content"]
    assert "xxxcatyyy" in lines[3]
    assert "xxxdogyyy" in lines[4]
    assert max(map(len, lines)) < 140


def test_many_differences_stay_within_the_report() -> None:
    one = request({str(number): number for number in range(100)})
    other = request({str(number): -number - 1 for number in range(100)})

    lines = explain("a.yaml:3", *canonicals(one, other))

    assert len(lines) < MAX_LINES
    assert lines[-1] == "  and 90 more differences"


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=6,
)


@given(JSON, JSON)
def test_there_is_a_difference_exactly_between_different_requests(one, other) -> None:
    found = canonicals(*(request(json.dumps({"x": value}).encode()) for value in (one, other)))

    assert bool(differences(*found)) == (json.dumps(found[0].body) != json.dumps(found[1].body))
    assert all(isinstance(line, str) for line in explain("p", *found))
