"""Pass-through of endpoints that no dialect knows, for clients that name the provider."""

import asyncio
import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.live import KEY, Live, Upstream, read_exactly_as_sent, reply
from tests.servers import chunked

BINARY = bytes(range(256)) * 4


@pytest.mark.parametrize(
    ("path", "fields", "line"),
    [
        ("/oa/v1/files?limit=3", [], "POST /v1/files?limit=3 HTTP/1.1"),
        ("/oa/files/a%2Fb/", [], "POST /v1/files/a%2Fb/ HTTP/1.1"),
        ("/an/v1/complete", [], "POST /v1/complete HTTP/1.1"),
        ("/ge/upload/v1beta/files?alt=json", [], "POST /upload/v1beta/files?alt=json HTTP/1.1"),
        ("/v1/moderations", [("x-setu-provider", "oa")], "POST /v1/moderations HTTP/1.1"),
        ("/v1/images/generations", [("X-Provider", "oa")], "POST /v1/images/generations HTTP/1.1"),
    ],
)
def test_a_named_provider_gets_the_request_where_it_would_be(
    live: Live, upstream: Upstream, path: str, fields: list[tuple[str, str]], line: str
) -> None:
    upstream.answer = reply(BINARY, kind="audio/mpeg")

    answer = live.ask(BINARY, path, [("content-type", "multipart/form-data; boundary=b"), *fields])

    sent = upstream.sent[-1]
    assert (sent.line, sent.body, sent.field("content-type")) == (line, BINARY, "multipart/form-data; boundary=b")
    assert (answer.status, answer.body, answer.field("content-type")) == (200, BINARY, "audio/mpeg")
    assert answer.field("x-setu-provider") == (path.split("/")[1] if not fields else "oa")
    assert live.calls[-1].route == "raw"


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH"])
def test_any_method_passes(live: Live, upstream: Upstream, method: str) -> None:
    upstream.answer = reply(b"{}")

    answer = live.ask(b"", "/oa/v1/files/file-1", method=method)

    assert answer.status == 200
    assert upstream.sent[-1].line == f"{method} /v1/files/file-1 HTTP/1.1"


def test_credentials_are_the_providers_and_hops_stay_behind(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(b"{}", "200 OK", "application/json", "set-cookie: a=b", "openai-version: 2020-10-01")
    fields = [("authorization", "Bearer client"), ("x-api-key", "client"), ("cookie", "c=d"), ("te", "trailers"),
              ("openai-beta", "assistants=v2")]  # fmt: skip

    answer = live.ask(b"{}", "/oa/v1/threads", fields)

    sent = upstream.sent[-1]
    assert sent.field("authorization") == f"Bearer {KEY}"
    assert sent.field("openai-beta") == "assistants=v2"
    assert [sent.field(name) for name in ("x-api-key", "cookie", "te")] == [None, None, None]
    assert answer.field("openai-version") == "2020-10-01"
    assert answer.field("set-cookie") is None


def test_a_key_in_geminis_query_is_replaced(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(b"{}")

    live.ask(b"", "/ge/v1beta/files?key=client&pageSize=2", method="GET")

    assert upstream.sent[-1].line == "GET /v1beta/files?pageSize=2 HTTP/1.1"
    assert upstream.sent[-1].field("x-goog-api-key") == KEY


@pytest.mark.parametrize("status", ["418 Teapot", "302 Found", "500 Oops"])
def test_errors_pass_untouched(live: Live, upstream: Upstream, status: str) -> None:
    upstream.answer = reply(b"<html>no</html>", status, "text/html")

    answer = live.ask(b"", "/oa/v1/files", method="GET")

    assert (answer.status, answer.body) == (int(status[:3]), b"<html>no</html>")
    assert answer.field("content-type") == "text/html"


@pytest.mark.parametrize(
    ("path", "fields", "status", "code"),
    [
        ("/v1/moderations", [], 404, "unknown_url"),
        ("/v1/moderations", [("x-setu-provider", "nobody")], 400, "provider_not_found"),
        ("/keyless/v1/files", [], 503, "provider_unavailable"),
        ("/dead/v1/files", [], 502, "upstream_unreachable"),
        ("/oa/v1/../../admin", [], 400, "invalid_path"),
        ("/oa/v1/%2e%2e/admin", [], 400, "invalid_path"),
        ("/oa/v1/%252e%252e/admin", [], 400, "invalid_path"),
    ],
)
def test_what_cannot_pass_says_why(
    live: Live, path: str, fields: list[tuple[str, str]], status: int, code: str
) -> None:
    answer = live.ask(b"{}", path, fields)

    assert answer.status == status
    assert answer.error["code"] == code


def test_the_body_limit_holds(upstream: Upstream) -> None:
    with Live(upstream, max_body=100) as small:
        answer = small.ask(b"x" * 101, "/oa/v1/files")

    assert answer.status == 413


def test_an_answer_that_streams_is_relayed_chunk_by_chunk() -> None:
    """The second chunk is sent only when the client has seen the first."""
    seen = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loops.append(asyncio.get_running_loop())
        await read_exactly_as_sent(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: audio/pcm\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(chunked(b"\x00one", end=False))
        await asyncio.wait_for(seen.wait(), 10)
        writer.write(chunked(b"\xfftwo"))
        await writer.drain()

    with Live(upstream) as live:
        connection = http.client.HTTPConnection(urlsplit(live.url).netloc, timeout=10)
        connection.request("POST", "/oa/v1/audio/speech", b"{}")
        response: Any = connection.getresponse()
        first = response.read1(100)
        loops[0].call_soon_threadsafe(seen.set)
        rest = response.read()
        connection.close()

    assert (first, rest) == (b"\x00one", b"\xfftwo")


def test_an_answer_that_breaks_off_breaks_off_for_the_client() -> None:
    async def upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_exactly_as_sent(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: audio/pcm\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(chunked(b"half", end=False))
        await writer.drain()

    with Live(upstream) as live, pytest.raises(http.client.IncompleteRead):
        live.ask(b"{}", "/oa/v1/audio/speech")

    assert live.calls[-1].end == "truncated-upstream"
