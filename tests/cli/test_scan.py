"""`setu cassettes scan`, alone and as the hook that other repositories install."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from setu.cassette.serialize import HEADER, render_block
from setu.cli.main import app
from tests.architecture.tree import ROOT
from tests.cassette.samples import interaction, talk
from tests.cassette.test_redact import SHAPED

KEY = SHAPED["anthropic"]
CLEAN = HEADER + render_block(interaction(asked=talk("hello")))
LEAKY = HEADER + render_block(interaction(asked=talk(KEY)))

# https://pre-commit.com/#creating-new-hooks (2026-11-20)
FIELDS = {
    "id", "name", "entry", "language", "files", "exclude", "types", "types_or", "exclude_types", "always_run",
    "fail_fast", "verbose", "pass_filenames", "require_serial", "description", "language_version",
    "minimum_pre_commit_version", "args", "stages", "additional_dependencies",
}  # fmt: skip


def scan(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["cassettes", "scan", *map(str, arguments)])
    return result.exit_code, result.output


def hooks() -> dict[str, dict[str, Any]]:
    found = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    return {hook["id"]: hook for hook in found}


def test_a_clean_directory_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(CLEAN)

    assert scan(tmp_path) == (0, "")


def test_a_hit_is_named_with_file_and_line_and_never_with_the_secret(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "a.yaml"
    file.parent.mkdir()
    file.write_text(LEAKY)

    status, output = scan(tmp_path)

    assert status == 1
    line = next(number for number, text in enumerate(LEAKY.splitlines(), 1) if KEY in text)
    assert output == f"{file}:{line}: sk- key in request.body:/messages/0/content\n"


def test_json_is_one_document(tmp_path: Path) -> None:
    (tmp_path / "setu-misses.jsonl").write_text(json.dumps({"request": {"body": KEY}}) + "\n")

    status, output = scan(tmp_path, "--json")

    assert status == 1
    assert json.loads(output) == [
        {
            "file": str(tmp_path / "setu-misses.jsonl"),
            "line": 1,
            "where": "/request/body",
            "kind": "sk- key",
            "guess": False,
        }
    ]


def test_a_damaged_cassette_and_bytes_that_are_no_text_are_searched_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(LEAKY[:-40])
    (tmp_path / "b.json").write_bytes(b"\xff\xfe " + KEY.encode())

    status, output = scan(tmp_path)

    assert status == 1
    assert output.count("sk- key") == 2


def test_a_value_of_the_environment_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "nothing-to-see-here")
    (tmp_path / "a.txt").write_text("it is nothing-to-see-here\n")

    assert scan(tmp_path / "a.txt") == (1, f"{tmp_path / 'a.txt'}:1: a known secret\n")


def test_guesses_are_optional(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("DB_PASSWORD=Zq7-plain-credential-7f3d2b\n")

    assert scan(tmp_path)[0] == 1
    assert scan(tmp_path, "--no-entropy") == (0, "")


def test_what_is_not_there_is_an_error() -> None:
    result = CliRunner().invoke(app, ["cassettes", "scan", "no-such-directory"])

    assert result.exception is not None


def test_the_bundled_cassettes_are_clean() -> None:
    assert scan(ROOT / "cassettes") == (0, "")


def test_the_hooks_have_the_fields_that_pre_commit_knows() -> None:
    assert set(hooks()) == {"setu-cassettes", "setu-cassettes-fmt"}
    for hook in hooks().values():
        assert hook.keys() <= FIELDS
        assert {"id", "name", "entry", "language"} <= hook.keys()


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("tests/cassettes/a.yaml", {"setu-cassettes", "setu-cassettes-fmt"}),
        ("cassettes/deep/a.yml", {"setu-cassettes", "setu-cassettes-fmt"}),
        ("setu-misses.jsonl", {"setu-cassettes"}),
        ("src/config.yaml", set()),
    ],
)
def test_the_hooks_take_the_files_that_they_are_for(path: str, wanted: set[str]) -> None:
    assert {name for name, hook in hooks().items() if re.search(hook["files"], path)} == wanted


@pytest.mark.parametrize(("text", "status"), [(CLEAN, 0), (LEAKY, 1)])
def test_the_hooks_command_judges_the_files_it_is_given(tmp_path: Path, text: str, status: int) -> None:
    file = tmp_path / "cassettes" / "a.yaml"
    file.parent.mkdir()
    file.write_text(text)
    entry = hooks()["setu-cassettes"]["entry"].split()

    result = subprocess.run(
        [sys.executable, "-m", *entry, str(file)], capture_output=True, text=True, check=False, cwd=tmp_path
    )

    assert result.returncode == status
    assert KEY not in result.stdout + result.stderr
