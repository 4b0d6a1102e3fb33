"""What a test needs beyond the repository, and what happens when it is not there.

A test that lacks something skips and says `needs <item>`. Where the item was promised (`SETU_REQUIRE=corpus,…`) the
skip is a failure: a check that silently stopped running is worse than a red one.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest

_WORD = "needs "


def needs(item: str, why: str) -> NoReturn:
    """Skip the test (or the module that calls this while it is imported) for want of `item`."""
    pytest.skip(f"{_WORD}{item}: {why}", allow_module_level=True)


def folder(item: str, variable: str) -> Path:
    """Return the folder that an environment variable names, or skip for want of `item`."""
    value = os.environ.get(variable)
    if not value:
        needs(item, f"{variable} is not set")
    path = Path(value)
    if not path.is_dir():
        needs(item, f"{variable}={value} is no folder")
    return path


def required(reason: str, environ: Mapping[str, str]) -> str | None:
    """Return the promised item that a skip's reason names, None for any other skip."""
    wanted = {name.strip() for name in environ.get("SETU_REQUIRE", "").split(",") if name.strip()}
    said = reason.removeprefix("Skipped: ")
    if not said.startswith(_WORD):
        return None
    item = said.removeprefix(_WORD).partition(":")[0].strip().split(" ")[0]
    return item if item in wanted else None
