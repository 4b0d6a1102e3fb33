"""A file that one process at a time may change, and that only its owner may read."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: a file is safe from the threads of one process only
    fcntl = None  # type: ignore[assignment]  # the name stands for its absence


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """Open a file for reading and writing, made if need be, and hold its lock; yield its descriptor.

    Raises:
        OSError: it cannot be opened or made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # released when it is closed
        yield descriptor
    finally:
        os.close(descriptor)
