"""What clients of earlier gateways say in their own way: a stream in `accept`, an id in the body."""

import pytest

from setu import _json
from setu.dialects.record import Operation, Route
from setu.errors import LocalDialectError
from setu.gateway.labels import accepted, identified
from setu.http import Headers
from setu.translate.splice import Head, read_head

SSE = "text/event-stream"


def head_of(body: bytes, accept: str | None, dialect: str = "openai_chat", operation: Operation = "chat") -> Head:
    route = Route(dialect=dialect, operation=operation)
    headers = Headers.of({} if accept is None else {"accept": accept})
    return accepted(read_head(body, route), route, headers)


@pytest.mark.parametrize("dialect", ["openai_chat", "openai_responses", "anthropic"])
@pytest.mark.parametrize("accept", [SSE, f"{SSE}; charset=utf-8", f" {SSE};q=1"])
def test_who_accepts_a_stream_and_nothing_else_gets_one(dialect: str, accept: str) -> None:
    head = head_of(b'{"model":"m"}', accept, dialect)

    assert head.stream
    assert _json.decode(head.body) == {"model": "m", "stream": True}


@pytest.mark.parametrize("accept", [None, "application/json", "*/*", f"application/json, {SSE}", f"{SSE}, */*"])
def test_who_accepts_something_else_gets_it(accept: str | None) -> None:
    head = head_of(b'{"model":"m"}', accept)

    assert (head.stream, head.body) == (False, b'{"model":"m"}')


@pytest.mark.parametrize(("said", "streams"), [(b"false", False), (b"null", False), (b"true", True)])
def test_the_body_has_the_word(said: bytes, streams: bool) -> None:
    body = b'{"model":"m","stream":%s}' % said
    head = head_of(body, SSE)

    assert (head.stream, head.body) == (streams, body)


@pytest.mark.parametrize(("dialect", "operation"), [("ollama", "chat"), ("openai_chat", "embed")])
def test_what_has_no_such_member_is_left_alone(dialect: str, operation: Operation) -> None:
    body = b'{"model":"m"}'

    assert head_of(body, SSE, dialect, operation).body == body


def read(body: bytes) -> Head:
    return read_head(body, Route(dialect="openai_chat", operation="chat"))


def test_the_id_in_a_body_is_taken_out_of_it() -> None:
    head, said = identified(read(b'{"model":"m","request_id":"r-1","messages":[{"request_id": 5}]}'))

    assert said == "r-1"
    assert _json.decode(head.body) == {"model": "m", "messages": [{"request_id": 5}]}


@pytest.mark.parametrize("body", [b'{"model":"m"}', b'{"model":"m","messages":[{"request_id":"r"}]}'])
def test_a_body_without_one_stays_as_it_is(body: bytes) -> None:
    head, said = identified(read(body))

    assert (head.body, said) == (body, "")


@pytest.mark.parametrize("wrong", ["a\\nb", "\\u00e9", "x" * 129])
def test_an_id_that_no_header_could_carry_is_refused(wrong: str) -> None:
    with pytest.raises(LocalDialectError, match=r"^request_id must be printable ASCII of at most 128 characters$"):
        identified(read(b'{"request_id":"%s"}' % wrong.encode()))
