"""Clients by the hundred; each of their requests comes to a definite end, or it is a finding."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable, Collection
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.chaos.reading import Read, head_of, read

GIVEN_UP = 30.0
"""Seconds after which a request has no outcome."""
TENANTS = ("t0", "t1", "t2", "t3")


class Told(NamedTuple):
    """What became of a request: `outcome` as in `Read`, or `left` by this client, or `refused` a connection.

    `status` is 0 where no head came. `at` and `done` (seconds since the epoch) are when it was asked and over.
    """

    nonce: str
    outcome: str
    status: int = 0
    why: str = ""
    at: float = 0.0
    done: float = 0.0
    tenant: str = ""
    stream: bool = False


class Crowd:
    """`size` clients that ask one request after another and think between them; some leave in mid-answer.

    `url` is asked before each request. A request whose connection is refused has not been made; `proxied` are statuses
    that a proxy may give in its own words.
    """

    def __init__(
        self,
        url: Callable[[], str],
        size: int,
        seed: int,
        *,
        leaving: float = 0.1,
        think: float = 1.2,
        proxied: Collection[int] = (),
        prefix: str = "n",
        key: str = "",
    ) -> None:
        self._url = url
        self._size = size
        self._random = random.Random(seed)
        self._leaving = leaving
        self._think = think
        self._proxied = proxied
        self._numbers = itertools.count()
        self._prefix = prefix
        self._key = key
        self.told: list[Told] = []

    async def run(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        await asyncio.gather(*(self._client(index, until) for index in range(self._size)))

    async def _client(self, index: int, until: float) -> None:
        tenant = TENANTS[index % len(TENANTS)]
        await asyncio.sleep(self._random.uniform(0, self._think))
        while time.monotonic() < until:
            self.told.append(await self._request(tenant))
            await asyncio.sleep(self._random.uniform(0.5, 1.5) * self._think)

    async def _request(self, tenant: str) -> Told:
        nonce = f"{self._prefix}{next(self._numbers)}"
        leaves = self._random.uniform(0.05, 0.5) if self._random.random() < self._leaving else None
        stream = self._random.random() < 0.6
        asked = time.time()
        try:
            async with asyncio.timeout(GIVEN_UP):
                found = await self._ask(nonce, tenant, stream=stream, leaves=leaves)
        except TimeoutError:
            found = Read("lost", why=f"nothing within {GIVEN_UP} s")
        return Told(nonce, *found, at=asked, done=time.time(), tenant=tenant, stream=stream)

    async def _ask(self, nonce: str, tenant: str, *, stream: bool, leaves: float | None) -> Read:
        place = urlsplit(self._url())
        try:
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
        except OSError as error:
            return Read("refused", why=str(error))
        received = bytearray()
        try:
            writer.write(_request(nonce, tenant, self._key, stream=stream))
            async with asyncio.timeout(leaves):
                while chunk := await reader.read(65536):
                    received += chunk
        except TimeoutError:
            return Read("left", head_of(bytes(received))[0])
        except OSError as error:
            return Read("lost", why=f"{type(error).__name__} after {len(received)} bytes")
        finally:
            writer.transport.abort()
        return read(bytes(received), nonce, stream=stream, proxied=self._proxied)


def _request(nonce: str, tenant: str, key: str, *, stream: bool) -> bytes:
    asked = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": nonce}]}
    body = json.dumps(asked).encode()
    lines = [
        "POST /v1/chat/completions HTTP/1.1",
        "host: 127.0.0.1",
        "content-type: application/json",
        f"x-request-id: {nonce}",
        f"x-setu-tenant: {tenant}",
        f"content-length: {len(body)}",
        "connection: close",
        *([f"authorization: Bearer {key}"] if key else []),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
