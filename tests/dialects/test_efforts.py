import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.dialects.efforts import BUDGETS, EFFORTS, LADDER, effort_of, nearest


@pytest.mark.parametrize(
    ("effort", "known", "found"),
    [
        ("high", ("low", "high"), "high"),
        ("max", ("low", "high"), "high"),
        ("minimal", ("low", "high"), "low"),
        ("none", ("none", "low"), "none"),
        ("brand_new", ("low",), None),
        ("high", (), None),
        ("high", ("brand_new",), None),
    ],
)
def test_the_nearest_effort_is_the_next_one_down_else_the_least(
    effort: str, known: tuple[str, ...], found: str | None
) -> None:
    assert nearest(effort, known) == found


def test_an_order_without_none_has_no_place_for_it() -> None:
    assert nearest("none", ("low",), LADDER) is None


@given(st.integers(-1, 40_000))
def test_a_budget_means_the_highest_effort_it_pays_for(budget: int) -> None:
    effort = effort_of(budget)

    assert BUDGETS[effort] <= budget or effort == LADDER[0]
    assert all(tokens <= BUDGETS[effort] or tokens > budget for tokens in BUDGETS.values())


@given(st.sampled_from(EFFORTS), st.sets(st.sampled_from(EFFORTS), min_size=1))
def test_the_nearest_effort_is_always_known_and_its_own_nearest(effort: str, known: set[str]) -> None:
    found = nearest(effort, known)

    assert found in known
    assert nearest(str(found), known) == found
