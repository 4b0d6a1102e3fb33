"""Every dependency has a floor that can be tried and a reason that can be read."""

import re
import tomllib
from typing import Any

import pytest

from tests.architecture.tree import ROOT
from tests.floors import floors, pinned

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NAME = re.compile(r"[A-Za-z0-9_.-]+")


def names() -> set[str]:
    """Return the names of everything that pyproject.toml asks for."""
    project = PROJECT["project"]
    lists = [
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    ]
    lines = [line for lines in lists for line in lines if isinstance(line, str)]
    return {found[0] for line in lines if (found := NAME.match(line))}


def test_every_dependency_has_its_reason_in_a_decision() -> None:
    decisions = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "adr").glob("*.md"))

    assert {name for name in names() if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", decisions)} == set()


def test_every_floor_can_be_installed_as_it_stands() -> None:
    found = floors(PROJECT)

    assert len(found) >= len(PROJECT["project"]["dependencies"])
    assert all("==" in line for line in found)


def test_a_floor_keeps_its_marker() -> None:
    assert pinned("uvloop>=0.21; sys_platform != 'win32'") == "uvloop==0.21; sys_platform != 'win32'"


@pytest.mark.parametrize("requirement", ["httpx", "httpx<1", "httpx>=0.28,<1", "httpx==0.28"])
def test_a_requirement_that_is_no_floor_is_refused(requirement: str) -> None:
    with pytest.raises(ValueError, match="is not `name>=version`"):
        pinned(requirement)
