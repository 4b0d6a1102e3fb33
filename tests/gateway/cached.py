"""What tests of the cache ask with: upstreams that are let through, bodies that come piece by piece."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from setu.dialects.registry import DIALECTS
from setu.dialects.routes import classify
from setu.errors import ConnectionFailedError
from setu.gateway.cache import Cache, Outcome, Rules
from setu.gateway.cacheable import Lookup, lookup
from setu.http import Headers, Request, Response
from setu.ports import CacheStore, NearStore
from setu.store.cache import MemoryCache
from tests.gateway.wire import COMPLETION, OA_STREAM

CHAT = "/v1/chat/completions"
JSON, SSE = "application/json", "text/event-stream"
BROKEN = ConnectionFailedError("refused")
PIECES = tuple(OA_STREAM[at : at + 37] for at in range(0, len(OA_STREAM), 37))


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Body:
    """Chunks one by one, each once it is let through; then an error or the end."""

    def __init__(self, *chunks: bytes, error: Exception | None = None, gated: bool = False) -> None:
        self.chunks = chunks
        self.error = error
        self.gate = asyncio.Semaphore(0) if gated else None
        self.closed = 0
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            if self.gate is not None:
                await self.gate.acquire()
            self.given += 1
            yield chunk
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        self.closed += 1


class Upstream:
    """Counts its calls; gives a fresh answer to each, once it is let through."""

    def __init__(self, *answers: Callable[[], Response | Exception], gated: bool = False) -> None:
        self.answers = answers
        self.gate = asyncio.Event()
        self.calls = 0
        self.ended = 0
        if not gated:
            self.gate.set()

    async def __call__(self) -> Response:
        self.calls += 1
        answer = self.answers[min(self.calls, len(self.answers)) - 1]
        try:
            await self.gate.wait()
            await asyncio.sleep(0)
        finally:
            self.ended += 1
        given = answer()
        if isinstance(given, Exception):
            raise given
        return given


def response(body: Any = COMPLETION, status: int = 200, kind: str = JSON) -> Response:
    return Response(status, Headers.of({"content-type": kind, "x-request-id": "req_1", "set-cookie": "c=1"}), body)


def streamed(*chunks: bytes, **more: Any) -> Response:
    return response(Body(*(chunks or PIECES), **more), kind=SSE)


def place(*, scope: str = "s", stream: bool = False, **fields: str) -> Lookup:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": stream}
    headers = Headers.of({name.replace("_", "-"): value for name, value in fields.items()})
    request = Request(method="POST", path=CHAT, headers=headers, body=json.dumps(body).encode())
    route = classify("POST", CHAT)
    assert route is not None
    found = lookup(request, route, scope=scope, targets=("openai/m",), volatile=(), when="always")
    assert found is not None
    return found


def cache(
    store: CacheStore | None = None, clock: Clock | None = None, near: NearStore | None = None, **rules: Any
) -> Cache:
    clock = clock or Clock()
    store = store if store is not None else MemoryCache(clock.monotonic)
    return Cache(store, dialects=DIALECTS, clock=clock, rules=Rules(**rules), near=near)


async def chunks(outcome: Outcome) -> list[bytes]:
    try:
        return [chunk async for chunk in outcome.response.chunks()]
    finally:
        await outcome.response.aclose()


async def settled() -> None:
    """Let every task that can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run a test, and see that it leaves no task behind."""

    async def watched() -> None:
        await main()
        await settled()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(watched())
