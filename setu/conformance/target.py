"""The gateway under test, in this process, between a client and a scripted upstream; both sides on record."""

from collections.abc import Callable, Mapping

import msgspec

from setu import build
from setu.chat.ids import counter
from setu.conformance.noted import Noted
from setu.conformance.subject import Local
from setu.dialects.record import Dialect
from setu.errors import SetuError
from setu.http import Ending, Exchange, Headers, Request, Response
from setu.ports import Clock, Transport
from setu.providers.deployment import Deployment

EPOCH = 1_790_000_000.0

Wrap = Callable[[Transport], Transport]


def as_it_is(transport: Transport) -> Transport:
    """Wrap a transport in nothing."""
    return transport


class StillClock:
    """Time that stands still but for sleeps, which take none: offline runs are as fast as the machine."""

    def __init__(self) -> None:
        self._elapsed = 0.0

    def now(self) -> float:
        return EPOCH + self._elapsed

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        self._elapsed += seconds


class Tap:
    """A transport that passes everything on and keeps both halves of each exchange."""

    def __init__(self, inner: Transport, clock: Clock) -> None:
        self.inner = inner
        self._clock = clock
        self.exchanges: list[Exchange] = []

    async def send(self, request: Request) -> Response:
        await request.read()
        start = self._clock.monotonic()
        try:
            response = await self.inner.send(request)
        except SetuError:
            self.exchanges.append(Exchange(request=request, status=0, headers=Headers(), body=b"", end=Ending.ERROR))
            raise
        response.body = Noted(request, response, self._clock, start, self.exchanges.append)
        return response

    async def aclose(self) -> None:
        await self.inner.aclose()


class Target:
    """A gateway wired for judging: still clock, counted ids, one tapped upstream.

    `before` wraps what faces the client, `behind` what faces the upstream: for mutants.
    """

    def __init__(
        self,
        dialects: Mapping[str, Dialect],
        deployments: Mapping[str, Deployment],
        upstream: Callable[[Clock], Transport],
        *,
        before: Wrap = as_it_is,
        behind: Wrap = as_it_is,
    ) -> None:
        self.clock = StillClock()
        self.tap = Tap(upstream(self.clock), self.clock)
        gateway = build.gateway(
            deployments,
            behind(self.tap),
            dialects=dialects,
            clock=self.clock,
            mint=counter(),
            on_call=lambda _call: None,
        )
        self.gateway = before(gateway)

    async def exchange(self, request: Request) -> Exchange:
        """Send one request through the gateway and return what happened on both sides."""
        before = len(self.tap.exchanges)
        exchange = await Local(self.gateway, self.clock).exchange(request)
        return msgspec.structs.replace(exchange, upstream=tuple(self.tap.exchanges[before:]))
