"""When the next health check is."""

from hypothesis import given
from hypothesis import strategies as st

from setu.resilience.schedule import due

JITTER = st.floats(0, 1, exclude_max=True)


@given(st.floats(1, 3600), JITTER)
def test_the_first_check_is_soon_but_not_for_all_at_once(interval: float, jitter: float) -> None:
    assert due(100.0, None, interval, jitter) <= interval / 5
    assert due(100.0, None, interval, 0.0) < due(100.0, None, interval, 0.5)


@given(st.floats(1, 3600), JITTER)
def test_checks_are_an_interval_apart_give_or_take_a_tenth(interval: float, jitter: float) -> None:
    wait = due(100.0, 100.0, interval, jitter)

    assert interval * 0.9 - 1e-6 <= wait <= interval * 1.1 + 1e-6


def test_what_a_check_took_is_not_waited_again_and_an_overdue_one_is_now() -> None:
    assert due(104.0, 100.0, 30.0, 0.5) == 26.0
    assert due(500.0, 100.0, 30.0, 0.5) == 0.0
