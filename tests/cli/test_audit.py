"""`setu audit`: is the log whole, and what does it say."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from setu.access.audit import GENESIS
from setu.cli.main import app
from setu.store.audit import AuditLog
from tests.processes import setu


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of three lines, where the configuration has it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    written = AuditLog(tmp_path / "setu" / "audit.log")
    written.append("start", host="127.0.0.1")
    written.append("auth_failure", reason="unknown")
    written.append("reload", "admin-1")
    return written.path


def audit(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["audit", *map(str, arguments)])
    return result.exit_code, result.output


def head(log: Path, line: int = -1) -> str:
    found: str = json.loads(log.read_text().splitlines()[line])["hash"]
    return found


def test_a_whole_log_is_said_to_be_whole(log: Path) -> None:
    said = f"{log}: 3 line(s), none broken; head {head(log)}\n"

    assert audit("verify") == audit("verify", log) == (0, said)


def test_a_changed_line_is_named(log: Path) -> None:
    log.write_text(log.read_text().replace("unknown", "expired"))

    assert audit("verify") == (1, f"{log}:2: it was changed: its hash is another\n")


def test_a_line_that_is_gone_is_missed_by_the_next(log: Path) -> None:
    first, _, third = log.read_text().splitlines(keepends=True)
    log.write_text(first + third)

    status, output = audit("verify")

    assert status == 1
    assert output.startswith(f"{log}:2: it does not follow on the line before")


def test_a_log_that_was_cut_no_longer_has_a_hash_that_was_noted(log: Path) -> None:
    noted = head(log)
    whole = audit("verify", "--anchor", noted)
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:2]))

    cut = audit("verify", "--anchor", noted)

    assert whole[0] == 0
    assert cut == (1, f"{log}: no line has the hash {noted}: the log was cut, or written anew\n")
    assert audit("verify", "--anchor", GENESIS)[0] == 0


def test_lines_are_shown_as_people_read_them(log: Path) -> None:
    status, output = audit("show")

    assert status == 0
    assert [line.split("  ", 1)[1] for line in output.splitlines()] == [
        "start  -  host=127.0.0.1",
        "auth_failure  -  reason=unknown",
        "reload  admin-1",
    ]


def test_some_of_them_can_be_asked_for(log: Path) -> None:
    assert [line.split()[1] for line in audit("show", "--last", 2)[1].splitlines()] == ["auth_failure", "reload"]
    assert [line.split()[1] for line in audit("show", "--event", "auth*")[1].splitlines()] == ["auth_failure"]
    assert audit("show", "--json")[1] == log.read_text()


def test_a_broken_line_is_shown_as_one(log: Path) -> None:
    log.write_text(log.read_text().replace("unknown", "expired"))

    assert audit("show")[1].splitlines()[1] == "line 2: it was changed: its hash is another"


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["verify", "none.log"], 1, "none.log cannot be read: No such file"),
        (["show"], 1, "audit.log cannot be read"),
        (["show", "--config", "off.toml"], 78, "audit.enabled is false"),
    ],
)
def test_a_log_that_is_not_there_is_one_sentence(tmp_path: Path, arguments: list[str], status: int, says: str) -> None:
    (tmp_path / "off.toml").write_text("[audit]\nenabled = false\n")

    done = setu("audit", *arguments, cwd=tmp_path, XDG_DATA_HOME=str(tmp_path))

    assert done.returncode == status
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
