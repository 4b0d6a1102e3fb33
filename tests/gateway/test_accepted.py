"""A client that says nothing of a stream in the body may ask for one by the media type that it accepts."""

import pytest

from setu import _json
from setu.dialects.record import Operation, Route
from setu.gateway.labels import accepted
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
