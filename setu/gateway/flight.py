"""One upstream call that several clients share: each gets every byte from the start.

Rule 1: the call runs in a task of its own, so that no client's leaving ends it for the others.
Rule 2: it ends with its last client; nobody pays for an answer that nobody reads.
Rule 3: it runs ahead of its fastest client by a bounded number of bytes only.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from setu.errors import ErrorInfo, TruncatedError
from setu.http import Ending, Response

AHEAD = 65_536
"""Bytes read of an upstream that no client has taken yet."""


_STOPPED = "the gateway stopped before the answer's end"


class Flight:
    """A call on its way. `landed` is called once with the finished flight, `gone` when nobody may join any more."""

    def __init__(
        self,
        produce: Callable[[], Awaitable[Response]],
        *,
        limit: int,
        landed: Callable[["Flight"], Awaitable[None]],
        gone: Callable[["Flight"], None],
    ) -> None:
        self.response: Response | None = None
        self.failure: Exception | None = None
        self.ended = False
        self.oversize = False
        self._produce = produce
        self._limit = limit
        self._landed = landed
        self._gone = gone
        self._chunks: list[bytes] = []
        self._dropped = 0
        self._size = 0
        self._readers: set[Reader] = set()
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self.task = asyncio.create_task(self._run())

    @property
    def chunks(self) -> list[bytes]:
        """Return what came, whole unless it was `oversize`."""
        return self._chunks

    @property
    def whole(self) -> bytes | None:
        """Return the body of an answer that is no stream."""
        body = self.response.body if self.response is not None else None
        return body if isinstance(body, bytes) else None

    @property
    def shared(self) -> bool:
        """Say whether somebody is still here."""
        return bool(self._readers)

    def join(self) -> "Reader":
        reader = Reader(self)
        self._readers.add(reader)
        return reader

    async def leave(self, reader: "Reader") -> None:
        """Forget a client; the last one takes the call with it."""
        self._readers.discard(reader)
        self._trim()
        self._room.set()
        if not self._readers and not self.ended:
            await self.cancel()

    async def cancel(self) -> None:
        """End the call, and return once its connection is released."""
        self._gone(self)
        self.task.cancel()
        await asyncio.wait({self.task})
        if not self.ended:  # cancelled before its first step
            self._end(TruncatedError(_STOPPED))

    async def more(self) -> None:
        """Wait until something came: the head, a chunk, the end."""
        await self._more.wait()

    def chunk(self, index: int) -> bytes | None:
        """Return a chunk that is there already."""
        at = index - self._dropped
        return self._chunks[at] if at < len(self._chunks) else None

    def took(self) -> None:
        """Note that a client took a chunk."""
        self._trim()
        self._room.set()

    async def _run(self) -> None:
        try:
            await self._fly()
        except asyncio.CancelledError:
            self._end(TruncatedError(_STOPPED))
            raise
        except Exception as error:  # noqa: BLE001 - each client raises it
            self._end(error)
        else:
            self._end(None)
            await self._landed(self)
        finally:
            self._gone(self)

    def _end(self, failure: Exception | None) -> None:
        self.failure = failure
        self.ended = True
        self._wake()

    async def _fly(self) -> None:
        response = await self._produce()
        try:
            self.response = response
            if self.whole is None:
                self._wake()
            async for chunk in response.chunks():
                await self._arrived(chunk)
        finally:
            await response.aclose()

    async def _arrived(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._size > self._limit and not self.oversize:
            self.oversize = True
            self._gone(self)  # a newcomer would miss its beginning
        self._wake()
        while self.whole is None and self._size - max((r.taken for r in self._readers), default=0) > AHEAD:
            self._room.clear()
            await self._room.wait()

    def _trim(self) -> None:
        """Let go of what everybody has, of an answer that will not be kept."""
        if self.oversize and self.whole is None and self._readers:
            count = min(reader.at for reader in self._readers) - self._dropped
            del self._chunks[:count]
            self._dropped += count

    def _wake(self) -> None:
        more, self._more = self._more, asyncio.Event()
        more.set()


class Reader:
    """One client's place in a flight, and its body: a ByteStream."""

    def __init__(self, flight: Flight) -> None:
        self.at = 0
        self.taken = 0
        self._flight = flight

    async def head(self) -> Response:
        """Return the answer that all share, as soon as its head is known; a body that is no stream is there, too.

        Raises whatever the call raised.
        """
        flight = self._flight
        try:
            while flight.response is None and not flight.ended:
                await flight.more()
        except BaseException:
            await self.aclose()
            raise
        if flight.response is None:
            await self.aclose()
            assert flight.failure is not None
            raise flight.failure
        return flight.response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        flight = self._flight
        while True:
            chunk = flight.chunk(self.at)
            if chunk is not None:
                self.at += 1
                self.taken += len(chunk)
                flight.took()
                yield chunk
            elif flight.ended:
                break
            else:
                await flight.more()
        if flight.failure is not None:
            raise flight.failure

    @property
    def end(self) -> tuple[Ending, ErrorInfo | None] | None:
        """How the shared answer says that it ended: cut, it ends with an error that the client reads, in good order."""
        response = self._flight.response
        return None if response is None else getattr(response.body, "end", None)

    async def aclose(self) -> None:
        await self._flight.leave(self)
