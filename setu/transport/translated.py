"""Answer in one dialect from what was recorded in another: the request is translated there, the answer back."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import cache

import msgspec

from setu.cassette.match import model_of, route_of
from setu.errors import NoMatchError, SetuError
from setu.http import Request, Response
from setu.ports import Transport
from setu.providers.deployment import Deployment, url
from setu.transport.replay import Replay
from setu.transport.reverse import Reverse

_OPERATIONS = frozenset({"chat", "complete", "embed", "count_tokens"})


class _Asking:
    """A client's request under translation; if nothing was `played` for it, the answer is the translator's own."""

    def __init__(self, client: Request) -> None:
        self.client = client
        self.played = False


_ASKING: ContextVar[_Asking | None] = ContextVar("setu_asking", default=None)
"""The call that this task is about."""


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
            return await self._reverse.send(request, onward)
        if not self._replay.library.answers(onward):
            for dialect, provider in self._places(onward, route.dialect):
                response = await self._elsewhere(request, onward, dialect, provider)
                if response is not None:
                    return response
        return await self._reverse.send(request, onward)

    async def aclose(self) -> None:
        await self._reverse.aclose()

    async def _elsewhere(self, request: Request, onward: Request, dialect: str, provider: str) -> Response | None:
        headers = request.headers.copy()
        headers.set("x-setu-provider", provider)
        asked = Request(
            method=request.method, path=request.path, query=request.query, headers=headers, body=request.body
        )
        asking = _Asking(onward)
        _ASKING.set(asking)
        response = await self._over(dialect).send(asked)
        if not asking.played:
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
        asking = _ASKING.get()
        if asking is None:
            return await self._replay.send(request)
        asking.played = True
        return await self._replay.answer(request, asking.client)

    async def aclose(self) -> None:
        """Leave the replay to its owner."""


def translating(
    replay: Replay,
    reverse: Reverse,
    deployed: Mapping[str, Deployment],
    gateway: Callable[[Mapping[str, Deployment], Transport], Transport],
) -> Translated:
    """Return a replay that also answers in a dialect in which nothing was recorded, through a gateway to its hosts."""
    names: dict[str, list[str]] = {}
    for name, deployment in deployed.items():
        names.setdefault(url(deployment, "/")[0], []).append(name)

    @cache
    def over(dialect: str) -> Transport:
        speaking = {name: only for name, each in deployed.items() if (only := _speaking(each, dialect)) is not None}
        return gateway(speaking, Quiet(replay))

    return Translated(replay, reverse, over, names)


def _speaking(deployment: Deployment, dialect: str) -> Deployment | None:
    """Return the deployment as if its host spoke one dialect only; None when it does not speak that one."""
    provider = deployment.provider
    if dialect not in (*provider.dialects, *provider.speaks.values()):
        return None
    only = msgspec.structs.replace(provider, dialects=(dialect,), speaks={})
    return msgspec.structs.replace(deployment, provider=only)
