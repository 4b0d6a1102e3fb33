"""Run scenarios: the gateway between a literal client request and a literal upstream."""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import msgspec

from setu import _json
from setu.cassette.fault_steps import split
from setu.cassette.script import Script
from setu.conformance import assemble
from setu.conformance.expectations import broken
from setu.conformance.judges.finding import Finding
from setu.conformance.judges.registry import judge_pair
from setu.conformance.scenario import Assertion, Kind, Scenario, Upstream, client_request, scripts, usable
from setu.conformance.tally import Tally
from setu.conformance.target import Target
from setu.dialects.record import Dialect
from setu.dialects.routes import classify
from setu.http import Exchange
from setu.providers.deployment import Deployment
from setu.transport.play import Playlist
from setu.transport.simulate.simulator import Simulator

SENT, GOT, RESPLIT = "SCN-001", "SCN-002", "XLT-30"
SPARE = "spare"
"""The second deployment of a scenario with a fallback."""
SPLITS = (1, 7)


class Stage:
    """Scenarios of one provider."""

    def __init__(self, deployment: Deployment, model: str, dialects: Mapping[str, Dialect], tally: Tally) -> None:
        self._deployment = deployment
        self._model = model
        self._dialects = dialects
        self._tally = tally

    async def run(self, scenario: Scenario) -> bool:
        """Run a scenario in its modes; False when it has nothing for this provider, or does not fit it."""
        upstream = usable(scenario, self._deployment.name, self._spoken(scenario))
        if upstream is None:
            return False
        misfit = self._misfit(scenario, upstream)
        if misfit is not None:
            self._tally.skipped[scenario.id] = misfit
            return False
        done: dict[Kind, Exchange] = {}
        for mode in scenario.modes:
            made = scripts(upstream, mode) if isinstance(upstream, Upstream) else None
            done[mode] = await self._once(scenario, mode, made)
            self._judge(scenario, mode, upstream, done[mode])
            if mode == "stream" and scenario.resplit and made is not None:
                await self._resplit(scenario, made, done[mode])
        if len(done) == 2:
            place = self._place(scenario, "stream")
            for check, found in judge_pair(done["stream"], done["plain"]).items():
                self._tally.add(check, found, place)
        return True

    def _misfit(self, scenario: Scenario, upstream: Upstream | str) -> str | None:
        """Say why a scenario is not about this provider: what it needs is not there."""
        provider = self._deployment.provider
        if missing := scenario.capabilities - provider.capabilities:
            return f"needs {', '.join(sorted(missing))}"
        if isinstance(upstream, Upstream) and upstream.skip:
            return upstream.skip
        spoken = self._spoken(scenario)
        asked = client_request(scenario.client, self._model, scenario.modes[0])
        route = classify(asked.method, asked.path)
        if route is None or route.operation not in self._dialects[spoken].upstream:
            return None
        places = provider.paths.get(spoken)
        lacks = places is not None and route.operation not in places
        return f"{provider.name} has no operation '{route.operation}'" if lacks else None

    def _spoken(self, scenario: Scenario) -> str:
        """Return the dialect that the provider is spoken to in: the client's own where it has it."""
        named = str(scenario.client.body.get("model", "")).removeprefix(self._deployment.name + "/")
        model = self._asked(scenario) if named in {"", "$MODEL"} else named
        return self._deployment.dialect(scenario.client.dialect, model)

    def _asked(self, scenario: Scenario) -> str:
        return scenario.models.get(self._deployment.name, self._model)

    def _place(self, scenario: Scenario, mode: Kind) -> str:
        return f"{scenario.id} ({self._deployment.name}, {mode})"

    async def _once(self, scenario: Scenario, mode: Kind, made: Sequence[Script] | None) -> Exchange:
        target = self._target(scenario, made)
        model = f"{self._deployment.name}/{self._asked(scenario)}"
        request = client_request(scenario.client, model, mode)
        if scenario.fallback:
            request.headers.set("x-setu-fallback", SPARE)
        return await target.exchange(request)

    def _target(self, scenario: Scenario, made: Sequence[Script] | None) -> Target:
        deployments = {self._deployment.name: self._deployment}
        if scenario.fallback:
            deployments[SPARE] = msgspec.structs.replace(self._deployment, name=SPARE)
        if made is None:
            return Target(self._dialects, deployments, Simulator)
        return Target(self._dialects, deployments, lambda clock: Playlist(made, clock))

    async def _resplit(self, scenario: Scenario, made: Sequence[Script], first: Exchange) -> None:
        """The same upstream bytes, cut elsewhere, must give the client the same bytes (P30)."""
        found = []
        for size in SPLITS:
            again = await self._once(scenario, "stream", (*made[:-1], split(size)(made[-1])))
            if (again.status, again.body) != (first.status, first.body):
                at = next(i for i in count() if again.body[i : i + 1] != first.body[i : i + 1] or i > len(first.body))
                found.append(Finding(RESPLIT, f"cut every {size} bytes, the client's bytes change at {at}"))
        self._tally.add(RESPLIT, found, self._place(scenario, "stream"))

    def _judge(self, scenario: Scenario, mode: Kind, upstream: Upstream | str, exchange: Exchange) -> None:
        place = self._place(scenario, mode)
        ran = self._tally.judge(exchange, place, same=scenario.client.dialect == self._spoken(scenario))
        expect = scenario.expect
        found = [Finding(GOT, f"{check} has nothing to judge here") for check in expect.checks if check not in ran]
        if exchange.status != expect.status:
            shown = exchange.body[:200].decode("utf-8", "replace")
            found.append(
                Finding(GOT, f"status {exchange.status}: {shown}", got=str(exchange.status), want=str(expect.status))
            )
        found += [
            Finding(GOT, f"header {name}", got=exchange.headers.get(name), want=value)
            for name, value in expect.headers.items()
            if exchange.headers.get(name) != value
        ]
        for pointer in expect.losses if scenario.client.dialect != self._spoken(scenario) else ():
            if f'"{pointer}"' not in (exchange.headers.get("x-setu-loss") or ""):
                found.append(Finding(GOT, f"x-setu-loss does not name {pointer}"))
        self._tally.add(GOT, found, place)
        self._assert(GOT, expect.client, lambda: assemble.document(exchange, scenario.client.dialect), place)
        if mode == "stream":
            self._assert(GOT, expect.events, lambda: assemble.events(exchange), place)
        if isinstance(upstream, Upstream):
            self._assert(GOT, upstream.client, lambda: assemble.document(exchange, scenario.client.dialect), place)
            self._assert(SENT, upstream.sent, lambda: _sent(exchange, 0), place)
            self._assert(SENT, upstream.again, lambda: _sent(exchange, -1), place)

    def _assert(self, check: str, assertions: tuple[Assertion, ...], document: Any, place: str) -> None:
        if not assertions:
            return
        value = document()
        for assertion in assertions:
            problem = broken(assertion, value)
            found = [] if problem is None else [Finding(assertion.check or check, problem, path=assertion.pointer)]
            self._tally.add(assertion.check or check, found, place)


def _sent(exchange: Exchange, place: int) -> Any:
    """Return what the upstream was sent: its JSON body, with path, query and header fields beside it under `$`."""
    if not exchange.upstream:
        return None
    request = exchange.upstream[place].request
    assert isinstance(request.body, bytes)
    try:
        body = _json.decode(request.body)
    except _json.JsonError:
        return None
    if not isinstance(body, dict):
        return body
    return {**body, "$": {"path": request.path, "query": request.query, "headers": dict(request.headers.items())}}
