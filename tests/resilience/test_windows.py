from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.resilience import windows
from setu.resilience.ledger import Limit
from setu.resilience.windows import EMPTY, Window

TEN = Limit(name="requests_per_minute", unit="requests", amount=10, dimension="tenant")
BURST = Limit(name="requests_per_minute", unit="requests", amount=10, burst=4, dimension="tenant")

PAUSES = st.one_of(
    st.just(0.0), st.floats(0.0, 2.0), st.floats(0.0, 70.0), st.sampled_from([0.5, 1.0, 59.5, 60.0, 61.0])
)
STEPS = st.lists(st.tuples(PAUSES, st.integers(1, 14)), max_size=40)
LIMITS = st.builds(
    lambda amount, burst: Limit(name="l", unit="requests", amount=amount, burst=min(amount, burst), dimension="tenant"),
    st.integers(1, 20),
    st.integers(0, 20),
)


def taken(window: Window, now: float, amount: int, limit: Limit) -> Window:
    found = windows.take(window, now, amount, limit)
    assert found is not None
    return found


def granted(steps: list[tuple[float, int]], limit: Limit, start: float = 1000.0) -> list[tuple[float, int]]:
    """The times and amounts that a window grants when asked in these steps."""
    window, now, grants = EMPTY, start, []
    for pause, amount in steps:
        now += pause
        after = windows.take(window, now, amount, limit)
        if after is not None:
            window = after
            grants.append((now, amount))
    return grants


def most_within(grants: list[tuple[float, int]], seconds: float) -> int:
    return max((sum(n for at, n in grants if start <= at < start + seconds) for start, _ in grants), default=0)


def test_a_whole_minute_may_be_used_at_once() -> None:
    window = taken(EMPTY, 1000.0, 10, TEN)

    assert windows.take(window, 1000.0, 1, TEN) is None
    assert windows.left(window, 1000.0, TEN) == 0


def test_room_comes_back_a_second_after_the_minute_at_the_latest() -> None:
    window = taken(EMPTY, 1000.0, 10, TEN)

    assert windows.left(window, 1060.9, TEN) == 0
    assert windows.left(window, 1061.0, TEN) == 10


def test_use_at_the_end_of_a_minute_counts_in_the_next_one() -> None:
    window = taken(EMPTY, 1019.9, 10, TEN)

    assert windows.take(window, 1020.1, 1, TEN) is None


def test_a_burst_is_more_at_once_and_less_in_the_next_minute() -> None:
    window = taken(EMPTY, 1000.0, 14, BURST)

    assert windows.take(window, 1000.0, 1, BURST) is None
    assert windows.left(window, 1061.0, BURST) == 6
    assert windows.left(window, 1121.0, BURST) == 14


def test_a_request_larger_than_the_limit_can_never_fit() -> None:
    assert windows.take(EMPTY, 1000.0, 11, TEN) is None
    assert windows.wait(EMPTY, 1000.0, 11, TEN) == inf
    assert windows.most(BURST) == 14


def test_a_burst_beyond_the_amount_could_not_be_paid_back() -> None:
    wide = Limit(name="l", unit="requests", amount=10, burst=50, dimension="tenant")

    assert windows.most(wide) == 20


def test_a_refund_goes_to_the_second_it_was_taken_in() -> None:
    window = taken(taken(EMPTY, 1000.0, 6, TEN), 1030.0, 4, TEN)

    window = windows.give_back(window, 1000.4, 5)

    assert windows.left(window, 1030.0, TEN) == 5
    assert windows.left(window, 1061.0, TEN) == 6


@pytest.mark.parametrize("when", [1000.0, 999.0, 1061.0])
def test_a_refund_is_never_a_credit(when: float) -> None:
    window = windows.give_back(taken(EMPTY, 1000.0, 3, TEN), when, 100)

    assert windows.left(window, 1061.0, TEN) == 10
    assert windows.left(window, 1000.0, TEN) <= 10


def test_what_was_really_used_may_pass_the_limit_and_then_nothing_is_left() -> None:
    window = windows.add(taken(EMPTY, 1000.0, 10, TEN), 1001.0, 30)

    assert windows.left(window, 1001.0, TEN) == 0
    assert windows.take(window, 1061.5, 1, TEN) is None
    assert windows.left(window, 1062.0, TEN) == 10


def test_a_clock_that_steps_back_forgets_nothing() -> None:
    window = taken(EMPTY, 1000.0, 10, TEN)

    assert windows.take(window, 998.0, 1, TEN) is None


def test_a_clock_that_was_an_hour_ahead_does_not_block_for_an_hour() -> None:
    window = taken(EMPTY, 4600.0, 10, TEN)

    assert windows.left(window, 1000.0, TEN) == 10
    assert taken(window, 1000.0, 10, TEN).slots == (1000,)


def test_the_time_until_whole_is_that_of_the_newest_grant() -> None:
    window = taken(taken(EMPTY, 1000.0, 1, TEN), 1030.0, 1, TEN)

    assert windows.whole(windows.newest(window, 1031.0, TEN), 1031.0, TEN) == 60.0
    assert windows.whole(windows.newest(window, 1100.0, TEN), 1100.0, TEN) == 0.0


@given(STEPS, LIMITS)
@settings(max_examples=100)
def test_no_minute_holds_more_than_the_limit_and_its_burst(steps: list[tuple[float, int]], limit: Limit) -> None:
    grants = granted(steps, limit)

    assert most_within(grants, 60.0) <= limit.amount + limit.burst
    assert most_within(grants, 120.0) <= 2 * limit.amount


@given(STEPS, LIMITS, st.integers(1, 20))
@settings(max_examples=100)
def test_the_wait_that_is_told_is_exact(steps: list[tuple[float, int]], limit: Limit, amount: int) -> None:
    window, now = EMPTY, 1000.0
    for pause, some in steps:
        now += pause
        window = windows.take(window, now, some, limit) or window

    wait = windows.wait(window, now, amount, limit)

    if amount > windows.most(limit):
        assert wait == inf
    else:
        assert windows.take(window, now + wait + 1e-6, amount, limit) is not None
        assert wait <= 121.0
        assert wait == 0.0 or windows.take(window, now + wait - 1e-3, amount, limit) is None


@given(STEPS, LIMITS, st.lists(st.tuples(st.floats(900, 2500), st.integers(1, 50)), max_size=10))
@settings(max_examples=100)
def test_refunds_never_leave_more_than_the_limit(
    steps: list[tuple[float, int]], limit: Limit, refunds: list[tuple[float, int]]
) -> None:
    window, now = EMPTY, 1000.0
    for pause, some in steps:
        now += pause
        window = windows.take(window, now, some, limit) or window

    for when, amount in refunds:
        window = windows.give_back(window, when, amount)

    assert 0 <= windows.left(window, now, limit) <= windows.most(limit)
    assert all(count >= 0 for count in window.counts)
    assert len(window.slots) <= 121
