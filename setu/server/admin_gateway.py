"""The operator's side of a gateway: `/admin/…`, and what it tells of its decisions and counts under `/v1`."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, Protocol

import msgspec
from starlette.requests import Request as Incoming
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from setu.access.exposure import is_loopback, plain
from setu.errors import AuthenticationError, ErrorInfo, ErrorKind, GatewayError, SetuError
from setu.http import Headers, Request

ADMIN = "/admin/"
PATHS = frozenset({"/v1/routing/info", "/v1/metrics"})
"""Operations among the paths of the APIs."""

_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
_LONGEST = 64 * 1024
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

Admit = Callable[[Request], Awaitable[ErrorInfo | None]]
"""Says why a request may not come in; None lets it. It must not tell known keys from unknown ones by its time."""


Guard = Callable[[], Admit | None]


def _nobody() -> Admit | None:
    return None


class ProviderHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider does. `last_check` is in seconds since the epoch, `latency` in seconds.

    `status` is `healthy`, `degraded`, `unhealthy`, `unknown` or `no key`; `circuit` `closed`, `open` or `half-open`.
    """

    name: str
    status: str = "unknown"
    last_check: float | None = None
    latency: float | None = None
    error: str | None = None
    circuit: str = "closed"
    consecutive_failures: int = 0
    models: tuple[str, ...] = ()
    base_url: str = ""

    @property
    def usable(self) -> bool:
        return self.status not in ("unhealthy", "no key") and self.circuit != "open"

    def brief(self) -> dict[str, Any]:
        """Return what GET /health says of it."""
        return {
            "status": self.status,
            "last_check": _iso(self.last_check),
            "response_time_ms": _milliseconds(self.latency),
            "error": self.error,
            "circuit": self.circuit,
            "base_url": self.base_url,
            "models": len(self.models),
        }

    def whole(self) -> dict[str, Any]:
        """Return what GET /admin/providers/{name}/health says of it."""
        return {
            "name": self.name,
            "healthy": self.usable,
            "latency": _spoken(self.latency),
            **self.brief(),
            "consecutive_failures": self.consecutive_failures,
            "models": list(self.models),
        }


def health(providers: Sequence[ProviderHealth], *, breaker: bool = True) -> dict[str, Any]:
    """Return the members of GET /health that tell of providers.

    `circuit_breaker` stands for all: it is open when no provider is left, its failures are the most of any.
    """
    circuits = [provider.circuit for provider in providers]
    return {
        "providers": {provider.name: provider.brief() for provider in providers},
        "circuit_breaker": {
            "enabled": breaker,
            "is_open": bool(circuits) and all(circuit == "open" for circuit in circuits),
            "consecutive_failures": max((provider.consecutive_failures for provider in providers), default=0),
        },
        "usable": any(provider.usable for provider in providers),
    }


class GatewayControl(Protocol):
    """What an operator may see and change of a gateway. Every mapping is fit for JSON."""

    async def reload(self) -> Mapping[str, Any]:
        """Take over what the configuration says now.

        Raises:
            ConfigError: it cannot be used; nothing has changed.
        """
        ...

    def policy(self) -> Mapping[str, Any]:
        """Return how targets are ordered, and which other ways there are."""
        ...

    async def set_policy(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        """Order targets otherwise, until the next reload.

        Raises:
            ConfigError: there is no such policy; nothing has changed.
        """
        ...

    def providers(self) -> Sequence[ProviderHealth]: ...

    async def check(self, name: str) -> ProviderHealth:
        """Ask a provider now how it does."""
        ...

    async def usage(self, query: Mapping[str, str]) -> Mapping[str, Any]:
        """Return what was used, grouped as `by` says.

        Raises:
            ConfigError: the query is none.
        """
        ...

    def routing(self, request_id: str) -> Mapping[str, Any] | None:
        """Return why a request went where it went; None for one that is not remembered."""
        ...

    def metrics(self) -> Mapping[str, Any]: ...


class GatewayAdmin:
    """The endpoints over a control.

    `guard` gives what admits to `/admin/…`, anew for every request: a reload changes keys; None, when there is no admin
    key: then only this machine is let in. `known` is the guard of what any client of the gateway may ask; by default
    the same. `noted` hears of every call that changes something, before it does.
    """

    def __init__(
        self,
        control: GatewayControl,
        guard: Guard = _nobody,
        known: Guard | None = None,
        noted: Callable[[Request], Awaitable[None]] | None = None,
    ) -> None:
        self._control = control
        self._noted = noted
        self._guard = guard
        self._known = known or guard
        provider = "/admin/providers/{name}"
        self.routes = [
            self._route("POST", "/admin/reload", self._reload),
            self._route("GET", "/admin/routing/policy", self._policy),
            self._route("PUT", "/admin/routing/policy", self._set_policy),
            self._route("GET", "/admin/providers", self._providers),
            self._route("GET", provider + "/health", self._provider),
            self._route("POST", provider + "/health-check", self._check),
            self._route("GET", "/admin/usage", self._usage),
            self._route("GET", "/v1/routing/info", self._routing),
            self._route("GET", "/v1/metrics", self._metrics),
            Route(ADMIN + "{path:path}", self._unknown, methods=_METHODS),
        ]

    def _route(self, method: str, path: str, answer: Callable[[Incoming], Awaitable[Any]]) -> Route:
        guard = self._guard if path.startswith(ADMIN) else self._known

        async def endpoint(request: Incoming) -> Response:
            try:
                await _let_in(request, guard())
                if self._noted is not None and method != "GET":
                    await self._noted(_plain(request))
                return JSONResponse(await answer(request))
            except SetuError as error:
                return _refused(_status(error))

        return Route(path, endpoint, methods=[method])

    async def _reload(self, _request: Incoming) -> Any:
        return await self._control.reload()

    async def _policy(self, _request: Incoming) -> Any:
        return self._control.policy()

    async def _set_policy(self, request: Incoming) -> Any:
        return await self._control.set_policy(await _object(request))

    async def _providers(self, _request: Incoming) -> Any:
        found = [provider.whole() for provider in self._control.providers()]
        return {"providers": found, "total": len(found)}

    async def _provider(self, request: Incoming) -> Any:
        return self._named(request).whole()

    async def _check(self, request: Incoming) -> Any:
        return (await self._control.check(self._named(request).name)).whole()

    async def _usage(self, request: Incoming) -> Any:
        return await self._control.usage(dict(request.query_params))

    async def _routing(self, request: Incoming) -> Any:
        request_id = request.query_params.get("request_id", "")
        if not request_id:
            raise RefusedError("request_id is required: /v1/routing/info?request_id=…", status=400)
        found = self._control.routing(request_id)
        if found is None:
            raise RefusedError(f"no decision is remembered for the request '{request_id[:128]}'", status=404)
        return found

    async def _metrics(self, _request: Incoming) -> Any:
        return self._control.metrics()

    async def _unknown(self, request: Incoming) -> Response:
        try:
            await _let_in(request, self._guard())
        except SetuError as error:
            return _refused(error.info())
        known = any(route.path_regex.match(request.url.path) for route in self.routes[:-1])
        named = f"{request.method} {request.url.path}"
        refused = (
            RefusedError(f"{named} is not allowed", status=405)
            if known
            else RefusedError(f"no such endpoint: {named}", status=404)
        )
        return _refused(refused.info())

    def _named(self, request: Incoming) -> ProviderHealth:
        name = request.path_params["name"]
        providers = {provider.name: provider for provider in self._control.providers()}
        if name not in providers:
            known = ", ".join(providers) or "none"
            raise RefusedError(f"there is no provider '{name[:128]}'; there are: {known}", status=404)
        return providers[name]


class RefusedError(GatewayError):
    """An operator's request that cannot be answered."""

    kind = ErrorKind.INVALID_REQUEST

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message, code="invalid_request" if status != 404 else "not_found")
        self.status = status


async def _let_in(request: Incoming, admit: Admit | None) -> None:
    """Refuse who may not come in.

    Raises:
        GatewayError: 401 without the right key; 403 where there are no keys, for who is not on this machine.
    """
    if admit is not None:
        info = await admit(_plain(request))
        if info is not None:
            raise _NotAdmittedError(info)
    elif not is_local(request):
        raise RefusedError(
            "no admin key is configured, so this is for clients on the gateway's own machine only", status=403
        )


class _NotAdmittedError(AuthenticationError):
    def __init__(self, info: ErrorInfo) -> None:
        super().__init__(info.message)
        self._info = info

    def info(self) -> ErrorInfo:
        return self._info


def _said(request: Incoming) -> list[str]:
    """Return the hosts that a request names: the one it asks, and the page's that sent it."""
    origin = request.headers.get("origin")
    return [request.headers.get("host", ""), *([] if origin is None else [origin.partition("://")[2]])]


def _host_of(authority: str) -> str:
    name, colon, port = authority.rpartition(":")
    return name if colon and port.isdigit() else authority


def is_local(request: Incoming) -> bool:
    """Tell whether a client is on this machine; one that a proxy speaks for is not known to be."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    # A page of another site, or one whose name was bound anew to this machine, is no operator.
    if any(not is_loopback(plain(_host_of(name))) for name in _said(request)):
        return False
    try:
        return request.client is not None and ip_address(request.client.host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _plain(request: Incoming) -> Request:
    headers = Headers((name.lower(), value) for name, value in request.headers.raw)
    return Request(method=request.method, path=request.url.path, query=request.url.query, headers=headers)


async def _object(request: Incoming) -> dict[str, Any]:
    """Return a JSON object from the body.

    Raises:
        RefusedError: it is none.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST:
            raise RefusedError(f"the body is larger than {_LONGEST} bytes", status=413)
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RefusedError('the body must be a JSON object, such as {"policy": "cost_based"}', status=400)
    return found


def _status(error: SetuError) -> ErrorInfo:
    """Return what a client is told: a setting that cannot be used is the request's, or the file's, fault: 422."""
    info = error.info()
    if isinstance(error, GatewayError) or info.status != 500:
        return info
    return ErrorInfo(
        kind=ErrorKind.INVALID_REQUEST, status=422, message=str(error), type="invalid_request_error", code="bad_config"
    )


def _refused(info: ErrorInfo) -> Response:
    body = {"error": {"message": info.message, "type": info.type or info.kind.value, "code": info.code}}
    headers = {"www-authenticate": "Bearer"} if info.status == 401 else None
    return JSONResponse(body, status_code=info.status, headers=headers)


def _iso(at: float | None) -> str | None:
    from datetime import UTC, datetime

    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def _spoken(seconds: float | None) -> str | None:
    """Write a duration as people do: `19µs`, `45.2ms`, `1.25s`."""
    if seconds is None:
        return None
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f}µs"
    return f"{seconds * 1e3:.1f}ms" if seconds < 1 else f"{seconds:.2f}s"
