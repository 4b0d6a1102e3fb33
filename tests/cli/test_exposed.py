"""`setu start` where others can reach it, and nobody is asked for a key."""

from pathlib import Path

import pytest

from tests.processes import Serving, setu

SAYS = 'anybody who reaches 0.0.0.0 can spend the keys of its providers: set auth.mode to "keys"'


def test_it_is_said_loudly(tmp_path: Path) -> None:
    with Serving("start", "--host", "0.0.0.0", "--port", "0", cwd=tmp_path, XDG_DATA_HOME=str(tmp_path)) as server:
        pass

    assert f"setu: note: {SAYS}" in server.errors


@pytest.mark.parametrize(("file", "option"), [("strict = true\n", []), ("", ["--strict"])])
def test_strict_refuses(tmp_path: Path, file: str, option: list[str]) -> None:
    (tmp_path / "setu.toml").write_text(file)

    done = setu("start", "--host", "0.0.0.0", "--port", "0", *option, cwd=tmp_path, XDG_DATA_HOME=str(tmp_path))

    assert done.returncode == 78
    assert SAYS in done.stderr


def test_where_keys_are_asked_for_there_is_nothing_to_say(tmp_path: Path) -> None:
    (tmp_path / "setu.toml").write_text('strict = true\n[auth]\nmode = "keys"\nkeys = ["sk-of-the-team"]\n')

    with Serving("start", "--host", "0.0.0.0", "--port", "0", cwd=tmp_path, XDG_DATA_HOME=str(tmp_path)) as server:
        pass

    assert "anybody who reaches" not in server.errors
