import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.resilience.breaker import CLOSED, Breaker, Policy
from setu.resilience.health import HALF_LIFE, UNKNOWN, Health, standing, update
from setu.resilience.ledger import Result

POLICY = Policy()


def fine(latency: float) -> Result:
    return Result(ok=True, latency=latency, status=200)


FAILED = Result(ok=False, blame=True, latency=0.01)


def test_the_first_latency_is_taken_as_it_is() -> None:
    assert update(UNKNOWN, 1.0, fine(0.4)).latency == 0.4


def test_later_ones_move_the_average() -> None:
    health = update(update(UNKNOWN, 1.0, fine(1.0)), 2.0, fine(2.0))

    assert health.latency == pytest.approx(1.2)


def test_a_quick_failure_does_not_make_a_deployment_look_fast() -> None:
    health = update(update(UNKNOWN, 1.0, fine(1.0)), 2.0, FAILED)

    assert health.latency == 1.0
    assert health.failures == pytest.approx(0.2)


def test_a_clients_own_error_is_no_failure() -> None:
    assert update(UNKNOWN, 1.0, Result(ok=False, status=400)).failures == 0.0


def test_figures_fade_so_that_a_slow_one_gets_another_chance() -> None:
    health = Health(latency=8.0, failures=0.5, at=100.0)

    seen = standing(health, CLOSED, 100.0 + 3 * HALF_LIFE, POLICY)

    assert (seen.latency, seen.failures) == (1.0, 0.0625)


def test_an_open_breaker_is_unusable_until_somebody_has_to_probe() -> None:
    breaker = Breaker(state="open", failures=5, opened_at=100.0)

    assert not standing(UNKNOWN, breaker, 129.0, POLICY).usable
    assert standing(UNKNOWN, breaker, 130.0, POLICY).usable


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from([fine(0.1), fine(5.0), FAILED])), max_size=30))
@settings(max_examples=100)
def test_averages_stay_within_what_was_measured(calls: list[tuple[float, Result]]) -> None:
    health, now = UNKNOWN, 0.0
    for pause, result in calls:
        now += pause
        health = update(health, now, result)

    seen = standing(health, CLOSED, now, POLICY, busy=2)

    assert 0.0 <= seen.failures <= 1.0
    assert seen.latency is None or 0.0999 <= seen.latency <= 5.0001
    assert (seen.usable, seen.busy) == (True, 2)
