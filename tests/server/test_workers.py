"""Several processes behind one socket: they share it, are replaced when they die, and drain together."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from setu.server.serve import bind, url_of
from setu.server.workers import adopted
from tests.e2e.test_reload import ask, section, slow, until
from tests.gateway.wire import CHUNKS
from tests.live import asked, sse
from tests.processes import Serving
from tests.servers import RawServer

pytestmark = pytest.mark.slow


def children(of: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(of)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def wait_for(condition: Any, within: float = 20) -> Any:
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
    return found


def started(folder: Path, upstream: str, *options: str) -> Serving:
    (folder / "setu.toml").write_text(section("oa", upstream))
    return Serving("start", "--port", "0", "--workers", "2", *options, cwd=folder)


def test_workers_share_a_socket_and_a_dead_one_is_replaced(tmp_path: Path) -> None:
    with started(tmp_path, "http://127.0.0.1:9") as server:
        first = children(server._process.pid)
        os.kill(first[0], signal.SIGKILL)
        alive = ask(server.url, "/livez").read()
        second = wait_for(lambda: (now := children(server._process.pid)) != first[1:] and len(now) == 2 and now)
        answers = {ask(server.url, "/livez").read() for _ in range(8)}

    assert len(first) == 2
    assert alive == b"ok"
    assert answers == {b"ok"}
    assert first[1] in second
    assert server.status == 0
    assert "a worker ended with status -9; another one is started in 0.5 s" in server.errors
    assert server.output.count("running on") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stream_under_way_is_finished_before_all_of_them_stop(tmp_path: Path, number: signal.Signals) -> None:
    with RawServer(slow) as upstream, started(tmp_path, upstream.url) as server:
        body, where = asked("oa/gpt", stream=True)
        stream = ask(server.url, where, "POST", body)
        seen = stream.read1(10)
        server._process.send_signal(number)
        seen += stream.read()
        server._process.wait(20)

    assert seen == sse(*CHUNKS, "[DONE]")
    assert server.status == 0


def test_sighup_reaches_every_worker(tmp_path: Path) -> None:
    with started(tmp_path, "http://127.0.0.1:9") as server:
        before = until(server.url, ok=True)
        server._process.send_signal(signal.SIGHUP)
        generations = wait_for(lambda: {until(server.url, ok=True)["generation"] for _ in range(12)} == {2})

    assert before["generation"] == 1
    assert generations


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with started(tmp_path, "http://127.0.0.1:9") as server:
        workers = children(server._process.pid)
        server.kill()
        server._process.wait(5)
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() and _runs(pid) for pid in workers))

    assert len(workers) == 2


def _runs(pid: int) -> bool:
    """A zombie that nobody collects runs no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_that_never_serves_ends_the_command_with_its_status(tmp_path: Path) -> None:
    script = (
        "import sys; from setu.server.serve import bind; from setu.server.workers import Supervisor\n"
        "failing = [sys.executable, '-c', 'import sys; sys.exit(78)']\n"
        "sys.exit(Supervisor(2, [bind('127.0.0.1', 0)], lambda: print('ready'), command=failing).run())"
    )

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)

    assert (ended.returncode, ended.stdout) == (78, "")


def test_a_process_that_was_handed_nothing_is_no_worker() -> None:
    assert adopted({}) is None


def test_one_process_listens_on_several_addresses(tmp_path: Path) -> None:
    listeners = [bind("127.0.0.1", 0) for _ in range(2)]
    places = [url_of(listener) for listener in listeners]
    for listener in listeners:
        listener.close()
    options = [part for place in places for part in ("--listen", place.removeprefix("http://"))]
    with Serving("start", *options, cwd=tmp_path) as server:
        statuses = [json.loads(ask(place, "/").read())["service"] for place in places]

    assert statuses == ["setu", "setu"]
    assert f"running on {', '.join(places)} (" in server.output
