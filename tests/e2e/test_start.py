"""`setu start` as a process: it drains on SIGTERM, logs requests, and shows no key."""

import asyncio
import http.client
import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.gateway.wire import CHUNKS
from tests.live import KEY, asked, sse
from tests.processes import Serving
from tests.servers import SSE_HEAD, RawServer, chunked, read_request


async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.write(SSE_HEAD)
    for one in CHUNKS:
        writer.write(chunked(sse(one), end=False))
        await writer.drain()
        await asyncio.sleep(0.2)
    writer.write(chunked(sse("[DONE]")))
    await writer.drain()


@pytest.mark.slow
def test_a_stream_under_way_is_finished_before_the_server_stops(tmp_path: Path) -> None:
    with RawServer(slow) as raw:
        section = f"[providers.oa]\ntype = 'openai'\napi_key = '${{UPSTREAM_KEY}}'\nbase_url = '{raw.url}/v1'\n"
        (tmp_path / "setu.toml").write_text(section)
        body, path = asked("oa/gpt, status=500", stream=True)
        serving = Serving(
            "start", "--port", "0", "-v", cwd=tmp_path, UPSTREAM_KEY=KEY, OPENAI_BASE_URL="http://127.0.0.1:9"
        )
        with serving as server:
            connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
            connection.request("POST", path, body)
            answer = connection.getresponse()
            seen = answer.read1(10)
            server._process.send_signal(signal.SIGTERM)
            seen += answer.read()
            connection.close()

    assert seen == sse(*CHUNKS, "[DONE]")
    assert server.status == 0
    assert "(oa)" in server.output
    (line,) = [line for line in server.errors.splitlines() if "request_completed" in line]
    assert "status=200, provider=oa, stream=true, end=complete" in line
    assert KEY not in server.errors + server.output
