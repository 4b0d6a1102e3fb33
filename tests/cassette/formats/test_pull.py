"""A document read value by value is the document, however it is cut and however much is read at once."""

import io
import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.cassette.formats import pull
from setu.cassette.formats.intake import joined
from setu.cassette.formats.pull import Pull, entries
from setu.errors import CassetteDecodeError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@settings(max_examples=60)
@given(st.lists(VALUES, max_size=5), VALUES, st.integers(1, 50), st.sampled_from([None, 2]))
def test_the_items_are_those_of_the_whole_document(
    items: list[object], other: object, size: int, indent: int | None
) -> None:
    text = json.dumps(
        {"a": other, "log": {"b": other, "entries": items}, "c": other}, indent=indent, ensure_ascii=False
    )

    found = entries(cut(text.encode("utf-8", "surrogatepass"), size), "f", "a HAR", "log", "entries")

    assert list(found) == [(f"f#{number}", item) for number, item in enumerate(items, 1)]


def test_a_number_at_the_end_of_a_piece_is_read_on() -> None:
    assert Pull([b"[12", b"34,5", b"]"]).value() == [1234, 5]
    assert list(Pull([b"[12", b"34 ", b",5]"]).items()) == [1234, 5]
    assert Pull([b"12", b"34"]).value() == 1234
    assert Pull([b"[1", b".", b"5e", b"1]"]).value() == [15.0]
    assert [*Pull([b"[1", b".", b"5e", b"1 ]"]).items()] == [15.0]


def test_a_mark_of_utf_8_and_a_letter_cut_in_two_are_read() -> None:
    data = b"\xef\xbb\xbf" + '{"é": ["ü"]}'.encode()

    assert list(entries(cut(data, 1), "f", "x", "é")) == [("f#1", "ü")]


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", "{}", '{"log": []}', '{"log": {"entries": {}}}', '{"log": {"entries": [1, 2', '{"log": {"a" 1}}'],
)  # fmt: skip
def test_what_is_no_such_document_is_said_to_be_none(text: str) -> None:
    with pytest.raises(CassetteDecodeError, match=r"^f: not a HAR: "):
        list(entries(text.encode(), "f", "a HAR", "log", "entries"))


def test_a_document_that_is_too_deep_is_none() -> None:
    with pytest.raises(CassetteDecodeError, match="not a HAR"):
        list(entries(b'{"log": {"entries": [' + b"[" * 200_000, "f", "a HAR", "log", "entries"))


def test_what_was_whole_before_the_damage_was_read() -> None:
    found = entries(b'{"log": {"entries": [1, 2, !', "f", "a HAR", "log", "entries")

    assert [next(found), next(found)] == [("f#1", 1), ("f#2", 2)]
    with pytest.raises(CassetteDecodeError):
        next(found)


def test_a_large_file_of_one_line_costs_the_memory_of_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "_PIECE", 1 << 14)
    entry = json.dumps({"text": "x" * 10_000})
    file = io.BytesIO(b'{"log": {"entries": [' + ",".join([entry] * 2_000).encode() + b"]}}")

    tracemalloc.start()
    count = sum(1 for _ in entries(file, "f", "a HAR", "log", "entries"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 2_000
    assert peak < 1_000_000  # of 20 MB


def test_a_file_that_is_read_as_a_whole_has_a_limit_that_is_said() -> None:
    assert joined([b"ab", b"c"], "f", 3) == b"abc"
    with pytest.raises(CassetteDecodeError, match=r"^f: larger than .* GiB, and this format is read as a whole"):
        joined(iter([b"ab", b"cd"]), "f", 3)
