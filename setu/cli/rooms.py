"""What several commands set up alike."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from setu import build
from setu.config.load import find, load
from setu.config.model import Config, ProviderConfig
from setu.errors import ConfigError
from setu.providers.deployment import Deployment

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
"""POSIX shell, "Exit Status for Commands"."""


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
    """Run a command with every SDK's base URL pointing here; return its exit status as a shell would.

    A command that is not there ends with 127, one that cannot be run with 126, one killed by a signal with 128 and it.
    """
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
        print(f"setu: error: cannot run {command[0]}: {error.strerror or error}", file=sys.stderr, flush=True)
        return _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE
    return status if status >= 0 else 128 - status


def note(sentence: str) -> None:
    """Tell something on stderr that is no reason to stop."""
    print(f"setu: note: {sentence}", file=sys.stderr, flush=True)


def unanswered(misses: int) -> bool:
    """Say on stderr how many requests had no recording; return whether any had none."""
    if misses:
        print(f"{misses} request(s) had no recording; setu-misses.jsonl explains them", file=sys.stderr, flush=True)
    return misses > 0


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
