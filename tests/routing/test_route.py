from typing import Any

import msgspec
import pytest

from setu.errors import RouteNotFoundError
from setu.resilience.ledger import Standing
from setu.routing.plan import Ask, Outlook, Plan, Target
from setu.routing.policy import Ordered, Policy
from setu.routing.route import required, route
from setu.routing.rules import Choice, Rule, When
from setu.routing.strategies import rotated
from setu.routing.table import Table
from tests.routing.tables import ANTHROPIC, OPENAI, OPENROUTER, THREE, deployment, table


def tried(plan: Plan) -> list[str]:
    return [target.name for target in plan.targets]


def rule(*to: str, **said: Any) -> Rule:
    return Rule(name=said.pop("name", "r"), to=tuple(Choice(to=each) for each in to), **said)


FULL = table(
    *(deployment(name, (f"{name}-own",)) for name in ("p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8")),
    deployment("listed", ("m", "smart", "p4/m")),
    directives=True,
    aliases={"smart": ("p3/m",)},
    rules=(rule("p5/m", when=When(models=("m",)), name="five"),),
    routes=(rule("p6/m", name="six", when=When(use_case="u"), override_model=True),),
    default_provider="p8",
)
NO_RULES = msgspec.structs.replace(FULL, rules=())
NO_ROUTES = msgspec.structs.replace(NO_RULES, routes=())


@pytest.mark.parametrize(
    ("ask", "by", "expected"),
    [
        (
            Ask(model="smart", provider="p1", named_by="x-setu-provider", directive="p2/m", use_case="u"),
            FULL,
            "p1/smart",
        ),
        (Ask(model="smart", directive="p2/m", use_case="u"), FULL, "p2/m"),
        (Ask(model="smart", use_case="u"), FULL, "p3/m"),
        (Ask(model="p4/m", use_case="u"), FULL, "p4/m"),
        (Ask(model="m", use_case="u"), FULL, "p5/m"),
        (Ask(model="m", use_case="u"), NO_RULES, "p6/m"),
        (Ask(model="m", use_case="u"), NO_ROUTES, "listed/m"),
        (Ask(model="mystery"), NO_ROUTES, "p8/mystery"),
    ],
    ids=["named", "directive", "alias", "prefix", "rule", "use case", "policy", "default"],
)
def test_whoever_comes_first_decides(ask: Ask, by: Table, expected: str) -> None:
    assert route(ask, by).first.name == expected


@pytest.mark.parametrize(
    ("ask", "reason", "confidence"),
    [
        (Ask(model="m", provider="p1", named_by="query"), "provider p1 named by query", 1.0),
        (Ask(model="m", directive="p2/m"), "directive p2/m", 1.0),
        (Ask(model="smart?seed=1"), "alias smart", 0.9),
        (Ask(model="p7/m"), "prefix p7/", 1.0),
        (Ask(model="m"), "rule five", 0.9),
        (Ask(model="zz", use_case="u"), "route six", 0.9),
        (Ask(model="p1-own"), "listed by p1", 0.9),
        (Ask(model="zz"), "default provider", 0.5),
    ],
)
def test_the_reason_says_who_decided(ask: Ask, reason: str, confidence: float) -> None:
    plan = route(ask, FULL)

    assert (plan.reason, plan.confidence) == (reason, confidence)


def test_a_comment_that_names_nothing_is_no_directive() -> None:
    assert route(Ask(model="p1-own", directive="generated"), FULL).reason == "listed by p1"


def test_an_alias_has_its_targets_in_order_and_goes_on_to_further_ones() -> None:
    by = table(*THREE, aliases={"best": ("fast", "anthropic/claude-x"), "fast": ("openai/gpt-4o-mini?seed=1",)})

    plan = route(Ask(model="best"), by)

    assert tried(plan) == ["openai/gpt-4o-mini", "anthropic/claude-x"]
    assert [dict(target.options) for target in plan.targets] == [{"seed": 1}, {}]


def test_settings_behind_an_alias_go_to_all_of_its_targets() -> None:
    by = table(*THREE, aliases={"best": ("openai/gpt-4o?seed=1", "claude-x")})

    plan = route(Ask(model="best?temperature=0"), by)

    assert [dict(target.options) for target in plan.targets] == [{"seed": 1, "temperature": 0}, {"temperature": 0}]


def test_in_a_circle_a_name_means_itself() -> None:
    by = table(*THREE, aliases={"gpt-4o": ("gpt-4o", "claude-x"), "x": ("y",), "y": ("x",)})

    assert tried(route(Ask(model="gpt-4o"), by)) == ["openai/gpt-4o", "anthropic/claude-x"]
    with pytest.raises(RouteNotFoundError, match="Model 'x' not found"):
        route(Ask(model="x"), by)


def test_a_named_provider_takes_its_own_part_of_an_alias() -> None:
    by = table(*THREE, aliases={"best": ("openai/gpt-4o", "anthropic/claude-x")})

    assert tried(route(Ask(model="best", provider="anthropic"), by)) == ["anthropic/claude-x"]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude/claude-x", "anthropic/claude-x"),
        ("google/gemma-2", "openrouter/google/gemma-2"),
        ("openai/gpt-4o", "openrouter/openai/gpt-4o"),
        ("openai/gpt-9", "openrouter/openai/gpt-9"),
    ],
)
def test_names_of_providers_that_are_not_configured_mean_those_that_are(model: str, expected: str) -> None:
    by = table(ANTHROPIC, OPENROUTER, deployment("gemini", ("gemini-x",), ("gemini-*",)))

    assert route(Ask(model=model), by).first.name == expected


def test_openrouter_asked_in_openai_s_stead_is_given_its_own_name_of_the_model() -> None:
    by = table(ANTHROPIC, OPENROUTER)

    plan = route(Ask(model="gpt-4o", provider="openai"), by)

    assert (plan.first.name, plan.confidence) == ("openrouter/openai/gpt-4o", 0.95)


def test_a_configured_alias_is_a_prefix() -> None:
    by = table(*THREE, provider_aliases={"or": "openrouter"})

    assert route(Ask(model="or/a/b:nitro"), by).first == Target(
        deployment=OPENROUTER, model="a/b", members={"provider": b'{"sort":"throughput"}'}
    )


def test_priorities_order_those_that_serve_a_model() -> None:
    one, two, three = (deployment(name, ("m",)) for name in ("one", "two", "three"))
    urgent = deployment("urgent", ("m",), priority=1)
    family = deployment("family", (), ("*",))

    assert tried(route(Ask(model="m"), table(family, one, two))) == ["one/m", "two/m", "family/m"]
    assert tried(route(Ask(model="m"), table(one, two, three, priorities=("three", "two")))) == [
        "three/m",
        "two/m",
        "one/m",
    ]
    assert tried(route(Ask(model="m"), table(one, urgent))) == ["urgent/m", "one/m"]


def test_fallbacks_are_providers_or_model_strings_and_come_last() -> None:
    ask = Ask(model="gpt-4o", provider="openai", fallbacks=("openrouter", "anthropic/claude-x", "openai"))

    assert tried(route(ask, table(*THREE))) == ["openai/gpt-4o", "openrouter/openai/gpt-4o", "anthropic/claude-x"]


def test_a_fallback_gets_the_model_that_the_alias_has_for_it() -> None:
    by = table(*THREE, aliases={"best": ("openai/gpt-4o", "anthropic/claude-x")}, enable_fallback=True)

    assert tried(route(Ask(model="best", provider="openai", fallbacks=("anthropic",)), by)) == [
        "openai/gpt-4o",
        "anthropic/claude-x",
    ]


def test_an_unknown_fallback_is_refused() -> None:
    with pytest.raises(RouteNotFoundError, match="Fallback 'nobody'") as caught:
        route(Ask(model="gpt-4o", fallbacks=("nobody",)), table(*THREE))

    assert caught.value.code == "provider_not_found"


def test_without_fallback_one_target_is_tried() -> None:
    by = table(*THREE, aliases={"best": ("gpt-4o", "claude-x")}, enable_fallback=False)
    down = Outlook(standing={"openai": Standing(usable=False)})

    assert tried(route(Ask(model="best", fallbacks=("openrouter",)), by)) == ["openai/gpt-4o"]
    assert tried(route(Ask(model="best"), by, down)) == ["anthropic/claude-x"]


def test_the_client_s_strategy_chooses_among_fallbacks_too() -> None:
    ask = Ask(model="gpt-4o", provider="openai", fallbacks=("openrouter",), strategy="round_robin")

    plan = route(ask, table(*THREE))

    assert (plan.rotate, plan.ring) == ("round_robin:openai/gpt-4o:openrouter/openai/gpt-4o", 2)
    assert rotated(plan, 1).first.deployment is OPENROUTER
    assert plan.reason == "provider openai named, round_robin"


def test_one_usable_target_has_nobody_to_take_turns_with() -> None:
    by = table(*THREE, aliases={"best": ("gpt-4o", "claude-x")}, policy=Policy(strategy="round_robin"))
    down = Outlook(standing={"openai": Standing(usable=False)})

    plan = route(Ask(model="best"), by, down)

    assert (plan.rotate, tried(plan)) == (None, ["anthropic/claude-x", "openai/gpt-4o"])


def test_a_client_cannot_invent_counters() -> None:
    one, two = deployment("one", (), ("*",)), deployment("two", (), ("*",))
    by = table(one, two, policy=Policy(strategy="round_robin"))

    assert {route(Ask(model=f"m{n}"), by).rotate for n in range(9)} == {"round_robin:one:two"}


def test_an_unknown_strategy_is_refused_with_the_names() -> None:
    with pytest.raises(RouteNotFoundError, match="Strategy 'best' does not exist") as caught:
        route(Ask(model="gpt-4o", strategy="best"), table(*THREE))

    assert (caught.value.code, "split" in str(caught.value.extra)) == ("unknown_strategy", True)


def test_a_strategy_by_import_string_is_handed_in() -> None:
    def last(targets: Any, _ask: Ask, _policy: Policy, _outlook: Outlook) -> Ordered:
        return Ordered(targets=targets[::-1])

    by = table(*THREE, aliases={"best": ("gpt-4o", "claude-x")}, strategies={"a:last": last})
    by = msgspec.structs.replace(by, policy=Policy(strategy="a:last"))

    assert tried(route(Ask(model="best"), by)) == ["anthropic/claude-x", "openai/gpt-4o"]


def test_where_to_look_is_a_strategy() -> None:
    by_model = table(*THREE, default_provider="anthropic", policy=Policy(strategy="model"))
    by_provider = table(*THREE, default_provider="anthropic", policy=Policy(strategy="provider"))

    assert route(Ask(model="gpt-4o"), by_provider).first.name == "anthropic/gpt-4o"
    with pytest.raises(RouteNotFoundError, match="Model 'mystery'"):
        route(Ask(model="mystery"), by_model)


def test_below_the_least_confidence_nothing_is_chosen() -> None:
    by = table(*THREE, default_provider="anthropic", min_confidence=0.8)

    assert route(Ask(model="gpt-4o"), by).confidence == 0.9
    with pytest.raises(RouteNotFoundError):
        route(Ask(model="gpt-9"), by)


EU = deployment("eu", ("m",), region="eu", tags=frozenset({"gdpr"}))
US = deployment("us", ("m",), region="us")


def test_what_is_required_holds_for_every_target() -> None:
    by = table(US, EU)

    assert tried(route(Ask(model="m"), by)) == ["us/m", "eu/m"]
    assert tried(route(Ask(model="m", require=frozenset({"region:eu", "tag:gdpr"})), by)) == ["eu/m"]


@pytest.mark.parametrize("ask", [Ask(model="m", provider="us"), Ask(model="us/m", fallbacks=("us",))])
def test_nobody_leaves_the_region_by_naming_a_provider(ask: Ask) -> None:
    by = table(US, EU, rules=(rule(require=frozenset({"region:eu"})),))

    with pytest.raises(RouteNotFoundError, match="has region:eu") as caught:
        route(ask, by)

    assert (caught.value.code, caught.value.status) == ("no_eligible_provider", 400)


def test_what_is_required_can_be_asked_without_a_plan() -> None:
    by = table(US, EU, rules=(rule(require=frozenset({"region:eu"}), when=When(tenant="acme")),))

    assert required(Ask(model=None, tenant="acme", require=frozenset({"tag:a"})), by) == {"region:eu", "tag:a"}
    assert required(Ask(model=None), by) == frozenset()


def test_a_copy_does_not_leave_the_region_either() -> None:
    by = table(
        US,
        EU,
        deployment("eu2", ("m",), region="eu"),
        rules=(rule(mirror=("us/m", "eu2"), require=frozenset({"region:eu"})),),
    )

    plan = route(Ask(model="m"), by)

    assert (tried(plan), [mirror.name for mirror in plan.mirrors]) == (["eu/m", "eu2/m"], ["eu2/m"])


def test_a_rule_without_a_target_shapes_what_others_chose() -> None:
    by = table(US, EU, rules=(rule(timeout=3.0, when=When(tenant="acme")), rule(attempts=2)))

    assert {(target.timeout, target.attempts) for target in route(Ask(model="m", tenant="acme"), by).targets} == {
        (3.0, 2)
    }
    assert route(Ask(model="m"), by).first.timeout is None


def test_a_rule_to_a_provider_keeps_the_model() -> None:
    by = table(ANTHROPIC, OPENROUTER, rules=(rule("openrouter", when=When(models=("openai/*",))),))

    assert route(Ask(model="openai/gpt-4"), by).first.name == "openrouter/openai/gpt-4"


def test_content_tiers_choose_by_length_and_by_need() -> None:
    tiers = (
        rule("openai/gpt-4o", when=When(needs=frozenset({"vision"})), name="pictures"),
        rule("openai/gpt-4o-mini", when=When(max_tokens=1000), name="short"),
        rule("anthropic/claude-x", name="long"),
    )
    by = table(*THREE, rules=tiers)

    assert route(Ask(model="auto", tokens=10), by).first.name == "openai/gpt-4o-mini"
    assert route(Ask(model="auto", tokens=1001), by).first.name == "anthropic/claude-x"
    assert route(Ask(model="auto", needs=frozenset({"vision", "tools"})), by).first.name == "openai/gpt-4o"


def test_a_split_keeps_a_user_and_falls_back_to_the_other_side() -> None:
    sides = (Choice(to="openai/gpt-4o", weight=90), Choice(to="anthropic/claude-x", weight=10))
    by = table(*THREE, rules=(Rule(name="ab", to=sides, policy="split"),))

    plans = [route(Ask(model="auto", sticky=f"user{n}"), by) for n in range(500)]

    assert 425 < sum(plan.deployment is OPENAI for plan in plans) < 475
    assert all(len(plan.targets) == 2 for plan in plans)
    assert plans[0].reason == "rule ab, split"


def test_a_side_of_several_providers_has_one_share() -> None:
    twin = deployment("twin", ("gpt-4o",))
    sides = (Choice(to="gpt-4o", weight=50), Choice(to="claude-x", weight=50))
    by = table(OPENAI, twin, ANTHROPIC, rules=(Rule(name="ab", to=sides, policy="split"),))

    plans = [route(Ask(model="auto", sticky=f"user{n}"), by) for n in range(300)]

    assert 120 < sum(plan.deployment is ANTHROPIC for plan in plans) < 180
    assert not any(plan.deployment is twin for plan in plans)


ROUTES = (
    rule(
        "openai/gpt-4o-mini",
        "anthropic/claude-x",
        name="support",
        when=When(use_case="support"),
        timeout=10.0,
        attempts=2,
        override_model=False,
    ),
    rule("anthropic/claude-x", name="default", override_model=False),
)


def test_a_use_case_has_its_route() -> None:
    plan = route(Ask(model=None, use_case="support"), table(*THREE, routes=ROUTES))

    assert (tried(plan), plan.reason) == (["openai/gpt-4o-mini", "anthropic/claude-x"], "route support")
    assert {(target.timeout, target.attempts) for target in plan.targets} == {(10.0, 2)}


def test_a_model_that_is_named_goes_to_those_of_the_route_that_serve_it() -> None:
    by = table(*THREE, routes=ROUTES)

    assert tried(route(Ask(model="claude-9", use_case="support"), by)) == ["anthropic/claude-9"]
    assert tried(route(Ask(model="a/b", use_case="support"), by)) == ["openrouter/a/b"]


def test_the_default_route_takes_what_names_no_model_or_everything() -> None:
    by = table(*THREE, routes=ROUTES)
    always = msgspec.structs.replace(
        by, default_route="always", routes=(msgspec.structs.replace(ROUTES[1], override_model=True),)
    )

    backwards = table(*THREE, routes=ROUTES[::-1])

    assert route(Ask(model=None, use_case="other"), by).reason == "route default"
    assert route(Ask(model=None, use_case="support"), backwards).reason == "route support"
    assert route(Ask(model="gpt-4o"), by).reason == "listed by openai"
    assert route(Ask(model="gpt-4o"), always).first.name == "anthropic/claude-x"


def test_no_model_and_no_route_is_said() -> None:
    with pytest.raises(RouteNotFoundError, match="names no model") as caught:
        route(Ask(model=None), table(*THREE))

    assert caught.value.code == "model_required"


def test_hedging_needs_a_second_target() -> None:
    by = table(US, EU, policy=Policy(hedge=0.5))

    assert route(Ask(model="m"), by).hedge == 0.5
    assert route(Ask(model="us/m"), by).hedge is None


def test_a_reason_fits_into_a_header_field() -> None:
    by = table(*THREE, aliases={"größe\r\n": ("gpt-4o",), "x" * 999: ("gpt-4o",)})

    assert route(Ask(model="größe\r\n"), by).reason == "alias gr??e??"
    assert len(route(Ask(model="x" * 999), by).reason) == 160
