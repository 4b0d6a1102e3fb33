"""Twins: both sides of one translated call on file, what the client saw and what the provider said.

The native side replayed through the translator must give the client's side again: a regression test of every
translation that was ever recorded.
"""

import threading
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar

import msgspec

from setu.cassette.match import route_of
from setu.cassette.model import Interaction
from setu.http import Request, Response
from setu.ports import Transport
from setu.transport.record import Sink

CLIENT_ORIGIN = "http://setu"
"""Stands in a recording of the client's side for wherever the gateway listened."""

_CALL: ContextVar[str | None] = ContextVar("setu_recorded_call", default=None)


class Twins:
    """Links what is recorded in front of a gateway to what is recorded behind it.

    `enter` goes around the gateway's recorder and names each call, `leave` around the recorder of what it sends;
    both recorders ask `name` for their `twin`, and `client` is the sink of the one in front. A call that was not
    translated has no twin: its two sides are the same.
    """

    def __init__(self, sink: Sink, key_of: Callable[[Request], str]) -> None:
        self._sink = sink
        self._key_of = key_of
        self._counts: Counter[str] = Counter()
        self._dialects: dict[str, set[str]] = {}
        self._lock = threading.Lock()  # sinks run in threads

    @staticmethod
    def name() -> str | None:
        """Return the name of the call that this task is about."""
        return _CALL.get()

    def client(self, interaction: Interaction) -> None:
        """Keep the client's side, unless whatever was sent for it spoke the client's own dialect."""
        with self._lock:
            spoken = self._dialects.pop(interaction.recording.twin or "", set())
        if spoken <= {interaction.recording.dialect}:
            return
        asked = msgspec.structs.replace(interaction.exchange.request, origin=CLIENT_ORIGIN)
        exchange = msgspec.structs.replace(interaction.exchange, request=asked)
        self._sink(msgspec.structs.replace(interaction, exchange=exchange))

    def leave(self, inner: Transport) -> "_Before":
        """Return a transport that notes which dialect each call is sent on in."""
        return _Before(inner, self._note)

    def enter(self, inner: Transport) -> "_Before":
        """Return a transport that names each call before it passes it on."""
        return _Before(inner, self._enter)

    def _enter(self, request: Request) -> None:
        # For everything that happens below in this task, which serves one request.
        _CALL.set(self._fresh(request))

    def _note(self, request: Request) -> None:
        route = route_of(request)
        with self._lock:
            self._dialects.setdefault(_CALL.get() or "", set()).add(route.dialect if route else "")

    def _fresh(self, request: Request) -> str:
        """Name a call by its request, so that the same run gives the same names."""
        key = self._key_of(request)
        self._counts[key] += 1
        return key if self._counts[key] == 1 else f"{key}-{self._counts[key]}"


class _Before:
    """Looks at each request before it passes it on."""

    def __init__(self, inner: Transport, look: Callable[[Request], None]) -> None:
        self._inner = inner
        self._look = look

    async def send(self, request: Request) -> Response:
        await request.read()
        self._look(request)
        return await self._inner.send(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
