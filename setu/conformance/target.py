"""The gateway under test, in this process, between a client and a scripted upstream; both sides on record."""

from collections.abc import AsyncIterator, Callable, Mapping

from setu.chat.ids import counter
from setu.dialects.record import Dialect
from setu.errors import SetuError, TruncatedError
from setu.gateway.handle import Gateway
from setu.http import Arrival, ByteStream, Ending, Exchange, Headers, Request, Response
from setu.ports import Clock, Transport
from setu.providers.deployment import Deployment
from setu.store.seals import TenantSeals

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
        response.body = _Tapped(response, request, self, start, self._clock)
        return response

    async def aclose(self) -> None:
        await self.inner.aclose()


class _Tapped:
    """A body that is put on record when it is over."""

    def __init__(self, response: Response, request: Request, tap: Tap, start: float, clock: Clock) -> None:
        self._body: bytes | ByteStream = response.body
        self._response = response
        self._request = request
        self._tap = tap
        self._start = start
        self._clock = clock
        self._pieces: list[bytes] = []
        self._arrivals: list[Arrival] = []
        self._over = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in _chunks(self._body):
                self._arrivals.append(Arrival(_ms(self._clock, self._start), len(chunk)))
                self._pieces.append(chunk)
                yield chunk
        except TruncatedError as error:
            self._end(Ending.RESET if error.reset else Ending.TRUNCATED)
            raise
        self._end(Ending.COMPLETE)

    async def aclose(self) -> None:
        self._end(Ending.CLOSED_BY_CLIENT)
        if not isinstance(self._body, bytes):
            await self._body.aclose()

    def _end(self, ending: Ending) -> None:
        if self._over:
            return
        self._over = True
        self._tap.exchanges.append(
            Exchange(
                request=self._request,
                status=self._response.status,
                headers=self._response.headers,
                body=b"".join(self._pieces),
                arrivals=tuple(self._arrivals),
                end=ending,
            )
        )


async def _chunks(body: bytes | ByteStream) -> AsyncIterator[bytes]:
    if isinstance(body, bytes):
        if body:
            yield body
    else:
        async for chunk in body:
            yield chunk


def _ms(clock: Clock, start: float) -> int:
    return round((clock.monotonic() - start) * 1000)


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
        gateway = Gateway(
            dialects=dialects,
            deployments=deployments,
            transport=behind(self.tap),
            clock=self.clock,
            mint=counter(),
            seals=TenantSeals().of,
            on_call=lambda _call: None,
        )
        self.gateway = before(gateway)

    async def exchange(self, request: Request) -> Exchange:
        """Send one request through the gateway and return what happened on both sides."""
        before = len(self.tap.exchanges)
        start = self.clock.monotonic()
        response = await self.gateway.send(request)
        pieces: list[bytes] = []
        arrivals: list[Arrival] = []
        ending = Ending.COMPLETE
        try:
            async for chunk in response.chunks():
                arrivals.append(Arrival(_ms(self.clock, start), len(chunk)))
                pieces.append(chunk)
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
            upstream=tuple(self.tap.exchanges[before:]),
        )
