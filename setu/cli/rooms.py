"""What several commands set up alike."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from setu.config.load import Options, find, read
from setu.config.model import Config
from setu.errors import ConfigError

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
"""POSIX shell, "Exit Status for Commands"."""


def settings(path: Path | None, host: str | None, port: int | None, *, offline: bool = False) -> Config:
    """Load the configuration; the command line's host and port win. `offline`: variables of keys need not be set."""
    loaded = read(find(path, os.environ), os.environ, asked(host, port)._replace(offline=offline))
    for warning in loaded.warnings:
        note(warning)
    return loaded.config


def asked(host: str | None, port: int | None, listen: Sequence[str] = ()) -> Options:
    """Return what the command line says of where to listen.

    Raises:
        ConfigError: it says two things, or a port that is none.
    """
    if listen and (host is not None or port is not None):
        raise ConfigError("--listen stands for --host and --port: give one or the other")
    if port is not None and not 0 <= port <= 65535:
        raise ConfigError(f"--port {port}: must be between 0 and 65535")
    said: dict[tuple[str, ...], object] = {("server", "listen"): list(listen)} if listen else {}
    if host is not None or port is not None:
        said = {("server", "listen"): []}  # what a file says of it is overruled, too
    said |= {("server", key): value for key, value in (("host", host), ("port", port)) if value is not None}
    return Options(said=said, names={way: f"--{way[-1]}" for way in said})


def listening(what: str, url: str, detail: str) -> None:
    print(f"setu {what} running on {url} ({detail})", flush=True)


class Ended(NamedTuple):
    """How a command ended: its exit status as a shell has it, and whether this process was told to stop meanwhile."""

    status: int
    stopped: bool = False


def child(command: list[str], url: str) -> Ended:
    """Run a command with every SDK's base URL pointing here, and wait for it, also when it is told to stop.

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
        process = subprocess.Popen(command, env=environ)  # noqa: S603 - the user's own command
    except OSError as error:
        print(f"setu: error: cannot run {command[0]}: {error.strerror or error}", file=sys.stderr, flush=True)
        return Ended(_NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE)
    with _passing_signals_on(process) as told:
        status = process.wait()
    return Ended(status if status >= 0 else 128 - status, stopped=bool(told))


@contextmanager
def _passing_signals_on(process: subprocess.Popen[bytes]) -> Iterator[list[int]]:
    """Let a command end by itself when this process is told to stop; yield the signals that said so."""
    told: list[int] = []

    def tell(number: int, _frame: object) -> None:
        # A terminal tells of the first Ctrl-C itself: a command that hears of one twice does not tidy up.
        if told or number != signal.SIGINT or not _at_a_terminal():
            process.send_signal(number)
        told.append(number)

    before = {number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _at_a_terminal() -> bool:
    """Say whether a terminal's Ctrl-C goes to this process, and with it to the command."""
    if not hasattr(os, "tcgetpgrp"):  # Windows: a console tells all that run in it
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def note(sentence: str) -> None:
    """Tell something on stderr that is no reason to stop."""
    print(f"setu: note: {sentence}", file=sys.stderr, flush=True)


def unanswered(misses: int) -> bool:
    """Say on stderr how many requests had no recording; return whether any had none."""
    if misses:
        print(f"{misses} request(s) had no recording; setu-misses.jsonl explains them", file=sys.stderr, flush=True)
    return misses > 0


def check_writable(option: str, path: Path) -> None:
    """Refuse a file that cannot be written when the work is done.

    Raises:
        ConfigError: there is no such directory, it is one itself, or there is no right to write there.
    """
    if path.is_dir():
        raise ConfigError(f"{option}: {path} cannot be written: it is a directory")
    if not path.parent.is_dir():
        raise ConfigError(f"{option}: {path} cannot be written: there is no directory {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigError(f"{option}: {path} cannot be written: no right to")


def parse_reports(texts: list[str]) -> dict[str, list[Path]]:
    """Read `--report KIND=FILE` options."""
    from setu.conformance.report.registry import KINDS

    found: dict[str, list[Path]] = {}
    for text in texts:
        kind, equals, path = text.partition("=")
        if not equals or kind not in KINDS or not path:
            raise ConfigError(f"--report {text}: expected {' or '.join(f'{name}=FILE' for name in KINDS)}")
        if not os.access(Path(path).parent, os.W_OK):
            raise ConfigError(f"--report: cannot write {path}: no such directory, or no right to")
        found.setdefault(kind, []).append(Path(path))
    return found
