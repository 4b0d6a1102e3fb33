"""What is judged, as a client sees it: a transport in this process, or a server on a URL."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Protocol

import msgspec

from setu.errors import SetuError, TruncatedError
from setu.http import Arrival, Ending, Exchange, Headers, Request, Response
from setu.ports import Clock, Transport


class HangUp(msgspec.Struct, frozen=True):
    """When a client leaves: after so many chunks of the body, or, before there is any, when `event` is set."""

    chunks: int | None = None
    event: asyncio.Event | None = None


class Subject(Protocol):
    """Whatever a client can ask."""

    async def exchange(self, request: Request, *, hang_up: HangUp | None = None) -> Exchange:
        """Ask, and return what came; `end` says how.

        Raises:
            ConnectionFailedError: nobody is there.
            DeadlineError: no answer in time.
        """
        ...


class Local:
    """A transport in this process."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._clock = clock

    async def exchange(self, request: Request, *, hang_up: HangUp | None = None) -> Exchange:
        """Ask, and return what came."""
        hang_up = hang_up or HangUp()
        start = self._clock.monotonic()
        response = await _head(self._transport.send(request), hang_up.event)
        if response is None:
            return Exchange(request=request, status=0, headers=Headers(), body=b"", end=Ending.CLOSED_BY_CLIENT)
        pieces: list[bytes] = []
        arrivals: list[Arrival] = []
        ending = Ending.COMPLETE
        try:
            async for chunk in _until(response, hang_up):
                arrivals.append(Arrival(round((self._clock.monotonic() - start) * 1000), len(chunk)))
                pieces.append(chunk)
                if len(pieces) == hang_up.chunks:
                    ending = Ending.CLOSED_BY_CLIENT
                    break
            if hang_up.event is not None and hang_up.event.is_set():
                ending = Ending.CLOSED_BY_CLIENT
        except TruncatedError as error:
            ending = Ending.RESET if error.reset else Ending.TRUNCATED
        finally:
            await response.aclose()
        return Exchange(
            request=request,
            status=response.status,
            headers=response.headers,
            body=b"".join(pieces),
            arrivals=tuple(arrivals),
            end=ending,
        )


class Remote(Local):
    """A server on a URL: `base` ends before the path of an operation (`/v1/…`)."""

    def __init__(self, transport: Transport, clock: Clock, base: str) -> None:
        super().__init__(transport, clock)
        scheme, _, rest = base.rstrip("/").partition("://")
        host, slash, path = rest.partition("/")
        self._origin = f"{scheme}://{host}"
        self._prefix = slash + path

    async def exchange(self, request: Request, *, hang_up: HangUp | None = None) -> Exchange:
        """Ask, and return what came; the request in it is the one that a client wrote, without the server's prefix."""
        sent = msgspec.structs.replace(request, origin=self._origin, path=self._prefix + request.path)
        exchange = await super().exchange(sent, hang_up=hang_up)
        asked = msgspec.structs.replace(sent, path=request.path)
        return msgspec.structs.replace(exchange, request=asked)


async def _head(sending: Coroutine[None, None, Response], event: asyncio.Event | None) -> Response | None:
    """Wait for the head of the answer; None when the client leaves before it."""
    if event is None:
        return await sending
    task, left = asyncio.ensure_future(sending), asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait([task, left], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, SetuError):
            await task
        return None
    finally:
        left.cancel()


async def _until(response: Response, hang_up: HangUp) -> AsyncIterator[bytes]:
    """Yield the body's chunks until the client leaves."""
    if hang_up.event is None:
        async for chunk in response.chunks():
            yield chunk
        return
    left = asyncio.ensure_future(hang_up.event.wait())
    chunks = response.chunks()
    try:
        while True:
            reading = asyncio.ensure_future(_next(chunks))
            await asyncio.wait([reading, left], return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                reading.cancel()
                with contextlib.suppress(asyncio.CancelledError, SetuError):
                    await reading
                return
            read = reading.result()
            if not read:
                return
            yield read[0]
    finally:
        left.cancel()


async def _next(chunks: AsyncIterator[bytes]) -> tuple[bytes, ...]:
    """Return the next chunk, or nothing at the end."""
    async for chunk in chunks:
        return (chunk,)
    return ()
