"""Vectors in two encodings, and answers that must fit their request."""

import struct
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.embed import Content, EmbedRequest, EmbedResponse, Vector, answering, base64_of, floats, numbers, texts
from setu.chat.parts import Text
from setu.errors import LocalDialectError, RemoteDialectError

float32 = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=20)


@given(float32)
def test_float32_numbers_survive_base64_and_back_exactly(values: list[float]) -> None:
    packed = base64_of(Vector(floats=msgspec.json.encode(values)))
    back = floats(Vector(base64=packed))

    assert struct.pack(f"<{len(values)}d", *numbers(Vector(floats=back))) == struct.pack(f"<{len(values)}d", *values)
    assert base64_of(Vector(floats=back)) == packed


def test_768_numbers_are_4096_base64_characters() -> None:
    """B-EMB-01: read as something else, they are 192 numbers."""
    packed = base64_of(Vector(floats=msgspec.json.encode([0.5] * 768)))

    assert len(packed) == 4096
    assert len(numbers(Vector(base64=packed))) == 768


def test_what_came_in_the_wanted_encoding_is_not_touched() -> None:
    text = b"[1.0, 2.50,3e0]"

    assert floats(Vector(floats=text)) is text
    assert base64_of(Vector(base64="not looked at")) == "not looked at"


@pytest.mark.parametrize(
    "vector",
    [
        Vector(base64="AAA"),
        Vector(base64="AAAAAAA="),
        Vector(base64="????"),
        Vector(base64="AADAfw=="),
        Vector(base64="AACAfw=="),
        Vector(base64="é"),
        Vector(floats=b'["1"]'),
        Vector(floats=b"[1e400]"),
        Vector(floats=b"{}"),
    ],
)
def test_what_holds_no_finite_numbers_is_the_upstreams_fault(vector: Vector) -> None:
    with pytest.raises(RemoteDialectError):
        numbers(vector)


def test_a_number_too_large_for_float32_is_not_made_infinite() -> None:
    with pytest.raises(RemoteDialectError, match="too large"):
        base64_of(Vector(floats=b"[1e39]"))


@given(st.binary(max_size=40))
def test_any_text_is_numbers_or_an_error(data: bytes) -> None:
    for vector in (Vector(floats=data), Vector(base64=data.decode("latin-1"))):
        with suppress(RemoteDialectError):
            assert isinstance(numbers(vector), list)


def test_an_answer_takes_encoding_and_shape_from_its_request() -> None:
    request = EmbedRequest(model="m", inputs=("a",), batch=False, encoding="base64")

    answer = answering(request, EmbedResponse(vectors=(Vector(floats=b"[1]"),)))

    assert (answer.encoding, answer.batch) == ("base64", False)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_vectors_that_are_not_one_for_each_input_cannot_be_given_out(count: int) -> None:
    request = EmbedRequest(model="m", inputs=("a", "b"))

    with pytest.raises(RemoteDialectError, match=f"{count} embeddings for 2 inputs"):
        answering(request, EmbedResponse(vectors=(Vector(floats=b"[1]"),) * count))


@pytest.mark.parametrize("given_input", [(1, 2), Content(parts=(Text(text="a"), Text(text="b")))])
def test_only_texts_are_texts(given_input: tuple[int, ...] | Content) -> None:
    with pytest.raises(LocalDialectError) as caught:
        texts(EmbedRequest(model="m", inputs=("a", given_input)), "input")

    assert caught.value.param == "input"
    assert texts(EmbedRequest(model="m", inputs=("a", "b")), "input") == ["a", "b"]
