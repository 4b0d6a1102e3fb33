"""What is judged, as a client sees it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from setu import build
from setu.config.model import Config
from setu.conformance.subject import HangUp, Local, Remote
from setu.errors import ConnectionFailedError, TruncatedError
from setu.http import Ending, Exchange, Headers, Request, Response
from setu.server.serve import Background
from setu.transport.httpx_ import HttpxTransport

ASK = Request(method="POST", path="/v1/chat/completions", body=b"{}")


class Body:
    def __init__(self, *chunks: bytes, error: Exception | None = None, pause: float = 0) -> None:
        self.chunks, self.error, self.pause, self.closed = chunks, error, pause, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk
        await asyncio.sleep(self.pause)
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        self.closed = True


class Answering:
    def __init__(self, body: Body | bytes, *, wait: float = 0) -> None:
        self.body, self.wait, self.asked = body, wait, list[Request]()

    async def send(self, request: Request) -> Response:
        self.asked.append(request)
        await asyncio.sleep(self.wait)
        return Response(200, Headers.of({"x-a": "b"}), self.body)

    async def aclose(self) -> None:
        pass


def ask(server: Answering, hang_up: HangUp | None = None) -> Exchange:
    return asyncio.run(Local(server, build.SystemClock()).exchange(ASK, hang_up=hang_up))


def test_a_whole_answer_is_kept_with_its_arrivals() -> None:
    body = Body(b"one", b"three")

    exchange = ask(Answering(body))

    assert (exchange.status, exchange.body, exchange.end) == (200, b"onethree", Ending.COMPLETE)
    assert [arrival.size for arrival in exchange.arrivals] == [3, 5]
    assert body.closed


@pytest.mark.parametrize(("reset", "end"), [(True, Ending.RESET), (False, Ending.TRUNCATED)])
def test_a_broken_answer_says_how_it_ended(reset: bool, end: Ending) -> None:
    exchange = ask(Answering(Body(b"one", error=TruncatedError("cut", reset=reset))))

    assert (exchange.body, exchange.end) == (b"one", end)


def test_a_client_leaves_after_some_chunks() -> None:
    body = Body(b"1", b"2", b"3")

    exchange = ask(Answering(body), HangUp(chunks=2))

    assert (exchange.body, exchange.end) == (b"12", Ending.CLOSED_BY_CLIENT)
    assert body.closed


@pytest.mark.parametrize("server", [Answering(b"", wait=30), Answering(Body(b"1", pause=30))], ids=["head", "body"])
def test_a_client_leaves_when_it_is_told_to(server: Answering) -> None:
    async def main() -> Exchange:
        event = asyncio.Event()
        asyncio.get_running_loop().call_later(0.05, event.set)
        return await Local(server, build.SystemClock()).exchange(ASK, hang_up=HangUp(event=event))

    assert asyncio.run(main()).end == Ending.CLOSED_BY_CLIENT


def test_a_server_on_a_url_is_asked_below_its_prefix() -> None:
    server = Answering(b"{}")

    exchange = asyncio.run(Remote(server, build.SystemClock(), "http://h:1/gw/").exchange(ASK))

    assert (server.asked[0].origin, server.asked[0].path) == ("http://h:1", "/gw/v1/chat/completions")
    assert exchange.request.path == "/v1/chat/completions"


def test_all_header_fields_of_a_real_server_are_seen() -> None:
    async def main(url: str) -> Exchange:
        transport = HttpxTransport(verbatim=True)
        try:
            return await Remote(transport, build.SystemClock(), url).exchange(ASK)
        finally:
            await transport.aclose()

    with Background(build.app(Answering(b"{}"), Config(), dict)) as server:
        exchange = asyncio.run(main(server.url))

    assert (exchange.headers.get("content-length"), exchange.headers.get("x-a")) == ("2", "b")


def test_nobody_there_is_an_error() -> None:
    async def main() -> None:
        transport = HttpxTransport()
        try:
            await Remote(transport, build.SystemClock(), "http://127.0.0.1:9").exchange(ASK)
        finally:
            await transport.aclose()

    with pytest.raises(ConnectionFailedError):
        asyncio.run(main())
