"""Scopes: one transport for each cassette that requests name, so that tests side by side never share state."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from setu.cassette.scope import Scope, scope_of
from setu.errors import ErrorInfo, SetuError
from setu.http import Headers, Request, Response
from setu.ports import Transport

Refused = Callable[[Scope | None, Request, SetuError], None]
"""Told of a request whose cassette has no name that can be one, or cannot be opened."""

Open = Callable[[Scope | None], Transport]
"""Opens the transport of a cassette, or of requests that name none; may raise SetuError. Runs in a thread."""

_LIMIT = 1024


class Scopes:
    """Hands each request to the transport of the cassette it names, opened when it is first named.

    Of more than `limit` cassettes the one that was used longest ago is closed. `shared` is what several of them send
    through (`Lent` to each); it is closed last. `on_refused` is told of what no transport was there for, `on_closed`
    of each cassette whose transport was closed.
    """

    def __init__(
        self,
        open_scope: Open,
        render_error: Callable[[Request, ErrorInfo], bytes],
        *,
        limit: int = _LIMIT,
        shared: Transport | None = None,
        on_refused: Refused = lambda _scope, _request, _error: None,
        on_closed: Callable[[Scope | None], None] = lambda _scope: None,
    ) -> None:
        self._open = open_scope
        self._render_error = render_error
        self._limit = limit
        self._shared = shared
        self._on_refused = on_refused
        self._on_closed = on_closed
        self._transports: OrderedDict[Scope | None, asyncio.Future[Transport]] = OrderedDict()

    async def send(self, request: Request) -> Response:
        scope = None
        try:
            scope, inner = scope_of(request)
            transport = await self._transport(scope)
        except SetuError as error:
            self._on_refused(scope, request, error)
            return self._refusal(request, error)
        return await transport.send(inner)

    async def aclose(self) -> None:
        """Close every transport that was opened."""
        while self._transports:
            await self._close(*self._transports.popitem())
        if self._shared is not None:
            await self._shared.aclose()

    async def reset(self, scope: Scope | None = None, *, everything: bool = True) -> None:
        """Forget the transport of one cassette: the next request opens it afresh.

        Without a scope it is that of every cassette, or, not `everything`, of requests that name none.
        """
        for name in [name for name in self._transports if name == scope or (scope is None and everything)]:
            await self._close(name, self._transports.pop(name))

    async def _transport(self, scope: Scope | None) -> Transport:
        opening = self._transports.get(scope)
        if opening is None:
            opening = asyncio.ensure_future(asyncio.to_thread(self._open, scope))
            self._transports[scope] = opening
            await self._make_room()
        else:
            self._transports.move_to_end(scope)
        if opening.done() and not opening.cancelled() and opening.exception() is None:
            return opening.result()
        try:
            # Shielded: the first client may leave while others wait for the same cassette.
            return await asyncio.shield(opening)
        except Exception:
            if self._transports.get(scope) is opening:
                del self._transports[scope]  # it may be there, and readable, by the next request
            raise

    async def _make_room(self) -> None:
        while len(self._transports) > self._limit:
            await self._close(*self._transports.popitem(last=False))

    async def _close(self, scope: Scope | None, opening: "asyncio.Future[Transport]") -> None:
        try:
            transport = await opening
        except Exception:  # noqa: BLE001  # who asked for it has been told; there is nothing to close
            return
        await transport.aclose()
        if scope not in self._transports:  # opened again meanwhile
            self._on_closed(scope)

    def _refusal(self, request: Request, error: SetuError) -> Response:
        info = error.info()
        headers = Headers.of({"content-type": "application/json", "x-should-retry": "false"})
        return Response(info.status, headers, self._render_error(request, info))


class OnDemand:
    """A transport that is opened by the first request, for who may never send one."""

    def __init__(self, open_transport: Callable[[], Transport]) -> None:
        self._open = open_transport
        self._opened: Transport | None = None

    async def send(self, request: Request) -> Response:
        if self._opened is None:
            self._opened = self._open()
        return await self._opened.send(request)

    async def aclose(self) -> None:
        if self._opened is not None:
            await self._opened.aclose()


class Lent:
    """A transport that several others send through; none of them may close it."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    async def send(self, request: Request) -> Response:
        return await self._inner.send(request)

    async def aclose(self) -> None:
        """Leave it open for the others."""
