"""Clients by the hundred; each of their requests comes to a definite end, or it is a finding."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.chaos.upstream import said

GIVEN_UP = 60.0
"""Seconds after which a request has no outcome."""


class Told(NamedTuple):
    """What became of a request: `ok`, `error` (a status), `broken` (an error event after content), `left`, `lost`.

    `lost` is what must never be; `why` says how.
    """

    nonce: str
    outcome: str
    status: int = 0
    why: str = ""
    at: float = 0.0
    tenant: str = ""


class Crowd:
    """`size` clients that ask one request after another until `until`; some of them leave in mid-answer."""

    def __init__(self, url: Callable[[], str], size: int, seed: int, *, leaving: float = 0.1) -> None:
        self._url = url
        self._size = size
        self._random = random.Random(seed)
        self._leaving = leaving
        self._numbers = itertools.count()
        self.told: list[Told] = []

    async def run(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        await asyncio.gather(*(self._client(index, until) for index in range(self._size)))

    async def _client(self, index: int, until: float) -> None:
        tenant = f"t{index % 4}"
        while time.monotonic() < until:
            nonce = f"n{next(self._numbers)}"
            leaves = self._random.uniform(0.05, 0.3) if self._random.random() < self._leaving else None
            stream = self._random.random() < 0.6
            asked = time.time()
            try:
                async with asyncio.timeout(GIVEN_UP):
                    told = await self._ask(nonce, tenant, stream=stream, leaves=leaves)
            except TimeoutError:
                told = Told(nonce, "lost", why=f"nothing within {GIVEN_UP} s")
            self.told.append(told._replace(at=asked, tenant=tenant))
            if told.status == 429:
                await asyncio.sleep(0.5)

    async def _ask(self, nonce: str, tenant: str, *, stream: bool, leaves: float | None) -> Told:
        place = urlsplit(self._url())
        try:
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
        except OSError as error:
            return Told(nonce, "refused", why=str(error))
        try:
            body = json.dumps({"model": "m", "stream": stream, "messages": [{"role": "user", "content": nonce}], "metadata": {"tenant": tenant}})  # fmt: skip
            lines = ["POST /v1/chat/completions HTTP/1.1", "host: gateway", "content-type: application/json", f"x-request-id: {nonce}", f"content-length: {len(body)}", "connection: close"]  # fmt: skip
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body.encode())
            await writer.drain()
            if leaves is not None:
                return await _left(reader, nonce, leaves)
            return _judged(nonce, await reader.read(), stream=stream)
        except OSError as error:
            return Told(nonce, "lost", why=f"{type(error).__name__}: {error}")
        finally:
            writer.transport.abort()


async def _left(reader: asyncio.StreamReader, nonce: str, seconds: float) -> Told:
    """Read for a while, then go."""
    try:
        async with asyncio.timeout(seconds):
            while await reader.read(1024):
                pass
    except TimeoutError:
        pass
    return Told(nonce, "left")


def _judged(nonce: str, answer: bytes, *, stream: bool) -> Told:
    head, _, rest = answer.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if len(words) < 2 or not words[1].isdigit():
        return Told(nonce, "lost", why=f"no head: {answer[:80]!r}")
    status = int(words[1])
    chunked = b"transfer-encoding: chunked" in head.lower()
    body = _dechunked(rest) if chunked else rest
    if body is None:
        return Told(nonce, "lost", status, "the connection broke without a word")
    if status != 200:
        wrong = None if b'"error"' in body else f"an error without a word: {body[:80]!r}"
        return Told(nonce, "lost" if wrong else "error", status, wrong or "")
    return _streamed(nonce, body) if stream else _whole(nonce, body)


def _dechunked(data: bytes) -> bytes | None:
    pieces = []
    while True:
        size, mark, data = data.partition(b"\r\n")
        if not mark:
            return None
        length = int(size, 16)
        if length == 0:
            return b"".join(pieces)
        if len(data) < length + 2:
            return None
        pieces.append(data[:length])
        data = data[length + 2 :]


def _whole(nonce: str, body: bytes) -> Told:
    text = json.loads(body)["choices"][0]["message"]["content"]
    right = text == "".join(said(nonce))
    return Told(nonce, "ok" if right else "lost", 200, "" if right else f"another answer: {text[:60]!r}")


def _streamed(nonce: str, body: bytes) -> Told:
    expected = said(nonce)
    got: list[str] = []
    finished = done = broken = False
    for line in body.split(b"\n"):
        if not line.startswith(b"data: "):
            continue
        if line == b"data: [DONE]":
            done = True
            continue
        event = json.loads(line[6:])
        if "error" in event:
            broken = True
            continue
        for choice in event["choices"]:
            finished = finished or choice["finish_reason"] is not None
            if choice["delta"].get("content"):
                got.append(choice["delta"]["content"])
    if got != expected[: len(got)]:
        return Told(nonce, "lost", 200, f"not what was said: {got}")
    if broken:
        return Told(nonce, "broken" if not finished else "lost", 200, "" if not finished else "an error after the end")
    if not (done and finished):
        return Told(nonce, "lost", 200, f"a stream that only stopped after {len(got)} words")
    return Told(nonce, "ok" if got == expected else "lost", 200, "" if got == expected else "complete, but cut")
