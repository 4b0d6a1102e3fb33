"""Embeddings of the chat dialect's hosts."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.embed import Content, EmbedRequest, EmbedResponse, Vector, answering
from setu.chat.ids import counter
from setu.chat.parts import Text
from setu.dialects.openai_chat.embed import parse_request, parse_response, render_request, render_response, settle, tidy
from setu.dialects.record import Reply, Route, Target
from setu.errors import LocalDialectError, ProviderError, RemoteDialectError, SetuError

ROUTE = Route(dialect="openai_chat", operation="embed")
REPLY = Reply(model="asked", id="id", created=1, mint=counter())
TARGET = Target(model="up")
ROWS: dict[str, Any] = {
    "object": "list",
    "data": [
        {"object": "embedding", "index": 1, "embedding": [1, 2.50]},
        {"object": "embedding", "index": 0, "embedding": "AAAAPw=="},
    ],
    "model": "up",
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
}


def read(**members: Any) -> EmbedRequest:
    return parse_request(json.dumps({"model": "m", "input": "a", **members}).encode(), ROUTE)


@pytest.mark.parametrize(
    ("wire", "inputs"),
    [
        ("a", ("a",)),
        ("", ("",)),
        (["a"], ("a",)),
        (["a", "b"], ("a", "b")),
        ([1, 2], ((1, 2),)),
        ([[1, 2], [3]], ((1, 2), (3,))),
        (["a", [1]], ("a", (1,))),
    ],
)
def test_every_form_of_input_is_read(wire: Any, inputs: Any) -> None:
    """B-EMB-03."""
    assert read(input=wire).inputs == inputs


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"input": []}, "input"),
        ({"input": None}, "input"),
        ({"input": {}}, "input"),
        ({"input": 1}, "input"),
        ({"input": ["a", 1]}, "input[1]"),
        ({"input": ["a", None]}, "input[1]"),
        ({"input": [1, "a"]}, "input[1]"),
        ({"input": [1, -1]}, "input[1]"),
        ({"input": [1.5]}, "input[0]"),
        ({"input": [[]]}, "input[0]"),
        ({"input": [[1, "a"]]}, "input[0][1]"),
        ({"input": ["a"] * 2049}, "input"),
        ({"model": None}, "model"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": "3"}, "dimensions"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"user": 1}, "user"),
    ],
)
def test_what_is_wrong_is_named(members: dict[str, Any], param: str) -> None:
    with pytest.raises(LocalDialectError) as caught:
        read(**members)

    assert caught.value.param == param


@given(
    st.binary(max_size=60) | st.text(max_size=20).map(lambda text: json.dumps({"model": "m", "input": text}).encode())
)
def test_any_bytes_are_a_request_or_an_error(body: bytes) -> None:
    with suppress(LocalDialectError):
        assert parse_request(body, ROUTE).inputs


@given(
    inputs=st.text(max_size=5)
    | st.lists(st.text(max_size=5), min_size=1, max_size=3)
    | st.lists(st.integers(0, 10**6), min_size=1, max_size=3)
    | st.lists(st.lists(st.integers(0, 10**6), min_size=1, max_size=3), min_size=1, max_size=3),
    more=st.fixed_dictionaries(
        {}, optional={"dimensions": st.integers(1, 9), "user": st.text(max_size=5), "input_type": st.just("query"),
                      "encoding_format": st.sampled_from(["float", "base64"]), "own": st.booleans()}
    ),
)  # fmt: skip
def test_a_request_survives_being_written(inputs: Any, more: dict[str, Any]) -> None:
    request = read(input=inputs, **more)

    rendered = render_request(request, Target(model="m"))

    assert rendered.losses == ()
    assert parse_request(rendered.body, ROUTE) == request


def test_media_cannot_be_written() -> None:
    with pytest.raises(LocalDialectError) as caught:
        render_request(EmbedRequest(model="m", inputs=(Content(parts=(Text(text="a"),)),)), TARGET)

    assert caught.value.param == "input"


def test_vectors_come_in_the_order_of_their_indices_and_exactly_as_written() -> None:
    answer = parse_response(json.dumps(ROWS).encode(), counter())

    assert answer.vectors == (Vector(base64="AAAAPw=="), Vector(floats=b"[1, 2.5]"))
    assert answer.usage is not None
    assert answer.usage.input == 3


@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_an_answer_is_written_in_the_encoding_asked_for(encoding: Any) -> None:
    asked = EmbedRequest(model="m", inputs=("a", "b"), encoding=encoding)
    answer = answering(asked, parse_response(json.dumps(ROWS).encode(), counter()))

    data = json.loads(render_response(answer, REPLY).body)["data"]

    expected = ["AAAAPw==", "AACAPwAAIEA="] if encoding == "base64" else [[0.5], [1, 2.5]]
    assert [row["embedding"] for row in data] == expected
    assert [row["index"] for row in data] == [0, 1]


def test_an_answer_without_counts_says_zero_and_that_it_does_not_know() -> None:
    rendered = render_response(EmbedResponse(vectors=(Vector(floats=b"[1]"),)), REPLY)

    assert json.loads(rendered.body)["usage"] == {"prompt_tokens": 0, "total_tokens": 0}
    assert json.loads(rendered.body)["model"] == "asked"
    assert [loss.pointer for loss in rendered.losses] == ["/usage"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"error":{"message":"no"}}', ProviderError),
        (b'{"detail":"no"}', ProviderError),
        (b"{}", RemoteDialectError),
        (b"<html>", RemoteDialectError),
        (b'{"data":[{"index":0}]}', RemoteDialectError),
        (b'{"data":[{"index":0,"embedding":1}]}', RemoteDialectError),
    ],
)
def test_a_body_without_vectors_is_an_error(body: bytes, error: type[SetuError]) -> None:
    with pytest.raises(error):
        parse_response(body, counter())


def test_only_a_null_encoding_of_the_body_itself_is_left_out() -> None:
    """B-EMB-02."""
    text = b'{"input":"\\"encoding_format\\":null", "x":{"encoding_format":null}}'

    assert tidy(text) is text
    assert tidy(b'{"encoding_format" : null, "input":  "a"}') == b'{"input":"a"}'


def test_an_answer_in_the_right_encoding_is_not_touched() -> None:
    floats, packed = b'{"data":[{"embedding":[1]}]}', b'{"data":[{"embedding":"AAAAPw=="}]}'
    error = b'{"error":{"message":"embedding"}}'

    assert settle(b'{"input":"base64"}', floats) is floats
    assert settle(b'{"encoding_format":"base64"}', packed) is packed
    assert settle(b'{"encoding_format":"base64"}', error) is error
    assert settle(b'{"encoding_format":"base64"}', floats) == b'{"data":[{"embedding":"AACAPw=="}]}'
    assert settle(b"{}", packed) == b'{"data":[{"embedding":[0.5]}]}'
