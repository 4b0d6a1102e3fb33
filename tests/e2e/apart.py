"""Libraries that cannot be installed beside the others, each in a folder of its own outside the repository."""

import os
import subprocess
import sys
import tomllib
from contextlib import suppress
from getpass import getuser
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from tests.needs import needs

GROUP = "apart"
PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def installed() -> Path:
    """Return the folder with the group `apart`, installed from the package index when it is not there yet.

    It is named after the group, so that a change of it starts anew, and appears whole or not at all, so that two test
    processes may install at once.
    """
    wanted: list[str] = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["dependency-groups"][GROUP]
    name = blake2b(f"{sys.version_info[:2]} {wanted}".encode(), digest_size=8).hexdigest()
    room = Path(gettempdir()) / f"setu-apart-{getuser()}"
    folder = room / name
    if folder.is_dir():
        return folder
    room.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=room) as place:
        making = Path(place, "whole")
        _install(wanted, making)
        with suppress(OSError):  # another process was faster
            making.rename(folder)
    return folder


def _install(wanted: list[str], folder: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--target", str(folder), *wanted],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        needs(GROUP, f"pip install failed: {made.stderr.strip()[-300:]}")


def run(program: str, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program with those libraries beside the ones that are installed here."""
    environ = {**os.environ, "PYTHONPATH": str(installed())}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=cwd, env=environ, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
