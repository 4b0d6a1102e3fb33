"""Files and functions stay small, and no shortcut creeps in."""

import re
from statistics import median

from tests.architecture.tree import ROOT, functions, settings, sources

FILE_LINES = 400
FUNCTION_LINES = 50
MEDIAN_LINES = 10
UNANNOTATED = 13
# Written in pieces so that this file does not find itself.
SHORTCUTS = re.compile(r"mock\." + "patch|Magic" + r"Mock|NotImplemented" + r"Error|#\s*TO" + r"DO\b|#\s*FIX" + "ME")
REASON = re.compile(
    r"#\s*(?:noqa(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?|type:\s*ignore(?:\[[a-z0-9, -]+\])?)[\s#-]+[A-Za-z]"
)


def test_no_file_is_longer_than_the_cap() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources("setu", "tests")}

    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > FILE_LINES} == {}


def test_no_function_is_longer_than_the_cap() -> None:
    long = [found for path in sources("setu", "tests") for found in functions(path) if found.lines > FUNCTION_LINES]

    assert long == []


def test_the_median_function_is_short() -> None:
    lines = [found.lines for path in sources("setu") for found in functions(path)]

    assert median(lines) <= MEDIAN_LINES


def test_there_are_no_patches_stubs_or_promises() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sources("setu", "tests")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if SHORTCUTS.search(line)
    ]

    assert found == []


def test_whatever_is_silenced_has_its_reason_beside_it() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sources("setu", "tests")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"#\s*(?:noqa|type:\s*ignore)\b", line)
        and not REASON.search(line)
        and path.name != "test_sizes.py"
    ]

    assert found == []


def test_the_tests_whose_signatures_go_unchecked_only_get_fewer() -> None:
    """Raise nothing here: a module leaves the list once its functions are annotated."""
    overrides = settings("mypy")["overrides"]
    unannotated = [found["module"] for found in overrides if found.get("disallow_untyped_defs") is False]

    assert sum(map(len, unannotated)) <= UNANNOTATED
