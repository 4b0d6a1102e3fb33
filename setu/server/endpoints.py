"""Operations: is it alive, is it ready, what does it serve."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from setu import __version__
from setu.ports import Clock


class Operations:
    """The endpoints around the service itself.

    `describe` gives the mode's own facts (providers of a gateway, counts of a replay) for GET /health; its member
    `usable` says whether anything can be served.
    """

    def __init__(
        self, clock: Clock, describe: Callable[[], Mapping[str, Any]], openapi: Callable[[], dict[str, Any]]
    ) -> None:
        self._clock = clock
        self._describe = describe
        self._openapi = openapi
        self._started = clock.monotonic()
        self.draining = False

    async def root(self, request: Request) -> Response:
        """Answer clients that probe for a server (Claude Code sends HEAD /)."""
        if request.method == "HEAD":
            return Response(status_code=200)
        return JSONResponse({"service": "setu", "version": __version__})

    async def health(self, request: Request) -> Response:
        facts = dict(self._describe())
        usable = bool(facts.pop("usable", True))
        if "text/plain" in request.headers.get("accept", ""):
            return PlainTextResponse("ok" if usable else "unavailable", status_code=200 if usable else 503)
        body = {
            "status": "healthy" if usable else "unhealthy",
            "service": "setu",
            "version": __version__,
            "uptime": round(self._clock.monotonic() - self._started),
            "timestamp": round(self._clock.now()),
            **facts,
        }
        return JSONResponse(body, status_code=200 if usable else 503)

    async def alive(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        return PlainTextResponse("ok")

    async def ready(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        usable = bool(self._describe().get("usable", True)) and not self.draining
        return PlainTextResponse("ready" if usable else "not ready", status_code=200 if usable else 503)

    async def openapi(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        return JSONResponse(self._openapi())
