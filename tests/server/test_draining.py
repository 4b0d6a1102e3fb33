"""Stopping: what is under way is finished, nothing new is taken, and the process says that all went well."""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn

from setu import build
from setu.config.model import Config, ProviderConfig
from setu.server.serve import Background, _Server
from setu.transport.httpx_ import HttpxTransport
from tests.processes import Serving
from tests.servers import SSE_HEAD, RawServer, chunked, read_request


class Slow:
    """An upstream that begins a stream and ends it when it is told to."""

    def __init__(self) -> None:
        self.release = threading.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(SSE_HEAD + chunked(event("one"), end=False))
        await writer.drain()
        await asyncio.to_thread(self.release.wait, 20)
        writer.write(chunked(event("two", "stop") + b"data: [DONE]\n\n"))
        await writer.drain()


def event(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


@contextmanager
def streaming(tmp_path: Path) -> Iterator[tuple[Serving, http.client.HTTPResponse, Slow]]:
    """Start a gateway and a stream through it, and read until its first event."""
    slow = Slow()
    with RawServer(slow) as upstream:
        config = tmp_path / "setu.toml"
        config.write_text(f'[providers.slow]\ntype = "openai_compatible"\nbase_url = "{upstream.url}/v1"\n')
        with Serving("start", "--port", "0", "--config", str(config), cwd=tmp_path) as gateway:
            connection, response = begun(gateway.url)
            yield gateway, response, slow
            slow.release.set()
            connection.close()
    assert gateway.status is not None


def begun(url: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    """Ask for a stream and read its first event."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    headers = {"content-type": "application/json", "x-setu-provider": "slow"}
    connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
    response = connection.getresponse()
    assert b"one" in response.readline()
    return connection, response


def refuses(url: str, within: float = 5.0) -> bool:
    """Tell whether connections are refused before the time is up."""
    parts = urlsplit(url)
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            socket.create_connection((parts.hostname or "", parts.port or 0), 1).close()
        except ConnectionRefusedError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stream_under_way_is_finished_while_nothing_new_is_taken(tmp_path: Path, number: signal.Signals) -> None:
    with streaming(tmp_path) as (gateway, response, slow):
        os.kill(gateway.pid, number)
        refused = refuses(gateway.url)
        slow.release.set()
        rest = response.read()

    assert refused
    assert b"two" in rest
    assert rest.endswith(b"data: [DONE]\n\n")
    assert gateway.status == 0
    assert "Traceback" not in gateway.errors


def readiness(drained: bool) -> tuple[int, int]:
    """Return the statuses of /readyz and /livez."""
    deployed = build.deployments(Config(), {"OPENAI_API_KEY": "sk-0123456789abcdef"})
    gateway = build.gateway(deployed, HttpxTransport())
    app = build.app(gateway, Config(), build.describe_gateway(deployed))
    if drained:
        _Server(uvicorn.Config(app), lambda: None).handle_exit(signal.SIGTERM, None)

    async def main() -> tuple[int, int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return (await client.get("/readyz")).status_code, (await client.get("/livez")).status_code

    return asyncio.run(main())


def test_from_the_signal_on_it_is_not_ready_but_alive() -> None:
    assert readiness(drained=False) == (200, 200)
    assert readiness(drained=True) == (503, 200)


def test_what_does_not_end_in_time_is_broken_off_and_never_looks_complete() -> None:
    slow = Slow()
    with RawServer(slow) as upstream:
        section = ProviderConfig(type="openai_compatible", base_url=f"{upstream.url}/v1")
        deployed = build.deployments(Config(providers={"slow": section}), {})
        gateway = build.gateway(deployed, HttpxTransport())
        app = build.app(gateway, Config(), build.describe_gateway(deployed))
        with Background(app, grace=1) as server:
            connection, response = begun(server.url)
            server.stop()
            with pytest.raises(http.client.IncompleteRead):
                response.read()
        connection.close()
        slow.release.set()


def test_an_app_that_cannot_drain_is_stopped_all_the_same() -> None:
    server = _Server(uvicorn.Config(lambda _scope: None), lambda: None)

    server.handle_exit(signal.SIGTERM, None)

    assert server.should_exit


async def _greeting(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        for _ in range(2):
            message = await receive()
            await send({"type": message["type"] + ".complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"hi"})


@pytest.mark.timed
def test_a_request_on_a_connection_that_was_taken_is_answered_although_the_server_stops() -> None:
    """uvicorn looks every 0.1 s whether it is to stop; what a busy machine delays beyond its wait is tried again."""

    def answered() -> bytes:
        with Background(_greeting) as server, ThreadPoolExecutor(1) as aside:
            place = urlsplit(server.url)
            with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
                time.sleep(0.1)  # it is accepted
                stopping = aside.submit(server.stop)
                time.sleep(0.14)
                with contextlib.suppress(ConnectionError):
                    connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
                    return connection.recv(4096)
            stopping.result()
        return b""

    assert any(answered().startswith(b"HTTP/1.1 200") for _ in range(3))
