"""What several commands set up alike."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from setu import build
from setu.bundled import data_dir
from setu.cassette.faults import parse_rule
from setu.cassette.library import Library, OnExhausted
from setu.cassette.redact import known_secrets
from setu.cassette.shelf import Shelf
from setu.config.load import find, load
from setu.config.model import Config, ProviderConfig
from setu.dialects.registry import DIALECTS
from setu.errors import ConfigError, ErrorInfo
from setu.ports import Transport
from setu.providers.deployment import Deployment
from setu.transport.record import Record
from setu.transport.replay import Replay

OFFLINE_KEY = "setu-offline"
"""Stands where a key would: nothing leaves the machine."""


def settings(path: Path | None, host: str | None, port: int | None) -> Config:
    """Load the configuration; the command line's host and port win."""
    config = load(find(path, os.environ), os.environ)
    changes: dict[str, object] = {}
    if host is not None:
        changes["host"] = host
    if port is not None:
        if not 0 <= port <= 65535:
            raise ConfigError(f"--port {port}: must be between 0 and 65535")
        changes["port"] = port
    return config.model_copy(update={"server": config.server.model_copy(update=changes)})


def with_upstream(deployed: Mapping[str, Deployment], upstream: str) -> tuple[dict[str, Deployment], str]:
    """Return the deployments and the name of the one that unprefixed paths go to; a URL becomes one of its own."""
    known = dict(deployed)
    if upstream.startswith(("http://", "https://")):
        try:
            section = ProviderConfig(type="openai_compatible", base_url=upstream)
        except ValidationError as error:
            reason = error.errors(include_url=False, include_input=False)[0]["msg"]
            raise ConfigError(f"--upstream: {reason.removeprefix('Value error, ')}") from None
        known |= build.deployments(Config(providers={"upstream": section}), {}, offline_key="")
        return known, "upstream"
    if upstream not in known:
        raise ConfigError(f"--upstream {upstream}: no such provider; there are {', '.join(sorted(known))}")
    return known, upstream


def listening(what: str, url: str, detail: str) -> None:
    print(f"setu {what} running on {url} ({detail})", flush=True)


def child(command: list[str], url: str) -> int:
    """Run a command with every SDK's base URL pointing here; return its exit status."""
    environ = {
        **os.environ,
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_BASE": f"{url}/v1",
        "ANTHROPIC_BASE_URL": url,
        "GOOGLE_GEMINI_BASE_URL": url,
    }
    try:
        status = subprocess.run(command, env=environ, check=False).returncode  # noqa: S603 - the user's own command
    except OSError as error:
        raise ConfigError(f"cannot run {command[0]}: {error.strerror or error}") from None
    return status if status >= 0 else 128 - status


BUNDLED = Path("bundled")
"""Stands for the recordings that come with Setu."""


def replayer(
    directory: Path, *, speed: float, faults: tuple[str, ...] = (), on_exhausted: OnExhausted = "error"
) -> tuple[Replay, Library]:
    """Load a library and return its player; how to record a missing call is part of the miss."""
    if directory == BUNDLED and not directory.exists():
        directory = data_dir("cassettes")
    library = Library.load(
        [directory],
        on_exhausted=on_exhausted,
        volatile=volatile(),
        secrets=known_secrets(os.environ),
        misses_file=Path("setu-misses.jsonl"),
        hint=lambda _request: f"record it: setu record -o {shlex.quote(str(directory))} -- <your command>",
    )
    for note in library.notes:
        print(f"setu: note: {note}", file=sys.stderr)
    rules = tuple(parse_rule(fault) for fault in faults)
    return Replay(library, build.SystemClock(), render_error=_render_of, speed=speed, faults=rules), library


def recorder(directory: Path, inner: Transport) -> Record:
    """Return a recording transport that appends to one file per provider, dialect and operation."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot record into {directory}: {error.strerror or error}") from None
    if not os.access(directory, os.W_OK):
        raise ConfigError(f"cannot record into {directory}: no right to write there")
    secrets = known_secrets(os.environ)
    return Record(
        inner,
        Shelf(directory, secrets=secrets).append,
        build.SystemClock(),
        lambda: datetime.now(UTC).date().isoformat(),
        lambda problem: print(f"setu: recording failed: {problem}", file=sys.stderr, flush=True),
        secrets=secrets,
        volatile=volatile(),
    )


def _render_of(dialect: str, info: ErrorInfo) -> bytes:
    return DIALECTS.get(dialect, DIALECTS["openai_chat"]).errors.render(info)


def volatile() -> dict[str, tuple[str, ...]]:
    """Return each dialect's members that mean nothing to an answer."""
    return {name: dialect.volatile for name, dialect in DIALECTS.items()}


REPORTS = ("junit",)


def parse_reports(texts: list[str]) -> dict[str, list[Path]]:
    """Read `--report KIND=FILE` options."""
    found: dict[str, list[Path]] = {}
    for text in texts:
        kind, equals, path = text.partition("=")
        if not equals or kind not in REPORTS or not path:
            raise ConfigError(f"--report {text}: expected {' or '.join(f'{name}=FILE' for name in REPORTS)}")
        if not os.access(Path(path).parent, os.W_OK):
            raise ConfigError(f"--report: cannot write {path}: no such directory, or no right to")
        found.setdefault(kind, []).append(Path(path))
    return found
