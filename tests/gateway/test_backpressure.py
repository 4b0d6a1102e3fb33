"""A client that does not read stops the reading of its upstream; nothing piles up in between."""

import asyncio
import socket
import time
from urllib.parse import urlsplit

import pytest

from tests.gateway.wire import chunk
from tests.live import Live, asked, sse
from tests.servers import SSE_HEAD, chunked, read_request

PIECE = chunked(sse(chunk({"content": "x" * 16_000})), end=False)
ENOUGH = 64 * 1024 * 1024


class Flood:
    """Writes as fast as it is read; counts."""

    def __init__(self) -> None:
        self.written = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(SSE_HEAD)
        while self.written < ENOUGH:
            writer.write(PIECE)
            await writer.drain()
            self.written += len(PIECE)


@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic"])
def test_a_client_that_does_not_read_stops_the_upstream(dialect: str) -> None:
    flood = Flood()
    with Live(flood) as live:
        body, path = asked("oa/m", dialect, stream=True)
        host, _, port = urlsplit(live.url).netloc.partition(":")
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect((host, int(port)))
            client.sendall(
                f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
            )
            before = settled(flood)
            time.sleep(0.3)
            stopped = flood.written

    # What the kernel's buffers of two connections hold, and a few frames.
    assert 0 < before == stopped < 16 * 1024 * 1024


def settled(flood: Flood) -> int:
    """Wait until the upstream has stopped writing."""
    last, same = -1, 0
    until = time.monotonic() + 20
    while same < 20 and time.monotonic() < until:  # a second: a busy machine pauses, too
        same = same + 1 if flood.written == last and last > 0 else 0
        last = flood.written
        time.sleep(0.05)
    return flood.written
