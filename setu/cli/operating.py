"""What an operator may see and change of the gateway that `setu start` serves."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from setu.config.load import Loaded
from setu.config.routing import Routing
from setu.errors import ConfigError
from setu.ports import Clock
from setu.providers.deployment import Deployment
from setu.resilience.ledger import Standing
from setu.routing.strategies import STRATEGIES
from setu.server.admin_gateway import ProviderHealth
from setu.server.reload import Reloader
from setu.server.totals import Totals
from setu.signals import Call

REMEMBERED = 1000
DEGRADED = 0.1
"""The share of failures from which a provider counts as degraded."""

Take = Callable[[Loaded], Awaitable[None]]
Check = Callable[[Deployment], Awaitable[ProviderHealth]]
Report = Callable[[Mapping[str, str]], dict[str, Any]]


class Operator:
    """A `GatewayControl` over the gateway that is served now.

    `now` gives its configuration and its providers, `standing` how they do, `take` puts another in its place; `check`
    asks a provider, `report` the usage database.
    """

    def __init__(
        self,
        now: Callable[[], tuple[Loaded, Mapping[str, Deployment]]],
        standing: Callable[[], Mapping[str, Standing]],
        take: Take,
        clock: Clock,
        *,
        check: Check | None = None,
        report: Report | None = None,
    ) -> None:
        self._now = now
        self._standing = standing
        self._take = take
        self._clock = clock
        self._check = check
        self._report = report
        self._totals = Totals()
        self._calls: OrderedDict[str, Call] = OrderedDict()
        self.reloader: Reloader[Loaded] | None = None

    def heard(self, call: Call) -> None:
        """Take note of a call that is over."""
        self._totals.add(call)
        self._calls[call.request_id] = call
        if len(self._calls) > REMEMBERED:
            self._calls.popitem(last=False)

    async def reload(self) -> Mapping[str, Any]:
        if self.reloader is None:
            raise ConfigError("this gateway cannot be reloaded")
        return (await self.reloader.asked("POST /admin/reload")).facts()

    def policy(self) -> Mapping[str, Any]:
        routing = self._now()[0].config.routing
        return {"policy": routing.strategy, "available": sorted(STRATEGIES), "config": routing.model_dump(mode="json")}

    async def set_policy(self, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        """Take `{"policy": NAME, "config": {…}}`; the members of `config` are those of `[routing]`."""
        name, config = wanted.get("policy"), wanted.get("config", {})
        if not isinstance(name, str) or not isinstance(config, dict) or set(wanted) - {"policy", "config"}:
            raise ConfigError('write {"policy": "cost_based"}, and "config" for members of [routing]')
        loaded, _ = self._now()
        said = loaded.config.routing.model_dump(exclude_unset=True) | config | {"strategy": name}
        try:
            routing = Routing.model_validate(said)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, ("routing", *first["loc"])))
            raise ConfigError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from None
        await self._take(loaded._replace(config=loaded.config.model_copy(update={"routing": routing})))
        return self.policy()

    def providers(self) -> Sequence[ProviderHealth]:
        standing = self._standing()
        loaded, deployed = self._now()
        brought = loaded.config.auth.mode in {"passthrough", "hybrid"}  # then clients may have the key
        return [_health(each, standing.get(name), each.callable or brought) for name, each in deployed.items()]

    async def check(self, name: str) -> ProviderHealth:
        if self._check is None:
            return next(provider for provider in self.providers() if provider.name == name)
        return await self._check(self._now()[1][name])

    async def usage(self, query: Mapping[str, str]) -> Mapping[str, Any]:
        if self._report is None:
            raise ConfigError("usage is not written down: usage.enabled is false")
        return await asyncio.to_thread(self._report, query)

    def routing(self, request_id: str) -> Mapping[str, Any] | None:
        call = self._calls.get(request_id)
        return None if call is None else decision(call)

    def metrics(self) -> Mapping[str, Any]:
        counts = self._totals.report(self.providers(), self._clock.now())
        # What an idle gateway has always the same number of; a leak would grow it.
        return {**counts, "process": {"tasks": len(asyncio.all_tasks())}}


def decision(call: Call) -> dict[str, Any]:
    """Return why a call went where it went. Cost is in USD, latency in milliseconds, as they turned out."""
    tried = [f"{attempt.provider}/{attempt.model}" for attempt in call.attempts]
    taken = f"{call.provider}/{call.upstream_model}"
    return {
        "request_id": call.request_id,
        "routing_policy": call.policy,
        "decision": {
            "provider_name": call.provider,
            "model": call.upstream_model,
            "reason": call.route,
            "estimated_cost": None if call.cost is None else call.cost / 1e9,
            "estimated_latency": call.ttfb_ms if call.ttfb_ms is not None else call.duration_ms,
            "confidence": 1.0,
            "fallback": bool(tried) and tried[0] != taken,
        },
        "alternatives": [name for name in dict.fromkeys(tried) if name != taken],
        "timestamp": call.started // 1000,
    }


def _health(deployment: Deployment, standing: Standing | None, keyed: bool) -> ProviderHealth:
    status = "no key"
    if keyed:
        status = "unknown" if standing is None or standing.seen is None else _status(standing)
    standing = standing or Standing()
    return ProviderHealth(
        name=deployment.name,
        status=status,
        last_check=standing.seen,
        latency=standing.latency,
        error=standing.error,
        circuit=standing.circuit,
        consecutive_failures=standing.in_a_row,
        models=tuple(deployment.models),
        base_url=deployment.base_url,
    )


def _status(standing: Standing) -> str:
    if not standing.usable:
        return "unhealthy"
    return "degraded" if standing.failures >= DEGRADED else "healthy"
