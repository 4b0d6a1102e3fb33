"""A gateway under fire: its configuration, its process, and what that holds of the machine."""

import contextlib
import json
import socket
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.processes import Serving

PER_MINUTE = 120
"""What the tenant t3 may ask in any 60 s; its fifty clients want five times as much."""

_CONFIG = """
[server]
shutdown_timeout = "10s"

[state]
redis_url = "{redis}"

[usage]
database_url = "{database}"

[limits]
on_error = "deny"       # a Redis that is away must not let t3 have more

[limits.tenants.t3]
requests_per_minute = {limit}

[breaker]
failures = 20
open_for = "1s"

[resilience]
timeout = "2s"
idle_timeout = "1s"
retry = {{ max_attempts = 2, initial_interval = "20ms", max_interval = "{longest}ms" }}

[routing]
strategy = "{strategy}"
"""

_PROVIDER = """
[providers.{name}]
type = "openai_compatible"
base_url = "{url}/v1"
api_key = "sk-of-{name}"
models = ["m"]
"""


def config(redis: str, database: str, upstreams: Sequence[str], generation: int = 0) -> str:
    """Return a configuration; each generation differs from the one before in what harms nobody."""
    head = _CONFIG.format(
        redis=redis,
        database=database,
        limit=PER_MINUTE,
        longest=200 + generation,
        strategy=("round_robin", "weighted")[generation % 2],
    )
    return head + "".join(_PROVIDER.format(name=f"u{n}", url=url) for n, url in enumerate(upstreams))


def serve(folder: Path, port: int = 0, log: str = "log") -> Serving:
    """Return a gateway on the configuration in a folder. What it logs goes to a file: a full pipe would stop it."""
    script = f'exec "{sys.executable}" -m setu "$@" 2>>{log}'
    return Serving("start", "--port", str(port), cwd=folder, command=("sh", "-c", script, "setu"))


class Holding(NamedTuple):
    """What a process holds: descriptors of files, sockets by whom they lead to, threads, tasks, resident bytes."""

    files: int
    sockets: Counter[str]
    threads: int
    tasks: int
    resident: int

    def __str__(self) -> str:
        sockets = ", ".join(f"{name} {count}" for name, count in sorted(self.sockets.items()))
        size = self.resident / 2**20
        return f"{self.files} files, sockets: {sockets}, {self.threads} threads, {self.tasks} tasks, {size:.1f} MiB"


def holding(server: Serving, ports: dict[int, str]) -> Holding:
    """Look at a gateway; `ports` say who listens on which."""
    tasks: int = metrics(server.url)["process"]["tasks"]
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii", errors="replace")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    files, inodes = 0, set()
    for entry in Path(f"/proc/{server.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            name = str(entry.readlink())
            if name.startswith("socket:["):
                inodes.add(name[8:-1])
            else:
                files += 1
    sockets = _sockets(inodes, ports)
    return Holding(files, sockets, int(fields["Threads"]), tasks, int(fields["VmRSS"].split()[0]) * 1024)


def _sockets(inodes: set[str], ports: dict[int, str]) -> Counter[str]:
    """Count sockets by the name of the port that they lead to; others are clients, listeners or no TCP."""
    found: Counter[str] = Counter()
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[9] in inodes:
            inodes.discard(fields[9])
            listens = fields[3] == "0A"
            found["listener" if listens else ports.get(int(fields[2].partition(":")[2], 16), "client")] += 1
    found["other"] = len(inodes)
    return found


def metrics(url: str) -> dict[str, Any]:
    found: dict[str, Any] = _asked(url, "/v1/metrics")
    return found


def reload(url: str) -> None:
    """Have the configuration read anew: connections to providers are the configuration's, and end with it."""
    assert _asked(url, "/admin/reload", b"")["ok"] is True


def settled(server: Serving, ports: dict[int, str], wanted: int | None = None, within: float = 15.0) -> Holding:
    """Look until there are no clients and, of tasks, as many as wanted; return the last look."""
    until = time.monotonic() + within
    while True:
        found = holding(server, ports)
        if not found.sockets["upstream"] and found.sockets["client"] <= 1 and wanted in {None, found.tasks}:
            return found
        if time.monotonic() > until:
            return found
        time.sleep(0.25)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _asked(url: str, path: str, body: bytes | None = None) -> Any:
    request = urllib.request.Request(url + path, data=body, headers={"connection": "close"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)
