"""Assertions at JSON pointers: each kind of test holds where it should and says what is wrong where it does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu import _json
from setu.conformance.expectations import MISSING, at, broken, same
from setu.conformance.scenario import Assertion

DOCUMENT: dict[str, Any] = {
    "id": "msg_1",
    "count": 2,
    "flag": True,
    "none": None,
    "list": [{"text": "first"}, {"text": "last\nline"}],
    "arguments": '{"n": 12345678901234567890, "x": [1.0, null]}',
    "a/b": {"m~n": 7},
    "empty": [],
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


def holds(**test: Any) -> bool:
    return broken(Assertion(**test), DOCUMENT) is None


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("", DOCUMENT),
        ("/id", "msg_1"),
        ("/list/0/text", "first"),
        ("/list/-1/text", "last\nline"),
        ("/a~1b/m~0n", 7),
        ("/none", None),
        ("/nothing", MISSING),
        ("/list/2", MISSING),
        ("/list/-3", MISSING),
        ("/list/first", MISSING),
        ("/empty/-1", MISSING),
        ("/id/0", MISSING),
    ],
)
def test_a_pointer_finds_its_value_or_nothing(pointer: str, found: Any) -> None:
    assert at(DOCUMENT, pointer) is found or at(DOCUMENT, pointer) == found


@pytest.mark.parametrize(
    "test",
    [
        {"pointer": "/id", "equals": "msg_1"},
        {"pointer": "/none", "equals": None},
        {"pointer": "/count", "equals": 2.0},
        {"pointer": "/flag", "equals": True},
        {"pointer": "/list/0", "equals": {"text": "first"}},
        {"pointer": "/none", "present": True},
        {"pointer": "/nothing", "absent": True},
        {"pointer": "/id", "matches": "msg_[0-9]+"},
        {"pointer": "/list/1/text", "matches": "last.line"},
        {"pointer": "/list/1/text", "contains": "last\n"},
        {"pointer": "/list", "contains": '{"text":"first"}'},
        {"pointer": "/list", "lacks": "second"},
        {"pointer": "/list", "length": 2},
        {"pointer": "/id", "length": 5},
        {"pointer": "/count", "one_of": (1, 2)},
        {"pointer": "/none", "one_of": (None, "")},
        {"pointer": "/arguments", "json": {"x": [1, None], "n": 12345678901234567890}},
    ],
)
def test_an_assertion_holds(test: dict[str, Any]) -> None:
    assert holds(**test)


@pytest.mark.parametrize(
    "test",
    [
        {"pointer": "/id", "equals": "msg_2"},
        {"pointer": "/nothing", "equals": None},
        {"pointer": "/none", "equals": 0},
        {"pointer": "/flag", "equals": 1},
        {"pointer": "/list", "equals": [{"text": "first"}]},
        {"pointer": "/nothing", "present": True},
        {"pointer": "/none", "absent": True},
        {"pointer": "/id", "matches": "msg"},
        {"pointer": "/count", "matches": "2"},
        {"pointer": "/list", "contains": "second"},
        {"pointer": "/nothing", "lacks": "anything"},
        {"pointer": "/list", "lacks": "first"},
        {"pointer": "/list", "length": 1},
        {"pointer": "/count", "length": 1},
        {"pointer": "/flag", "one_of": (1, 0)},
        {"pointer": "/arguments", "json": {"n": 12345678901234567891, "x": [1, None]}},
        {"pointer": "/id", "json": "msg_1"},
        {"pointer": "/count", "json": 2},
    ],
)
def test_an_assertion_is_broken(test: dict[str, Any]) -> None:
    assert not holds(**test)


def test_the_reason_says_what_is_there_and_what_was_expected() -> None:
    assert broken(Assertion(pointer="/count", equals=3), DOCUMENT) == "2, expected 3"
    assert broken(Assertion(pointer="/nothing", equals=3), DOCUMENT) == "nothing there"
    assert broken(Assertion(pointer="/id", absent=True), DOCUMENT) == '"msg_1", expected nothing there'


def test_a_long_value_is_shown_by_its_beginning() -> None:
    reason = broken(Assertion(pointer="", equals=1), ["x" * 1000])

    assert reason is not None
    assert len(reason) < 250


def test_the_order_of_members_can_be_asserted_as_text() -> None:
    assertion = Assertion(pointer="", contains='"b":1,"a":2')

    assert broken(assertion, {"b": 1, "a": 2}) is None
    assert broken(assertion, {"a": 2, "b": 1}) is not None


def test_a_number_is_never_a_boolean_at_any_depth() -> None:
    assert same({"a": [1, 2.0]}, {"a": [1.0, 2]})
    assert not same({"a": [1]}, {"a": [True]})
    assert not same([0], [False])


def _paths(value: Any, before: str = "") -> list[tuple[str, Any]]:
    found = [(before, value)]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += _paths(inner, f"{before}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += _paths(inner, f"{before}/{index}")
    return found


@given(JSON)
def test_every_value_is_at_its_own_pointer_and_equals_itself(document: Any) -> None:
    for pointer, value in _paths(document):
        assert at(document, pointer) is value
        assert broken(Assertion(pointer=pointer, equals=value), document) is None


@given(JSON, JSON)
def test_values_are_the_same_exactly_when_their_sorted_json_is(one: Any, other: Any) -> None:
    assert same(one, other) == (_canonical(one) == _canonical(other))


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {"object": sorted((key, repr(_canonical(inner))) for key, inner in value.items())}
    if isinstance(value, list):
        return [_canonical(inner) for inner in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if not isinstance(value, bool) else str(_json.encode(value))
