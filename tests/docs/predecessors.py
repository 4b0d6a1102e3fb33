"""docs/reference/predecessors.md from the table of features and the tests; `python -m tests.docs.predecessors` writes it.

A feature's test is called after it: `test_post_v1_chat_completions` for `POST /v1/chat/completions`.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec
import tomli

from setu.config.profiles import PROFILES
from tests.docs.blocks import ROOT

DATA = Path(__file__).with_name("predecessors.toml")
PAGE = ROOT / "docs" / "reference" / "predecessors.md"
TESTS = ROOT / "tests" / "e2e" / "predecessors"

_HEAD = """# The five gateways before this one

Setu replaces five earlier gateways, and serves the users of them all. `setu start --profile NAME` has the port, the defaults and the environment variables of one of them; the examples of its README run against it in a test.

"""
_FEATURES = """
## Feature by feature

What each of them had (● works, ◐ partly or with errors, ○ only claimed, – not claimed; as of the version whose README its users know), and the test that shows it at work in Setu: against a real server, mostly a started `setu` process, with an upstream whose every answer the test decides. The test is called after the feature.

"""


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One feature: what each predecessor had of it, and why it has no test yet if it has none."""

    feature: str
    had: tuple[str, str, str, str, str]
    later: str | None = None

    @property
    def test(self) -> str:
        """The name that its test must have."""
        return "test_" + re.sub(r"[^a-z0-9]+", "_", self.feature.lower()).strip("_")


class Original(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One predecessor, the profile that serves its users, and what they should know of it."""

    number: str
    name: str
    profile: str
    was: str
    notes: tuple[str, ...]

    @property
    def test(self) -> Path:
        """The file of tests that runs its README's examples."""
        return TESTS / f"test_seed_{self.number}.py"


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    row: tuple[Row, ...]
    original: tuple[Original, ...]


@cache
def table() -> Table:
    return msgspec.convert(tomli.loads(DATA.read_text(encoding="utf-8")), Table)


@cache
def places() -> Mapping[str, tuple[str, ...]]:
    """Return where each test of the folder is, by its name."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(TESTS.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found[node.name] = (*found.get(node.name, ()), path.relative_to(ROOT).as_posix())
    return found


def page() -> str:
    """Write the whole page."""
    return "".join(f"{line}\n" for line in (*_originals(), *_profiles(), *_features()))


def _originals() -> Iterator[str]:
    yield _HEAD + "| | gateway | what it was | profile | its README's examples |"
    yield "|---|---|---|---|---|"
    for one in table().original:
        path = one.test.relative_to(ROOT).as_posix()
        yield f"| {one.number} | {one.name} | {one.was} | `{one.profile}` | [{one.test.name}](../../{path}) |"


def _profiles() -> Iterator[str]:
    """Say what is special under each profile; the port and the variables are the profile's own data."""
    for one in table().original:
        profile = PROFILES[one.profile]
        port = profile.defaults.get("server", {}).get("port", 3742)
        variables = [*profile.legacy, *profile.files, *profile.aliases]
        yield f"\n### {one.name}: `--profile {one.profile}`\n"
        yield f"- It listens on port {port}, at 127.0.0.1 unless told otherwise."
        if variables:
            yield f"- Its variables are read: {', '.join(f'`{name}`' for name in variables)}."
        if profile.prefix is not None:
            yield f"- `{profile.prefix}…` is read for every key of the configuration, as `SETU_…` is."
        yield from (f"- {note}" for note in one.notes)


def _features() -> Iterator[str]:
    working = Counter(row.test in places() for row in table().row)
    told = f"{len(table().row)} features: {working[True]} working"
    told += f", {working[False]} to come." if working[False] else "."
    yield f"{_FEATURES}{told}\n"
    yield "| feature | 000 | 001 | 002 | 003 | 004 | test | status |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in table().row:
        yield f"| {row.feature} | {' | '.join(row.had)} | {' | '.join(_proof(row))} |".replace("*", r"\*")


def _proof(row: Row) -> tuple[str, str]:
    found = places().get(row.test, ())
    if not found:
        return "", row.later or "unproved"
    return f"[{row.test.removeprefix('test_')}](../../{found[0]})", "working"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
