"""Reading an object: every wrong type names its place, and leniently it is as good as absent."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu import _json
from setu.chat.seals import Extra
from setu.dialects.reader import Obj
from setu.errors import DialectError, LocalDialectError, RemoteDialectError
from tests.documents import DOCUMENTS, OBJECTS, Document, Object

Read = Callable[[Obj, str], Any]
READS: dict[str, tuple[Read, type | tuple[type, ...]]] = {
    "text": (Obj.text, str),
    "integer": (Obj.integer, int),
    "number": (Obj.number, (int, float)),
    "flag": (Obj.flag, bool),
    "obj": (Obj.obj, dict),
    "array": (Obj.array, list),
}
ANY_READ = st.sampled_from(sorted(READS))


def as_read(value: Any, name: str) -> Any:
    """A value as a read gives it: a number is a float, which large integers do not fit exactly."""
    return float(value) if name == "number" else value


def fits(value: Any, name: str) -> bool:
    """Whether a value has the type that a read asks for; a whole float counts as an integer."""
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    if isinstance(value, bool):
        return name == "flag"
    return isinstance(value, READS[name][1])


@given(DOCUMENTS, ANY_READ)
def test_a_value_of_the_right_type_is_read_and_any_other_names_its_param(document: Document, name: str) -> None:
    obj = Obj(b'{"x":' + document.data.strip() + b"}", "messages[0]")
    read = READS[name][0]

    if document.value is None:
        assert read(obj, "x") is None
    elif fits(document.value, name):
        assert _plain(read(obj, "x")) == as_read(document.value, name)
    else:
        with pytest.raises(LocalDialectError) as caught:
            read(obj, "x")
        assert caught.value.param == "messages[0].x"
        assert "messages[0].x" in str(caught.value)


def _plain(found: Any) -> Any:
    if isinstance(found, Obj):
        return {key: _json.decode(raw) for key, raw in found.members.items()}
    return [_json.decode(raw) for raw in found] if isinstance(found, list) else found


@given(DOCUMENTS, ANY_READ)
def test_leniently_a_value_of_the_wrong_type_is_absent(document: Document, name: str) -> None:
    obj = Obj(b'{"x":' + document.data.strip() + b"}", lenient=True)

    found = READS[name][0](obj, "x")

    assert _plain(found) == (as_read(document.value, name) if fits(document.value, name) else None)
    assert not obj.has("x")


@given(st.one_of(st.binary(max_size=20), DOCUMENTS.map(lambda document: document.data)), st.booleans())
def test_any_bytes_give_an_object_or_a_dialect_error(data: bytes, lenient: bool) -> None:
    try:
        found = Obj(data, lenient=lenient)
    except DialectError as error:
        kind: type = type(error)
    else:
        kind = type(_json.decode(data)) if found.members else dict

    assert kind in {dict, RemoteDialectError if lenient else LocalDialectError}


@given(OBJECTS)
def test_what_nobody_takes_is_the_extra_in_exact_text(found: Object) -> None:
    obj = Obj(found.data)
    obj.raw("model")
    expected = {key: text.encode() for key, text in found.members if key != "model"}

    assert obj.extra("x") == (Extra(dialect="x", members=expected) if expected else None)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[1]", "must be an object, not array"),
        (b'"a"', "must be an object, not string"),
        (b"{", "is not valid JSON: JSON ends too early at byte 1"),
        (b"", "is not valid JSON"),
        (b'{"a":"\xff"}', "not valid UTF-8 at byte 6"),
        (b'{"a":[{"b":"\xff"}]}', "not valid UTF-8 at byte 12"),
        (b'{"a":"\\ud800"}', "lone surrogate at byte 6"),
        (b'{"a":' + b"[" * 100_000, "nested too deeply at byte"),
    ],
)
def test_a_body_that_is_no_object_says_why(data: bytes, words: str) -> None:
    with pytest.raises(LocalDialectError, match=words) as caught:
        Obj(data)

    assert caught.value.param is None


def test_an_upstreams_body_that_is_no_object_is_the_upstreams_fault() -> None:
    with pytest.raises(RemoteDialectError):
        Obj(b"<html>", lenient=True)


@pytest.mark.parametrize(("text", "value"), [("7", 7), ("-0", 0), ("1.0", 1), ("2e2", 200), ("9" * 60, int("9" * 60))])
def test_integers_of_any_spelling_and_size(text: str, value: int) -> None:
    assert Obj(b'{"n":' + text.encode() + b"}").integer("n") == value


@pytest.mark.parametrize("text", ["1.5", "1e400", '"1"', "true", "[]"])
def test_what_is_no_integer_is_refused(text: str) -> None:
    with pytest.raises(LocalDialectError) as caught:
        Obj(b'{"n":' + text.encode() + b"}").integer("n")

    assert caught.value.param == "n"


def test_a_number_out_of_range_is_refused() -> None:
    with pytest.raises(LocalDialectError) as caught:
        Obj(b'{"n":1e400}').number("n")

    assert caught.value.param == "n"


@pytest.mark.parametrize("body", [b"{}", b'{"x":null}'])
def test_absent_and_null_read_alike(body: bytes) -> None:
    obj = Obj(body)

    assert [read(obj, "x") for read, _ in READS.values()] == [None] * len(READS)
    assert (obj.raw("x"), obj.texts("x"), obj.objects("x"), obj.value("x")) == (None, None, None, None)


def test_null_is_told_from_absent_before_it_is_taken() -> None:
    obj = Obj(b'{"x":null}')

    assert (obj.has("x"), obj.is_null("x"), obj.has("y"), obj.is_null("y")) == (True, True, False, False)


def test_objects_know_their_place() -> None:
    first, second = Obj(b'{"messages":[{"a":1},{"b":{"c":2}}]}').objects("messages") or []

    inner = second.obj("b")

    assert (first.param, second.param) == ("messages[0]", "messages[1]")
    assert inner is not None
    assert inner.at("c") == "messages[1].b.c"


def test_an_item_of_the_wrong_type_names_its_place() -> None:
    with pytest.raises(LocalDialectError) as caught:
        Obj(b'{"messages":[{},7]}').objects("messages")
    assert caught.value.param == "messages[1]"

    with pytest.raises(LocalDialectError) as caught:
        Obj(b'{"stop":["a",7]}').texts("stop")
    assert caught.value.param == "stop[1]"


def test_leniently_items_of_the_wrong_type_are_passed_over() -> None:
    obj = Obj(b'{"o":[{},7,null,{"a":1}],"t":["a",7,"b"]}', lenient=True)

    assert [found.members for found in obj.objects("o") or []] == [{}, {"a": b"1"}]
    assert obj.texts("t") == ["a", "b"]


@pytest.mark.parametrize("body", [b"{}", b'{"x":null}', b'{"x":7}'])
def test_a_text_that_is_needed_names_its_param(body: bytes) -> None:
    with pytest.raises(LocalDialectError) as caught:
        Obj(body, "a").need_text("x")

    assert caught.value.param == "a.x"


def test_a_value_is_plain_python() -> None:
    obj = Obj(b'{"x":{"a":[1,null]},"n":null}')

    assert (obj.value("x"), obj.value("n"), obj.members) == ({"a": [1, None]}, None, {})


def test_depth_that_only_the_inner_read_finds_is_a_dialect_error() -> None:
    """The interpreter's depth is shared with its own stack: a span that passed above may fail below."""
    obj = Obj(b'{"x":1}')
    obj.members["x"] = b"[" * 100_000

    with pytest.raises(LocalDialectError) as caught:
        obj.array("x")

    assert caught.value.param == "x"
