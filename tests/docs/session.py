"""Run the blocks of one page in order, in one fresh folder, as its reader would.

A command that ends in ` &` is a server: it runs in the background until the page ends, and the next command waits
until its port answers. The default port, and each that a page names with `--port`, is replaced by a free one in all
that follows (and the default one given to a `setu` server that names none), so that pages can be run side by side. `export` and `cd` last until the page ends. No
variable of the caller reaches a page but PATH.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import tomli
import yaml

from setu.config.model import Config
from tests.docs.blocks import Block

DEFAULT_PORT = "3742"
PATIENCE = 60
_PORT = re.compile(r"--port[ =](\d+)")
_PORTLESS = re.compile(r"^(?P<server>setu (?:start|replay|record))\b(?!.*--port)")


class DocsError(AssertionError):
    """A block does not do what its page says."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Session:
    """The folder, the environment and the servers of one page."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = folder
        self.port = str(free_port())
        self.ports = {DEFAULT_PORT: self.port}
        scripts = str(Path(sys.executable).parent)
        self.environ = {
            "PATH": scripts + os.pathsep + os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }
        self.servers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
        for server in self.servers:
            try:
                server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()

    def prove(self, block: Block) -> None:
        """Run or parse a block.

        Raises:
            DocsError: it fails, prints something else, or is of a kind that nobody can prove.
        """
        text = self._with_free_ports(block.text)
        if block.file is not None:
            path = self.place / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        match block.language:
            case "console":
                self._console(block, text)
            case "python" if block.file is not None:
                compile(text, block.file, "exec")  # a command further down runs it
            case "python":
                self._check(block, self._run([sys.executable, "-c", text]), "the script")
            case "json":
                json.loads(text)
            case "yaml":
                yaml.safe_load(text)
            case "toml":
                document = tomli.loads(text)
                if "setu.toml" in block.info:
                    Config.model_validate(document)
            case "nginx" if block.file == "setu.conf":
                pass  # tests/chaos/test_high_availability.py runs an nginx with it
            case _:
                raise DocsError(f"{block.place}: nobody can prove a {block.language or 'nameless'!r} block")

    def _with_free_ports(self, text: str) -> str:
        for named in set(_PORT.findall(text)) - self.ports.keys() - {"0"}:
            self.ports[named] = str(free_port())
        return re.sub(rf"(?<!\d)(?:{'|'.join(self.ports)})(?!\d)", lambda found: self.ports[found.group()], text)

    def _console(self, block: Block, text: str) -> None:
        for command, expected in dialogue(text):
            if command.endswith(" &"):
                self._serve(block, command.removesuffix("&").strip())
                continue
            state = self.folder / ".state"
            done = self._run(["bash", "-c", f"{command}\n_status=$?; {{ pwd; env -0; }} >{state}; exit $_status"])
            if state.exists():  # a command may also end its shell
                self._keep(state)
            self._check(block, done, f"`{command}`")
            output = done.stdout + done.stderr
            if not shows(output, expected):
                raise DocsError(f"{block.place}: `{command}` printed\n{output}\nand not\n" + "\n".join(expected))

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.place, env=self.environ, capture_output=True, text=True, timeout=PATIENCE * 2, check=False
        )

    def _keep(self, state: Path) -> None:
        """Take over what `export` and `cd` changed."""
        place, _, variables = state.read_text(encoding="utf-8").partition("\n")
        pairs = (line.partition("=") for line in variables.split("\0") if line)
        self.environ = {name: value for name, _, value in pairs if name not in {"_", "PWD", "OLDPWD", "SHLVL"}}
        self.place = Path(place)
        state.unlink()

    def _check(self, block: Block, done: subprocess.CompletedProcess[str], what: str) -> None:
        if done.returncode != 0:
            raise DocsError(f"{block.place}: {what} ended with {done.returncode}\n{done.stdout}{done.stderr}")

    def _serve(self, block: Block, command: str) -> None:
        command = _PORTLESS.sub(rf"\g<server> --port {self.port}", command)
        log = self.folder / f"server-{len(self.servers)}.log"
        with log.open("wb") as output:
            server = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.place, env=self.environ, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        self.servers.append(server)
        named = _PORT.search(command)
        port = int(named.group(1) if named else self.port)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and server.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.05)
        raise DocsError(f"{block.place}: `{command}` does not answer on port {port}\n{log.read_text()}")


def dialogue(text: str) -> list[tuple[str, list[str]]]:
    """Cut a console block into commands and the output shown after each; `> ` or a final backslash continues."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        continues = bool(found) and not found[-1][1] and (found[-1][0].endswith("\\") or line.startswith("> "))
        if line.startswith("$ "):
            found.append((line.removeprefix("$ ").strip(), []))
        elif continues:
            found[-1] = (found[-1][0] + "\n" + line.removeprefix("> "), [])
        elif not found:
            raise DocsError(f"a console block starts with `$ `, not with {line!r}")
        elif line.strip():
            found[-1][1].append(line.strip())
    return found


def shows(output: str, expected: list[str]) -> bool:
    """Whether the expected lines occur in the output, in order; `...` stands for anything."""
    lines = iter(output.splitlines())
    return all(any(_matches(wanted, line) for line in lines) for wanted in expected)


def _matches(wanted: str, line: str) -> bool:
    pattern = ".*".join(re.escape(piece) for piece in re.split(r"\.\.\.|…", wanted))
    return re.search(pattern, line) is not None
