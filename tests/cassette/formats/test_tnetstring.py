"""Typed netstrings, however they are cut, are the values that were written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.formats.tnetstring import values

PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.binary(max_size=20)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=4), inner, max_size=4)
)


def dumped(value):
    """Write a value as mitmproxy does."""
    match value:
        case None:
            kind, data = "~", b""
        case bool():
            kind, data = "!", str(value).lower().encode()
        case int():
            kind, data = "#", str(value).encode()
        case float():
            kind, data = "^", repr(value).encode()
        case bytes():
            kind, data = ",", value
        case str():
            kind, data = ";", value.encode()
        case dict():
            kind, data = "}", b"".join(dumped(key) + dumped(item) for key, item in value.items())
        case _:
            kind, data = "]", b"".join(map(dumped, value))
    return b"%d:%s%s" % (len(data), data, kind.encode())


def test_the_examples_of_the_format():
    data = b"5:12345#19:5:12345#4:true!1:0#]0:~16:5:hello,5:world,}"

    assert list(values([data])) == [12345, [12345, True, 0], None, {"hello": b"world"}]


@given(st.lists(VALUES, max_size=4), st.integers(1, 30))
def test_values_come_however_they_are_cut(wanted, size):
    data = b"".join(map(dumped, wanted))

    found = list(values(data[at : at + size] for at in range(0, len(data), size)))

    assert found == wanted


@pytest.mark.parametrize(
    "data",
    [b"x", b"5:abc", b"5", b"1:a?", b"3:1:a]", b"4:nope!", b"1:x~", b"1:x#", b"9999999999999:a,", b"4:1:a,}", b":a,"],
)
def test_anything_else_is_refused(data):
    with pytest.raises(ValueError, match=r"tnetstring|cut off|invalid literal"):
        list(values([data]))


@given(st.binary(max_size=60))
def test_any_bytes_give_values_or_a_value_error(data):
    found = []
    try:
        found = list(values([data]))
    except ValueError:
        return
    assert bool(found) == bool(data)
