"""Headers keep order and repetitions; bodies are read once; closing is always safe."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.errors import TruncatedError
from setu.http import HOP_BY_HOP, Headers, Request, Response, end_to_end

NAMES = st.sampled_from(["content-type", "set-cookie", "x-a", "X-A", "Via"])
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=8)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=8)


class Stream:
    """A body in pieces that counts how often it is closed and may break at its end."""

    def __init__(self, *pieces: bytes, breaks: bool = False) -> None:
        self.pieces = pieces
        self.breaks = breaks
        self.closed = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if self.breaks:
            raise TruncatedError("cut off")

    async def aclose(self) -> None:
        self.closed += 1


@given(FIELDS)
def test_fields_keep_their_order_and_repetitions(fields: list[tuple[str, str]]) -> None:
    headers = Headers.of(fields)

    assert list(headers.items()) == [(name.lower(), value) for name, value in fields]


@given(FIELDS, NAMES)
def test_a_field_is_found_whatever_its_case(fields: list[tuple[str, str]], name: str) -> None:
    headers = Headers.of(fields)
    expected = [value for key, value in fields if key.lower() == name.lower()]

    assert headers.getall(name) == expected
    assert headers.get(name) == (expected[0] if expected else None)
    assert (name in headers) is bool(expected)


@given(FIELDS, NAMES, VALUES)
def test_setting_a_field_leaves_one_value_and_the_others_alone(
    fields: list[tuple[str, str]], name: str, value: str
) -> None:
    headers = Headers.of(fields)

    headers.set(name, value)

    others = [(key.lower(), text) for key, text in fields if key.lower() != name.lower()]
    assert list(headers.items()) == [*others, (name.lower(), value)]


@given(FIELDS, NAMES)
def test_removing_a_field_removes_every_value(fields: list[tuple[str, str]], name: str) -> None:
    headers = Headers.of(fields)

    headers.remove(name)

    assert list(headers.items()) == [(key.lower(), value) for key, value in fields if key.lower() != name.lower()]


def test_an_added_field_comes_last_and_in_lower_case() -> None:
    headers = Headers.of({"set-cookie": "a"})

    headers.add("Set-Cookie", "b")

    assert headers.raw == [(b"set-cookie", b"a"), (b"set-cookie", b"b")]


def test_a_copy_is_equal_and_independent() -> None:
    headers = Headers.of({"x-a": "1"})

    copy = headers.copy()
    equal_before = copy == headers
    copy.set("x-a", "2")

    assert equal_before
    assert hash(copy) != hash(headers)
    assert headers.get("x-a") == "1"


def test_a_missing_field_gives_the_default() -> None:
    assert Headers().get("x-a", "none") == "none"


def test_the_text_of_headers_shows_no_value() -> None:
    assert "secret" not in repr(Headers.of({"authorization": "Bearer secret"}))


def test_hop_by_hop_fields_are_those_of_rfc_9110() -> None:
    assert {b"connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"} <= HOP_BY_HOP
    assert b"content-length" not in HOP_BY_HOP


@pytest.mark.parametrize(
    ("query", "url"), [("", "https://h/v1/messages"), ("beta=true&a=%20", "https://h/v1/messages?beta=true&a=%20")]
)
def test_a_url_is_origin_path_and_query_as_they_are(query: str, url: str) -> None:
    request = Request(method="POST", origin="https://h", path="/v1/messages", query=query)

    assert request.url == url
    assert request.target == url.removeprefix("https://h")


def test_a_streamed_request_body_is_drained_once_and_kept() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    request = Request(method="POST", path="/", body=pieces())

    first = asyncio.run(request.read())

    assert (first, asyncio.run(request.read()), request.body) == (b"abc", b"abc", b"abc")


@pytest.mark.parametrize("body", [b"", b"abc"])
def test_a_response_of_bytes_reads_iterates_and_closes(body: bytes) -> None:
    async def use() -> tuple[bytes, list[bytes]]:
        response = Response(200, body=body)
        pieces = [piece async for piece in response.chunks()]
        await response.aclose()
        return await response.read(), pieces

    assert asyncio.run(use()) == (body, [body] if body else [])


def test_reading_a_stream_closes_it_and_keeps_the_bytes() -> None:
    stream = Stream(b"a", b"b")
    response = Response(200, body=stream)

    body = asyncio.run(response.read())

    assert (body, stream.closed, response.body) == (b"ab", 1, b"ab")


def test_a_stream_that_breaks_is_closed_and_the_error_passes_on() -> None:
    stream = Stream(b"a", breaks=True)

    with pytest.raises(TruncatedError):
        asyncio.run(Response(200, body=stream).read())

    assert stream.closed == 1


def test_chunks_come_as_they_are_and_the_caller_closes() -> None:
    stream = Stream(b"a", b"", b"b")
    response = Response(200, body=stream)

    async def use() -> list[bytes]:
        return [piece async for piece in response.chunks()]

    assert asyncio.run(use()) == [b"a", b"", b"b"]
    assert stream.closed == 0
    asyncio.run(response.aclose())
    assert stream.closed == 1


def test_the_text_of_a_response_is_its_status() -> None:
    assert repr(Response(404, body=b"secret")) == "Response(404)"


def test_one_connections_fields_are_those_it_names_and_the_known_ones() -> None:
    headers = Headers.of(
        [("x-a", "1"), ("connection", "close, X-Hop"), ("x-hop", "1"), ("te", "trailers"), ("connection", "x-mine"), ("x-mine", "2"), ("x-a", "3")]
    )  # fmt: skip

    assert end_to_end(headers).raw == [(b"x-a", b"1"), (b"x-a", b"3")]


def test_no_connection_field_keeps_every_other() -> None:
    assert end_to_end(Headers.of({"x-a": "1", "via": "2"})).raw == [(b"x-a", b"1"), (b"via", b"2")]


def test_other_fields_go_with_those_of_the_connection() -> None:
    headers = Headers.of([("host", "a"), ("x-a", "1"), ("connection", "x-b"), ("x-b", "2"), ("x-c", "3")])

    assert end_to_end(headers, "Host", "x-c").raw == [(b"x-a", b"1")]
    assert [name for name, _ in end_to_end(headers).raw] == [b"host", b"x-a", b"x-c"]  # they were for that call alone


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=3), st.lists(st.sampled_from(["A", "b"]), max_size=2))
def test_one_of_several_fields_is_there_where_any_is(held: list[str], asked: list[str]) -> None:
    headers = Headers.of([(name, "") for name in held])

    assert headers.has_any(*asked) == any(name in headers for name in asked)
