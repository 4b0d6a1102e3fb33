"""What the pages say is true: their blocks run, their links lead somewhere, their tree is the tree."""

import re
from collections import Counter
from pathlib import Path

import pytest

import setu
from tests.docs.blocks import ROOT, Block, anchors, blocks, links, name_of, pages
from tests.docs.session import Session
from tests.docs.tree import drawing, drawn

ALLOWED = Path(__file__).with_name("no_run.txt")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_block_of_a_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    with Session(tmp_path) as session:
        for block in blocks(page):
            if block.reason is None:
                session.prove(block)


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_script_of_a_page_is_run_by_a_command(page: Path) -> None:
    found = list(blocks(page))
    scripts = {block: found[at:] for at, block in enumerate(found) if block.language == "python" and block.file}

    assert [
        block.file for block, later in scripts.items() if not any(_runs(each, str(block.file)) for each in later)
    ] == []


def _runs(block: Block, script: str) -> bool:
    collected = script.startswith(("test_", "conftest"))
    runner = r"^\$ .*\b(?:pytest|unittest)\b" if collected else rf"^\$ .*\b{re.escape(script)}\b"
    return block.language == "console" and re.search(runner, block.text, re.MULTILINE) is not None


def test_the_blocks_that_do_not_run_are_those_on_the_list() -> None:
    """A new entry is a promise broken; an entry that is no longer needed must go."""
    tagged = Counter(f"{name_of(page)}: {block.reason}" for page in pages() for block in blocks(page) if block.reason)
    allowed = Counter(ALLOWED.read_text(encoding="utf-8").splitlines())
    print(f"blocks that do not run: {sum(tagged.values())}", *sorted(tagged.elements()), sep="\n  ")

    assert sorted((tagged - allowed).elements()) == [], "not on the list"
    assert sorted((allowed - tagged).elements()) == [], "on the list without need"


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [target for target in links(page) if not _leads(page, target)]

    assert broken == []


def _leads(page: Path, target: str) -> bool:
    if target.startswith(("https://", "http://", "mailto:")):
        return True
    path, _, anchor = target.partition("#")
    goal = (page.parent / path).resolve() if path else page
    return goal.exists() and (not anchor or anchor in anchors(goal))


def test_the_architecture_page_draws_the_tree_as_it_is() -> None:
    assert drawn() == drawing(), "run: python -m tests.docs.tree"


def test_the_architecture_page_is_short() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

    assert len(page.replace(drawn(), "").splitlines()) <= 60


def test_every_decision_is_one_page_with_its_three_parts() -> None:
    for page in sorted((ROOT / "docs" / "adr").glob("[0-9]*.md")):
        text = page.read_text(encoding="utf-8")

        assert [part for part in ("## Context", "## Decision", "## Consequences") if part not in text] == [], page.name
        assert len(text.splitlines()) <= 60, page.name


def test_the_release_notes_know_the_version() -> None:
    notes = (ROOT / "docs" / "release-notes.md").read_text(encoding="utf-8")

    assert f"## [{setu.__version__}]" in notes
