"""Load on one server: requests in a second, and the server's own processor time for each."""

import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import which
from typing import NamedTuple

from setu.cassette.model import Interaction
from tests.benchmarks.contest.exchanges import target_of
from tests.benchmarks.contest.rivals import Running, asked
from tests.e2e.acceptance import Client


class Load(NamedTuple):
    """Requests in a second, and milliseconds of the server's processor time for one."""

    per_second: float
    cpu_ms: float


class _Done(NamedTuple):
    requests: int
    seconds: float


def generator() -> str:
    """Return what makes the load: wrk where it is installed, else this process, which a fast server waits for."""
    return "wrk" if which("wrk") else "the raw client of the tests"


def put(server: Running, interaction: Interaction, connections: int, seconds: float, room: Path) -> Load:
    """Send one request over and over on some connections that stay open.

    Raises:
        RuntimeError: an answer was not of the recorded status.
    """
    before = _cpu_seconds(server.pid)
    if which("wrk"):
        done = _wrk(server.url, interaction, connections, seconds, room)
    else:
        done = _by_hand(server.url, interaction, connections, seconds)
    return Load(done.requests / done.seconds, (_cpu_seconds(server.pid) - before) / done.requests * 1000)


def _cpu_seconds(pid: int) -> float:
    """Return the processor time of a process, all its threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wrk(url: str, interaction: Interaction, connections: int, seconds: float, room: Path) -> _Done:
    request = interaction.exchange.request
    assert isinstance(request.body, bytes)
    script = room / "request.lua"
    script.write_bytes(
        b'wrk.method = "POST"\nwrk.body = [==[%b]==]\nwrk.headers["content-type"] = "application/json"\n' % request.body
    )
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s", "-s", str(script)]
    said = subprocess.run([*command, url + target_of(request)], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", said)
    if found is None or "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    return _Done(int(found[1]), float(found[2]) * {"ms": 0.001, "s": 1, "m": 60}[found[3]])


def _by_hand(url: str, interaction: Interaction, connections: int, seconds: float) -> _Done:
    start = time.monotonic()

    def one(_: int) -> int:
        count = 0
        with Client(url) as client:
            while time.monotonic() < start + seconds:
                if asked(client, interaction).status != interaction.exchange.status:
                    raise RuntimeError(f"{url} answered otherwise than it was recorded")
                count += 1
        return count

    with ThreadPoolExecutor(connections) as threads:
        return _Done(sum(threads.map(one, range(connections))), time.monotonic() - start)
