"""Files in which calls wait: whole lines only, private, and gone once they were taken."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.signals import Call
from setu.store.spill import Spill, encode
from tests.processes import environment
from tests.store.calls import ANY_CALL, call, calls, lines


def drained(spill: Spill) -> list[Call]:
    return [each for chunk in spill.drain() for each in chunk]


def test_what_was_appended_is_drained_and_the_file_goes(tmp_path: Path) -> None:
    spill = Spill(tmp_path)
    sent = calls(1234)
    spill.append(sent[:1000])
    spill.append(sent[1000:], sync=False)

    assert spill.appended == 1234
    assert drained(spill) == sent
    assert list(tmp_path.iterdir()) == []
    assert not spill.waiting


def test_a_drain_that_is_broken_off_starts_again(tmp_path: Path) -> None:
    spill = Spill(tmp_path)
    sent = calls(700)
    spill.append(sent)
    first = spill.drain()
    next(first)
    del first

    assert spill.waiting
    assert drained(spill) == sent


def test_calls_that_come_during_a_drain_wait_for_the_next_one(tmp_path: Path) -> None:
    spill = Spill(tmp_path)
    old, new = calls(2)
    spill.append([old])
    seen = []
    for chunk in spill.drain():
        spill.append([new])
        seen += chunk

    assert seen == [old]
    assert drained(spill) == [new]


def test_a_file_is_for_its_owner_only(tmp_path: Path) -> None:
    spill = Spill(tmp_path / "a" / "b")
    spill.append(calls(1))

    [file] = (tmp_path / "a" / "b").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    spill.close()


def test_another_ones_file_is_taken_only_after_its_end(tmp_path: Path) -> None:
    one, other = Spill(tmp_path), Spill(tmp_path)
    one.append(calls(3))

    assert other.left_over()
    assert drained(other) == []
    one.close()
    assert len(drained(other)) == 3
    assert not other.left_over()


def test_a_line_that_was_torn_is_put_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = call()
    (tmp_path / "usage-1-dead.jsonl").write_bytes(encode(call())[:40] + b"\n" + encode(whole) + b'\n{"id":"cut')

    assert drained(Spill(tmp_path)) == [whole]
    assert (tmp_path / "unreadable.jsonl").read_bytes().count(b"\n") == 2
    assert "2 usage row(s) cannot be read" in caplog.text


def test_a_full_disk_leaves_whole_lines_only(tmp_path: Path) -> None:
    """A limit on the size of files fails as a full disk does: first a part is written, then nothing."""
    script = f"""
import resource, signal
from pathlib import Path
from setu.store.spill import Spill
from tests.store.calls import calls
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
spill, kept = Spill(Path({str(tmp_path)!r})), 0
try:
    while True:
        spill.append(calls(3))
        kept += 3
except OSError as error:
    print(kept, spill.appended, error.strerror)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[2],
        env=environment(), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    kept, appended, why = done.stdout.split(maxsplit=2)
    assert int(kept) == int(appended) == len(lines(tmp_path)) > 0
    assert why == "File too large\n"


def test_calls_that_were_refused_are_kept_apart(tmp_path: Path) -> None:
    spill = Spill(tmp_path)
    spill.reject(calls(2))

    assert len((tmp_path / "rejected.jsonl").read_bytes().splitlines()) == 2
    assert drained(spill) == []


@given(ANY_CALL | st.builds(call, request_id=st.text(st.characters(categories=["Cs"]), min_size=1)))
def test_any_call_is_one_line(one: Call) -> None:
    line = encode(one)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
