"""The page about redaction says what the tables say, and its hook works."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from setu.cassette.redact_names import POINTERS
from setu.cassette.redact_shapes import SHAPES
from tests.cassette.test_redact import SHAPED
from tests.docs.blocks import ROOT, blocks
from tests.docs.redaction import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.docs.redaction"


def test_every_pointer_and_shape_is_on_the_page() -> None:
    text = page()

    assert [each.pointer for each in POINTERS if f"`{each.pointer}`" not in text] == []
    assert [shape.name for shape in SHAPES if shape.name not in text] == []


def hook() -> dict[str, Any]:
    """Return the hook that the page tells to configure."""
    [written] = [yaml.safe_load(block.text) for block in blocks(PAGE) if block.language == "yaml"]
    [repo] = written["repos"]
    assert repo["repo"] == "local"
    [found] = repo["hooks"]
    return dict(found)


def test_the_local_hook_is_the_one_that_the_repository_declares() -> None:
    declared = {each["id"]: each for each in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    ours = hook()

    theirs = declared[ours["id"]]
    assert {name: ours[name] for name in ("id", "name", "entry", "types", "files")} == {
        name: theirs[name] for name in ("id", "name", "entry", "types", "files")
    }
    assert ours["language"] == "system"


@pytest.mark.parametrize(("text", "status"), [(SHAPED["anthropic"], 1), ("nothing of note", 0)])
def test_the_local_hook_stops_a_commit_of_a_secret(tmp_path: Path, text: str, status: int) -> None:
    """Run it as pre-commit does: the entry with the staged files that `files` fits, from the root of the repository."""
    staged = ["cassettes/a.yaml", "setu-misses.jsonl", "notes.md"]
    (tmp_path / "cassettes").mkdir()
    for name in staged:
        (tmp_path / name).write_text(text)
    wanted = [name for name in staged if re.search(hook()["files"], name)]
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

    done = subprocess.run(
        [*hook()["entry"].split(), *wanted],
        cwd=tmp_path, env={**os.environ, "PATH": tools}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert wanted == staged[:2]
    assert done.returncode == status, done.stderr
    assert (SHAPED["anthropic"] in done.stdout + done.stderr, bool(done.stdout)) == (False, bool(status))
