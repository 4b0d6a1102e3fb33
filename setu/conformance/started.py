"""A gateway as a process of its own: started from a recipe, waited for, and stopped with all its children."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from types import FrameType
from typing import Any

import msgspec

from setu.conformance.gateways import HERE, Model, Recipe, Rendered, keys, render
from setu.conformance.packages import Installed, cache_folder, installed, told
from setu.errors import SetuError

HOST = "127.0.0.1"
POLL_SECONDS = 0.1
STOP_SECONDS = 10.0
Handler = Callable[[int, FrameType | None], Any] | int | None
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""What a gateway's process has of the user's environment: no keys, no proxies, no settings."""


class StartError(SetuError):
    """A gateway did not come up; the sentence names the step and the log."""


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway that listens on `url`, and what a client must know of it.

    `models` stand under the dialect of the upstream behind them, with all headers that a request for one needs;
    `capabilities` are what it declares to have with each. `key` opens it. `secrets` are the fake keys that it shows its
    upstreams: no answer and no line of `log` may have them.
    """

    name: str
    version: str
    url: str
    models: Mapping[str, Model]
    missing: Mapping[str, str]
    embedding: Model | None
    capabilities: Mapping[str, frozenset[str]]
    key: str
    secrets: tuple[str, ...]
    log: Path
    pid: int
    start_seconds: float


@contextmanager
def start(recipe: Recipe, upstream: str, *, cache: Path | None = None, seed: int = 0) -> Generator[Running]:
    """Install a gateway where it is not yet, start it in front of `upstream`, and stop it at the end.

    The folder of the run, with its log, is kept when something fails.

    Raises:
        InstallError: a step of the installation failed.
        StartError: the process did not start, ended, or was not ready in time.
    """
    cache = cache_folder() if cache is None else cache
    room = _here(cache) if recipe.install.kind == HERE else installed(recipe.name, recipe.wanted, cache)
    cache.mkdir(parents=True, exist_ok=True)
    folder = Path(mkdtemp(dir=cache, prefix=f"{recipe.name}-run-"))
    port, made = _free_port(), keys(seed)
    values = {"port": str(port), "upstream": upstream.rstrip("/"), "folder": str(folder), "packages": str(room.folder)}
    values |= {"python": str(room.python), "node": str(room.node) if recipe.install.kind == "npm" else ""} | made
    rendered = render(recipe, values)
    for name, text in rendered.files.items():
        (folder / name).write_text(text.lstrip("\n"), encoding="utf-8")
    log, began = folder / "gateway.log", time.monotonic()
    process = _spawn(recipe.name, rendered, folder, log)
    before = _heed(signal.SIGTERM)
    try:
        _wait(recipe, process, port, log)
        yield Running(
            name=recipe.name,
            version=recipe.version,
            url=f"http://{HOST}:{port}",
            models=rendered.models,
            missing=recipe.missing,
            embedding=rendered.embedding,
            capabilities={dialect: recipe.can(dialect) for dialect in recipe.models},
            key=made["key"],
            secrets=tuple(value for name, value in made.items() if name != "key"),
            log=log,
            pid=process.pid,
            start_seconds=time.monotonic() - began,
        )
    finally:
        _stop(process)
        if before is not None:
            signal.signal(signal.SIGTERM, before)
    rmtree(folder, ignore_errors=True)


def _here(cache: Path) -> Installed:
    return Installed(Path(sys.executable), cache)


def _heed(number: int) -> Handler | None:
    """Have a signal end this process in order, so that it stops what it started; return what was there before."""
    if threading.current_thread() is not threading.main_thread():
        return None

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    return signal.signal(number, leave)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _spawn(name: str, rendered: Rendered, folder: Path, log: Path) -> subprocess.Popen[bytes]:
    environ = {key: value for key in _KEPT if (value := os.environ.get(key))}
    environ |= {"HOME": str(folder), "NO_PROXY": "*", "DO_NOT_TRACK": "1"} | dict(rendered.environment)
    try:
        with log.open("wb") as sink:
            return subprocess.Popen(  # noqa: S603 - the recipe's command
                rendered.command,
                cwd=folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
    except OSError as error:
        raise StartError(f"{name} cannot be started: {rendered.command[0]}: {error.strerror}; see {log}") from None


def _wait(recipe: Recipe, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + recipe.ready_seconds
    while not _answers(port, recipe.ready):
        if process.poll() is not None:
            raise StartError(f"{recipe.name} ended with status {process.returncode}{told(log)}; see {log}")
        if time.monotonic() > end:
            raise StartError(
                f"{recipe.name} does not answer {recipe.ready} after {recipe.ready_seconds:g} s; see {log}"
            )
        time.sleep(POLL_SECONDS)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask the whole group to end, and end what is left of it."""
    _signal(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
    process.wait(STOP_SECONDS)


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)  # its group has its number: it was started as the first of a session
        elif process.poll() is None:
            process.terminate()
