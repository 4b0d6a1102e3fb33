"""Several processes behind the same sockets: a parent that opens them, starts workers and keeps them going.

The parent serves nothing itself. A worker is the same command again; what it is to know stands in its environment:
the sockets to serve, where to say that it is ready, and what closes when its parent is gone.
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from setu.errors import ConfigError

VARIABLE = "SETU_WORKER_FDS"
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
STEADY_SECONDS = 60.0
"""A worker that lasted so long did not die of how it was started: the next one comes without delay growing."""

_STOPPED = (0, -signal.SIGTERM, -signal.SIGINT)
_PASSED_ON = ("SIGTERM", "SIGINT", "SIGHUP")


class Worker(NamedTuple):
    """What a worker was handed: its sockets, and how to say that it is ready."""

    listeners: list[socket.socket]
    ready: Callable[[], None]


def adopted(environ: Mapping[str, str] = os.environ) -> Worker | None:
    """Return what this process was handed if it is a worker; from then on it ends when its parent does."""
    said = environ.get(VARIABLE)
    if not said:
        return None
    ready, lifeline, *served = (int(part) for part in said.split(","))
    threading.Thread(target=_outlived, args=(lifeline,), name="setu-lifeline", daemon=True).start()
    listeners = [socket.socket(fileno=number) for number in served]
    for listener in listeners:
        listener.setblocking(False)

    def tell() -> None:
        with contextlib.suppress(OSError):
            os.write(ready, b"r")

    return Worker(listeners, tell)


def _outlived(lifeline: int) -> None:
    """Stop when the parent is gone: nobody would stop this process otherwise."""
    with contextlib.suppress(OSError):
        os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)


class _Child:
    """One worker's place: its process, how often it died in a row, and when the next one is due."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.deaths = 0
        self.started = 0.0
        self.due = 0.0


class Supervisor:
    """Keeps `count` workers going until it is told to stop; `ready` is called once when all have begun to serve."""

    def __init__(
        self,
        count: int,
        listeners: Sequence[socket.socket],
        ready: Callable[[], None],
        *,
        command: Sequence[str] = (),
        tell: Callable[[str], None] = print,
    ) -> None:
        if not hasattr(os, "fork"):
            raise ConfigError("--workers: this system cannot share a socket between processes; start one at a time")
        self._children = [_Child() for _ in range(count)]
        self._listeners = listeners
        self._ready = ready
        self._command = list(command) or [sys.executable, "-m", "setu", *sys.argv[1:]]
        self._tell = tell
        self._stopping = False
        self._awaited = count
        self._status = 0

    def run(self) -> int:
        """Run until every worker has ended; return 0 if all of them drained, else the first other status."""
        ready, told = os.pipe()
        kept, lifeline = os.pipe()
        self._passed = {"ready": told, "lifeline": kept}
        with _signals() as woken:
            try:
                self._loop(woken, ready)
            finally:
                for number in (ready, told, kept, lifeline):
                    os.close(number)
        return self._status

    def _loop(self, woken: int, ready: int) -> None:
        for child in self._children:
            self._start(child)
        while any(child.process for child in self._children) or not self._stopping:
            readable, _, _ = select.select([woken, ready], [], [], self._pause())
            if ready in readable:
                self._heard(len(os.read(ready, 4096)))
            for number in os.read(woken, 4096) if woken in readable else b"":
                self._signalled(number)
            for child in self._children:
                self._looked_after(child)

    def _pause(self) -> float | None:
        """Return how long nothing needs to be done; None: until somebody says something."""
        due = [child.due for child in self._children if child.process is None]
        return None if self._stopping or not due else max(0.0, min(due) - time.monotonic())

    def _start(self, child: _Child) -> None:
        numbers = [self._passed["ready"], self._passed["lifeline"], *(one.fileno() for one in self._listeners)]
        child.started = time.monotonic()
        child.process = subprocess.Popen(  # noqa: S603 - this very command
            self._command,
            pass_fds=numbers,
            env={**os.environ, VARIABLE: ",".join(map(str, numbers))},
            process_group=0,  # a terminal's Ctrl-C reaches the parent alone, which passes it on once
        )

    def _heard(self, count: int) -> None:
        before, self._awaited = self._awaited, self._awaited - count
        if before > 0 >= self._awaited:
            self._ready()

    def _signalled(self, number: int) -> None:
        if number == signal.SIGCHLD:
            return
        if number != signal.SIGHUP:
            self._stopping = True
            for listener in self._listeners:
                listener.close()  # while the workers drain, a new client is to be refused, not kept waiting
        for child in self._children:
            if child.process is not None:
                child.process.send_signal(number)

    def _looked_after(self, child: _Child) -> None:
        """Take note of a worker's end, and start the next one when it is due."""
        if child.process is not None:
            status = child.process.poll()
            if status is None:
                return
            child.process = None
            self._ended(child, status)
        if not self._stopping and time.monotonic() >= child.due:
            self._start(child)

    def _ended(self, child: _Child, status: int) -> None:
        if self._stopping:
            if status not in _STOPPED:  # one that was still starting ends by the signal itself
                self._status = self._status or (status if status >= 0 else 128 - status)
            return
        if self._awaited > 0 and status > 0:
            # It has never served: it would fail again, and it has said why.
            self._status = self._status or status
            self._signalled(signal.SIGTERM)
            return
        steady = time.monotonic() - child.started > STEADY_SECONDS
        child.deaths = 0 if steady else child.deaths + 1
        delay = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** max(0, child.deaths - 1))
        child.due = time.monotonic() + delay
        self._tell(f"a worker ended with status {status}; another one is started in {delay:g} s")


@contextlib.contextmanager
def _signals() -> Iterator[int]:
    """Yield what becomes readable at a signal, one byte for each: its number."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    numbers = [getattr(signal, name) for name in (*_PASSED_ON, "SIGCHLD")]
    before = {number: signal.signal(number, lambda _number, _frame: None) for number in numbers}
    old = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    try:
        yield woken
    finally:
        signal.set_wakeup_fd(old)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(woken)
        os.close(wake)
