from email.utils import formatdate, parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.httpdate import format_date, parse_date


@given(st.integers(0, 4_000_000_000))
def test_dates_are_written_as_everybody_writes_them(seconds) -> None:
    text = format_date(seconds + 0.9)

    assert text == formatdate(seconds, usegmt=True)
    assert parse_date(text) == seconds == parsedate_to_datetime(text).timestamp()


@pytest.mark.parametrize(
    "text",
    ["", "soon", "7", "Fri, 20 Now 2026 09:00:07 GMT", "Fri, 31 Feb 2026 09:00:07 GMT", "Fri, 20 Nov 2026 09:00:07"],
)
def test_what_is_no_date_has_no_time(text) -> None:
    assert parse_date(text) is None
