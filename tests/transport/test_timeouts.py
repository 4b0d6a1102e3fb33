"""Each deadline by itself: what it bounds, what it leaves alone, and the sentence that names it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

from setu.errors import DeadlineError
from setu.http import Headers, Request
from setu.resilience.policy import Timeouts
from setu.transport.httpx_ import HttpxTransport, OriginSettings
from tests.servers import SSE_HEAD, Handler, RawServer, chunked, gone, read_request

T = TypeVar("T")


def run(
    handler: Handler,
    timeouts: Timeouts,
    use: Callable[[HttpxTransport, Request], Coroutine[Any, Any, T]],
    *,
    scheme: str = "http",
    **options: Any,
) -> T:
    with RawServer(handler) as server:
        origin = server.url.replace("http", scheme)

        async def main() -> T:
            transport = HttpxTransport(origins={origin: OriginSettings(timeouts=timeouts)}, **options)
            try:
                request = Request(method="POST", origin=origin, path="/x", headers=Headers(), body=b"{}")
                return await asyncio.wait_for(use(transport, request), 10)
            finally:
                await transport.aclose()

        return asyncio.run(main())


async def whole(transport: HttpxTransport, request: Request) -> bytes:
    return await (await transport.send(request)).read()


def stream(before: float, between: float, after: float = 0.0) -> Handler:
    """Answer after a while, pause between two chunks, and again before the end."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await asyncio.sleep(before)
        writer.write(SSE_HEAD + chunked(b"one", end=False))
        await writer.drain()
        await asyncio.sleep(between)
        writer.write(chunked(b"two", end=False))
        await writer.drain()
        await asyncio.sleep(after)
        writer.write(b"0\r\n\r\n")

    return handler


def test_a_host_that_never_finishes_its_handshake_is_not_connected_to() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        await gone(reader)

    with pytest.raises(DeadlineError, match=r"could not be connected to within 0\.2 s$"):
        run(mute, Timeouts(connect=0.2), whole, scheme="https")


def test_a_host_that_does_not_begin_is_told_from_one_that_stops() -> None:
    with pytest.raises(DeadlineError, match=r"did not begin to answer within 0\.2 s$"):
        run(stream(3, 0), Timeouts(first_byte=0.2), whole)
    with pytest.raises(DeadlineError, match=r"went silent in mid-answer for 0\.2 s$"):
        run(stream(0, 3), Timeouts(idle=0.2), whole)


def test_silence_within_an_answer_may_be_longer_than_the_wait_for_its_first_byte() -> None:
    assert run(stream(0, 0.8), Timeouts(first_byte=0.4, idle=5), whole) == b"onetwo"


def test_the_first_byte_may_take_longer_than_silence_within_an_answer() -> None:
    assert run(stream(0.8, 0), Timeouts(first_byte=5, idle=0.4), whole) == b"onetwo"


def test_a_long_answer_has_no_deadline_as_long_as_it_goes_on() -> None:
    assert run(stream(0.3, 0.3, 0.3), Timeouts(first_byte=0.6, idle=0.6), whole) == b"onetwo"


def test_a_head_that_trickles_in_has_a_deadline() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(200):
            writer.write(b"x-%d: y\r\n" % number)
            await writer.drain()
            await asyncio.sleep(0.05)

    with pytest.raises(DeadlineError, match="did not begin to answer"):
        run(trickle, Timeouts(first_byte=0.3), whole)


def test_after_a_deadline_the_transport_still_works() -> None:
    seen = 0

    async def first_mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        await read_request(reader)
        if seen == 1:
            await gone(reader)
            return
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    async def use(transport: HttpxTransport, request: Request) -> bytes:
        with pytest.raises(DeadlineError):
            await whole(transport, request)
        return await whole(transport, request)

    assert run(first_mute, Timeouts(first_byte=0.3), use, max_connections=1) == b"ok"


def test_a_pool_that_stays_full_is_named() -> None:
    async def use(transport: HttpxTransport, request: Request) -> None:
        response = await transport.send(request)
        try:
            with pytest.raises(DeadlineError, match=r"no connection to http://.* became free within 0\.2 s$"):
                await transport.send(request)
        finally:
            await response.aclose()

    run(stream(0, 3), Timeouts(pool=0.2), use, max_connections=1)


def test_origins_that_are_not_named_have_the_common_timeout() -> None:
    async def use(transport: HttpxTransport, request: Request) -> None:
        other = HttpxTransport(read_timeout=0.2, origins={"http://elsewhere": OriginSettings()})
        try:
            with pytest.raises(DeadlineError, match=r"within 0\.2 s"):
                await other.send(request)
        finally:
            await other.aclose()

    run(stream(3, 0), Timeouts(), use)
