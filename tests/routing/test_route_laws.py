"""Laws of the decision, over tables, asks and outlooks of all kinds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.errors import RouteNotFoundError
from setu.resilience.ledger import Standing
from setu.routing.plan import Ask, Outlook, Plan
from setu.routing.policy import Policy
from setu.routing.route import route
from setu.routing.rules import Choice, Rule, When
from setu.routing.strategies import rotated, usable
from setu.routing.table import Table
from tests.routing.tables import deployment, table


def tried(plan: Plan) -> list[str]:
    return [target.name for target in plan.targets]


def rule(*to: str, **said: Any) -> Rule:
    return Rule(name=said.pop("name", "r"), to=tuple(Choice(to=each) for each in to), **said)


TAGS = ["region:eu", "region:us", "tag:a"]
_MANY = [
    deployment(name, models, families, region=region, tags=tags)
    for name, models, families, region, tags in [
        ("one", ("m", "n"), ("*-x",), "eu", frozenset("a")),
        ("two", ("m",), (), "us", frozenset("a")),
        ("openrouter", ("a/m",), ("*/*",), "eu", frozenset()),
        ("four", (), ("*",), "", frozenset()),
    ]
]
NAMES = st.sampled_from(["m", "n", "one/m", "two/n", "a/m:nitro", "best", "best?seed=3", "loop", "q-x", "or/a/m", "?"])
ASKS = st.builds(
    Ask,
    model=st.none() | NAMES,
    provider=st.none() | st.sampled_from(["one", "two", "or", "openrouter", "nobody"]),
    fallbacks=st.lists(st.sampled_from(["one", "four", "two/m", "best", "or"]), max_size=3).map(tuple),
    strategy=st.none() | st.sampled_from(["round_robin", "cost_based", "weighted", "split", "least_busy", "failover"]),
    directive=st.none() | NAMES,
    use_case=st.none() | st.just("u"),
    tenant=st.sampled_from(["", "acme"]),
    tokens=st.integers(0, 10**6),
    needs=st.frozensets(st.sampled_from(["tools", "vision"])),
    require=st.frozensets(st.sampled_from(TAGS), max_size=2),
    sticky=st.text(max_size=3),
)
TABLES = st.builds(
    lambda **said: table(*_MANY, provider_aliases={"or": "openrouter"}, directives=True, **said),
    aliases=st.just({"best": ("m", "a/m"), "loop": ("loop", "n")}),
    rules=st.lists(
        st.sampled_from(
            [
                rule("two", "one/n", when=When(models=("m",))),
                rule(when=When(tenant="acme"), require=frozenset({"region:eu"}), mirror=("two/m", "one")),
                rule("best", policy="round_robin", when=When(needs=frozenset({"tools"}))),
            ]
        ),
        max_size=3,
    ).map(tuple),
    routes=st.sampled_from(
        [(), (rule("two/m", "one/m", name="u", when=When(use_case="u"), require=frozenset({"tag:a"})),)]
    ),
    policy=st.sampled_from(["composite", "round_robin", "least_latency", "cost_based"]).map(
        lambda name: Policy(strategy=name)
    ),
    default_provider=st.none() | st.just("four"),
    enable_fallback=st.booleans(),
)
OUTLOOKS = st.builds(
    Outlook,
    standing=st.dictionaries(st.sampled_from(["one", "two", "four"]), st.builds(Standing, usable=st.booleans())),
    draw=st.floats(0, 1, exclude_max=True),
)


@given(ASKS, TABLES, OUTLOOKS, st.integers(0, 99))
def test_a_plan_keeps_what_was_required_and_is_the_same_again(ask: Ask, by: Table, outlook: Outlook, turn: int) -> None:
    try:
        plan = route(ask, by, outlook)
    except RouteNotFoundError:
        with pytest.raises(RouteNotFoundError):
            route(ask, by, outlook)
        return

    final = rotated(plan, turn) if plan.rotate else plan
    require = set(ask.require) | (
        {"region:eu"} if any(r.require and not r.to for r in by.rules) and ask.tenant else set()
    )
    assert route(ask, by, outlook) == plan
    assert all(target.deployment.has(tag) for target in (*final.targets, *final.mirrors) for tag in require)
    assert len(set(tried(final))) == len(final.targets) >= 1
    assert by.enable_fallback or len(final.targets) == 1
    usability = [usable(target, outlook) for target in final.targets]
    assert usability == sorted(usability, reverse=True)
    assert plan.reason.isascii()
    assert plan.reason.isprintable()
