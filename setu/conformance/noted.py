"""An answer's body that tells, once it is over, what passed and how it ended."""

from collections.abc import AsyncIterator, Callable

from setu.errors import TruncatedError
from setu.http import Arrival, Ending, Exchange, Request, Response
from setu.ports import Clock


class Noted:
    """The body of a response, to be put in its place; `note` gets the exchange, once."""

    def __init__(
        self, request: Request, response: Response, clock: Clock, start: float, note: Callable[[Exchange], None]
    ) -> None:
        self._request = request
        self._inner = Response(response.status, response.headers, response.body)
        self._clock = clock
        self._start = start
        self._note: Callable[[Exchange], None] | None = note
        self._pieces: list[bytes] = []
        self._arrivals: list[Arrival] = []

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._inner.chunks():
                self._arrivals.append(Arrival(round((self._clock.monotonic() - self._start) * 1000), len(chunk)))
                self._pieces.append(chunk)
                yield chunk
        except TruncatedError as error:
            self._end(Ending.RESET if error.reset else Ending.TRUNCATED)
            raise
        self._end(Ending.COMPLETE)

    async def aclose(self) -> None:
        self._end(Ending.CLOSED_BY_CLIENT)
        await self._inner.aclose()

    def _end(self, ending: Ending) -> None:
        note, self._note = self._note, None
        if note is None:
            return
        note(
            Exchange(
                request=self._request,
                status=self._inner.status,
                headers=self._inner.headers,
                body=b"".join(self._pieces),
                arrivals=tuple(self._arrivals),
                end=ending,
            )
        )
