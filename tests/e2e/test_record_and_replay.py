"""Recording real streams and replaying them: timing, bytes, secrets, plain vcrpy."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import vcr.serialize
from vcr.serializers import yamlserializer

from tests.processes import Serving
from tests.servers import SSE_HEAD, RawServer, chunked, read_request

EVENTS = 20
GAP = 0.05
SECRETS = ("sk-live-aaaabbbbccccdddd1111", "sk-ant-api03-eeeeffffgggghhhh2222", "AIzaSyA-iiiijjjjkkkkllll3333mmmm4444nnn", "cookie-value-5555")  # fmt: skip


def event(index: int) -> bytes:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1790000000, "model": "m"}
    choice = {"index": 0, "delta": {"content": f"wörd {index} "}, "finish_reason": None}
    return b"data: " + json.dumps({**chunk, "choices": [choice]}, ensure_ascii=False).encode() + b"\n\n"


class Paced:
    """Streams events a fixed time apart and notes when each was sent."""

    def __init__(self) -> None:
        self.sent: list[float] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        self.sent = []
        writer.write(SSE_HEAD.replace(b"\r\n\r\n", b"\r\nset-cookie: sid=cookie-value-5555\r\n\r\n"))
        start = time.monotonic()
        for index in range(EVENTS):
            await asyncio.sleep(max(0.0, start + index * GAP - time.monotonic()))
            self.sent.append(time.monotonic())
            writer.write(chunked(event(index), end=False))
            await writer.drain()
        writer.write(chunked(b"data: [DONE]\n\n"))
        await writer.drain()


async def fetch(url: str, body: bytes) -> tuple[bytes, list[float]]:
    """Send a request with secrets everywhere; return the body and the arrival time of each event."""
    host, _, port = urlsplit(url).netloc.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        (
            f"POST /v1/chat/completions?key={SECRETS[2]} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {SECRETS[0]}\r\nx-api-key: {SECRETS[1]}\r\ncookie: {SECRETS[3]}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        ).encode()
        + body
    )
    await reader.readuntil(b"\r\n\r\n")
    data = b""
    arrived: list[Any] = []
    while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
        data += await reader.readexactly(size)
        await reader.readexactly(2)
        while data.count(b"\n\n") > len(arrived):
            arrived.append(time.monotonic())
    writer.close()
    return data, arrived


def p95(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.95) - 1]


def asked(number: int) -> bytes:
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": f"count {number}"}]}
    return json.dumps(body).encode()


def record(directory: Path, number: int) -> tuple[bytes, float]:
    """Record one call; return its bytes and the worst delay of an event through the proxy."""
    paced = Paced()
    with RawServer(paced) as upstream:
        address = ("--port", "0", "-o", str(directory), "--upstream", f"{upstream.url}/v1")
        with Serving("record", *address) as proxy:
            data, arrived = asyncio.run(fetch(proxy.url, asked(number)))
        assert proxy.status == 0, proxy.errors
    return data, max(at - sent for at, sent in zip(arrived, paced.sent, strict=False))


def replay(directory: Path, number: int) -> tuple[bytes, list[float]]:
    with Serving("replay", str(directory), "--port", "0", cwd=directory) as server:
        data, arrived = asyncio.run(fetch(server.url, asked(number)))
    assert server.status == 0, server.errors
    return data, arrived


@pytest.mark.timed
def test_a_recorded_stream_is_not_delayed_and_replays_as_it_was(tmp_path: Path) -> None:
    delays, errors = [], []
    for number in range(3):
        directory = tmp_path / str(number)
        recorded, delay = record(directory, number)
        replayed, arrived = replay(directory, number)
        delays.append(delay)
        errors.append(p95([abs((at - arrived[0]) - index * GAP) for index, at in enumerate(arrived[:EVENTS])]))

        assert recorded == b"".join(event(index) for index in range(EVENTS)) + b"data: [DONE]\n\n"
        assert replayed == recorded

    print(f"worst delay {min(delays) * 1000:.1f} ms, replay spacing error p95 {min(errors) * 1000:.1f} ms")
    assert min(delays) <= 0.020
    assert min(errors) <= 0.020


def test_a_recording_holds_no_secret_and_loads_in_plain_vcrpy(tmp_path: Path) -> None:
    record(tmp_path, 0)

    files = list(tmp_path.rglob("*.yaml"))
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    (request,), (response,), *_ = vcr.serialize.deserialize(files[0].read_text(encoding="utf-8"), yamlserializer)

    assert [secret for secret in SECRETS if secret in text] == []
    assert request.uri.startswith("http://127.0.0.1")
    assert response["body"]["string"].endswith(b"data: [DONE]\n\n")
