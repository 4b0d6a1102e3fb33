"""The table of breakages is whole, true to the scenarios, and up to date."""

import re

import pytest

from tests.docs.blocks import ROOT
from tests.docs.breakages import PAGE, ROWS, SCENARIOS, Row, coverage, is_own, page, rows

TABLE = {name: row for area in rows().values() for name, row in area.items()}
LATER: frozenset[str] = frozenset()
"""Rows that wait for a feature that is not built yet."""


def test_every_known_breakage_has_one_row() -> None:
    assert len(TABLE) == sum(map(len, rows().values())) == ROWS
    assert all(re.fullmatch(r"[A-Z]{3,4}-[0-9]{2}", name) for name in TABLE)


def test_a_scenario_covers_only_rows_that_there_are() -> None:
    assert sorted(coverage().keys() - TABLE.keys()) == []


@pytest.mark.parametrize(("name", "row"), TABLE.items(), ids=TABLE)
def test_a_row_without_a_scenario_says_why(name: str, row: Row) -> None:
    if not coverage_of(name):
        assert row.state is not None
        assert row.reason is not None
    assert (row.state is None) is (row.reason is None)
    assert (row.state == "tested") is (row.test is not None)
    assert row.test is None or (ROOT / row.test).is_file()


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.state is None and name not in LATER])
def test_a_row_has_a_scenario_of_its_own_name(name: str) -> None:
    assert (SCENARIOS / f"B-{name}.yaml").is_file()
    assert _COVERED[name][0].id == f"B-{name}"


def test_a_row_without_a_scenario_is_later_or_has_a_reason() -> None:
    without = {name for name in TABLE if not any(is_own(one, name) for one in _COVERED.get(name, []))}

    assert without - LATER == {name for name, row in TABLE.items() if row.state in {"tested", "absent"}}
    assert {name for name, row in TABLE.items() if row.state == "later"} <= LATER


@pytest.mark.parametrize(("name", "row"), TABLE.items(), ids=TABLE)
def test_a_row_is_one_sentence_in_a_table(name: str, row: Row) -> None:
    for text in (row.does, row.reason):
        assert text is None or (text.endswith(".") and "|" not in text and "\n" not in text)


def coverage_of(name: str) -> bool:
    return name in _COVERED


_COVERED = coverage()


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.docs.breakages"
