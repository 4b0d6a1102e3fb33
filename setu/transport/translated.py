"""Answer in one dialect from what was recorded in another: the request is translated there, the answer back."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar

from setu.cassette.match import model_of, route_of
from setu.errors import NoMatchError, SetuError
from setu.http import Request, Response
from setu.ports import Transport
from setu.transport.replay import Replay
from setu.transport.reverse import Reverse

_OPERATIONS = frozenset({"chat", "complete", "embed", "count_tokens"})
_PLAYED: ContextVar[list[Request]] = ContextVar("setu_played")
"""What was played for the call that this task is about: an answer without any is the translator's own refusal."""


class Translated:
    """A replay in front of translators that stand in front of the same replay.

    `over` returns a gateway that sends, to every provider, in one dialect only; `names` gives the providers of an
    origin. A recording that answers the request as it is always goes first, and a miss is the miss of the request as
    it is.
    """

    def __init__(
        self, replay: Replay, reverse: Reverse, over: Callable[[str], Transport], names: Mapping[str, list[str]]
    ) -> None:
        self._replay = replay
        self._reverse = reverse
        self._over = over
        self._names = names
        self._spoken: dict[str, list[tuple[str, str]]] | None = None

    async def send(self, request: Request) -> Response:
        await request.read()
        try:
            onward = self._reverse.onward(request)
        except SetuError:
            return await self._reverse.send(request)
        route = route_of(onward)
        if route is None or route.operation not in _OPERATIONS:
            return await self._reverse.send(request)
        if not self._replay.library.answers(onward):
            for dialect, provider in self._places(onward, route.dialect):
                response = await self._elsewhere(request, dialect, provider)
                if response is not None:
                    return response
        return await self._reverse.send(request)

    async def aclose(self) -> None:
        await self._reverse.aclose()

    async def _elsewhere(self, request: Request, dialect: str, provider: str) -> Response | None:
        headers = request.headers.copy()
        headers.set("x-setu-provider", provider)
        asked = Request(
            method=request.method, path=request.path, query=request.query, headers=headers, body=request.body
        )
        played: list[Request] = []
        _PLAYED.set(played)
        response = await self._over(dialect).send(asked)
        if not played:
            await response.aclose()
            return None
        response.headers.set("x-setu-match", "translated")
        return response

    def _places(self, request: Request, dialect: str) -> list[tuple[str, str]]:
        """Return the other dialects, each with a provider, in which the model of a request was recorded."""
        if self._spoken is None:
            self._spoken = {}
            for interaction in self._replay.library.interactions:
                asked = interaction.exchange.request
                route = route_of(asked)
                model = model_of(asked)
                if route is not None and model is not None and route.operation in _OPERATIONS:
                    spoken = self._spoken.setdefault(model, [])
                    spoken += [
                        place
                        for name in self._names.get(asked.origin, ())
                        if (place := (route.dialect, name)) not in spoken
                    ]
        return [place for place in self._spoken.get(model_of(request) or "", ()) if place[0] != dialect]


class Quiet:
    """A replay that is asked on the off chance: what it has no answer for is no miss."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay

    async def send(self, request: Request) -> Response:
        """Play a recording.

        Raises:
            NoMatchError: there is none.
        """
        await request.read()
        if not self._replay.library.answers(request):
            raise NoMatchError("not recorded in this dialect either")
        _PLAYED.get([]).append(request)
        return await self._replay.send(request)

    async def aclose(self) -> None:
        """Leave the replay to its owner."""
