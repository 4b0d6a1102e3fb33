"""Which web pages of other sites may use the gateway from a browser. Nobody's, unless it is configured.

Starlette's middleware does the work: it is pure ASGI and touches an answer's head alone, so streams stay streams.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Send


class Cors(CORSMiddleware):
    """Starlette's middleware, with patterns in `expose_headers`: `x-ratelimit-*` is no name that a browser takes."""

    def __init__(self, app: ASGIApp, *, expose_headers: Sequence[str] = (), **options: Any) -> None:
        super().__init__(app, **options)
        self._exposed = tuple(pattern.lower() for pattern in expose_headers)

    async def send(self, message: Message, send: Send, request_headers: Headers) -> None:
        """Add the fields for the browser to the head of an answer."""
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *self._shown(message, request_headers)]
        await super().send(message, send, request_headers)

    def _shown(self, message: Message, request_headers: Headers) -> list[tuple[bytes, bytes]]:
        if "origin" not in request_headers:
            return []
        names = dict.fromkeys(name.decode("latin-1").lower() for name, _ in message.get("headers", ()))
        shown = [name for name in names if any(fnmatchcase(name, pattern) for pattern in self._exposed)]
        return [(b"access-control-expose-headers", ", ".join(shown).encode("latin-1"))] if shown else []


def with_cors(app: ASGIApp, *, allow_private_network: bool = False, **options: Any) -> ASGIApp:
    """Put the middleware around an app; `options` are those of `[cors]`, without origins the app stays as it is."""
    if not options.get("allow_origins"):
        return app
    if allow_private_network:  # known since Starlette 0.51, and needed by few
        options["allow_private_network"] = True
    return Cors(app, **options)
