"""The table of the predecessors' features is whole, each row has its test, and the page is up to date."""

import pytest

from setu.config.profiles import PROFILES
from tests.docs.predecessors import PAGE, Original, Row, page, places, table

FEATURES = 49


def test_every_feature_has_one_row_and_a_name_of_its_own() -> None:
    rows = table().row

    assert len({row.test for row in rows}) == len({row.feature for row in rows}) == len(rows) == FEATURES


@pytest.mark.parametrize("row", table().row, ids=lambda row: row.test)
def test_a_feature_has_one_test_of_its_name_or_says_why_not(row: Row) -> None:
    assert len(places().get(row.test, ())) <= 1
    assert (row.test in places()) is (row.later is None)
    assert row.later is None or row.later.startswith("Stage 7. ")
    assert "|" not in "".join((row.feature, *row.had, row.later or ""))


@pytest.mark.parametrize("one", table().original, ids=lambda one: one.profile)
def test_a_predecessor_has_a_profile_and_its_examples_a_file_of_tests(one: Original) -> None:
    assert one.profile in PROFILES
    assert one.test.is_file()


def test_there_are_five_predecessors() -> None:
    assert {one.profile for one in table().original} == set(PROFILES)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.docs.predecessors"
