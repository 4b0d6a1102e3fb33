"""The gateway that is served now, and everything that stays when another takes its place."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

from setu import build, rooms
from setu.access.audit import Detail
from setu.cli.operating import Operator
from setu.cli.rooms import note
from setu.config.load import Loaded
from setu.config.profiles import SIMULATED
from setu.config.usage import database_url
from setu.errors import ErrorInfo, SetuError
from setu.gateway.door import Porter
from setu.http import Request
from setu.ports import Transport
from setu.providers.deployment import Deployment
from setu.resilience.ledger import Permit, Result
from setu.server.admin_gateway import Admit, ProviderHealth
from setu.server.reload import Reloaded
from setu.signals import Call
from setu.telemetry.logs import log_call
from setu.transport.httpx_ import HttpxTransport
from setu.transport.probe import Prober
from setu.transport.swap import Swap


class Live:
    """A gateway in front of the network. `environ` gives the environment as its last configuration sees it."""

    def __init__(self, loaded: Loaded, environ: Callable[[], Mapping[str, str]]) -> None:
        self._environ = environ
        self._listens = build.addresses(loaded.config)
        self._media = HttpxTransport()
        self._clock = build.SystemClock()
        self._checking: asyncio.Task[None] | None = None
        self._reports: set[asyncio.Task[None]] = set()
        self.rooms = rooms.opened(loaded.config, self._clock, environ(), self._heard)
        self.loaded, self.deployed = loaded, dict[str, Deployment]()
        self.operator = Operator(
            lambda: (self.loaded, self.deployed),
            self.rooms.ledger.standing,
            self.take,
            self._clock,
            check=self._checked,
            report=self._report(loaded),
        )
        self.swap = Swap(self._built(loaded))
        self._note("start", "", providers=tuple(self.deployed), auth=loaded.config.auth.mode)

    def _note(self, event: str, actor: str, **details: Detail) -> None:
        if self.rooms.audit is not None:
            self.rooms.audit.note(event, actor, **details)

    def guard(self) -> Admit | None:
        """Return what lets an operator in; None where no key could: then only this machine is let in."""
        auth = self.loaded.config.auth
        return partial(_admitted, self._porter) if auth.admin_keys or auth.key_store is not None else None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Recall budgets; check providers on their intervals as long as this lasts."""
        await self.rooms.recall(self.loaded.config, self._clock, self._environ())
        self._watch()
        try:
            yield
        finally:
            await self._unwatch()

    async def take(self, loaded: Loaded) -> None:
        """Serve another configuration from now on."""
        self.rooms.furnish(loaded.config, self._clock)
        built = self._built(loaded)
        watched = self._checking is not None
        await self._unwatch()
        self.rooms.adopt(loaded.config)
        await self.swap.swap(built)
        await self.rooms.recall(loaded.config, self._clock, self._environ())
        if watched:
            self._watch()
        if build.addresses(loaded.config) != self._listens:
            note("where Setu listens is changed by a restart only")

    def reloaded(self, how: Reloaded) -> None:
        """Write down how a reload went."""
        self._note("reload", "", why=how.why, ok=how.ok, generation=how.generation, error=how.error)

    async def administered(self, request: Request) -> None:
        """Write down what an administrator is about to do."""
        actor = "this machine" if self.guard() is None else (await self._porter.admin(request)).key
        self._note("admin", actor, method=request.method, path=request.path)

    async def aclose(self) -> None:
        """Write down what is left."""
        await asyncio.gather(*self._reports, return_exceptions=True)
        await self._media.aclose()
        await self.rooms.aclose()

    def _built(self, loaded: Loaded) -> Transport:
        config = loaded.config
        deployed = build.deployments(config, self._environ())
        transport = self._outward(loaded, deployed)
        media = build.media_fetcher(config, self._media)
        porter = build.porter(config, self.rooms)
        gateway = build.gateway(
            deployed, transport, config=config, media=media, rooms=self.rooms, door=porter, clock=self._clock
        )
        checks = {name: each.health_check for name, each in build.resilience(config, deployed).items()}
        self.loaded, self.deployed, self._porter = loaded, deployed, porter
        self._prober = Prober(deployed, checks, transport, self._clock, self._told, random.random)
        return gateway

    def _outward(self, loaded: Loaded, deployed: Mapping[str, Deployment]) -> Transport:
        """Return what reaches the providers: the network, and the simulated upstream where one of them is that."""
        outward: Transport = HttpxTransport(origins=build.origins(loaded.config, deployed))
        if not any(deployment.base_url.startswith(SIMULATED) for deployment in deployed.values()):
            return outward
        from setu.transport.legacy import MockKeys

        return MockKeys(outward, SIMULATED, self._clock)

    def _report(self, loaded: Loaded) -> "Callable[[Mapping[str, str]], dict[str, object]] | None":
        if self.rooms.usage is None:
            return None
        url = database_url(loaded.config.usage, self._environ(), legacy=loaded.config.profile == "ai-gateway")

        def report(query: Mapping[str, str]) -> dict[str, object]:
            from setu.store.reports import usage_report

            return usage_report(url, query)

        return report

    def _heard(self, call: Call) -> None:
        log_call(call)
        self.operator.heard(call)

    def _watch(self) -> None:
        self._checking = asyncio.ensure_future(self._watching(self._prober))

    async def _watching(self, prober: Prober) -> None:
        async with prober.running():
            await asyncio.Event().wait()

    async def _unwatch(self) -> None:
        checking, self._checking = self._checking, None
        if checking is not None:
            checking.cancel()
            await asyncio.gather(checking, return_exceptions=True)

    async def _checked(self, deployment: Deployment) -> ProviderHealth:
        await self._prober.check(deployment.name)
        return next(each for each in self.operator.providers() if each.name == deployment.name)

    def _told(self, name: str, result: Result) -> None:
        """Tell a provider's breaker what a check found."""
        task = asyncio.ensure_future(self._tell(name, result))
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)

    async def _tell(self, name: str, result: Result) -> None:
        permit = await self.rooms.ledger.admit(name)
        if isinstance(permit, Permit):
            await self.rooms.ledger.report(permit, result)


async def _admitted(porter: Porter, request: Request) -> ErrorInfo | None:
    try:
        await porter.admin(request)
    except SetuError as error:
        return error.info()
    return None
