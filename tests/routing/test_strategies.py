from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.resilience.ledger import Standing
from setu.routing.plan import Ask, Outlook, Plan, Price, Target
from setu.routing.policy import Ordered, Policy
from setu.routing.strategies import STRATEGIES, in_order, position, rotated, usable
from tests.routing.tables import deployment

A, B, C = (Target(deployment=deployment(name), model="m") for name in "abc")
KEYLESS = Target(deployment=deployment("d", key=None), model="m")
ASK = Ask(model="m", tokens=1000, max_tokens=100)


def names(strategy: str, targets: Sequence[Target] = (A, B, C), ask: Ask = ASK, **said: Any) -> str:
    """Return the order as the deployments' one-letter names; `said` are the policy's and the outlook's fields."""
    outlook = Outlook(**{key: said[key] for key in said.keys() & set(Outlook.__struct_fields__)})
    policy = Policy(**{key: said[key] for key in said.keys() & set(Policy.__struct_fields__)})
    return "".join(
        each.deployment.name for each in in_order(STRATEGIES[strategy], targets, ask, policy, outlook).targets
    )


def standing(**latencies: float) -> dict[str, Standing]:
    return {name: Standing(latency=latency) for name, latency in latencies.items()}


@pytest.mark.parametrize("strategy", ["composite", "model", "provider", "priority", "round_robin"])
def test_the_base_order_is_kept(strategy: str) -> None:
    assert names(strategy, (C, A, B)) == "cab"


def test_the_fastest_leads_and_who_was_never_measured_is_measured() -> None:
    assert names("least_latency", standing=standing(a=2.0, b=0.5)) == "cba"


def test_the_least_busy_leads_by_its_weight() -> None:
    busy = {"a": Standing(busy=4), "b": Standing(busy=3), "c": Standing(busy=9)}

    assert names("least_busy", standing=busy) == "bac"
    assert names("least_busy", standing=busy, weights={"c": 10.0}) == "cba"


PRICES = {"a/m": Price(input=100, output=100), "b/m": Price(input=10, output=10), "c/m": Price(input=50, output=50)}


def test_the_cheapest_leads() -> None:
    assert names("cost_based", prices=PRICES) == "bca"


def test_latency_outweighs_cost_when_it_is_told_to() -> None:
    said: dict[str, Any] = {"prices": PRICES, "standing": standing(a=0.1, b=4.0, c=1.0)}

    assert names("cost_based", **said) == "bca"
    assert names("cost_based", **said, cost_weight=0.1, latency_weight=0.9) == "acb"


def test_failures_count() -> None:
    assert names("cost_based", standing={"a": Standing(failures=0.5)}) == "bca"


def test_the_slow_one_is_the_last_resort_and_stays_one() -> None:
    assert names("cost_based", prices=PRICES, standing=standing(b=5.1)) == "cab"
    assert names("cost_based", prices=PRICES, standing=standing(a=9, b=9, c=9)) == "bca"


def test_an_unknown_price_counts_as_the_highest() -> None:
    assert names("cost_based", prices={"b/m": PRICES["b/m"], "c/m": PRICES["c/m"]}) == "bac"


def test_equal_scores_keep_the_order_of_priority() -> None:
    assert names("cost_based", (B, C, A)) == "bca"


def test_scores_are_told() -> None:
    ordered = in_order(STRATEGIES["cost_based"], (A, B), ASK, Policy(), Outlook(prices=PRICES))

    assert ordered.scores == {"a/m": 0.6, "b/m": 0.0}


def test_the_length_of_the_answer_counts() -> None:
    prices = {"a/m": Price(input=1, output=50), "b/m": Price(input=10, output=10)}

    assert names("cost_based", (A, B), msgspec.structs.replace(ASK, max_tokens=10), prices=prices) == "ab"
    assert names("cost_based", (A, B), msgspec.structs.replace(ASK, max_tokens=1000), prices=prices) == "ba"


def test_the_primary_leads_and_the_backups_follow_in_order() -> None:
    assert names("failover", primary="c", backups=("b",)) == "cba"


def test_a_primary_that_came_back_waits() -> None:
    back = {"c": Standing(since=100.0)}

    assert names("failover", primary="c", backups=("b",), standing=back, now=129.0) == "bca"
    assert names("failover", primary="c", backups=("b",), standing=back, now=130.0) == "cba"


def test_without_a_primary_the_first_is_it() -> None:
    assert names("failover", standing={"a": Standing(usable=False)}) == "bca"


def test_a_user_stays_on_one_side_and_two_splits_do_not_go_together() -> None:
    sides = {
        (names("split", (A, B), Ask(model="m", sticky=f"u{n}"), salt=salt), salt, n) for salt in "xy" for n in range(64)
    }
    again = {
        (names("split", (A, B), Ask(model="m", sticky=f"u{n}"), salt=salt), salt, n) for salt in "xy" for n in range(64)
    }
    x = {n for side, salt, n in sides if side == "ab" and salt == "x"}
    y = {n for side, salt, n in sides if side == "ab" and salt == "y"}

    assert sides == again
    assert x != y


@given(st.integers(0, 100))
def test_a_split_gives_each_side_its_share(share: int) -> None:
    weights = {"a": float(share), "b": float(100 - share)}
    users = 400

    led = sum(names("split", (A, B), Ask(model="m", sticky=str(n)), weights=weights)[0] == "a" for n in range(users))

    assert abs(led / users - share / 100) < 0.1


def test_a_position_is_the_same_for_ever() -> None:
    """It is stored nowhere: a change would move every user to another side."""
    assert position("experiment", "user-1") == pytest.approx(0.800594103964, abs=1e-9)


def test_nobody_in_particular_is_drawn() -> None:
    assert names("split", (A, B), draw=0.0, weights={"a": 1.0, "b": 1.0}) == "ab"
    assert names("split", (A, B), draw=0.99, weights={"a": 1.0, "b": 1.0}) == "ba"


@given(st.lists(st.integers(0, 9), min_size=3, max_size=3).filter(any))
def test_weights_are_honoured(weights: list[int]) -> None:
    """Over evenly spread draws each target leads exactly as often as its weight says."""
    said = dict(zip("abc", map(float, weights), strict=True))
    draws = 10 * sum(weights)

    leads = Counter(names("weighted", draw=(n + 0.5) / draws, weights=said)[0] for n in range(draws))

    assert [leads[name] for name in "abc"] == [10 * weight for weight in weights]


def test_a_deployment_s_own_weight_counts_where_the_policy_has_none() -> None:
    heavy = Target(deployment=deployment("h", weight=3.0), model="m")

    leads = Counter(names("weighted", (A, heavy), draw=(n + 0.5) / 100)[0] for n in range(100))

    assert leads == {"a": 25, "h": 75}


def test_no_weight_at_all_is_still_an_order() -> None:
    assert names("weighted", weights={"a": 0.0, "b": 0.0, "c": 0.0}) == "abc"


def test_whoever_has_no_key_is_not_usable() -> None:
    assert not usable(KEYLESS, Outlook())
    assert names("priority", (KEYLESS, A)) == "ad"


@given(st.integers(1, 6), st.integers(0, 5), st.integers(0, 10**9))
def test_round_robin_visits_each_equally_and_leaves_the_others_behind(ring: int, behind: int, start: int) -> None:
    targets = tuple(Target(deployment=deployment(f"p{n}"), model="m") for n in range(ring + behind))
    plan = Plan(targets=targets, reason="r", rotate="c", ring=ring)

    turns = [rotated(plan, start + n) for n in range(3 * ring)]

    assert Counter(turn.first.name for turn in turns) == {target.name: 3 for target in targets[:ring]}
    assert all(turn.targets[ring:] == targets[ring:] for turn in turns)
    assert {frozenset(target.name for target in turn.targets) for turn in turns} == {frozenset(t.name for t in targets)}


def test_a_turn_of_a_plan_without_fallback_is_one_target() -> None:
    plan = Plan(targets=(A, B), reason="r", rotate="c", ring=2, alone=True)

    assert [rotated(plan, turn).targets for turn in range(3)] == [(A,), (B,), (A,)]


OUTLOOKS = st.builds(
    Outlook,
    standing=st.dictionaries(
        st.sampled_from("abcd"),
        st.builds(
            Standing,
            usable=st.booleans(),
            latency=st.none() | st.floats(0, 20),
            failures=st.floats(0, 1),
            busy=st.integers(0, 50),
            since=st.none() | st.floats(0, 1000),
        ),
    ),
    prices=st.dictionaries(
        st.sampled_from(["a/m", "b/m", "c/m"]),
        st.builds(Price, input=st.floats(0, 1e6), output=st.floats(0, 1e6)),
    ),
    draw=st.floats(0, 1, exclude_max=True),
    now=st.floats(0, 1000),
)
POLICIES = st.builds(
    Policy,
    weights=st.dictionaries(st.sampled_from([*"abcd", "a/m"]), st.floats(0, 1e6)),
    max_latency=st.none() | st.floats(0.1, 20),
    primary=st.none() | st.sampled_from("abcz"),
    backups=st.lists(st.sampled_from("abcz"), max_size=3).map(tuple),
    salt=st.text(max_size=3),
)
TARGETS = st.permutations([A, B, C, KEYLESS]).flatmap(lambda all_of: st.integers(1, 4).map(lambda n: all_of[:n]))


@given(st.sampled_from(sorted(STRATEGIES)), TARGETS, POLICIES, OUTLOOKS, st.text(max_size=4))
def test_no_strategy_loses_a_target_or_puts_an_unusable_one_first(
    strategy: str, targets: list[Target], policy: Policy, outlook: Outlook, sticky: str
) -> None:
    ask = Ask(model="m", tokens=10, sticky=sticky)

    ordered = in_order(STRATEGIES[strategy], targets, ask, policy, outlook).targets

    assert sorted(each.name for each in ordered) == sorted(each.name for each in targets)
    if len(targets) > 1:
        assert [usable(each, outlook) for each in ordered] == sorted(
            (usable(each, outlook) for each in ordered), reverse=True
        )
    assert in_order(STRATEGIES[strategy], targets, ask, policy, outlook).targets == ordered


def test_a_foreign_strategy_cannot_add_or_lose_targets() -> None:
    def odd(targets: Sequence[Target], _ask: Ask, _policy: Policy, _outlook: Outlook) -> Ordered:
        return Ordered(targets=[KEYLESS, targets[2], targets[2]])

    ordered = in_order(odd, (A, B, C), ASK, Policy(), Outlook())

    assert [each.deployment.name for each in ordered.targets] == ["c", "a", "b"]
