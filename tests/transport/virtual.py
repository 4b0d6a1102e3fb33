"""Time that passes only when somebody sleeps, and an upstream made of scripts."""

import asyncio
from collections.abc import Callable

from setu.cassette.script import Script
from setu.errors import TruncatedError
from setu.http import Request, Response
from setu.transport.play import play


class VirtualClock:
    """A clock without waiting; `slept` keeps every pause."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


async def read_timed(response: Response, clock: VirtualClock) -> list[tuple[float, bytes]]:
    """Return each chunk with the seconds since the clock started."""
    return [(round(clock.time - 1000, 6), chunk) async for chunk in response.chunks()]


class Upstream:
    """Answers every request by playing what a function returns for it; `received` keeps the requests."""

    def __init__(self, answer: Callable[[Request], Script], clock: VirtualClock) -> None:
        self._answer = answer
        self._clock = clock
        self.received: list[Request] = []
        self.closed = False

    async def send(self, request: Request) -> Response:
        self.received.append(request)
        return await play(self._answer(request), self._clock)

    async def aclose(self) -> None:
        self.closed = True


async def hear(response: Response) -> tuple[list[bytes], TruncatedError | None]:
    """Return the chunks of a body and, when it breaks, the error it broke with."""
    chunks: list[bytes] = []
    try:
        async for chunk in response.chunks():
            chunks.append(chunk)  # noqa: PERF401  # a comprehension would lose them when the body breaks
    except TruncatedError as error:
        return chunks, error
    return chunks, None
