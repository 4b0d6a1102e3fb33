"""The Starlette app: the hot path raw, operations as ordinary routes."""

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from setu.ports import Ids, Transport
from setu.server.edge import Edge, Receive, RenderError, Scope, Send
from setu.server.endpoints import Operations
from setu.server.hosts import Hosts
from setu.server.ws import ResponsesSocket

Mode = str
ADMIN = ("/__setu__/", "/admin/")
_OPERATIONS = frozenset({"/health", "/healthz", "/livez", "/readyz", "/", "/openapi.json"})


class App:
    """The ASGI app. Operations go through Starlette, everything else straight to the edge.

    `hosts` says for which names it answers; None: for any. `running` is entered while it serves.
    """

    def __init__(
        self,
        transport: Transport,
        render_error: RenderError,
        operations: Operations,
        mint: Ids,
        *,
        max_body: int,
        on_close: Callable[[], Awaitable[None]] | None = None,
        running: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
        admin: Sequence[Route] = (),
        hosts: Hosts | None = None,
    ) -> None:
        self._own = operations
        self._operations = _OPERATIONS | {route.path for route in admin}
        self._administered = tuple(start for start in ADMIN if any(route.path.startswith(start) for route in admin))
        self._hosts = hosts
        self._edge = Edge(transport, render_error, max_body=max_body)
        self._socket = ResponsesSocket(transport, mint, max_body=max_body)

        @asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            async with running():
                yield
            self.drain()
            await transport.aclose()
            if on_close is not None:
                await on_close()

        self._starlette = Starlette(
            routes=[
                Route("/", operations.root, methods=["GET", "HEAD"]),
                Route("/health", operations.health, methods=["GET"]),
                Route("/healthz", operations.alive, methods=["GET"]),
                Route("/livez", operations.alive, methods=["GET"]),
                Route("/readyz", operations.ready, methods=["GET"]),
                Route("/openapi.json", operations.openapi, methods=["GET"]),
                *admin,
            ],
            lifespan=lifespan,
        )

    def drain(self) -> None:
        """Say at GET /readyz that nothing more should be sent here; what comes all the same is answered."""
        self._own.draining = True

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if self._hosts is not None and scope["type"] != "lifespan":
            # What only reads and spends is left to the browser's own rules; who may change what a test gets is not.
            with_origin = scope["type"] == "websocket" or scope["path"].startswith(self._administered)
            problem = self._hosts.problem(scope["headers"], with_origin=with_origin)
            if problem is not None:
                await self._edge.refuse(scope, receive, send, problem)
                return
        if scope["type"] == "http" and not self._is_operation(scope["path"]):
            await self._edge(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._starlette(scope, receive, send)

    def _is_operation(self, path: str) -> bool:
        return path in self._operations or path.startswith(self._administered)


__all__ = ["App", "Scope"]
