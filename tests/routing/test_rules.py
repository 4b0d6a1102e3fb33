import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.routing.plan import Ask
from setu.routing.rules import When, matches

ASK = Ask(
    model="openai/gpt-4o?seed=1",
    use_case="review",
    tenant="acme",
    key="k1",
    metadata={"team": "red", "floor": "3"},
    needs=frozenset({"tools", "vision"}),
    tokens=500,
    stream=True,
    dialect="anthropic",
)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (When(), True),
        (When(models=("openai/*",)), True),
        (When(models=("gpt-*",)), True),
        (When(models=("claude-*",)), False),
        (When(models=("claude-*", "gpt-4?")), True),
        (When(use_case="review"), True),
        (When(use_case="other"), False),
        (When(tenant="acme", key="k1"), True),
        (When(tenant="acme", key="k2"), False),
        (When(metadata={"team": "red"}), True),
        (When(metadata={"team": "red", "floor": "4"}), False),
        (When(needs=frozenset({"vision"})), True),
        (When(needs=frozenset({"audio"})), False),
        (When(min_tokens=500, max_tokens=500), True),
        (When(min_tokens=501), False),
        (When(max_tokens=499), False),
        (When(stream=True), True),
        (When(stream=False), False),
        (When(dialect="anthropic", operation="chat"), True),
        (When(operation="embed"), False),
    ],
)
def test_a_rule_counts_when_all_it_says_holds(when: When, expected: bool) -> None:
    assert matches(when, ASK) is expected


def test_a_pattern_needs_a_name() -> None:
    assert not matches(When(models=("*",)), Ask(model=None))


def test_a_directive_is_the_name_that_counts() -> None:
    assert matches(When(models=("claude-*",)), Ask(model="gpt-4o", directive="anthropic/claude-x"))


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_tiers_side_by_side_take_every_length_once(tokens: int, border: int) -> None:
    ask = Ask(model="m", tokens=tokens)
    tiers = [When(max_tokens=border), When(min_tokens=border + 1)]

    assert sum(matches(when, ask) for when in tiers) == 1
