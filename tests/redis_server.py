"""A real Redis for tests: on a free port, in a folder of its own; it can be killed, stopped and started again."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.needs import needs

PATIENCE = 10.0


class RedisServer:
    """A redis-server that keeps nothing on disk; `start` after `kill` takes the same port again."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def socket_url(self) -> str:
        return f"unix://{self._folder / 'redis.sock'}"

    def start(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            needs("redis", "no redis-server on PATH (Debian: apt-get install redis-server)")
        self._process = subprocess.Popen(
            [
                program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--dir", str(self._folder), "--unixsocket", str(self._folder / "redis.sock"), *self._options,
            ],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self._wait()

    def kill(self) -> None:
        """End it at once (SIGKILL); what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, nobody answers."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Thaw it (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def command(self, *words: str) -> bytes:
        """Send a command and return its first answer, raw."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(b"*%d\r\n" % len(words) + b"".join(_bulk(word) for word in words))
            return connection.recv(65536)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.go_on()
            self.kill()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "it does not run"
        self._process.send_signal(number)

    def _wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                if self.command("PING").startswith(b"+PONG"):
                    return
            except OSError:
                time.sleep(0.01)
        raise AssertionError("redis-server does not answer")


def _bulk(word: str) -> bytes:
    data = word.encode()
    return b"$%d\r\n%s\r\n" % (len(data), data)
