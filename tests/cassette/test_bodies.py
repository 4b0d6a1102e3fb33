import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.bodies import Stored, decompress, restore, store
from tests.documents import DOCUMENTS

VALUE = {"b": [1, 2.5, {"é": "\u2028"}], "a": None}


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize(("separators", "style"), [((",", ":"), "compact"), ((", ", ": "), "spaced")])
def test_json_on_one_line_is_stored_indented(separators, style, ascii_only, end) -> None:
    body = (json.dumps(VALUE, ensure_ascii=ascii_only, separators=separators) + end).encode()

    stored = store(body)

    assert stored.json == style + ("-ascii" if ascii_only else "") + ("-lf" if end else "")
    assert isinstance(stored.text, str)
    assert len(stored.text.splitlines()) > 5
    assert restore(stored) == body


@pytest.mark.parametrize("indent", [1, 2, 4])
def test_json_on_several_lines_is_stored_as_it_stands(indent) -> None:
    body = (json.dumps(VALUE, indent=indent) + "\n").encode()

    assert store(body) == Stored(body.decode())


@pytest.mark.parametrize(("style", "indent"), [("indent2", 2), ("indent4", 4)])
def test_indented_styles_are_restored(style, indent) -> None:
    assert restore(Stored('{"a":[1]}', json=style)) == json.dumps({"a": [1]}, indent=indent).encode()


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1e0}',
        b'{"a":0.10}',
        b'{"a":1,"a":2}',
        b'{"a" : 1}',
        b'{"a":"\\/"}',
        b"[" * 5000,
        b'{"a":' + b"1" * 5000 + b"}",
    ],
    ids=["exponent", "trailing zero", "duplicate key", "odd space", "escaped slash", "deep", "huge integer"],
)
def test_json_that_no_style_reproduces_is_stored_as_it_stands(body) -> None:
    assert store(body) == Stored(body.decode())


def test_text_with_crlf_is_stored_with_lf() -> None:
    assert store(b"data: 1\r\n\r\ndata: 2\r\n\r\n") == Stored("data: 1\n\ndata: 2\n\n", eol="crlf")


def test_text_with_cr_is_stored_with_lf() -> None:
    assert store(b"data: 1\r\rdata: 2\r\r") == Stored("data: 1\n\ndata: 2\n\n", eol="cr")


def test_text_with_mixed_line_ends_keeps_them() -> None:
    assert store(b"a\r\nb\nc\r") == Stored("a\r\nb\nc\r")


def test_a_request_keeps_its_line_ends() -> None:
    assert store(b"a\r\nb", normalise_eol=False) == Stored("a\r\nb")


@pytest.mark.parametrize("body", [b"\xff\xfe", b"abc\x00def", b"data: \xc3"])
def test_what_is_not_text_stays_bytes(body) -> None:
    assert store(body) == Stored(body)


def test_edited_json_is_restored_in_its_style() -> None:
    edited = Stored('{\n  "messages": [ "hi" ]\n}\n', json="compact")

    assert restore(edited) == b'{"messages":["hi"]}'


@pytest.mark.parametrize("stored", [Stored("{", json="compact"), Stored("{}", json="baroque")])
def test_a_style_that_cannot_be_applied_is_an_error(stored) -> None:
    with pytest.raises(ValueError):
        restore(stored)


@given(st.binary())
def test_any_bytes_come_back(body) -> None:
    assert restore(store(body)) == body


@given(st.text(), st.sampled_from(["utf-8", "utf-16"]))
def test_any_text_comes_back(text, encoding) -> None:
    body = text.encode(encoding, "surrogatepass")

    assert restore(store(body)) == body


@given(DOCUMENTS)
def test_any_json_comes_back(document) -> None:
    assert restore(store(document.text.encode("utf-8", "surrogatepass"))) == document.text.encode(
        "utf-8", "surrogatepass"
    )


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("Deflate", zlib.compress)]
)
def test_known_content_encodings_are_undone(encoding, compress) -> None:
    assert decompress(compress(b"hello"), encoding) == b"hello"


@pytest.mark.parametrize(("data", "encoding"), [(b"hello", "gzip"), (b"hello", "br"), (b"", "zstd")])
def test_what_cannot_be_undone_is_none(data, encoding) -> None:
    assert decompress(data, encoding) is None
