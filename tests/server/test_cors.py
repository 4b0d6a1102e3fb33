"""Pages of other sites, over real sockets: what the browser is told, and that streams stay streams."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio import client

from setu.config.access import Cors
from setu.errors import ErrorInfo
from setu.http import Headers, Request, Response
from setu.server.app import App
from setu.server.cors import with_cors
from setu.server.endpoints import Operations
from setu.server.serve import Background
from tests.clocks import RealClock

PAGE, OTHER = "https://app.example", "https://evil.example"
FIELDS = {"x-request-id": "r1", "x-ratelimit-remaining": "3", "x-setu-provider": "openai", "x-secret": "s"}


class Held:
    """A stream whose second chunk waits until a test lets it go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.to_thread(self.go.wait, 30)
        yield b"second"

    async def aclose(self) -> None:
        pass


class Inside:
    """Answers with fields of every sort; with a stream, if it has one."""

    def __init__(self, stream: Held | None = None) -> None:
        self.stream = stream
        self.asked: list[str] = []

    async def send(self, request: Request) -> Response:
        self.asked.append(request.method)
        return Response(200, Headers.of(FIELDS), self.stream or b"{}")

    async def aclose(self) -> None:
        pass


@contextmanager
def served(inside: Inside, **cors: Any) -> Iterator[str]:
    def render(_request: Request, info: ErrorInfo) -> bytes:
        return info.message.encode()

    operations = Operations(RealClock(), lambda: {"usable": True}, dict)
    app = App(inside, render, operations, lambda prefix: prefix, max_body=10)
    with Background(with_cors(app, **Cors(**cors).options())) as server:
        yield server.url


def ask(url: str, method: str = "POST", body: bytes = b"{}", **fields: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return httpx.request(method, f"{url}/v1/chat/completions", content=body, headers=named, timeout=30)


def preflight(url: str, origin: str = PAGE, **fields: str) -> httpx.Response:
    return ask(url, "OPTIONS", b"", origin=origin, access_control_request_method="POST", **fields)


def test_without_configuration_an_app_stays_as_it_is() -> None:
    async def app(*_: Any) -> None: ...

    assert with_cors(app, **Cors().options()) is app


def test_a_page_that_may_is_told_so_and_what_it_may_read() -> None:
    with served(Inside(), allow_origins=[PAGE]) as url:
        answer = ask(url, origin=PAGE)

    assert answer.status_code == 200
    assert answer.headers.get("access-control-allow-origin") == PAGE
    assert answer.headers.get("access-control-allow-credentials") is None
    assert answer.headers.get("access-control-expose-headers") == "x-request-id, x-ratelimit-remaining, x-setu-provider"
    assert "Origin" in (answer.headers.get("vary") or "")


def test_any_other_page_is_not() -> None:
    with served(Inside(), allow_origins=[PAGE]) as url:
        answers = [ask(url, origin=OTHER), ask(url)]

    assert [answer.headers.get("access-control-allow-origin") for answer in answers] == [None, None]


def test_errors_of_the_raw_edge_can_be_read_too() -> None:
    with served(Inside(), allow_origins=[PAGE]) as url:
        answer = ask(url, body=b"x" * 99, origin=PAGE)

    assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (413, PAGE)


def test_a_preflight_is_answered_at_the_door() -> None:
    inside = Inside()
    with served(inside, allow_origins=[PAGE]) as url:
        answer = preflight(url, access_control_request_headers="authorization, x-stainless-os")
        refused = preflight(url, OTHER)

    assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (200, PAGE)
    assert answer.headers.get("access-control-allow-headers") == "authorization, x-stainless-os"
    assert answer.headers.get("access-control-max-age") == "300"
    assert (refused.status_code, refused.headers.get("access-control-allow-origin")) == (400, None)
    assert inside.asked == []


@pytest.mark.parametrize(("allowed", "expected"), [(False, (400, None)), (True, (200, "true"))])
def test_a_page_of_the_public_web_needs_leave_of_its_own_for_a_private_network(
    allowed: bool, expected: tuple[int, str | None]
) -> None:
    with served(Inside(), allow_origins=[PAGE], allow_private_network=allowed) as url:
        answer = preflight(url, access_control_request_private_network="true")

    assert (answer.status_code, answer.headers.get("access-control-allow-private-network")) == expected


def test_any_page_means_any_page_but_nobodys_cookies() -> None:
    with served(Inside(), allow_origins=["*"]) as url:
        answer = ask(url, origin=OTHER)

    assert answer.headers.get("access-control-allow-origin") == "*"
    assert answer.headers.get("access-control-allow-credentials") is None


def test_pages_that_are_named_may_send_cookies_if_so_configured() -> None:
    with served(Inside(), allow_origins=[PAGE], allow_credentials=True) as url:
        answer = ask(url, origin=PAGE)

    assert answer.headers.get("access-control-allow-credentials") == "true"


def test_a_stream_arrives_as_it_is_made() -> None:
    stream = Held()
    with (
        served(Inside(stream), allow_origins=[PAGE]) as url,
        httpx.stream("POST", f"{url}/v1/chat/completions", headers={"origin": PAGE}, timeout=30) as answer,
    ):
        chunks = answer.iter_raw()
        first = next(chunks)
        stream.go.set()
        rest = b"".join(chunks)

    assert (first, rest) == (b"first", b"second")


def test_web_sockets_go_through() -> None:
    async def opened(url: str) -> bool:
        async with client.connect(url.replace("http", "ws", 1) + "/v1/responses") as socket:
            await socket.send("{}")
            return "unknown event type" in str(await socket.recv())

    with served(Inside(), allow_origins=[PAGE]) as url:
        assert asyncio.run(opened(url))


@given(st.text(st.characters(codec="ascii", exclude_characters="\x00\r\n"), max_size=40))
def test_no_origin_but_the_named_one_is_let_in(origin: str) -> None:
    sent: list[Any] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "headers": [(b"origin", origin.encode())]}

    async def asked() -> None:
        await with_cors(app, **Cors(allow_origins=(PAGE,)).options())(scope, receive, send)

    asyncio.run(asked())

    allowed = dict(sent[0]["headers"]).get(b"access-control-allow-origin")
    assert allowed == (PAGE.encode() if origin == PAGE else None)
