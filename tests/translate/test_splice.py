"""The head of a request: what is read, what is refused, what is added for usage."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.dialects.record import Route
from setu.errors import LocalDialectError
from setu.translate.splice import may_add_usage, read_head, wants_usage, with_usage
from tests.documents import OBJECTS, Object

CHAT = Route(dialect="openai_chat", operation="chat")
GEMINI = Route(dialect="gemini", operation="chat", model="g", stream=True)


def test_a_head_is_what_routing_needs_and_the_body_as_it_came() -> None:
    body = b' {"stream" : true, "model": "a\\u0062", "stream_options" : { } }'

    head = read_head(body, CHAT)

    assert (head.body, head.model, head.stream, head.stream_options) == (body, "ab", True, b"{ }")
    assert head.body is body


def test_a_path_that_says_model_and_stream_wins() -> None:
    head = read_head(b'{"model":5,"stream":"no"}', GEMINI)

    assert (head.model, head.stream) == ("g", True)


@settings(max_examples=40)
@given(OBJECTS)
def test_any_object_has_a_head_or_a_refusal_that_names_a_member(found: Object) -> None:
    refused: str | None = None
    try:
        head = read_head(found.data, CHAT)
    except LocalDialectError as error:
        refused = error.param

    if refused is None:
        assert (head.body, head.model) == (found.data, found.value.get("model"))
    else:
        assert refused in {"model", "stream", "stream_options"}


KEYS = ("model", "stream", "stream_options")


@given(st.sampled_from(KEYS), st.integers(0, 13), st.booleans(), st.booleans())
def test_no_spelling_hides_a_duplicate(key: str, place: int, upper: bool, first: bool) -> None:
    place %= len(key)
    code = f"\\u{ord(key[place]):04X}" if upper else f"\\u{ord(key[place]):04x}"
    spelled = key[:place] + code + key[place + 1 :]
    one, two = (key, spelled) if first else (spelled, key)
    body = f'{{"{one}":null,"x":"{key}","{two}":null}}'.encode()

    with pytest.raises(LocalDialectError) as caught:
        read_head(body, CHAT)

    assert (caught.value.param, caught.value.code) == (key, "duplicate_key")


@pytest.mark.parametrize(
    ("options", "wants", "may", "made"),
    [
        (None, False, True, {"include_usage": True}),
        (b"null", False, True, {"include_usage": True}),
        (b"{}", False, True, {"include_usage": True}),
        (b'{"include_usage":false,"x":1}', False, True, {"include_usage": True, "x": 1}),
        (b'{"include_usage":true}', True, False, {"include_usage": True}),
        (b"5", False, False, None),
        (b"[]", False, False, None),
    ],
)
def test_usage_is_added_only_where_it_was_not_asked_for(
    options: bytes | None, wants: bool, may: bool, made: object
) -> None:
    assert (wants_usage(options), may_add_usage(options)) == (wants, may)
    if made is not None:
        assert json.loads(with_usage(options)) == made
