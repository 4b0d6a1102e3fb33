"""Where calls wait while the database cannot be written: append-only files of one JSON line a call.

A process appends to a file of its own and holds a lock on it as long as it lives; the files of one that died are
anybody's. Calls are written to the database under their own ids, so reading a file twice does no harm.
"""

import contextlib
import logging
import os
import secrets
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from setu.signals import Attempt, Call

_LOG = logging.getLogger(__name__)
_PATTERN = "usage-*.jsonl"
_CHUNK = 500
_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Call).decode


class Spill:
    """The waiting calls of one database. Safe for threads; one drains at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mutex = threading.Lock()
        self._open: _File | None = None
        self._full: list[_File] = []
        self.appended = 0

    def append(self, calls: Sequence[Call], *, sync: bool = True) -> None:
        """Write calls down, by default down to the disk itself.

        Raises:
            OSError: nothing was written: the folder cannot be, or the disk is full.
        """
        data = b"".join(encode(call) for call in calls)
        with self._mutex:
            if self._open is None:
                self._open = _File.create(self.folder)
            self._open.append(data, sync=sync)
            self.appended += len(calls)

    @property
    def waiting(self) -> bool:
        """Tell whether this process has something to drain."""
        return self._open is not None or bool(self._full)

    def left_over(self) -> bool:
        """Tell whether there are files, of whomever."""
        with contextlib.suppress(OSError):
            return any(self.folder.glob(_PATTERN))
        return False

    def drain(self) -> Iterator[list[Call]]:
        """Yield all that waits, some at a time; who asks for more has written the last ones.

        A file goes when all of it was taken. First this process's own, then those that other processes left behind.
        """
        with self._mutex:
            if self._open is not None:
                self._full.append(self._open)
                self._open = None
        while self._full:
            yield from self._drained(self._full[0])
            self._full.pop(0).close(remove=True)
        for path in self._others():
            file = _File.adopt(path)
            if file is None:
                continue
            try:
                yield from self._drained(file)
            except BaseException:
                file.close(remove=False)
                raise
            file.close(remove=True)

    def reject(self, calls: Sequence[Call]) -> None:
        """Keep calls that no database takes where a person can look at them."""
        self._keep("rejected.jsonl", b"".join(encode(call) for call in calls))

    def close(self) -> None:
        """Let go of the files: what waits in them is anybody's now."""
        with self._mutex:
            for file in (*self._full, *([self._open] if self._open else [])):
                file.close(remove=file.empty)
            self._full, self._open = [], None

    def _others(self) -> list[Path]:
        with contextlib.suppress(OSError):
            return sorted(self.folder.glob(_PATTERN))
        return []

    def _drained(self, file: "_File") -> Iterator[list[Call]]:
        chunk: list[Call] = []
        torn: list[bytes] = []
        with file.path.open("rb") as lines:
            for line in lines:
                if not line.strip():
                    continue
                try:
                    chunk.append(_DECODE(line))
                except (msgspec.DecodeError, UnicodeDecodeError):
                    torn.append(line.rstrip(b"\n") + b"\n")
                if len(chunk) == _CHUNK:
                    yield chunk
                    chunk = []
        if chunk:
            yield chunk
        if torn:
            _LOG.warning("%d usage row(s) cannot be read; see %s", len(torn), self.folder / "unreadable.jsonl")
            self._keep("unreadable.jsonl", b"".join(torn))

    def _keep(self, name: str, data: bytes) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                file.write(data)
        except OSError as error:
            _LOG.error("%s cannot be written: %s", self.folder / name, error)


class _File:
    """One file, locked while it is open."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file

    @classmethod
    def create(cls, folder: Path) -> "_File":
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"usage-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        # Under a name that nobody looks for until it is locked: else another process could take it away.
        hidden = path.with_suffix(".new")
        file = os.fdopen(os.open(hidden, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600), "ab", buffering=0)
        _lock(file)
        try:
            hidden.rename(path)
        except OSError:  # Windows does not rename what is open, nor delete it: the name needs no lock there
            file.close()
            hidden.unlink()
            file = path.open("ab", buffering=0)
        return cls(path, file)

    @classmethod
    def adopt(cls, path: Path) -> "_File | None":
        """Open a file that another process left; None while that one lives, or where another was faster."""
        try:
            file = path.open("r+b", buffering=0)
        except OSError:
            return None
        if not _lock(file):
            file.close()
            return None
        return cls(path, file)

    @property
    def empty(self) -> bool:
        return os.fstat(self._file.fileno()).st_size == 0

    def append(self, data: bytes, *, sync: bool) -> None:
        before = os.fstat(self._file.fileno()).st_size
        try:
            self._write(data)
            if sync:
                os.fsync(self._file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(before)
            raise

    def _write(self, data: bytes) -> None:
        """Write all of it: a disk that is nearly full takes a part, and fails only when asked again."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def close(self, *, remove: bool) -> None:
        if remove:
            with contextlib.suppress(OSError):
                self.path.unlink()
        self._file.close()
        if remove and sys.platform == "win32":
            with contextlib.suppress(OSError):
                self.path.unlink()


def encode(call: Call) -> bytes:
    """Return a call as a line; half a surrogate pair, which JSON's bytes cannot say, becomes a question mark."""
    try:
        return _ENCODE(call) + b"\n"
    except UnicodeEncodeError:
        return _ENCODE(_sayable(call)) + b"\n"


def _sayable(call: Call) -> Call:
    losses = tuple(_clean(loss) for loss in call.losses)
    attempts = tuple(msgspec.structs.replace(attempt, **_texts(attempt)) for attempt in call.attempts)
    return msgspec.structs.replace(call, losses=losses, attempts=attempts, **_texts(call))


def _texts(record: Call | Attempt) -> dict[str, str]:
    values = {name: getattr(record, name) for name in record.__struct_fields__}
    return {name: _clean(value) for name, value in values.items() if isinstance(value, str)}


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _lock(file: BinaryIO) -> bool:
    """Take a file for this process; False where another has it. Windows has no such lock: there nobody unlinks it."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
