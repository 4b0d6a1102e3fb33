"""The audit log on a disk: whole after crashes, with many writers, under attack."""

import json
import multiprocessing
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from setu.access.audit import verify, walk
from setu.errors import SetuError
from setu.store.audit import FAILURE, HELD, AuditLog, lines


class Clock:
    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


def events(path: Path) -> list[str]:
    return [json.loads(line)["event"] for line in lines(path)]


def test_entries_follow_on_each_other_also_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "new" / "audit.log"
    AuditLog(path).append("start")
    log = AuditLog(path)
    log.append("reload", "admin-1", ok=True)
    log.append("reload", "admin-1", ok=False)

    assert verify(lines(path)) is None
    assert events(path) == ["start", "reload", "reload"]


def test_it_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "audit.log"
    AuditLog(path).append("start")

    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_what_another_process_wrote_is_built_upon(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    first, second = AuditLog(path), AuditLog(path)
    for log in (first, second, first, second):
        log.append("reload")

    assert walk(lines(path)).head.seq == 4


@pytest.mark.parametrize("torn", [b"{", b'{"seq":2,"ts":"2026', b'{"seq":2,"event":"' + b"x" * 5000])
def test_a_torn_line_is_taken_off_and_told_of(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "audit.log"
    AuditLog(path).append("start")
    with path.open("ab") as file:
        file.write(torn)

    AuditLog(path).append("reload")

    assert verify(lines(path)) is None
    assert events(path) == ["start", "torn", "reload"]
    assert json.loads(list(lines(path))[1])["details"]["bytes"] == len(torn)


def test_a_first_line_that_is_torn_is_told_of_too(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(b'{"seq"')

    AuditLog(path).append("start")

    assert events(path) == ["torn", "start"]


def test_after_a_line_that_is_none_writing_goes_on_and_checking_names_it(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    AuditLog(path).append("start")
    with path.open("ab") as file:
        file.write(b"written by hand\n")
    AuditLog(path).append("reload")

    broken = verify(lines(path))

    assert broken is not None
    assert (broken.line, len(list(lines(path)))) == (2, 3)


def test_of_many_refusals_a_minute_only_some_are_written_and_the_others_counted(tmp_path: Path) -> None:
    path, clock = tmp_path / "audit.log", Clock()
    log = AuditLog(path, failures=3, now=clock)
    for _ in range(100):
        log.note(FAILURE, reason="unknown")
    log.note("reload")
    clock.now += 60
    log.note(FAILURE, reason="unknown")

    assert events(path) == [FAILURE] * 3 + [HELD, "reload", FAILURE]
    assert json.loads(list(lines(path))[3])["details"] == {"count": 97}


def test_those_held_back_are_counted_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(path, failures=1)
    for _ in range(3):
        log.note(FAILURE)
    log.close()
    log.close()

    assert events(path) == [FAILURE, HELD]
    assert json.loads(list(lines(path))[1])["details"] == {"count": 2}


def test_a_file_that_cannot_be_written_stops_no_server_and_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    log = AuditLog(tmp_path / "file" / "audit.log")

    log.note("start")
    log.note("reload")

    assert len(caplog.records) == 1
    assert "audit.log cannot be written" in caplog.text
    with pytest.raises(SetuError, match="cannot be written"):
        log.append("reload")


FULL = """
import resource, sys
from pathlib import Path
from setu.errors import SetuError
from setu.store.audit import AuditLog
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
log = AuditLog(Path(sys.argv[1]))
try:
    for number in range(100):
        log.append("reload", number=number)
except SetuError as error:
    print(error)
"""


def test_a_full_disk_leaves_no_torn_line(tmp_path: Path) -> None:
    """A limit on the size of files does what a full disk does: a write comes back short."""
    path = tmp_path / "audit.log"

    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, check=True)

    assert f"{path} cannot be written: only" in done.stdout
    assert walk(lines(path)).broken is None
    assert path.read_bytes().endswith(b"\n")


def test_a_log_that_is_not_there_is_said_not_to_be(tmp_path: Path) -> None:
    with pytest.raises(SetuError, match=r"none\.log cannot be read"):
        list(lines(tmp_path / "none.log"))


def _write(path: Path, count: int) -> None:
    _append(AuditLog(path), count)


def _append(log: AuditLog, count: int) -> None:
    for number in range(count):
        log.append("reload", number=number)


def test_threads_and_processes_write_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    shared = AuditLog(path)
    context = multiprocessing.get_context("spawn")
    workers: list[threading.Thread | multiprocessing.process.BaseProcess] = [
        context.Process(target=_write, args=(path, 50)) for _ in range(2)
    ]
    workers += [threading.Thread(target=_append, args=(shared, 50)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    verdict = walk(lines(path))

    assert verdict.broken is None
    assert verdict.head.seq == 200
