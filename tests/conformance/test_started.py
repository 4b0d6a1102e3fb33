"""A gateway is started with a clean environment, waited for, and stopped with all that belongs to it."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from setu import build
from setu.cassette.match import route_of
from setu.config.model import Config
from setu.conformance.gateways import load, names
from setu.conformance.started import Running, StartError, start
from setu.http import Request, Response
from setu.server.serve import Background
from setu.transport.simulate.simulator import Simulator
from tests.conformance.fakes import MINIMAL, SCRIPT, fake, written
from tests.needs import needs


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and waits to be collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def asked(running: Running) -> dict[str, Any]:
    with urllib.request.urlopen(running.url + "/x", timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def gone(*pids: int) -> bool:
    """Wait a little for processes to be gone: a killed child is collected by whoever inherits it."""
    end = time.monotonic() + 5
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.02)
    return not any(map(alive, pids))


def test_a_gateway_runs_with_a_clean_environment_and_goes_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-real")
    recipe = fake(tmp_path, more='[environment]\nUPSTREAM = "{upstream}"\n')

    with start(recipe, "http://127.0.0.1:9/", cache=tmp_path / "cache") as running:
        said = asked(running)
        assert alive(running.pid)
        assert running.log.read_text().startswith("listening\n")

    environ = said["environ"]
    assert said["asked"] > 3  # it was not taken for ready before it said so
    assert (environ["UPSTREAM"], environ["HOME"]) == ("http://127.0.0.1:9", str(running.log.parent))
    assert "OPENAI_API_KEY" not in environ
    assert gone(running.pid, said["child"])
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_gateway_that_does_not_want_to_stop_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setu.conformance.started.STOP_SECONDS", 0.3)
    deaf = SCRIPT.replace("asked = 0", "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); asked = 0")

    with start(fake(tmp_path, deaf), "http://127.0.0.1:9", cache=tmp_path / "cache") as running:
        child = asked(running)["child"]

    assert gone(running.pid, child)


TERMINATED = """
import sys
from pathlib import Path
from setu.conformance.gateways import load
from setu.conformance.started import start

with start(load(sys.argv[1]), "http://127.0.0.1:9", cache=Path(sys.argv[2])) as running:
    print(running.pid, flush=True)
    import time
    time.sleep(60)
"""


def test_a_gateway_does_not_outlive_a_run_that_is_terminated(tmp_path: Path) -> None:
    fake(tmp_path)
    command = [sys.executable, "-c", TERMINATED, str(tmp_path / "fake.toml"), str(tmp_path / "cache")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())

        run.terminate()

        assert run.wait(20) == 143
    assert gone(pid)


def test_what_fails_in_front_of_a_gateway_leaves_its_log(tmp_path: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        start(fake(tmp_path), "http://127.0.0.1:9", cache=tmp_path / "cache") as running,
    ):
        raise ZeroDivisionError

    assert gone(running.pid)
    assert running.log.is_file()


@pytest.mark.parametrize(
    ("script", "seconds", "message"),
    [
        (
            "import sys; sys.exit('no such option: --port')",
            20,
            "fake ended with status 1: no such option: --port; see ",
        ),
        ("import time; time.sleep(60)", 0.5, "fake does not answer /up after 0.5 s; see "),
    ],
)
def test_a_gateway_that_does_not_come_up_is_told_with_its_log(
    tmp_path: Path, script: str, seconds: float, message: str
) -> None:
    recipe = msgspec.structs.replace(fake(tmp_path, script), ready_seconds=seconds)

    with (
        pytest.raises(StartError) as caught,
        start(recipe, "http://127.0.0.1:9", cache=tmp_path / "cache"),
    ):
        pytest.fail("it is not up")

    (log,) = (tmp_path / "cache").glob("fake-run-*/gateway.log")
    assert str(caught.value) == f"{message}{log}"


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    recipe = load(str(written(tmp_path, MINIMAL.replace('"{python}"', '"/nowhere/python"'))))

    with (
        pytest.raises(StartError, match="fake cannot be started: /nowhere/python: No such file or directory; see "),
        start(recipe, "http://127.0.0.1:9", cache=tmp_path / "cache"),
    ):
        pytest.fail("it is not up")


class Heard:
    """The simulated upstream, which remembers the dialects that it was asked in."""

    def __init__(self) -> None:
        self._simulator = Simulator(build.SystemClock())
        self.dialects: list[str] = []

    async def send(self, request: Request) -> Response:
        route = route_of(request)
        self.dialects.append(route.dialect if route is not None else request.path)
        return await self._simulator.send(request)

    async def aclose(self) -> None:
        """Do nothing."""


@pytest.fixture(scope="module", params=names())
def gateway(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Running, Heard]]:
    """A real gateway in front of the simulated upstream; `SETU_GATEWAYS` names those that may be installed."""
    name, wanted = request.param, os.environ.get("SETU_GATEWAYS", "").split(",")
    if name != "setu" and name not in wanted:
        needs("gateways", f"SETU_GATEWAYS does not name {name}")
    heard = Heard()
    cache = tmp_path_factory.mktemp("cache") if name == "setu" else None
    with (
        Background(build.app(heard, Config(), dict)) as upstream,
        start(load(name), upstream.url, cache=cache) as running,
    ):
        yield running, heard


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "gemini"])
def test_a_chat_through_a_real_gateway_reaches_the_upstream_it_is_meant_for(
    gateway: tuple[Running, Heard], dialect: str, stream: bool
) -> None:
    running, heard = gateway
    if dialect in running.missing:
        assert dialect not in running.models
        return
    model = running.models[dialect]
    body = {"model": model.name, "max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
    heard.dialects.clear()

    answer = httpx.post(
        f"{running.url}/v1/chat/completions", json=body, headers=dict(model.headers), timeout=60, trust_env=False
    )

    assert (answer.status_code, heard.dialects) == (200, [dialect])
    assert answer.text.startswith("data: ") is stream


@pytest.mark.slow
def test_a_real_gateway_embeds_and_keeps_its_upstreams_keys_to_itself(gateway: tuple[Running, Heard]) -> None:
    running, heard = gateway
    assert running.embedding is not None
    heard.dialects.clear()

    answer = httpx.post(
        f"{running.url}/v1/embeddings",
        json={"model": running.embedding.name, "input": "Hi"},
        headers=dict(running.embedding.headers),
        timeout=60,
        trust_env=False,
    )

    assert (answer.status_code, heard.dialects) == (200, ["openai_chat"])
    assert [secret for secret in running.secrets if secret in running.log.read_text(errors="replace")] == []
