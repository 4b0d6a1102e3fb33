"""One transport in the place of another, while answers of the one before are still on their way."""

import asyncio
import logging
from collections.abc import AsyncIterator

from setu.http import ByteStream, Request, Response
from setu.ports import Transport

LOG = logging.getLogger("setu")


class Swap:
    """Sends by whatever transport is the current one; one that was replaced is closed when its last answer is.

    A request belongs to the transport that was current when it came, to its last byte.
    """

    def __init__(self, first: Transport) -> None:
        self._current = _Generation(first)
        self._retired: set[_Generation] = set()
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def current(self) -> Transport:
        return self._current.transport

    @property
    def draining(self) -> int:
        """Return how many replaced transports still have answers on their way."""
        return len(self._retired)

    async def send(self, request: Request) -> Response:
        generation = self._current
        generation.running += 1
        try:
            response = await generation.transport.send(request)
        except BaseException:
            await self._left(generation)
            raise
        if isinstance(response.body, bytes):
            await self._left(generation)
        else:
            response.body = _Held(response.body, self, generation)
        return response

    async def swap(self, new: Transport) -> None:
        """Send by another one from now on."""
        before, self._current = self._current, _Generation(new)
        if before.running:
            self._retired.add(before)
        else:
            await self._close(before.transport)

    async def aclose(self) -> None:
        """Close all of them, those with answers on their way, too."""
        retired, self._retired = self._retired, set()
        for generation in (*retired, self._current):
            await self._close(generation.transport)
        await asyncio.gather(*self._closing)

    async def _left(self, generation: "_Generation") -> None:
        generation.running -= 1
        if not generation.running and generation in self._retired:
            self._retired.discard(generation)
            await self._close(generation.transport)

    async def _close(self, transport: Transport) -> None:
        """Close in a task of its own: whoever had the last answer may be cancelled, and half a pool would stay open."""
        closing = asyncio.ensure_future(_closed(transport))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        await asyncio.shield(closing)


class _Generation:
    """A transport and the number of its answers under way."""

    __slots__ = ("running", "transport")

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.running = 0


class _Held:
    """A body that keeps its transport open; its pieces pass by untouched."""

    __slots__ = ("_generation", "_inner", "_swap")

    def __init__(self, inner: ByteStream, swap: Swap, generation: _Generation) -> None:
        self._inner = inner
        self._swap: Swap | None = swap
        self._generation = generation

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._inner.__aiter__()

    async def aclose(self) -> None:
        swap, self._swap = self._swap, None
        try:
            await self._inner.aclose()
        finally:
            if swap is not None:
                await swap._left(self._generation)  # noqa: SLF001 - the two are one thing


class Kept:
    """A transport that outlives those that use it: its owner closes it, they do not."""

    __slots__ = ("send",)

    def __init__(self, inner: Transport) -> None:
        self.send = inner.send

    async def aclose(self) -> None:
        """Do nothing: others still use it."""


async def _closed(transport: Transport) -> None:
    """Close what nobody uses any more; the answer that was its last one is not to suffer from it."""
    try:
        await transport.aclose()
    except Exception:
        LOG.exception("a replaced configuration could not be closed")
