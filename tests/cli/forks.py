"""Run many commands, each in a process of its own, for the price of one start: read JSON, fork, write JSON.

`python -m tests.cli.forks` reads a list of argument lists and writes a list of [status, stdout, stderr].
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.processes import environment

SECONDS = 60


def run(commands: list[list[str]], cwd: Path, **extra: str) -> list[tuple[int, str, str]]:
    """Return how each command ended; `extra` is added to its environment."""
    root = os.pathsep.join([str(Path(__file__).parents[2]), extra.pop("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.forks"],
        cwd=cwd, input=json.dumps(commands), env=environment(PYTHONPATH=root, **extra),
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [(status, out, err) for status, out, err in json.loads(done.stdout)]


def _one(args: list[str]) -> list[object]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            signal.alarm(SECONDS)  # what should have failed may serve for ever
            sys.argv = ["setu", *args]
            from setu.cli.main import main

            main()
        _, waited = os.waitpid(child, 0)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    return [os.waitstatus_to_exitcode(waited), *texts]


if __name__ == "__main__":
    import setu.cli.main
    import setu.cli.rooms
    import setu.conformance.runner
    import setu.server.serve  # noqa: F401 - what every command imports is imported once, before the forks

    json.dump([_one(args) for args in json.load(sys.stdin)], sys.stdout)
