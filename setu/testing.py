"""Recorded providers for tests of any framework: a server on a free port, one cassette for each test.

with serve("tests/cassettes", cassette="greeting") as server:
    client = openai.OpenAI(base_url=server.openai, api_key="none")
    ...
# leaving it, a call that no recording answers is a `Miss`, with the explanation
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from setu import build, project
from setu.cassette.faults import parse_rule
from setu.cassette.normalise import Looser, parse_normalisers
from setu.cassette.redact import parse_rules
from setu.cassette.scope import Scope, parse_scope
from setu.config.model import Config
from setu.errors import ConfigError, SetuError
from setu.server.serve import Background
from setu.studio import Setup, Studio, proxy
from setu.transport.httpx_ import HttpxTransport
from setu.transport.modes import RecordMode, parse_mode
from setu.transport.scopes import OnDemand


class Miss(AssertionError):
    """A test made calls that no recording answers, or left recordings unused; the message explains each."""


class Cassette:
    """What one test sees of a server: base URLs that name its cassette, and what became of its calls."""

    def __init__(self, studio: Studio, url: str, scope: Scope | None) -> None:
        self._studio = studio
        self._scope = scope
        self.url = url if scope is None else f"{url}/c/{quote(str(scope), safe='@')}"

    @property
    def openai(self) -> str:
        """The base URL that OpenAI's SDKs want."""
        return f"{self.url}/v1"

    @property
    def anthropic(self) -> str:
        """The base URL that Anthropic's SDKs want."""
        return self.url

    @property
    def gemini(self) -> str:
        """The base URL that Google's SDKs want."""
        return self.url

    @property
    def only_replays(self) -> bool:
        """Whether nothing is sent to a provider: its mode is `none`, or `once` and there is a cassette."""
        return self._studio.only_replays(self._scope)

    def env(self) -> dict[str, str]:
        """Return the environment that leads every SDK here."""
        return {
            "OPENAI_BASE_URL": self.openai,
            "OPENAI_API_BASE": self.openai,
            "ANTHROPIC_BASE_URL": self.anthropic,
            "GOOGLE_GEMINI_BASE_URL": self.gemini,
        }

    @property
    def misses(self) -> list[str]:
        """Return the explanation of each call that no recording answered."""
        return self._studio.ledger.reports(self._scope)

    @property
    def unused(self) -> list[str]:
        """Return the place, `file:line`, of each recording that no call has asked for."""
        if self._scope not in self._studio.libraries:
            self._studio.open(self._scope)  # no call has asked for any of them
        return [interaction.place for interaction in self._studio.libraries[self._scope].unused()]

    def check(self, *, unused: bool = False) -> None:
        """See that every call was answered, and with `unused` that every recording was asked for.

        Raises:
            Miss: not so.
        """
        told = self.misses
        if unused:
            told += [f"no call asked for the recording at {place}" for place in self.unused]
        if told:
            raise Miss("\n\n".join(told))


def _known(mode: str | None) -> None:
    if mode == "verify":
        raise ConfigError("record mode verify is a command's: setu record --mode verify")
    if mode is not None:
        parse_mode(mode)


_LOOPBACK = "127.0.0.1"
_EVERYTHING = "everything"
"""Names a state of all recordings together; what sets it apart from a cassette of that name is its session."""


class Server:
    """A server of one directory of cassettes; use it as a context manager, and `cassette` once for each test.

    `config` names hosts besides those that Setu knows, `upstream` which one, or which base URL, unprefixed OpenAI
    paths go to.
    """

    def __init__(
        self,
        setup: Setup,
        *,
        environ: Mapping[str, str] = os.environ,
        tell: list[str] | None = None,
        config: Config | None = None,
        upstream: str = "openai",
    ) -> None:
        _known(setup.mode)
        self.notes: list[str] = tell if tell is not None else []
        config = config or Config()
        deployed, upstream = project.providers(config, environ, upstream)
        # Also where the session only replays: one cassette of it may be recorded.
        live = OnDemand(lambda: HttpxTransport(read_timeouts=build.timeouts(deployed)))
        self.studio = Studio(setup, live=live, tell=self.notes.append, environ=environ)
        transport = proxy(self.studio, deployed, upstream=upstream, live=live)
        served = config.model_copy(update={"server": config.server.model_copy(update={"host": _LOOPBACK})})
        self._server = Background(build.app(transport, served, lambda: {"mode": setup.mode}), _LOOPBACK)

    def cassette(
        self, name: str | None = None, *, session: str = "", faults: Iterable[str] = (), mode: RecordMode | None = None
    ) -> Cassette:
        """Return a cassette of the directory by its name, without suffix; without a name all recordings together.

        `session` gives it a state of its own beside others of the same name. `faults` break its answers; `mode` is
        its record mode, by default the server's.

        Raises:
            LocalDialectError: the name is none.
            ConfigError: a fault or a mode that there is not, or it cannot be recorded.
        """
        _known(mode)
        changes: dict[str, object] = {}
        if name is None and session:
            name, changes["everything"] = _EVERYTHING, True
        scope = parse_scope(f"{name}@{session}" if session else name) if name is not None else None
        rules = tuple(parse_rule(text) for text in faults)
        if rules:
            changes["faults"] = rules
        if mode is not None:
            changes["mode"] = mode
        if changes:
            self.studio.stage(scope, **changes)
        return Cassette(self.studio, self._server.url, scope)

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self.studio.close()


@contextmanager
def serve(
    directory: str | Path,
    *,
    cassette: str | None = None,
    mode: RecordMode = "none",
    faults: Iterable[str] = (),
    speed: float = 0.0,
    normalise: Iterable[str] = (),
    match: Looser = "exact",
    strict_unused: bool = False,
    config: str | Path | None = None,
    upstream: str = "openai",
    redact_headers: Iterable[str] = (),
    redact_pointers: Iterable[str] = (),
    redact_patterns: Iterable[str] = (),
) -> Iterator[Cassette]:
    """Serve one cassette while the block runs; without a name all recordings of the directory.

    The directory `bundled`, where there is none, stands for the recordings that come with Setu.

    `mode` is a record mode, `faults` are texts such as `429x2 retry-after=1`, `speed` 1 plays streams at the recorded
    pace and 0 without waits, `normalise` names what requests may differ in, `match` how loosely a recording may be
    found. `config` is a configuration file, by default the project's own (`$SETU_CONFIG`, `setu.toml`), `upstream`
    a provider's name or a base URL: where unprefixed OpenAI paths go. `redact_…` name header fields, JSON pointers and
    regular expressions of what is to be taken out of recordings besides.

    Raises:
        Miss: at the end, a call was not answered, or with `strict_unused` a recording not asked for.
        SetuError: the directory or an option cannot be used.
    """
    rules = tuple(parse_rule(text) for text in faults)
    setup = Setup(
        directory=Path(directory),
        mode=mode,
        faults=rules,
        speed=speed,
        normalisers=parse_normalisers(normalise),
        looser=match,
        misses=None,
        redact=parse_rules(redact_headers, redact_pointers, redact_patterns),
    )
    settings = project.read(Path(config) if config is not None else None, os.environ)
    with Server(setup, config=settings, upstream=upstream) as server:
        found = server.cassette(cassette)
        yield found
    found.check(unused=strict_unused)


__all__ = ["Cassette", "Miss", "Server", "SetuError", "serve"]
