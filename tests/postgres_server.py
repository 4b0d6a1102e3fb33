"""A real PostgreSQL for tests: a cluster of its own in a temporary folder, which can be killed and started again."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.needs import needs

_USER = "postgres"


def binaries() -> Path:
    """Return the folder of the newest PostgreSQL that Debian installed, or skip."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parents[1].name))
    if not found:
        on_path = shutil.which("pg_ctl")
        if on_path is None:
            needs("postgres", "there is no pg_ctl")
        return Path(on_path).parent
    return found[-1].parent


class PostgresServer:
    """A server on a free port of this machine. `url` leads to its database `setu`."""

    def __init__(self) -> None:
        self._bin = binaries()
        self._folder = Path(tempfile.mkdtemp(prefix="setu-pg-"))
        self._data = self._folder / "data"
        self.port = _free_port()
        self.url = f"postgresql+psycopg://{_USER}@127.0.0.1:{self.port}/setu"

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            shutil.chown(self._folder, _USER, _USER)
        self._run("initdb", "-D", self._data, "-U", _USER, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        self.start()
        self.create("setu")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it and wait until it answers; on the port that it had before."""
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self._folder} -c fsync=off"
        log = self._folder / "log"
        self._run("pg_ctl", "-D", self._data, "-w", "-t", "60", "-l", log, "-o", options, "start")

    def kill(self) -> None:
        """End it at once, as a crash would: connections break, what was not committed is gone."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop", check=False)

    def create(self, database: str) -> str:
        """Make a database and return its URL."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", _USER, database)
        return self.url.rsplit("/", 1)[0] + f"/{database}"

    def sql(self, statement: str, database: str = "setu") -> None:
        """Run SQL in a database."""
        self._run("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", _USER, "-q", "-c", statement, database)

    def _run(self, program: str, *args: str | Path, check: bool = True) -> None:
        # PostgreSQL refuses to be run by root.
        dropped = {"user": _USER, "group": _USER, "extra_groups": []} if os.geteuid() == 0 else {}
        done = subprocess.run(
            [self._bin / program, *args], cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, check=False, timeout=120, **dropped,  # type: ignore[call-overload]  # the three are of three types
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(f"{program}: {done.stderr}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
