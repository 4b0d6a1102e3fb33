"""Waits between tries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.resilience.backoff import delay, wait_for
from setu.resilience.outcome import Outcome
from setu.resilience.policy import Retry

RETRY = Retry()
DRAWS = st.floats(0, 1, exclude_max=True)


def failure(retry_after: float | None = None, *, retryable: bool = True) -> Outcome:
    return Outcome(kind="failed", status=429, retryable=retryable, retry_after=retry_after)


@pytest.mark.parametrize(("n", "ceiling"), [(1, 1.0), (2, 2.0), (3, 4.0), (5, 16.0), (6, 30.0), (100_000, 30.0)])
def test_the_ceiling_doubles_up_to_the_maximum(n: int, ceiling: float) -> None:
    assert delay(n, RETRY, 0.5) == ceiling / 2


@given(st.integers(1, 10_000), DRAWS)
def test_a_wait_is_never_negative_nor_above_the_maximum(n: int, draw: float) -> None:
    assert 0 <= delay(n, RETRY, draw) <= RETRY.maximum


def test_jitter_reaches_from_nothing_to_the_ceiling() -> None:
    assert delay(3, RETRY, 0.0) == 0.0
    assert delay(3, RETRY, 0.999) == pytest.approx(3.996)


@given(DRAWS)
def test_what_the_host_asks_for_is_waited_exactly(draw: float) -> None:
    assert wait_for(failure(7.5), 1, RETRY, draw) == 7.5


def test_a_host_that_asks_for_too_long_is_not_waited_for() -> None:
    assert wait_for(failure(30.0), 1, RETRY, 0.5) == 30.0
    assert wait_for(failure(30.1), 1, RETRY, 0.5) is None


def test_what_may_not_be_retried_has_no_wait_even_if_the_host_names_one() -> None:
    assert wait_for(failure(1.0, retryable=False), 1, RETRY, 0.5) is None


def test_without_a_wish_the_wait_is_drawn() -> None:
    assert wait_for(failure(), 2, RETRY, 0.25) == 0.5
