"""The oldest versions that pyproject.toml promises, as a requirements file: `python tests/floors.py floors.txt`.

The tox env `lowest` installs them. It imports nothing but the standard library, for it runs where nothing is installed
yet. Every floor is a `>=`, so pip alone can hold a library to it: no resolver of our own, no second list.
"""

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
GROUP = "unit"
"""The dependency group whose tests run without a vendor's SDK: those ask for newer libraries than we do."""

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)>=(?P<floor>[0-9][0-9.]*)(?P<marker>\s*;.+)?")


def pinned(requirement: str) -> str:
    """Return a requirement held to its floor.

    Raises:
        ValueError: it has no floor, or more than a floor.
    """
    found = _REQUIREMENT.fullmatch(requirement)
    if found is None:
        raise ValueError(f"{requirement!r} is not `name>=version`")
    return f"{found['name']}=={found['floor']}{found['marker'] or ''}"


def floors(document: dict[str, Any]) -> list[str]:
    """Return the pinned requirements of a project: its dependencies, its extras, its unit tests' group."""
    project = document["project"]
    extras = [line for lines in project.get("optional-dependencies", {}).values() for line in lines]
    asked = [*project["dependencies"], *extras, *document["dependency-groups"][GROUP]]
    return [pinned(line) for line in asked]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text("\n".join(floors(tomllib.loads(PROJECT.read_text(encoding="utf-8")))) + "\n")
