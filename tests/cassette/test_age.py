from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.age import Expiry, age_of, aged, judge, parse_age, too_old
from setu.cassette.model import Interaction, Recording
from setu.errors import CassetteError, ConfigError
from tests.cassette.samples import interaction

TODAY = date(2026, 11, 20)


def of(recorded: str) -> Interaction:
    return msgspec.structs.replace(interaction(recording=Recording(recorded=recorded)), place=f"{recorded}.yaml:3")


@pytest.mark.parametrize(("text", "days"), [("30d", 30), ("30", 30), ("8w", 56), ("1y", 365), ("0d", 0)])
def test_an_age_is_a_number_of_days_weeks_or_years(text: str, days: int) -> None:
    assert parse_age(text) == days


@pytest.mark.parametrize("text", ["", "d", "-3d", "3m", "1.5d", "٣d", "9999999d"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no age"):
        parse_age(text)


def test_a_recording_is_too_old_from_the_day_after() -> None:
    assert aged(of("2026-10-21"), 30, TODAY) == []
    [drift] = aged(of("2026-10-20"), 30, TODAY, "error")
    assert (drift.level, drift.pointer) == ("error", "recorded")
    assert drift.message == "recorded 2026-10-20, 31 days ago; 30 are allowed"


@pytest.mark.parametrize("recorded", ["", "yesterday", "2026-13-01"])
def test_what_has_no_date_has_no_age(recorded: str) -> None:
    assert age_of(of(recorded), TODAY) is None
    assert aged(of(recorded), 0, TODAY) == []
    assert too_old([of(recorded)], 0, TODAY) is None


def test_of_a_cassette_the_oldest_is_named() -> None:
    found = too_old([of("2026-11-20"), of("2025-11-20"), of("2026-01-01"), of("")], 30, TODAY)

    assert found == "2 of 4 recordings are older than 30 days: 2025-11-20.yaml:3 was recorded 365 days ago"


def test_what_is_too_old_is_told_or_refused() -> None:
    old = [of("2020-01-01")]

    assert judge(Expiry(30), [of("2026-11-20")], TODAY) is None
    assert "the recording is older than 30 days" in str(judge(Expiry(30), old, TODAY))
    with pytest.raises(CassetteError, match=r"2020-01-01.yaml:3 was recorded 2515 days ago; record again"):
        judge(Expiry(30, "fail"), old, TODAY)


@given(st.integers(0, 20_000), st.integers(0, 20_000))
def test_a_recording_of_so_many_days_is_too_old_exactly_when_fewer_are_allowed(age: int, allowed: int) -> None:
    recorded = (TODAY - timedelta(days=age)).isoformat()

    assert bool(aged(of(recorded), allowed, TODAY)) == (age > allowed)
