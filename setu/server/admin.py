"""The other side of a replay server: `/__setu__/…`, what it holds, what it was asked, what it is to break."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from setu.cassette.journal import Journal, Served
from setu.errors import SetuError

PREFIX = "/__setu__"
_ENDPOINTS = {
    "GET /interactions": "the recordings, with how often each was served",
    "GET /journal": "the requests so far and what they got; ?scope=NAME&after=N&limit=N",
    "GET /hits": "those that a recording answered",
    "GET /misses": "those that none answered, explained",
    "GET /unused": "the places of recordings that nothing has asked for",
    "GET /verdict": "how clients have dealt with what went wrong",
    "GET /faults": "the faults that strike now",
    "PUT /faults": "put these in their place: a JSON list of texts",
    "POST /reset": "forget what was served; ?scope=NAME forgets it for one cassette",
    "GET /metrics": "counters for Prometheus",
}


class Control(Protocol):
    """What an operator may see and change of a replay."""

    @property
    def journal(self) -> Journal: ...

    def interactions(self) -> list[dict[str, Any]]:
        """Return the recordings as plain rows."""
        ...

    def explained(self) -> list[str]:
        """Return the explanation of each of the last misses."""
        ...

    def unused(self) -> list[str]: ...

    def faults(self) -> list[str]: ...

    def set_faults(self, texts: Sequence[str]) -> None:
        """Strike with these faults from now on.

        Raises:
            ConfigError: an unknown one; then nothing has changed.
        """
        ...

    async def reset(self, scope: str | None) -> None:
        """Forget what was served.

        Raises:
            LocalDialectError: the scope's name is none.
        """
        ...

    def verdict(self) -> Any:
        """Return a value that can be written as JSON."""
        ...


class Admin:
    """The endpoints over a control; `metrics` renders the counters and says their media type."""

    def __init__(self, control: Control, metrics: Callable[[str], tuple[bytes, str]]) -> None:
        self._control = control
        self._metrics = metrics
        self.routes = [
            Route(PREFIX + "/", self._index, methods=["GET"]),
            Route(PREFIX + "/interactions", self._interactions, methods=["GET"]),
            Route(PREFIX + "/journal", self._journal, methods=["GET"]),
            Route(PREFIX + "/hits", self._hits, methods=["GET"]),
            Route(PREFIX + "/misses", self._misses, methods=["GET"]),
            Route(PREFIX + "/unused", self._unused, methods=["GET"]),
            Route(PREFIX + "/verdict", self._verdict, methods=["GET"]),
            Route(PREFIX + "/faults", self._faults, methods=["GET", "PUT"]),
            Route(PREFIX + "/reset", self._reset, methods=["POST"]),
            Route(PREFIX + "/metrics", self._scrape, methods=["GET"]),
        ]

    async def _index(self, _request: Request) -> Response:
        return JSONResponse({"service": "setu replay", "endpoints": _ENDPOINTS})

    async def _interactions(self, _request: Request) -> Response:
        return JSONResponse(self._control.interactions())

    async def _journal(self, request: Request) -> Response:
        return self._answer(request, lambda _: True)

    async def _hits(self, request: Request) -> Response:
        return self._answer(request, lambda entry: entry.match not in _NO_HITS)

    async def _misses(self, request: Request) -> Response:
        explained = self._control.explained()
        return self._answer(
            request, lambda entry: entry.match == "miss", lambda found: {"requests": found, "explained": explained}
        )

    async def _unused(self, _request: Request) -> Response:
        return JSONResponse(self._control.unused())

    async def _verdict(self, _request: Request) -> Response:
        return JSONResponse(self._control.verdict().report())

    async def _faults(self, request: Request) -> Response:
        if request.method == "PUT":
            try:
                texts = msgspec.json.decode(await request.body(), type=list[str])
                self._control.set_faults(texts)
            except msgspec.DecodeError:
                return _refused('the body must be a JSON list of faults, such as ["429x2 retry-after=1"]')
            except SetuError as error:
                return _refused(str(error))
        return JSONResponse(self._control.faults())

    async def _reset(self, request: Request) -> Response:
        try:
            await self._control.reset(request.query_params.get("scope"))
        except SetuError as error:
            return _refused(str(error))
        return Response(status_code=204)

    async def _scrape(self, request: Request) -> Response:
        body, media_type = self._metrics(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": media_type})

    def _answer(
        self, request: Request, wanted: Callable[[Served], bool], shown: Callable[[list[Any]], Any] = list
    ) -> Response:
        """Return the last entries that are wanted, as the query narrows them down."""
        query = request.query_params
        try:
            after, limit = int(query.get("after", 0)), int(query.get("limit", 1000))
        except ValueError:
            return _refused("after and limit must be whole numbers")
        scope = query.get("scope")
        found = [
            entry
            for entry in self._control.journal
            if entry.n > after and scope in (None, entry.scope) and wanted(entry)
        ]
        return JSONResponse(shown([msgspec.to_builtins(entry) for entry in found[-limit:]] if limit > 0 else []))


_NO_HITS = frozenset({"miss", "fault", "refused", "recorded", ""})


def _refused(message: str) -> Response:
    return JSONResponse({"error": {"message": message, "type": "invalid_request_error"}}, status_code=400)
