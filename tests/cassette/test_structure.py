from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.structure import changes, merged, structure_of, union

NAMES = st.sampled_from(["a", "b", "c/d", "e~f"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


def differing(old: Any, new: Any) -> list[tuple[str, str]]:
    return [(change.kind, change.pointer) for change in changes(structure_of(old), structure_of(new))]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 2}, []),
        ({"a": 1}, {"a": 1, "b": {"c": 1}}, [("new", "/b")]),
        ({"a": 1, "b": {"c": 1}}, {"a": 1}, [("removed", "/b")]),
        ({"a": 1}, {"a": "1"}, [("type", "/a")]),
        ({"a": 1}, {"a": 1.5}, []),
        ({"a": 1}, {"a": True}, [("type", "/a")]),
        ({"a": None}, {"a": {"b": 1}}, []),
        ({"a": {"b": 1}}, {"a": None}, []),
        ({"a": []}, {"a": [{"b": 1}]}, []),
        ({"a": [{"b": 1}, {"c": 1}]}, {"a": [{"c": 1}]}, [("removed", "/a/[]/b")]),
        ({"a": [1]}, {"a": [1, "x"]}, [("type", "/a/[]")]),
        ({"a": [1, "x"]}, {"a": [1]}, []),
        ({"a/b": {"~": 1}}, {"a/b": {}}, [("removed", "/a~1b/~0")]),
        ([1], {"a": 1}, [("type", "")]),
        ({"input": {"city": 1}}, {"input": {"town": "x"}}, []),
        ({"type": "message"}, {"type": "error"}, []),
    ],
)
def test_members_and_types_count_and_what_they_say_does_not(old: Any, new: Any, expected: list[Any]) -> None:
    assert differing(old, new) == expected


def test_blocks_that_say_what_they_are_are_compared_with_their_like() -> None:
    text, tool = {"type": "text", "text": "x"}, {"type": "tool_use", "id": "x"}

    assert differing([text, tool], [tool, text, text]) == []
    assert differing([text], [tool]) == [("removed", "/[](text)"), ("new", "/[](tool_use)")]
    assert differing([text, tool], [text | {"more": 1}, tool]) == [("new", "/[](text)/more")]
    assert differing([{"text": "x"}], [text]) == [("new", "/[]/type")]


def test_a_value_of_any_depth_can_be_compared() -> None:
    deep: Any = 1
    for _ in range(500):
        deep = [deep]

    assert differing(deep, deep) == []


@given(VALUES)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert differing(value, value) == []


@given(VALUES, VALUES, VALUES)
def test_a_union_does_not_depend_on_the_order(one: Any, two: Any, three: Any) -> None:
    first, second, third = map(structure_of, (one, two, three))

    assert merged(first, second) == merged(second, first)
    assert union([first, second, third]) == union([third, merged(first, second)])
    assert merged(first, first) == first


@given(VALUES, st.data())
def test_a_member_that_is_added_is_one_that_is_new_and_taken_away_one_that_is_gone(value: Any, data: Any) -> None:
    old = {"root": value}
    new = structured(old)
    places = objects(new)
    data.draw(st.sampled_from(places))["added"] = data.draw(VALUES)

    assert [kind for kind, _ in differing(old, new)] == ["new"]
    assert [kind for kind, _ in differing(new, old)] == ["removed"]


def structured(value: Any) -> Any:
    """Return a copy in which nothing is shared."""
    if isinstance(value, dict):
        return {name: structured(item) for name, item in value.items()}
    return [structured(item) for item in value] if isinstance(value, list) else value


def objects(value: Any) -> list[dict[str, Any]]:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return ([value] if isinstance(value, dict) else []) + [found for item in below for found in objects(item)]
