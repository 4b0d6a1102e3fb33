"""What `setu start` serves: a gateway that takes over new configurations, or one that records or replays."""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from setu import build
from setu.cassette.edits import Rules
from setu.cli.rooms import note
from setu.config.environ import with_dotenv
from setu.config.load import OF_A_SERVER, Loaded, Options, find, read
from setu.config.model import Config
from setu.config.profiles import SIMULATED
from setu.ports import Transport
from setu.providers.deployment import Deployment
from setu.server.reload import Reloader
from setu.studio import Setup, Studio
from setu.transport.httpx_ import HttpxTransport
from setu.transport.swap import Swap


class Source:
    """Where the configuration comes from, so that it can be read again."""

    def __init__(self, path: Path | None, options: Options) -> None:
        self._path = path
        self._options = options
        self.environ: Mapping[str, str] = os.environ
        self.files: tuple[Path, ...] = ()

    def load(self) -> Loaded:
        """Read all the sources.

        Raises:
            ConfigError: one cannot be used; names source, line and key.
        """
        environ = with_dotenv(os.environ)
        loaded = read(find(self._path, environ, names=OF_A_SERVER), environ, self._options)
        self.environ = loaded.profile.environ(environ)
        self.files = (*loaded.files, Path(".env"))
        return loaded


class Served(NamedTuple):
    """An app, the names of its providers, and how many requests of a replay had no recording."""

    app: Any
    names: tuple[str, ...]
    misses: Callable[[], int]


def open_(
    source: Source, loaded: Loaded, *, replay: Path | None, record: Path | None, rules: Rules, shared: bool
) -> Served:
    """Build what is served. `shared`: other workers serve it, too.

    Raises:
        ConfigError: a provider or a directory cannot be used.
    """
    if replay is not None:
        studio = Studio(Setup(directory=replay, on_exhausted="cycle", redact=rules), tell=note)
        deployed = build.deployments(loaded.config, source.environ, offline_key=build.OFFLINE_KEY)
        served = build.guarded(build.gateway(deployed, studio.open(None), config=loaded.config), loaded.config)
        return Served(_app(served, loaded.config, deployed), tuple(deployed), lambda: studio.misses)
    if record is not None:
        deployed = build.deployments(loaded.config, source.environ)
        live = HttpxTransport(read_timeouts=build.timeouts(deployed))
        studio = Studio(Setup(directory=record, mode="all", redact=rules), live=live, tell=note)
        media = HttpxTransport()
        recorded = studio.both_sides(lambda upstream: _gateway(deployed, upstream, loaded.config, media))
        return Served(_app(build.guarded(recorded, loaded.config), loaded.config, deployed), tuple(deployed), lambda: 0)
    return _reloadable(source, loaded, shared=shared)


def _gateway(deployed: Mapping[str, Deployment], upstream: Transport, config: Config, media: Transport) -> Transport:
    return build.gateway(deployed, upstream, config=config, media=build.media_fetcher(config, media))


def _app(served: Transport, config: Config, deployed: Mapping[str, Deployment]) -> Any:
    return build.app(served, config, build.describe_gateway(deployed))


def _reloadable(source: Source, loaded: Loaded, *, shared: bool) -> Served:
    """Build a gateway in whose place the next one can be put."""
    live = _Live(source, loaded)
    reloader = Reloader(source.load, live.take, build.SystemClock(), spread=_tell_the_others if shared else None)

    def describe() -> Mapping[str, Any]:
        return {**live.describe(), "configuration": reloader.last.facts()}

    app = build.app(live.swap, loaded.config, describe, running=lambda: reloader.running(lambda: source.files))
    return Served(app, tuple(live.deployed), lambda: 0)


class _Live:
    """The gateway that is served now."""

    def __init__(self, source: Source, loaded: Loaded) -> None:
        self._source = source
        self._listens = build.addresses(loaded.config)
        self._media = HttpxTransport()
        self.swap = Swap(self._built(loaded))

    async def take(self, loaded: Loaded) -> None:
        """Serve another configuration from now on."""
        await self.swap.swap(self._built(loaded))
        if build.addresses(loaded.config) != self._listens:
            note("where Setu listens is changed by a restart only")

    def _built(self, loaded: Loaded) -> Transport:
        deployed = build.deployments(loaded.config, self._source.environ)
        transport = _outward(deployed)
        served = build.guarded(_gateway(deployed, transport, loaded.config, self._media), loaded.config)
        self.deployed, self.describe = deployed, build.describe_gateway(deployed)
        return served


def _outward(deployed: Mapping[str, Deployment]) -> Transport:
    """Return what reaches the providers: the network, and the simulated upstream where one of them is that."""
    outward: Transport = HttpxTransport(read_timeouts=build.timeouts(deployed))
    if not any(deployment.base_url.startswith(SIMULATED) for deployment in deployed.values()):
        return outward
    from setu.transport.simulated import Simulated

    return Simulated(outward, SIMULATED, build.SystemClock())


def _tell_the_others() -> None:
    """Tell the parent, which tells every worker."""
    os.kill(os.getppid(), signal.SIGHUP)
