"""Cassettes that are read once for all who have them open: tests side by side share a file, not what they parsed."""

from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from setu.cassette.model import Interaction
from setu.cassette.shelf import read_cassette

_BUDGET = 32 * 1024 * 1024


class _Stamp(NamedTuple):
    """What differs when a file has been written anew."""

    inode: int
    changed_ns: int
    size: int


class Shared:
    """Reads files; those read last, up to `budget` bytes of them, are read again only when they have changed."""

    def __init__(self, budget: int = _BUDGET) -> None:
        self._budget = budget
        self._kept: OrderedDict[Path, tuple[_Stamp, list[Interaction]]] = OrderedDict()
        self._lock = Lock()

    def read(self, path: Path) -> list[Interaction]:
        """Return the interactions of a file, which may not be changed; raises what `read_cassette` raises."""
        stamp = _stamp(path)
        with self._lock:
            kept = self._kept.get(path)
            if kept is not None and kept[0] == stamp:
                self._kept.move_to_end(path)
                return kept[1]
        found = read_cassette(path)
        if stamp is not None:
            with self._lock:
                self._kept[path] = stamp, found
                self._kept.move_to_end(path)
                self._make_room()
        return found

    def _make_room(self) -> None:
        size = sum(stamp.size for stamp, _ in self._kept.values())
        while size > self._budget:
            _, (stamp, _) = self._kept.popitem(last=False)
            size -= stamp.size


def _stamp(path: Path) -> _Stamp | None:
    """Return what a file is now, before it is read: what is written meanwhile is read again next time."""
    try:
        found = path.stat()
    except OSError:
        return None  # the reader says what is wrong
    return _Stamp(found.st_ino, found.st_mtime_ns, found.st_size)
