"""Ask a deployment whether it is there, now and then: one cheap request with its own key."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from urllib.parse import urlsplit

from setu.errors import RouteNotFoundError, SetuError
from setu.http import Headers, Request
from setu.ports import Clock, Transport
from setu.providers.deployment import Deployment, url
from setu.providers.signing import sign
from setu.resilience.deadlines import late
from setu.resilience.ledger import Result
from setu.resilience.policy import HealthCheck
from setu.resilience.schedule import due

LOG = logging.getLogger("setu")

_CHEAPEST = {
    "openai_chat": "/v1/models",
    "openai_responses": "/v1/models",
    "anthropic": "/v1/models",
    "gemini": "/v1beta/models",
    "cohere": "/v1/models",
    "ollama": "/api/tags",
}
"""The endpoint of each dialect that costs nothing: its list of models. Bedrock's lives on another host."""


def probe_request(deployment: Deployment, check: HealthCheck) -> Request | None:
    """Return the request that asks a deployment; None where nothing cheap is known to ask.

    The key goes along only to the deployment's own origin, wherever the configured URL leads.
    """
    origin, path, query = _place(deployment, check)
    if not origin:
        return None
    headers = Headers.of({"accept": "application/json", "accept-encoding": "identity"})
    if origin == url(deployment, "/")[0]:
        for name, value in deployment.provider.headers.items():
            headers.set(name, value)
        sign(headers, deployment.scheme, deployment.key)
    return Request(method="GET", origin=origin, path=path, query=query, headers=headers)


def _place(deployment: Deployment, check: HealthCheck) -> tuple[str, str, str]:
    if check.url is not None:
        parts = urlsplit(check.url)
        return f"{parts.scheme}://{parts.netloc}", parts.path or "/", parts.query
    provider = deployment.provider
    known = _CHEAPEST.get(provider.dialects[0])
    if known is None or provider.dialects[0] in provider.paths:
        return "", "", ""
    return (*url(deployment, known), deployment.base_url.partition("?")[2])


def judged(status: int, latency: float) -> Result:
    """Judge an answer: a host that is busy or lacks the endpoint is there; one that refuses the key is of no use."""
    if status in {401, 403}:
        return Result(ok=False, latency=latency, status=status, error=f"it refuses the key ({status})")
    if status >= 500:
        return Result(ok=False, blame=True, latency=latency, status=status, error=f"it answered {status}")
    return Result(ok=True, latency=latency, status=status)


class Prober:
    """Checks deployments on their intervals while it is running, and any of them when asked.

    `report` gets each result; `latest` holds the last one of each. A deployment without an interval is only checked
    when somebody asks.
    """

    def __init__(
        self,
        deployments: Mapping[str, Deployment],
        checks: Mapping[str, HealthCheck],
        transport: Transport,
        clock: Clock,
        report: Callable[[str, Result], None],
        draw: Callable[[], float],
    ) -> None:
        self._deployments = deployments
        self._checks = checks
        self._transport = transport
        self._clock = clock
        self._report = report
        self._draw = draw
        self.latest: dict[str, Result] = {}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Check on the intervals as long as the context lasts."""
        watches = [
            asyncio.create_task(self._watch(name, check.interval), name=f"health of {name}")
            for name, check in self._checks.items()
            if check.interval is not None and name in self._deployments
        ]
        try:
            yield
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)

    async def check(self, name: str) -> Result | None:
        """Check one now; None where there is nothing to ask it.

        Raises:
            RouteNotFoundError: there is no such provider.
        """
        deployment = self._deployments.get(name)
        if deployment is None:
            known = ", ".join(self._deployments) or "none"
            raise RouteNotFoundError(f"there is no provider '{name}'; there are: {known}", code="provider_not_found")
        check = self._checks.get(name, HealthCheck())
        request = probe_request(deployment, check)
        if request is None:
            return None
        result = await self._asked(deployment, request, check.timeout)
        self.latest[name] = result
        self._report(name, result)
        return result

    async def _asked(self, deployment: Deployment, request: Request, seconds: float) -> Result:
        started = self._clock.monotonic()
        own = request.origin == url(deployment, "/")[0]
        try:
            async with asyncio.timeout(seconds):
                if deployment.signer is not None and own:
                    request = await deployment.signer.sign(request)
                response = await self._transport.send(request)
                try:
                    latency = self._clock.monotonic() - started
                    await response.read()  # a connection is only used again after a whole answer
                finally:
                    await response.aclose()
        except TimeoutError:
            return Result(ok=False, blame=True, error=late("total", request.origin, seconds))
        except SetuError as error:
            return Result(ok=False, blame=True, error=str(error))
        return judged(response.status, latency)

    async def _watch(self, name: str, interval: float) -> None:
        last: float | None = None
        while True:
            await self._clock.sleep(due(self._clock.monotonic(), last, interval, self._draw()))
            last = self._clock.monotonic()
            try:
                if await self.check(name) is None:
                    LOG.warning("provider %s has no endpoint to check: set health_check.url", name)
                    return
            except Exception:
                LOG.exception("the health check of %s broke", name)
