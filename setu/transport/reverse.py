"""A reverse proxy by path: which provider a client that thinks it talks to one of them meant."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from setu.dialects.routes import classify_prefixed
from setu.errors import ErrorInfo, RouteNotFoundError, SetuError
from setu.http import Headers, Request, Response, end_to_end
from setu.ports import Transport
from setu.providers.deployment import Deployment, url
from setu.providers.signing import CREDENTIALS, sign

HOME = {"openai_chat": "openai", "anthropic": "anthropic", "gemini": "gemini", "cohere": "cohere", "ollama": "ollama"}
"""The provider whose own SDK calls a dialect's unprefixed path."""

_ANY = re.compile(
    r"/proxy/(?P<scheme>https?)/(?P<host>[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:.]+\])(?P<port>:[0-9]{1,5})?(?P<path>/.*|)"
)
"""Any host by its address: `/proxy/https/api.example.com/v1/…`."""

_KEY = re.compile(r"(?:^|&)key=.")
_OURS = ("host", "content-length", "x-setu-provider", "x-provider", "accept-encoding", "expect")
_MAX_PLACES = 256


class _Place(NamedTuple):
    """Where a request goes, and to whom."""

    deployment: Deployment
    origin: str
    path: str


class Reverse:
    """Gives each request the origin and path of the provider it is for, and hands it on unchanged otherwise.

    `/openrouter/v1/…` goes to openrouter, `/proxy/https/HOST/…` to any host, an unprefixed path to the dialect's home;
    `upstream` replaces OpenAI as the home of everything else. The client's own credential travels on; where it has
    none, the deployment's key does.
    """

    def __init__(
        self,
        inner: Transport,
        deployments: Mapping[str, Deployment],
        render_error: Callable[[Request, ErrorInfo], bytes],
        *,
        upstream: str = "openai",
    ) -> None:
        self._inner = inner
        self._deployments = deployments
        self._names = frozenset(deployments)
        self._render_error = render_error
        self._upstream = upstream
        # Clients ask for few paths, over and over.
        self._place = lru_cache(maxsize=_MAX_PLACES)(self._placed)

    async def send(self, request: Request, onward: Request | None = None) -> Response:
        """Hand a request on; `onward` is what `onward` has made of it, where that is known."""
        try:
            return await self._inner.send(onward or self.onward(request))
        except SetuError as error:
            info = error.info()
            headers = Headers.of({"content-type": "application/json"})
            return Response(info.status, headers, self._render_error(request, info))

    async def aclose(self) -> None:
        await self._inner.aclose()

    def onward(self, request: Request) -> Request:
        """Return the request as its provider is to get it.

        Raises:
            RouteNotFoundError: the provider is not configured, or the path names no host.
        """
        if request.path.startswith("/proxy/"):
            return _to_any_host(request)
        place = self._place(request.method, request.path, request.headers.get("x-setu-provider"))
        headers = end_to_end(request.headers, *_OURS)
        if not headers.has_any(*CREDENTIALS) and not _KEY.search(request.query):
            sign(headers, place.deployment.scheme, place.deployment.key)
        return Request(
            method=request.method,
            origin=place.origin,
            path=place.path,
            query=request.query,
            headers=headers,
            body=request.body,
        )

    def _placed(self, method: str, path: str, provider: str | None) -> _Place:
        route, path = classify_prefixed(method, path, self._names)
        named = (route.provider if route else None) or provider
        home = HOME.get(route.dialect, self._upstream) if route else self._upstream
        if named is None and home == "openai":
            named = self._upstream
        deployment = self._deployments.get(named or home)
        if deployment is None:
            raise RouteNotFoundError(
                f"Provider '{named or home}' is not configured",
                code="provider_not_found",
                available_providers=sorted(self._deployments),
            )
        origin, onward = url(deployment, path)
        if deployment.provider.paths or "{model}" in deployment.base_url:
            onward = path  # Azure's and Vertex's clients write the whole path themselves
        return _Place(deployment, origin, onward)


def _to_any_host(request: Request) -> Request:
    """Return the request for the host that its path spells out; its credentials are its own affair."""
    found = _ANY.fullmatch(request.path)
    if found is None:
        raise RouteNotFoundError(
            f"{request.path[:200]} does not name a host: the form is /proxy/https/HOST[:PORT]/PATH",
            code="bad_proxy_path",
        )
    headers = end_to_end(request.headers, *_OURS)
    origin = f"{found['scheme']}://{found['host'].lower()}{found['port'] or ''}"
    return Request(
        method=request.method,
        origin=origin,
        path=found["path"] or "/",
        query=request.query,
        headers=headers,
        body=request.body,
    )
