"""Proto-JSON: either spelling, null as good as absent, enums as words or numbers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu._json import Raw
from setu.dialects.gemini.proto import Fields, camel, nested
from setu.errors import LocalDialectError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("system_instruction", "systemInstruction"),
        ("systemInstruction", "systemInstruction"),
        ("any_of_2", "anyOf2"),
        ("_private", "_private"),
        ("", ""),
        ("_", "_"),
    ],
)
def test_a_name_is_read_in_either_spelling(name: str, expected: str) -> None:
    assert camel(name) == expected


@given(st.text("ab_X1", max_size=8))
def test_a_camel_case_name_stays_one(name: str) -> None:
    assert camel(camel(name)) == camel(name)


def test_nested_messages_are_read_in_either_spelling_too() -> None:
    obj = Fields(b'{"outer_one":{"inner_one":"a"},"more":[{"inner_one":"b"}],"gone_one":null}')

    outer = obj.obj("outerOne")
    (more,) = obj.objects("more") or []

    assert outer is not None
    assert (outer.text("innerOne"), more.text("innerOne")) == ("a", "b")
    assert obj.members == {}


def test_free_form_values_keep_their_keys() -> None:
    assert Fields(b'{"args":{"a_b":null}}').raw("args") == b'{"a_b":null}'


@pytest.mark.parametrize(
    ("raw", "word"), [(b'"STOP"', "STOP"), (b"1", "STOP"), (b"1.0", "STOP"), (b"7", "7"), (b"null", None)]
)
def test_an_enum_is_a_word_or_a_number(raw: bytes, word: str | None) -> None:
    assert Fields(b'{"x":' + raw + b"}").enum("x", {1: "STOP"}) == word


def test_an_enum_of_another_type_is_refused() -> None:
    with pytest.raises(LocalDialectError):
        Fields(b'{"x":{}}').enum("x", {})


@pytest.mark.parametrize(("raw", "count"), [(b'{"a":1}', 1), (b'[{"a":1},{}]', 2), (b"[]", 0), (b"null", 0)])
def test_one_message_alone_is_a_list_of_one(raw: bytes, count: int) -> None:
    assert len(Fields(b'{"x":' + raw + b"}").many("x")) == count


MEMBERS = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.just(b"1"), max_size=3)


@given(MEMBERS)
def test_what_is_left_over_finds_its_place_again(members: dict[str, Any]) -> None:
    obj = Fields(b"{}")
    obj.members = dict(members)

    found = nested(obj.rest("config") | {"other.a": b"2"}, "config")

    assert {key: bytes(value) for key, value in found.items()} == members
    assert all(isinstance(value, Raw) for value in found.values())
