"""What `setu start` serves: a gateway that takes over new configurations, or one that records or replays."""

import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from setu import build
from setu.access.exposure import exposed
from setu.cassette.edits import Rules
from setu.cli.live import Live
from setu.cli.rooms import listening, note
from setu.config.environ import with_dotenv
from setu.config.limits import limits_of
from setu.config.load import OF_A_SERVER, Loaded, Options, find, read
from setu.config.model import Config
from setu.errors import ConfigError
from setu.ports import Transport
from setu.providers.deployment import Deployment
from setu.resilience.limits import NO_LIMITS
from setu.server import serve
from setu.server.admin_gateway import GatewayAdmin, health
from setu.server.reload import Reloader
from setu.server.workers import Supervisor, adopted
from setu.studio import Setup, Studio
from setu.telemetry import logs
from setu.transport.httpx_ import HttpxTransport

NO_PROVIDER = (
    "no provider is configured: set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or OPENROUTER_API_KEY, "
    "or write a setu.toml"
)


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


def _exposed(config: Config) -> list[str]:
    """Return what is worth a warning of where this configuration listens.

    Raises:
        ConfigError: there is something, and checking is strict.
    """
    found = (exposed(host, config.auth.mode, strict=config.strict) for host, _ in build.addresses(config))
    return [sentence for sentence in found if sentence is not None][:1]


def _need_one_process(config: Config, mode: "Mode") -> None:
    """Refuse several workers where each would do for itself what must be done once.

    Raises:
        ConfigError: recordings, or limits that every worker would count for itself.
    """
    if mode.record is not None or mode.replay is not None:
        raise ConfigError("--workers: recordings are written and replayed by one process; leave --workers out")
    counted = limits_of(config.limits, {name: each.rate_limit for name, each in config.providers.items()})
    counts = counted != NO_LIMITS or config.auth.key_store is not None
    if counts and config.state.redis_url is None and not mode.own_limits:
        raise ConfigError(
            "--workers: each worker would count limits for itself: "
            "set state.redis_url, or say --allow-per-process-limits"
        )


class Mode(NamedTuple):
    """How it is served: by how many processes, from or into which recordings, and whether every request is logged."""

    workers: int
    own_limits: bool
    replay: Path | None
    record: Path | None
    rules: Rules
    verbose: bool = False


def run(source: Source, mode: Mode) -> int:
    """Serve until a signal; return the exit status.

    Raises:
        ConfigError: a setting cannot be used.
    """
    worker = adopted()
    config, warnings = (loaded := source.load()).config, [*loaded.warnings, *_exposed(loaded.config)]
    logs.configure(verbose=mode.verbose, environ=source.environ)
    if mode.workers > 1:
        _need_one_process(config, mode)
    listeners = worker.listeners if worker else [serve.bind(*one) for one in build.addresses(config)]
    urls = ", ".join(map(serve.url_of, listeners))
    for warning in warnings if worker is None else ():
        note(warning)
    if mode.workers > 1 and worker is None:
        count = f"{mode.workers} workers"
        return Supervisor(mode.workers, listeners, lambda: listening("gateway", urls, count), tell=note).run()
    served = open_(source, loaded, mode, shared=worker is not None)
    if not served.names and worker is None:
        note(NO_PROVIDER)
    names = ", ".join(served.names) or "no provider"
    ready = worker.ready if worker else lambda: listening("gateway", urls, names)
    server = config.server
    serve.run(served.app, listeners, ready, grace=server.shutdown_timeout, keep_alive=server.idle_timeout)
    return 1 if served.misses() else 0


class Served(NamedTuple):
    """An app, the names of its providers, and how many requests of a replay had no recording."""

    app: Any
    names: tuple[str, ...]
    misses: Callable[[], int]


def open_(source: Source, loaded: Loaded, mode: Mode, *, shared: bool) -> Served:
    """Build what is served. `shared`: other workers serve it, too.

    Raises:
        ConfigError: a provider or a directory cannot be used.
    """
    if mode.replay is not None or mode.record is not None:
        loaded = loaded._replace(config=build.asked_once(loaded.config))
    if mode.replay is not None:
        studio = Studio(Setup(directory=mode.replay, on_exhausted="cycle", redact=mode.rules), tell=note)
        deployed = build.deployments(loaded.config, source.environ, offline_key=build.OFFLINE_KEY)
        served = build.guarded(build.gateway(deployed, studio.open(None), config=loaded.config), loaded.config)
        return Served(_app(served, loaded.config, deployed), tuple(deployed), lambda: studio.misses)
    if mode.record is not None:
        deployed = build.deployments(loaded.config, source.environ)
        live = HttpxTransport(origins=build.origins(loaded.config, deployed))
        studio = Studio(Setup(directory=mode.record, mode="all", redact=mode.rules), live=live, tell=note)
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
    live = Live(loaded, lambda: source.environ)
    spread = _tell_the_others if shared else None
    reloader = live.operator.reloader = Reloader(
        source.load, live.take, build.SystemClock(), spread=spread, told=live.reloaded
    )

    def describe() -> Mapping[str, Any]:
        return {**health(live.operator.providers()), "configuration": reloader.last.facts()}

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        async with live.running(), reloader.running(lambda: source.files):
            yield

    admin = GatewayAdmin(live.operator, live.guard, noted=live.administered).routes
    app = build.app(live.swap, loaded.config, describe, admin, running, live.aclose)
    return Served(app, tuple(live.deployed), lambda: 0)


def _tell_the_others() -> None:
    """Tell the parent, which tells every worker."""
    os.kill(os.getppid(), signal.SIGHUP)
