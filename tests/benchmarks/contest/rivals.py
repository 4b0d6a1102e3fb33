"""The tools side by side: each started from its own package on a port of its own, with the same recordings."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from setu import __version__
from setu.cassette.model import Interaction
from setu.cassette.shelf import read_cassette
from tests.benchmarks.contest import stubs
from tests.benchmarks.contest.exchanges import target_of
from tests.clients.nodes import node
from tests.e2e.acceptance import Client, Heard
from tests.processes import environment

STARTED = 30.0
"""Seconds within which a tool has to listen: a virtual machine on a busy core takes a while."""
_FASTEST = "1000"
"""As aimock is told to play without waits; what it then plays was recorded without waits, too."""
_PROVIDERS = ("openai", "anthropic", "gemini", "bedrock", "ollama")


class Running(NamedTuple):
    """A tool that listens."""

    url: str
    pid: int


Serve = Callable[[Sequence[Path], Path, bool], AbstractContextManager[Running]]
"""Recordings, a new folder to work in, and whether they are played at their own pace (else without waits)."""


class Tool(NamedTuple):
    """One of the tools; one that is `for_streams` is a variant that differs in these alone."""

    name: str
    version: str
    serve: Serve
    for_streams: bool = False


def setu() -> Tool:
    return Tool("setu", __version__, _setu)


def aimock(packages: Path) -> Tool:
    """Serve what aimock's own recorder made of the recordings, which is how its users come by fixtures."""
    package = packages / "node_modules" / "@copilotkit" / "aimock"

    @contextmanager
    def serve(files: Sequence[Path], room: Path, paced: bool) -> Iterator[Running]:
        command = [
            node(),
            str(package / "dist" / "cli.js"),
            "--log-level",
            "warn",
            "--fixtures",
            str(room / "fixtures"),
        ]
        (room / "fixtures").mkdir(parents=True)
        with _setu(files, room, paced) as upstream:
            asked = [text for name in _PROVIDERS for text in (f"--provider-{name}", upstream.url)]
            with _listening([*command, "--record", *asked], room) as recorder:
                for file in files:
                    for interaction in read_cassette(file):
                        with suppress(OSError, ValueError):  # what it cannot pass on shows when it is to be served
                            ask(recorder.url, interaction)
        pace = [] if paced else ["--replay-speed", _FASTEST]
        with _listening([*command, *pace], room) as running:
            yield running

    return Tool("aimock", _version(package), serve)


@contextmanager
def fixtures_served(packages: Path, room: Path) -> Iterator[str]:
    """Run aimock on the fixtures in `room / "fixtures"`, checked as it loads them; yield its URL."""
    command = [node(), str(packages / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js")]
    options = ["--log-level", "warn", "--validate-on-load", "--fixtures", str(room / "fixtures")]
    with _listening([*command, *options], room) as running:
        yield running.url


def wiremock(packages: Path, *, dribble: bool = True) -> Tool:
    """Serve stubs that say all that a stub can; without `dribble` a stream is one write."""
    package = packages / "node_modules" / "wiremock"
    (jar,) = (package / "build").glob("*.jar")

    @contextmanager
    def serve(files: Sequence[Path], room: Path, paced: bool) -> Iterator[Running]:
        stubs.write([each for file in files for each in read_cassette(file)], room, paced=paced, dribble=dribble)
        quiet = ["--disable-banner", "--no-request-journal", "--disable-request-logging"]
        place = ["--bind-address", "127.0.0.1", "--root-dir", str(room)]
        with _listening(["java", "-jar", str(jar), *quiet, *place], room) as running:
            yield running

    return Tool("WireMock" if dribble else "WireMock, no dribble", _version(package), serve, for_streams=not dribble)


def ask(url: str, interaction: Interaction) -> Heard:
    """Send a recording's request over a connection of its own."""
    with Client(url) as client:
        return asked(client, interaction)


def asked(client: Client, interaction: Interaction) -> Heard:
    request = interaction.exchange.request
    assert isinstance(request.body, bytes)
    return client.post(target_of(request), request.body, {"authorization": "Bearer sk-of-nobody"})


@contextmanager
def _setu(files: Sequence[Path], room: Path, paced: bool) -> Iterator[Running]:
    room.mkdir(parents=True, exist_ok=True)
    options = ["--on-exhausted", "last", "--speed", "1" if paced else "0"]
    with _listening(
        [sys.executable, "-m", "setu", "replay", *(str(file.resolve()) for file in files), *options], room
    ) as running:
        yield running


def _version(package: Path) -> str:
    return str(json.loads((package / "package.json").read_bytes())["version"])


@contextmanager
def _listening(command: Sequence[str], room: Path) -> Iterator[Running]:
    """Run a server on a free port until the block ends.

    Raises:
        RuntimeError: it ended, or was not there in time; with what it said.
    """
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    log = room / "said.log"
    with log.open("ab") as said:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=room, env=environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=said,
        )  # fmt: skip
    try:
        until = time.monotonic() + STARTED
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{command[0]} did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield Running(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
