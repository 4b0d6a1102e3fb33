"""The httpx transport against raw servers."""

import asyncio
import gzip
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

from setu.errors import ConnectionFailedError, DeadlineError, TruncatedError
from setu.http import Headers, Request
from setu.transport.httpx_ import HttpxTransport
from tests.servers import SSE_HEAD, RawServer, chunked, gone, read_request

T = TypeVar("T")


def run(server: RawServer, use: Callable[[HttpxTransport, Request], Coroutine[Any, Any, T]], timeout: float = 5.0) -> T:
    async def main() -> T:
        transport = HttpxTransport(read_timeout=timeout)
        try:
            headers = Headers.of({"content-type": "application/json"})
            return await use(
                transport, Request(method="POST", origin=server.url, path="/x", headers=headers, body=b"{}")
            )
        finally:
            await transport.aclose()

    return asyncio.run(main())


async def whole(transport: HttpxTransport, request: Request) -> bytes:
    return await (await transport.send(request)).read()


def answering(data: bytes) -> RawServer:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(data)
        await writer.drain()

    return RawServer(handler)


def test_a_body_comes_whole_and_its_repeated_fields_in_order() -> None:
    data = b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 2\r\n\r\nok"

    async def use(transport: HttpxTransport, request: Request) -> tuple[list[str], bytes]:
        response = await transport.send(request)
        return response.headers.getall("x-a"), await response.read()

    with answering(data) as server:
        assert run(server, use) == (["1", "2"], b"ok")


def test_only_the_callers_own_fields_are_sent() -> None:
    seen: dict[str, str] = {}

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, headers, _ = await read_request(reader)
        seen.update(headers)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    with RawServer(handler) as server:
        run(server, whole)

    assert set(seen) == {"host", "content-type", "content-length"}


def test_chunks_arrive_one_by_one() -> None:
    release = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(SSE_HEAD + chunked(b"data: 1\n\n", end=False))
        await writer.drain()
        await release.wait()
        writer.write(chunked(b"data: 2\n\n"))

    async def use(transport: HttpxTransport, request: Request) -> list[bytes]:
        response = await transport.send(request)
        chunks = response.chunks()
        first = await anext(chunks)
        server._loop.call_soon_threadsafe(release.set)
        return [first, *[chunk async for chunk in chunks]]

    with RawServer(handler) as server:
        assert run(server, use) == [b"data: 1\n\n", b"data: 2\n\n"]


@pytest.mark.parametrize(
    "data",
    [
        SSE_HEAD + chunked(b"data: 1\n\n", end=False),
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        SSE_HEAD + b"20\r\nhalf a chunk",
    ],
)
def test_a_cut_body_is_truncated_never_complete(data: bytes) -> None:
    with answering(data) as server, pytest.raises(TruncatedError):
        run(server, whole)


def test_a_compressed_body_is_decoded() -> None:
    packed = gzip.compress(b"plain text")
    data = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed) + packed

    with answering(data) as server:
        assert run(server, whole) == b"plain text"


def test_a_refused_connection_says_where() -> None:
    with answering(b"") as server:
        pass

    with pytest.raises(ConnectionFailedError, match="cannot reach http://127"):
        run(server, whole)


def test_a_connection_closed_before_the_head_is_unreachable() -> None:
    with answering(b"") as server, pytest.raises(ConnectionFailedError):
        run(server, whole)


def test_silence_is_a_deadline() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await gone(reader)

    with RawServer(handler) as server, pytest.raises(DeadlineError):
        run(server, whole, timeout=0.2)


def test_closing_early_closes_the_connection() -> None:
    closed: list[bool] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(SSE_HEAD + chunked(b"data: 1\n\n", end=False))
        await writer.drain()
        closed.append(await gone(reader))

    async def use(transport: HttpxTransport, request: Request) -> None:
        response = await transport.send(request)
        async for _ in response.chunks():
            break
        await response.aclose()
        await response.aclose()
        await asyncio.sleep(0.1)

    with RawServer(handler) as server:
        run(server, use)

    assert closed == [True]
