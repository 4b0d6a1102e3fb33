"""The audit log on a disk: lines are only added, by any number of processes."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

from setu.access.audit import Damper, Detail, Head, entry, read
from setu.errors import SetuError
from setu.store.locked import locked

LOG = logging.getLogger("setu")
_LAST = 1 << 18
"""Bytes from the end in which the last line surely begins."""

FAILURE = "auth_failure"
HELD = "auth_failures_held_back"


class AuditLog:
    """Appends entries to a file of mode 0600.

    Of refused keys only `failures` a minute are written, the others counted: no stranger must be able to fill the disk.
    """

    def __init__(self, path: Path, *, failures: int = 20, now: Callable[[], float] = time.time) -> None:
        self.path = path
        self._now = now
        self._damper = Damper(failures)
        self._mutex = threading.Lock()
        self._known: tuple[int, Head] | None = None
        self._failing = False

    def append(self, event: str, actor: str = "", **details: Detail) -> None:
        """Write an entry.

        Raises:
            SetuError: the file cannot be written; it is as it was.
        """
        try:
            with self._mutex, locked(self.path) as file:
                self._add(file, self._head(file), event, actor, details)
        except OSError as error:
            raise SetuError(f"{self.path} cannot be written: {error.strerror or error}") from None

    def note(self, event: str, actor: str = "", **details: Detail) -> None:
        """Write an entry; what goes wrong is logged, once until it goes right again."""
        if event == FAILURE and not self._damper.take(self._now()):
            return
        try:
            if held := self._damper.release():
                self.append(HELD, count=held)
            self.append(event, actor, **details)
            self._failing = False
        except SetuError as error:
            if not self._failing:
                LOG.warning("the audit log: %s", error)
            self._failing = True

    def close(self) -> None:
        """Write down how many refusals have not been written."""
        if self._damper.held:
            self.note(HELD, count=self._damper.release())

    def _head(self, file: int) -> Head:
        """Return the end of the chain; what a crash left of a line is taken off, and told of."""
        size = os.fstat(file).st_size
        if self._known is not None and self._known[0] == size:
            return self._known[1]
        os.lseek(file, max(0, size - _LAST), os.SEEK_SET)
        whole, _, torn = os.read(file, _LAST).rpartition(b"\n")
        head = _head_of(whole.rpartition(b"\n")[2])
        if not torn:
            return head
        os.ftruncate(file, size - len(torn))
        return self._add(file, head, "torn", "", {"bytes": len(torn), "sha256": sha256(torn).hexdigest()})

    def _add(self, file: int, head: Head, event: str, actor: str, details: dict[str, Detail]) -> Head:
        line, head = entry(head, self._now(), event, actor, details)
        size = os.lseek(file, 0, os.SEEK_END)
        data = line + b"\n"
        if (written := os.write(file, data)) != len(data):
            os.ftruncate(file, size)
            raise OSError(f"only {written} of {len(data)} bytes fit")
        self._known = (size + written, head)
        return head


def _head_of(line: bytes) -> Head:
    """Return what follows on a line; on one that is no entry a new chain, and checking the log will show where."""
    try:
        found = read(line)
    except ValueError:
        return Head()
    return Head(found.seq, found.hash)


def lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a log.

    Raises:
        SetuError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise SetuError(f"{path} cannot be read: {error.strerror or error}") from None
