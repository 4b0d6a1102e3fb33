"""The command line as a user runs it: a process, its first line, its exit status."""

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self


@cache
def _data() -> Path:
    """Return where this run's processes keep their usage, keys and audit log."""
    folder = Path(tempfile.mkdtemp(prefix="setu-data-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def environment(**extra: str) -> dict[str, str]:
    """The test's environment without anybody's keys or settings."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_TOKEN", "_BASE_URL"))}
    kept.pop("SETU_CONFIG", None)
    return {**kept, "XDG_CONFIG_HOME": "/nonexistent", "XDG_DATA_HOME": str(_data()), **extra}


def setu(*args: str, cwd: Path | None = None, timeout: float = 60, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "setu", *args],
        cwd=cwd, env=environment(**extra), capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip


SETU = (sys.executable, "-m", "setu")


class Serving:
    """A command that serves: `url` once it says so; stopped by SIGTERM, then `status` and `errors`."""

    def __init__(self, *args: str, cwd: Path | None = None, command: Sequence[str] = SETU, **extra: str) -> None:
        self._process = subprocess.Popen(
            [*command, *args],
            cwd=cwd, env=environment(**extra), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.url = ""
        self.status: int | None = None
        self.output = ""
        self.errors = ""

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.search(r"http://\S+", line)
        if found is None:
            _, errors = self._process.communicate(timeout=10)
            raise AssertionError(f"did not start: {line}{errors}")
        self.url = found.group()
        self.output = line
        return self

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """End it at once (SIGKILL): it can neither finish nor tidy up anything."""
        self._process.kill()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        output, self.errors = self._process.communicate(timeout=40)
        self.output += output
        self.status = self._process.returncode
