"""JSON without loss: spans are exact, and whatever is not JSON is a JsonError that says where."""

import json
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu import _json
from setu._json import JsonError, Member
from tests.documents import DOCUMENTS, OBJECTS, SPACE, Document, Object

ANY_TEXT = st.one_of(
    st.binary(max_size=40),
    st.text('{}[]",:\\ue+-.0123789ntf \n\x00é', max_size=40).map(str.encode),
    OBJECTS.flatmap(lambda found: st.integers(0, len(found.data)).map(lambda n: found.data[:n])),
)


def outcome(data: bytes) -> Any:
    """What the standard library makes of a text: the oracle for every law here."""
    return json.loads(data.decode())


def same(one: Any, other: Any) -> bool:
    """Equality that tells 1 from 1.0 and -0.0 from 0.0."""
    return repr(one) == repr(other)


@given(DOCUMENTS)
def test_a_document_decodes_to_its_value(document: Document) -> None:
    assert same(_json.decode(document.data), document.value)
    assert same(_json.decode(document.text), document.value)


@given(DOCUMENTS)
def test_what_is_encoded_decodes_to_the_same(document: Document) -> None:
    assert same(_json.decode(_json.encode(document.value)), document.value)


@given(OBJECTS)
def test_split_keeps_exact_text_and_the_last_duplicate(found: Object) -> None:
    assert _json.split(found.data) == {key: text.encode() for key, text in found.members}


@given(st.lists(st.tuples(SPACE, DOCUMENTS, SPACE), max_size=5))
def test_items_keeps_exact_text(rows: list[tuple[str, Document, str]]) -> None:
    text = "[" + ",".join(before + item.text + after for before, item, after in rows) + "]"

    assert _json.items(text.encode()) == [item.data for _, item, _ in rows]


@given(OBJECTS)
def test_members_names_every_member_with_its_exact_span(found: Object) -> None:
    spans = _json.members(found.data)

    assert [(key, found.data[start:end].decode()) for key, start, end in spans] == found.members


@pytest.mark.parametrize(("first", "last"), [(b"12", b"1"), (b"1", b"12"), (b'"a,b"', b'"a"'), (b"[1,2]", b"[1]")])
def test_a_duplicate_that_starts_like_the_last_one_keeps_its_own_span(first: bytes, last: bytes) -> None:
    body = b'{"a":' + first + b',"a":' + last + b"}"

    assert [body[start:end] for _, start, end in _json.members(body)] == [first, last]


@given(OBJECTS, st.dictionaries(st.sampled_from(["model", "a", "new", 'q"é']), DOCUMENTS, max_size=3))
def test_splice_changes_the_named_members_and_no_other_byte(found: Object, changes: dict[str, Document]) -> None:
    keys = [key for key, _ in found.members]
    repeated = any(keys.count(key) > 1 for key in changes)
    spliced = {key: change.data for key, change in changes.items()}
    if repeated:
        with pytest.raises(JsonError, match="duplicate key"):
            _json.splice(found.data, spliced)
        return

    after = _json.splice(found.data, spliced)

    assert same(outcome(after), found.value | {key: change.value for key, change in changes.items()})
    expected = [(key, spliced[key].decode() if key in changes else text) for key, text in found.members]
    added = [(key, text.decode()) for key, text in spliced.items() if key not in keys]
    assert [(key, after[start:end].decode()) for key, start, end in _json.members(after)] == expected + added


@given(OBJECTS, DOCUMENTS)
def test_splicing_the_old_values_back_restores_every_byte(found: Object, other: Document) -> None:
    keys = [key for key, _ in found.members]
    old = {key: text.encode() for key, text in found.members if keys.count(key) == 1}

    changed = _json.splice(found.data, dict.fromkeys(old, other.data))

    assert _json.splice(changed, old) == found.data


def test_a_splice_without_changes_is_the_same_object() -> None:
    body = b'{"a": 1}'

    assert _json.splice(body, {}) is body


@pytest.mark.parametrize(
    ("body", "changes", "expected"),
    [
        (b"{}", {"a": b"1"}, b'{"a":1}'),
        (b" { } \n", {"a": b"1"}, b' { "a":1} \n'),
        (b'{"x":"}"} \n', {"a": b"1"}, b'{"x":"}","a":1} \n'),
        (b'{"model" : "m\\"}" , "n":1}', {"model": b'"o"'}, b'{"model" : "o" , "n":1}'),
        (b'{"b":1,"a":2}', {"a": b"3", "b": b"4"}, b'{"b":4,"a":3}'),
        (b'{"mod\\u0065l":1}', {"model": b"2"}, b'{"mod\\u0065l":2}'),
    ],
)
def test_splice_examples(body: bytes, changes: dict[str, bytes], expected: bytes) -> None:
    assert _json.splice(body, changes) == expected


@pytest.mark.parametrize("body", [b'{"model":1,"x":2,"model":3}', b'{"model":1,"x":2,"mod\\u0065l":3}'])
def test_splice_refuses_a_duplicate_however_it_is_spelt(body: bytes) -> None:
    with pytest.raises(JsonError) as caught:
        _json.splice(body, {"model": b"1"})

    assert caught.value.position == body.rindex(b"3")


@given(ANY_TEXT, st.sampled_from([_json.decode, _json.split, _json.items, _json.members]))
def test_any_bytes_give_a_value_or_a_json_error(data: bytes, read: Any) -> None:
    try:
        read(data)
    except JsonError as error:
        position = error.position
    else:
        json.loads(data.decode())
        position = 0

    assert position is None or 0 <= position <= len(data)


@given(ANY_TEXT)
def test_what_the_standard_library_reads_is_read_alike(data: bytes) -> None:
    try:
        value = json.loads(data.decode(), parse_constant=float.fromhex)
    except (ValueError, OverflowError):
        value = JsonError

    try:
        ours = _json.decode(data)
    except JsonError:
        ours = JsonError

    assert same(ours, value) or "inf" in repr(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_keep_their_last_bit(number: float) -> None:
    read = _json.decode(_json.encode(number))

    assert struct.pack("<d", read) == struct.pack("<d", number)


@pytest.mark.parametrize("text", ["-0.0", "5e-324", "1.7976931348623157e308", "0.1", "1e22", "123456789012345678.5"])
def test_floats_read_as_the_standard_library_reads_them(text: str) -> None:
    number = _json.decode(text)

    assert (number, math.copysign(1, number)) == (float(text), math.copysign(1, float(text)))


@pytest.mark.parametrize("digits", [1, 19, 20, 39, 4299])
def test_integers_of_any_size_are_exact(digits: int) -> None:
    text = "-" + "9" * digits

    assert str(_json.decode(text.encode())) == text


@pytest.mark.parametrize(
    ("data", "position"),
    [
        (b"", 0),
        (b'{"a":1', 6),
        (b'["abc', 5),
        (b'{"a":NaN}', 5),
        (b"[1,Infinity]", 3),
        (b'{"a":01}', 6),
        (b'{"a":1,}', 7),
        (b'{"a":1} x', 9),
        (b'{"a":"\x01"}', 6),
        (b"\xef\xbb\xbf{}", 0),
        (b'{"a":"\xff"}', 6),
        (b'{"\xc3\xa9":{"b":["\xed\xa0\x80"]}}', 13),
        (b'{"a":' + b"[" * 100_000, 5 + 99_999),
        (b"[" * 50_000 + b'"]"' + b"]" * 50_000, 49_999),
    ],
)
def test_what_is_not_json_is_refused_with_its_position(data: bytes, position: int) -> None:
    with pytest.raises(JsonError) as caught:
        _json.decode(data)

    assert caught.value.position == position
    assert f"at byte {position}" in str(caught.value)


@pytest.mark.parametrize("data", [b'{"a":"\xff"}', b'{"a":{"b":["\xed\xa0\x80"]}}', b'{"\xff":1}'])
def test_split_refuses_what_is_not_utf8_at_any_depth(data: bytes) -> None:
    with pytest.raises(JsonError, match="UTF-8") as caught:
        _json.split(data)

    assert caught.value.position == min(data.find(b) for b in (b"\xff", b"\xed") if b in data)


@pytest.mark.parametrize(
    ("data", "position"),
    [(b'{"a":"\\ud800"}', 6), (b'{"a":"\\ud83d","b":1}', 6), (b'{"a":"x\\udc00"}', None), (b'{"\\ud800":1}', 2)],
)
def test_split_refuses_a_lone_surrogate_because_it_could_not_be_written_again(
    data: bytes, position: int | None
) -> None:
    with pytest.raises(JsonError, match="surrogate") as caught:
        _json.split(data)

    assert caught.value.position is not None
    assert position is None or caught.value.position == position


def test_text_cut_in_the_middle_of_a_surrogate_pair_ends_too_early() -> None:
    with pytest.raises(JsonError, match="too early"):
        _json.split(b'{"a":"\\ud83d\\u')


def test_lone_surrogate_escapes_survive_decoding() -> None:
    assert _json.decode(b'{"a":["\\ud800", "\\udc00\\ud800", "\\ud83d\\ude00"]}') == {
        "a": ["\ud800", "\udc00\ud800", "\U0001f600"]
    }


@pytest.mark.parametrize("data", [b'["\\ud800",NaN]', b'["\\ud800",1e400]', b'["\\ud800",-1e999]', b'["\\ud800"'])
def test_a_lone_surrogate_opens_no_back_door(data: bytes) -> None:
    with pytest.raises(JsonError):
        _json.decode(data)


def test_bare_surrogates_in_a_str_are_refused() -> None:
    with pytest.raises(JsonError, match="surrogate"):
        _json.decode('{"a":"\ud800"}')


@pytest.mark.parametrize("value", ["\ud800", {"a": ["\udfff"]}, object(), {None: 1}, float])
def test_what_cannot_be_written_is_a_json_error(value: object) -> None:
    with pytest.raises(JsonError):
        _json.encode(value)


def test_a_cycle_cannot_be_written() -> None:
    cycle: list[object] = []
    cycle.append(cycle)

    with pytest.raises(JsonError):
        _json.encode(cycle)


def test_raw_members_are_spliced_as_they_are() -> None:
    value = {"schema": _json.Raw(b'{ "b" : 1.10, "a" : 12345678901234567890 }'), "n": 1}

    assert _json.encode(value) == b'{"schema":{ "b" : 1.10, "a" : 12345678901234567890 },"n":1}'


def test_a_long_value_is_scanned_without_keeping_state_for_each_byte() -> None:
    body = b'{"a":"' + b"x" * 2_000_000 + b'","a":[' + b'"\\"]",' * 100_000 + b"0]}"

    spans = _json.members(body)

    assert spans == [Member("a", 5, 2_000_007), Member("a", 2_000_012, len(body) - 1)]


@pytest.mark.parametrize(
    ("raw", "kind"),
    [(b" {", "object"), (b"\n[", "array"), (b'"', "string"), (b"-1", "number"), (b"0", "number"), (b"true", "boolean"),
     (b"false", "boolean"), (b"null", "null"), (b"", None), (b"  ", None), (b"x", None), (b"\xef\xbb\xbf{", None)],
)  # fmt: skip
def test_the_kind_of_a_value_is_known_by_its_first_byte(raw: bytes, kind: str | None) -> None:
    assert _json.kind_of(raw) == kind
