"""Answers kept for the same question: each exactly as it was given, and to whom it may be given.

An answer is kept when it is a success and came to its end; streams are kept as the chunks they were and replayed as
streams. Identical requests at the same time share one upstream call.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import NamedTuple

import msgspec

from setu.dialects.record import Dialect
from setu.gateway.cacheable import Lookup, When, is_complete, is_whole
from setu.gateway.flight import Flight
from setu.http import Headers, Response
from setu.ports import CacheStore, Clock, NearStore
from setu.signals import CacheState

LOG = logging.getLogger("setu")
HEADER = "x-setu-cache"
NO_STORE = "private, no-store"
"""What every answer on a keyed route says to caches between here and the client (B-HDR-04)."""

Produce = Callable[[], Awaitable[Response]]

_KEPT = (b"content-type", b"x-accel-buffering", b"x-setu-provider", b"x-setu-model", b"x-setu-loss", b"openai-version")
"""Fields of an answer that are true of it whenever it is given; request ids, limits and dates are not."""

_AGAIN = frozenset({408, 409, 429})
"""Client errors that say nothing of the request itself."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """`ttl` is in seconds, `max_item` in bytes of one answer."""

    ttl: float = 3600.0
    max_item: int = 1_000_000
    when: When = "always"


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """An answer as it is kept; `stored` is in seconds since the epoch."""

    status: int
    headers: list[tuple[bytes, bytes]]
    chunks: list[bytes]
    stream: bool
    stored: float


class Outcome(NamedTuple):
    """An answer and where it came from."""

    response: Response
    state: CacheState


class Stats(NamedTuple):
    """How often answers were found; `bypasses` were not looked for."""

    hits: int
    misses: int
    bypasses: int


class Kept:
    """A stream that was kept, in the chunks it had: a ByteStream."""

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks: list[bytes] | None = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks or ():
            yield chunk

    async def aclose(self) -> None:
        self._chunks = None


class Cache:
    """Answers from a store, and calls in flight."""

    def __init__(
        self,
        store: CacheStore,
        *,
        dialects: Mapping[str, Dialect],
        clock: Clock,
        rules: Rules | None = None,
        near: NearStore | None = None,
    ) -> None:
        self.rules = rules if rules is not None else Rules()
        self._store = store
        self._dialects = dialects
        self._clock = clock
        self._near = near
        self._flights: dict[str, Flight] = {}
        self._flying: set[Flight] = set()
        self._counts: dict[CacheState, int] = {"hit": 0, "miss": 0, "bypass": 0}

    @property
    def stats(self) -> Stats:
        return Stats(self._counts["hit"], self._counts["miss"], self._counts["bypass"])

    async def through(self, lookup: Lookup | None, produce: Produce, left: Callable[[], None] | None = None) -> Outcome:
        """Return a kept answer, or somebody else's that is on its way, or what `produce` gives.

        `produce` runs in a task of its own. `left` is called when the client that started the call is cancelled while
        others wait for it: then the call goes on, and whoever reports it must let it report itself.
        """
        if lookup is None:
            return self._outcome(await produce(), "bypass")
        if lookup.read and lookup.key not in self._flights:
            entry = await self._found(lookup)
            if entry is not None:
                return self._replayed(entry)
        if lookup.read and (outcome := await self._followed(lookup)) is not None:
            return outcome
        return await self._led(lookup, produce, left)

    async def aclose(self) -> None:
        """End the calls that are left, and close the store."""
        while self._flying:
            await self._flying.pop().cancel()
        await self._store.aclose()

    async def _followed(self, lookup: Lookup) -> Outcome | None:
        """Return the answer of a call in flight; None when there is none, or when it failed.

        Of the followers of a call that failed the first makes the next call, and the others follow that one; its
        answer is everybody's. So a failing upstream is asked twice, not once by each, and nobody waits for long.
        """
        flight = self._flights.get(lookup.key)
        if flight is None:
            return None
        outcome = await self._joined(flight, last=False)
        again = self._flights.get(lookup.key)
        if outcome is None and again is not None and again is not flight:
            return await self._joined(again, last=True)
        return outcome

    async def _joined(self, flight: Flight, *, last: bool) -> Outcome | None:
        reader = flight.join()
        try:
            shared = await reader.head()
        except Exception:
            if last:
                raise
            return None
        if _is_passing(shared.status) and not last:
            await reader.aclose()
            return None
        body = flight.whole
        headers = _kept(shared.headers)
        if body is not None:
            await reader.aclose()
            answer = Response(shared.status, headers, body)
        else:
            answer = Response(shared.status, headers, reader)
        if shared.status >= 400:
            return self._outcome(answer, "miss")
        answer.headers.set("age", "0")
        return self._outcome(answer, "hit")

    async def _led(self, lookup: Lookup, produce: Produce, left: Callable[[], None] | None) -> Outcome:
        flight = self._launch(lookup, produce)
        reader = flight.join()
        try:
            own = await reader.head()
        except BaseException:
            if left is not None and not flight.ended:
                left()
            raise
        body = flight.whole
        if body is None:
            return self._outcome(Response(own.status, own.headers.copy(), reader), "miss")
        await reader.aclose()
        return self._outcome(Response(own.status, own.headers.copy(), body), "miss")

    def _launch(self, lookup: Lookup, produce: Produce) -> Flight:
        async def landed(flight: Flight) -> None:
            await self._keep(lookup, flight)

        def gone(flight: Flight) -> None:
            if self._flights.get(lookup.key) is flight:
                del self._flights[lookup.key]

        flight = Flight(produce, limit=self.rules.max_item, landed=landed, gone=gone)
        self._flying.add(flight)
        flight.task.add_done_callback(lambda _: self._flying.discard(flight))
        if lookup.read:
            self._flights[lookup.key] = flight
        return flight

    async def _found(self, lookup: Lookup) -> Entry | None:
        try:
            value = await self._store.get(lookup.key)
            if value is None and self._near is not None:
                value = await self._near.near(lookup.key, lookup.scope, lookup.request)
        except Exception as error:  # noqa: BLE001 - somebody else's store may raise anything; it is only a cache
            LOG.warning("the response cache failed: %s", type(error).__name__)
            return None
        entry = decoded(value) if value is not None else None
        stale = entry is not None and lookup.max_age is not None and self._age(entry) > lookup.max_age
        return None if stale else entry

    async def _keep(self, lookup: Lookup, flight: Flight) -> None:
        shared = flight.response
        if shared is None or shared.status != 200 or flight.oversize:
            return
        stream = flight.whole is None
        data = b"".join(flight.chunks)
        dialect = self._dialects[lookup.route.dialect]
        try:
            if is_complete(dialect, lookup.route, data) if stream else is_whole(data):
                entry = Entry(shared.status, _kept(shared.headers).raw, flight.chunks, stream, self._clock.now())
                await self._store.put(lookup.key, msgspec.msgpack.encode(entry), self.rules.ttl)
        except Exception as error:  # noqa: BLE001 - as above; the answer itself has been given
            LOG.warning("the response cache failed: %s", type(error).__name__)

    def _replayed(self, entry: Entry) -> Outcome:
        body = Kept(entry.chunks) if entry.stream else b"".join(entry.chunks)
        headers = Headers(entry.headers)
        headers.set("age", str(int(self._age(entry))))
        return self._outcome(Response(entry.status, headers, body), "hit")

    def _age(self, entry: Entry) -> float:
        return max(0.0, self._clock.now() - entry.stored)

    def _outcome(self, response: Response, state: CacheState) -> Outcome:
        self._counts[state] += 1
        response.headers.set(HEADER, state)
        response.headers.set("cache-control", NO_STORE)
        return Outcome(response, state)


def decoded(value: bytes) -> Entry | None:
    """Read an entry; None for bytes that are none, as of another version."""
    try:
        return msgspec.msgpack.decode(value, type=Entry)
    except msgspec.MsgspecError:
        return None


def _kept(headers: Headers) -> Headers:
    return Headers(pair for pair in headers.raw if pair[0] in _KEPT)


def _is_passing(status: int) -> bool:
    """Say whether the next try may fare better; another client error is the same for everybody who asks the same."""
    return status >= 500 or status in _AGAIN
