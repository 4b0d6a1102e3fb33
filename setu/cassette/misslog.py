"""The misses of a run, one JSON line each; with the request, so that just that call can be recorded."""

import contextlib
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from setu.errors import CassetteDecodeError, CassetteNotFoundError
from setu.http import Headers, Request

try:
    import fcntl
except ImportError:  # Windows: line numbers are right within one process only
    fcntl = None  # type: ignore[assignment]  # the name stands for its absence


class MissLog:
    """Appends to a file of misses, also when several processes do."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def append(self, describe: Callable[[str], Mapping[str, Any]]) -> None:
        """Write what `describe` says of a miss that is to stand at `file:line`.

        A note that cannot be kept must not change the answer: then `describe` is told an empty place.
        """
        with self._lock:
            try:
                file = self.path.open("a+b")
            except OSError:
                describe("")
                return
            with file:
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                number = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b"")) + 1
                line = json.dumps(describe(f"{self.path}:{number}"), ensure_ascii=True) + "\n"
                with contextlib.suppress(OSError):
                    file.write(line.encode())


def read_miss(place: str) -> Request:
    """Return the request of a miss; `place` is `file:line`, without a line it is the last one.

    Raises:
        CassetteNotFoundError: no such file or line.
        CassetteDecodeError: the line is no miss.
    """
    name, _, number = place.rpartition(":")
    path, wanted = (Path(name), int(number)) if name and number.isdecimal() else (Path(place), 0)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise CassetteNotFoundError(f"no misses at {path}") from None
    if not lines or wanted > len(lines):
        raise CassetteNotFoundError(f"{path} has {len(lines)} lines, not {wanted or 1}")
    try:
        asked = json.loads(lines[wanted - 1])["request"]
        return Request(
            method=asked["method"],
            origin=asked["origin"],
            path=asked["path"],
            query=asked["query"],
            headers=Headers.of([(field, value) for field, value in asked["headers"]]),
            body=asked["body"].encode("utf-8", "surrogateescape"),
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        raise CassetteDecodeError(f"{path}:{wanted or len(lines)}: not a miss that Setu wrote") from None


def written(request: Request) -> dict[str, Any]:
    """Return a redacted request as `read_miss` reads it."""
    assert isinstance(request.body, bytes)
    return {
        "method": request.method,
        "origin": request.origin,
        "path": request.path,
        "query": request.query,
        "headers": list(request.headers.items()),
        "body": request.body.decode("utf-8", "surrogateescape"),
    }
