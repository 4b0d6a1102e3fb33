"""A skipped check that was promised is a failure."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import required

ROOT = Path(__file__).parents[1]
INSIDE = """
import pytest
from tests.needs import needs

def test_inside() -> None:
    needs("corpus", "not set")

@pytest.mark.skipif(True, reason="needs corpus: by mark")
def test_marked() -> None:
    pass

def test_other() -> None:
    pytest.skip("no network")
"""
MODULE = """
from tests.needs import needs
needs("corpus", "not set")
"""


@pytest.mark.parametrize(
    ("reason", "require", "item"),
    [
        ("needs corpus: SETU_CORPUS is not set", "corpus", "corpus"),
        ("Skipped: needs corpus: x", "redis, corpus", "corpus"),
        ("needs redis", "redis", "redis"),
        ("needs corpus: x", "", None),
        ("needs corpus: x", "redis", None),
        ("needs corpuscles: x", "corpus", None),
        ("no corpus", "corpus", None),
    ],
)
def test_only_a_promised_item_is_required(reason: str, require: str, item: str | None) -> None:
    assert required(reason, {"SETU_REQUIRE": require}) == item


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "require", "summary"),
    [
        (INSIDE, "", "3 skipped"),
        (INSIDE, "corpus", "1 failed, 1 skipped, 1 error"),
        (MODULE, "", "1 skipped"),
        (MODULE, "corpus", "1 error"),
    ],
)
def test_a_promised_check_that_skips_fails_the_run(source: str, require: str, summary: str, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", str(tmp_path)]

    env = {"PATH": "", "PYTHONPATH": str(ROOT), "SETU_REQUIRE": require}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    assert summary in done.stdout
    assert (done.returncode != 0) is bool(require) or source == MODULE
