"""What a command leaves behind that is told to stop, and what is told before it starts."""

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.wire import COMPLETION
from tests.live import Upstream, reply
from tests.processes import SETU, environment, setu
from tests.servers import RawServer

CALL = """
import os, signal, sys, time, urllib.request
body = b'{"model":"m","messages":[]}'
fields = {"content-type": "application/json", "authorization": "Bearer x"}
request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, fields)
urllib.request.urlopen(request).read()
"""
WAIT = "print('called', flush=True); time.sleep(60)"
SERVE = f"""
told = []
def stop(*_):
    told.append(1)
    time.sleep(0.3)  # tidies up
    os.write(1, f"stopped {{len(told)}}\\n".encode())  # not print: the signal may come while the last one is flushed
    sys.exit(0)
signal.signal(signal.SIGINT, stop)
signal.signal(signal.SIGTERM, stop)
{WAIT}
"""

AT_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Rewriting:
    """A command that has recorded a changed answer anew, and runs on."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url

    def lead(self, mode: str) -> list[str]:
        address = ["--upstream", f"{self.url}/v1", "-o", str(self.folder)]
        return [*SETU, "record", "--mode", mode, *address, "--", sys.executable, "-c"]

    def start(self, source: str) -> "subprocess.Popen[str]":
        # In a session of its own: no terminal tells the command what only Setu is told.
        process = subprocess.Popen(
            [*self.lead("rewrite"), CALL + source],
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "called\n"
        return process


@pytest.fixture
def rewriting(tmp_path: Path) -> Iterator[Rewriting]:
    upstream = Upstream(reply(COMPLETION))
    with RawServer(upstream) as raw:
        found = Rewriting(tmp_path / "cassettes", raw.url)
        subprocess.run([*found.lead("all"), CALL], env=environment(), check=True, timeout=60)
        upstream.answer = reply(COMPLETION.replace(b"chatcmpl", b"chatcmpl-new"))
        yield found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_to_be_rewritten_is_as_it_was_when_the_command_is_interrupted(
    rewriting: Rewriting, number: signal.Signals
) -> None:
    before = files(rewriting.folder)
    process = rewriting.start(WAIT)
    assert len(files(rewriting.folder)) == 2

    process.send_signal(number)
    _, errors = process.communicate(timeout=40)

    assert process.returncode == 128 + number
    assert files(rewriting.folder) == before
    assert "interrupted: what was to be rewritten is as it was" in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_ends_well_when_it_is_told_to_has_done_its_work(
    rewriting: Rewriting, number: signal.Signals
) -> None:
    before = files(rewriting.folder)
    process = rewriting.start(SERVE)

    process.send_signal(number)
    out, _ = process.communicate(timeout=40)

    assert (process.returncode, out) == (0, "stopped 1\n")
    after = files(rewriting.folder)
    assert after.keys() == before.keys()
    assert all(b"chatcmpl-new" in text for text in after.values())


@pytest.mark.parametrize("beyond", ["", "os.setpgid(0, 0)\n"], ids=["told-by-the-terminal", "not-told"])
def test_a_terminals_interrupt_is_passed_on_only_when_it_is_repeated(rewriting: Rewriting, beyond: str) -> None:
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", AT_TERMINAL, *rewriting.lead("rewrite"), CALL + beyond + SERVE],
        env=environment(), stdin=end, stdout=end, stderr=end, start_new_session=True,
    )  # fmt: skip
    os.close(end)

    said = _read_until(terminal, b"called")
    os.write(terminal, b"\x03")
    if beyond:  # in a group of its own the command hears nothing of the terminal
        assert select.select([terminal], [], [], 1.5)[0] == [terminal]
        assert b"stopped" not in os.read(terminal, 1024)  # the echo: ^C
        assert select.select([terminal], [], [], 1.5)[0] == []
        os.write(terminal, b"\x03")
    said += _read_until(terminal, b"stopped")
    status = process.wait(timeout=40)
    os.close(terminal)

    assert b"stopped 1" in said
    assert status == 0
    assert all(name.endswith(".yaml") for name in files(rewriting.folder))


def _read_until(terminal: int, word: bytes) -> bytes:
    said = b""
    while word not in said or not said.endswith(b"\n"):
        said += os.read(terminal, 1024)
    return said


@pytest.mark.parametrize("report", ["none/report.json", "."])
def test_a_report_that_cannot_be_written_is_told_before_the_command_runs(tmp_path: Path, report: str) -> None:
    child = [sys.executable, "-c", "open('ran', 'w').close()"]

    done = setu("replay", "bundled", "--resilience", report, "--", *child, cwd=tmp_path)

    assert done.returncode == 78
    assert f"--resilience: {Path(report)} cannot be written" in done.stderr
    assert not (tmp_path / "ran").exists()


def test_a_replay_needs_no_key_that_the_projects_settings_name(tmp_path: Path) -> None:
    (tmp_path / "setu.toml").write_text(
        '[providers.mine]\ntype = "openai_compatible"\nbase_url = "http://mine.example/v1"\napi_key = "${MINE_KEY}"\n'
    )

    done = setu("replay", "bundled", "--", sys.executable, "-c", "", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
