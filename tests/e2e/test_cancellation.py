"""A client that leaves: the upstream is let go within a second, in every phase, on every client dialect (B-SSE-19)."""

import asyncio
import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from setu import build
from setu.config.model import Config, ProviderConfig
from setu.server.serve import Background
from setu.transport.httpx_ import HttpxTransport
from tests.servers import SSE_HEAD, RawServer, chunked, gone, read_request

PHASES = ("before headers", "before the first event", "mid-stream", "non-stream")
CHUNK = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1790000000,"model":"m","choices":[{"index":0,'
    b'"delta":{"role":"assistant","content":"hi"},"finish_reason":null}]}\n\n'
)
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai_chat": ("/v1/chat/completions", {"model": "up/m", "messages": [{"role": "user", "content": "x"}]}),
    "anthropic": ("/v1/messages", {"model": "up/m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}),
}


class Upstream:
    """Hangs in the given phase and notes when its connection was closed."""

    def __init__(self, phase: str) -> None:
        self.phase = phase
        self.reached = asyncio.Event()
        self.asked_at = 0.0
        self.closed_at = 0.0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        if self.phase in {"before the first event", "mid-stream"}:
            writer.write(SSE_HEAD)
        if self.phase == "mid-stream":
            writer.write(chunked(CHUNK, end=False))
        if self.phase == "non-stream":
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{")
        await writer.drain()
        self.asked_at = time.monotonic()
        if await gone(reader, 5.0):
            self.closed_at = time.monotonic()


@pytest.mark.parametrize("client", REQUESTS)
@pytest.mark.parametrize("phase", PHASES)
def test_the_upstream_is_let_go(phase: str, client: str) -> None:
    path, body = REQUESTS[client]
    upstream = Upstream(phase)
    with RawServer(upstream) as raw:
        section = ProviderConfig(type="openai_compatible", base_url=f"{raw.url}/v1")
        config = Config(providers={"up": section})
        gateway = build.gateway(build.deployments(config, {}), HttpxTransport())
        app = build.app(gateway, config, dict)
        with Background(app) as server:
            payload = json.dumps({**body, "stream": phase != "non-stream"}).encode()
            host, _, port = urlsplit(server.url).netloc.partition(":")
            with socket.create_connection((host, int(port)), timeout=10) as sock:
                head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(payload)}\r\n\r\n"
                sock.sendall(head.encode() + payload)
                wait(lambda: upstream.asked_at > 0)
                time.sleep(0.2)
                left = time.monotonic()
            wait(lambda: upstream.closed_at > 0)

    assert upstream.closed_at - left < 1.0


def wait(condition, seconds: float = 5.0) -> None:  # type: ignore[no-untyped-def] # a plain callable
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.01)
