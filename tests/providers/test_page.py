"""What the rows say of their own sources, and the page that repeats it."""

from datetime import date

import pytest

from setu.providers import lookup
from tests.providers.page import PAGE, page

each = pytest.mark.parametrize("name", lookup.BUILT_IN)


def test_the_page_is_what_the_rows_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.providers.page"


@each
def test_a_row_was_read_from_its_source_or_says_what_is_unconfirmed(name: str) -> None:
    provider = lookup.find(name)

    assert provider.read or provider.unconfirmed
    assert not provider.read or date.fromisoformat(provider.read) <= date.today()  # noqa: DTZ011 - a day is a day


@each
def test_what_is_unconfirmed_is_said_in_words_that_fit_a_table(name: str) -> None:
    for fact in lookup.find(name).unconfirmed:
        assert fact == fact.strip(" .") != ""
        assert "|" not in fact
        assert "\n" not in fact
