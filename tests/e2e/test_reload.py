"""`setu start` takes over a changed file while a stream is under way, and keeps the old one when it must."""

import asyncio
import http.client
import json
import signal
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.gateway.wire import CHUNKS
from tests.live import asked, sse
from tests.processes import Serving
from tests.servers import SSE_HEAD, RawServer, chunked, read_request


async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(SSE_HEAD)
    for one in CHUNKS:
        writer.write(chunked(sse(one), end=False))
        await writer.drain()
        await asyncio.sleep(0.4)
    writer.write(chunked(sse("[DONE]")))
    await writer.drain()


def section(name: str, url: str) -> str:
    return f"[providers.{name}]\ntype = 'openai'\napi_key = 'sk-test-of-{name}'\nbase_url = '{url}/v1'\n"


def ask(url: str, path: str, method: str = "GET", body: bytes | str | None = None) -> http.client.HTTPResponse:
    """Ask over a connection that ends with the answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.request(method, path, body, {"content-type": "application/json", "connection": "close"})
    answer = connection.getresponse()
    connection.close()  # the answer keeps the socket until it has been read
    return answer


def health(url: str) -> dict[str, Any]:
    found = json.loads(ask(url, "/health").read())
    assert isinstance(found, dict)
    return found


def until(url: str, *, ok: bool, generation: int = 1) -> dict[str, Any]:
    """Return what GET /health says of the configuration once it is as good, and as new, as expected."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        facts: dict[str, Any] = health(url)["configuration"]
        if facts["ok"] is ok and facts["generation"] >= generation:
            return facts
        time.sleep(0.05)
    raise AssertionError(f"still {facts}")


@pytest.mark.slow
@pytest.mark.parametrize("by", ["SIGHUP", "file change"])
def test_a_stream_ends_on_the_configuration_it_began_on(tmp_path: Path, by: str) -> None:
    path = tmp_path / "setu.toml"
    with RawServer(slow) as upstream:
        path.write_text(section("old", upstream.url))
        with Serving("start", "--port", "0", cwd=tmp_path) as server:
            body, where = asked("old/gpt", stream=True)
            stream = ask(server.url, where, "POST", body)
            seen = stream.read1(10)
            path.write_text(section("new", upstream.url))
            if by == "SIGHUP":
                server._process.send_signal(signal.SIGHUP)
            until(server.url, ok=True, generation=2)
            providers = list(health(server.url)["providers"])
            next_one = ask(server.url, where, "POST", asked("new/gpt", stream=True)[0])
            seen += stream.read()
            complete = next_one.read()

    assert seen == sse(*CHUNKS, "[DONE]")
    assert complete == seen
    assert [one.headers["x-setu-provider"] for one in (stream, next_one)] == ["old", "new"]
    assert providers == ["new"]
    assert server.status == 0


@pytest.mark.slow
def test_a_file_that_cannot_be_used_changes_nothing_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "setu.toml"
    path.write_text(section("old", "http://127.0.0.1:9"))
    with Serving("start", "--port", "0", cwd=tmp_path) as server:
        path.write_text(section("new", "http://127.0.0.1:9") + "api_kye = 'sk-never-shown'\n")
        facts = until(server.url, ok=False)
        providers = list(health(server.url)["providers"])
        path.write_text(section("newer", "http://127.0.0.1:9"))
        until(server.url, ok=True, generation=2)
        after = list(health(server.url)["providers"])

    why = "setu.toml:5: providers.new.api_kye: unknown key; did you mean 'api_key'?"
    assert (facts["error"], providers, after) == (why, ["old"], ["newer"])
    assert why in server.errors
    assert "never-shown" not in server.errors
