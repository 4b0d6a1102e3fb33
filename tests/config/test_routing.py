from collections.abc import Sequence
from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from setu.config.routing import Routing, load_strategies, table_of
from setu.errors import ConfigError
from setu.routing.plan import Ask, Outlook, Target
from setu.routing.policy import Ordered, Policy
from setu.routing.route import route
from setu.routing.rules import Choice, Rule, When
from setu.routing.table import Table
from tests.routing.tables import THREE

DEPLOYMENTS = {each.name: each for each in THREE}


def backwards(targets: Sequence[Target], _ask: Ask, _policy: Policy, _outlook: Outlook) -> Ordered:
    return Ordered(targets=targets[::-1])


NO_FUNCTION = 7


def section(text: str) -> Routing:
    return Routing.model_validate(tomli.loads(text))


def tabled(text: str) -> Table:
    return table_of(section(text), DEPLOYMENTS)


def test_nothing_said_is_the_default_table() -> None:
    assert table_of(Routing(), DEPLOYMENTS) == Table(deployments=DEPLOYMENTS)


def test_every_key_of_setu_s_own_file_counts() -> None:
    by = tabled(
        """
        default_provider = "openrouter"
        strategy = "composite"
        enable_fallback = false
        min_confidence = 0.25
        provider_priorities = ["anthropic", "or"]
        rules = { "openai/*" = "openrouter", "claude-*" = ["anthropic", "openrouter/anthropic/claude-x"] }
        provider_aliases = { or = "openrouter" }
        provider_capabilities = { or = ["tools", "streaming"] }
        model_aliases = { gpt-4 = "openrouter/openai/gpt-4", fast = "gpt-4o" }
        models = { fast = ["gpt-4o-mini", "claude-x"] }
        directives = true
        """
    )

    assert by == Table(
        deployments=DEPLOYMENTS,
        default_provider="openrouter",
        enable_fallback=False,
        min_confidence=0.25,
        priorities=("anthropic", "openrouter"),
        rules=(
            Rule(name="openai/*", when=When(models=("openai/*",)), to=(Choice(to="openrouter"),)),
            Rule(
                name="claude-*",
                when=When(models=("claude-*",)),
                to=(Choice(to="anthropic"), Choice(to="openrouter/anthropic/claude-x")),
            ),
        ),
        provider_aliases={"or": "openrouter"},
        capabilities={"openrouter": frozenset({"tools", "streaming"})},
        aliases={"gpt-4": ("openrouter/openai/gpt-4",), "fast": ("gpt-4o-mini", "claude-x")},
        directives=True,
    )


def test_routes_by_use_case_are_rules_with_their_retries_counted_as_tries() -> None:
    by = tabled(
        """
        [[routes]]
        name = "support_summary"
        match = { use_case = "support_summary" }
        primary = { provider = "openai", model = "gpt-4o-mini" }
        fallbacks = [{ provider = "anthropic", model = "claude-x" }, { provider = "openrouter" }]
        timeout_ms = 10000
        retries = 1
        """
    )

    assert by.routes == (
        Rule(
            name="support_summary",
            when=When(use_case="support_summary"),
            to=(Choice(to="openai/gpt-4o-mini"), Choice(to="anthropic/claude-x"), Choice(to="openrouter")),
            timeout=10.0,
            attempts=2,
            override_model=False,
        ),
    )


def test_the_settings_of_the_policies_have_their_predecessor_s_names_and_defaults() -> None:
    by = tabled(
        """
        strategy = "failover"
        cost_weight = 0.5
        max_latency_threshold = "2500ms"
        primary_provider = "claude"
        backup_providers = ["openai"]
        failover_delay = "1m"
        hedge_after = "300ms"
        weights = { claude = 2, "openai/gpt-4o" = 1 }
        """
    )

    assert by.policy == Policy(
        strategy="failover",
        cost_weight=0.5,
        latency_weight=0.3,
        health_weight=0.1,
        max_latency=2.5,
        primary="anthropic",
        backups=("openai",),
        failover_delay=60.0,
        hedge=0.3,
        weights={"anthropic": 2.0, "openai/gpt-4o": 1.0},
    )


def test_a_rule_has_conditions_shares_and_demands() -> None:
    by = tabled(
        """
        rules = { "*" = "anthropic" }
        [[rule]]
        model = "gpt-*"
        tenant = "acme"
        needs = "vision"
        max_tokens = 8000
        split = { "openai/gpt-4o" = 90, "claude-x" = 10 }
        require = "region:eu"
        mirror = "openrouter"
        timeout = "5s"
        attempts = 3
        [[rule]]
        name = "rest"
        stream = true
        to = "openai/gpt-4o"
        """
    )

    assert by.rules[0] == Rule(
        name="1",
        when=When(models=("gpt-*",), tenant="acme", needs=frozenset({"vision"}), max_tokens=8000),
        to=(Choice(to="openai/gpt-4o", weight=90), Choice(to="claude-x", weight=10)),
        policy="split",
        require=frozenset({"region:eu"}),
        mirror=("openrouter",),
        timeout=5.0,
        attempts=3,
    )
    assert [rule.name for rule in by.rules] == ["1", "rest", "*"]
    assert by.looks_inside


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('rules = { "claude-*" = "antropic" }', "routing.rules.claude-*: 'antropic' is not a configured provider (did you mean 'anthropic'?)"),
        ('rules = { "x" = "antropic/y-z" }', None),  # an id that OpenRouter may serve
        ('[[rule]]\nto = ["openai", "nobody"]', "routing.rule.0: 'nobody' is not a configured provider; there are openai, anthropic, openrouter"),
        ('[[rule]]\nmirror = "nobody"', "routing.rule.0: 'nobody'"),
        ('default_provider = "opnai"', "routing.default_provider: 'opnai' is not a configured provider (did you mean 'openai'?)"),
        ('provider_priorities = ["x"]', "routing.provider_priorities: 'x'"),
        ('provider_aliases = { c = "x" }', "routing.provider_aliases: 'x'"),
        ('provider_capabilities = { x = ["tools"] }', "routing.provider_capabilities: 'x'"),
        ('primary_provider = "x"', "routing.primary_provider: 'x'"),
        ('backup_providers = ["x"]', "routing.backup_providers: 'x'"),
        ('[[routes]]\nname = "r"\nprimary = { provider = "x" }', "routing.routes.0: 'x'"),
        ('strategy = "cost-based"', "routing.strategy: there is no strategy 'cost-based' (did you mean 'cost_based'?)"),
        ('[[rule]]\nto = "openai"\nstrategy = "best"', "routing.rule.0.strategy: there is no strategy 'best'"),
        ('strategy = "tests.config.test_routing:nothing"', "has no attribute 'nothing'"),
        ('strategy = "tests.config.test_routing:NO_FUNCTION"', "not a function"),
    ],
)  # fmt: skip
def test_a_name_that_means_nothing_is_said_with_its_key(text: str, said: str | None) -> None:
    if said is None:
        assert tabled(text)
        return

    with pytest.raises(ConfigError) as caught:
        tabled(text)

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[rule]]\nto = "a"\nsplit = { b = 1 }', "not both"),
        ('[[rule]]\ntenant = "a"', "says where requests go"),
        ('[[rule]]\nrequire = "eu"', "'eu' is no requirement"),
        ('[[rule]]\nrequire = "zone:eu"', "'zone:eu' is no requirement"),
        ("[[rule]]\nsplit = { a = 0, b = 0 }", "one must be above zero"),
        ("weights = { a = -1 }", "must not be negative"),
        ('rules = { "x" = [] }', "'x' needs at least one target"),
        ("min_confidence = 2", "less than or equal to 1"),
        ('startegy = "model"', "Extra inputs"),
        ('[[rule]]\nto = "a"\nneeds = ["smell"]', "'vision'"),
    ],
)
def test_a_section_that_cannot_be_meant_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        section(text)


def test_a_strategy_comes_by_import_string() -> None:
    text = 'strategy = "tests.config.test_routing:backwards"\nmodels = { best = ["gpt-4o", "claude-x"] }'

    plan = route(Ask(model="best"), tabled(text))

    assert load_strategies(section(text)) == {"tests.config.test_routing:backwards": backwards}
    assert plan.first.name == "anthropic/claude-x"


_WORDS = st.sampled_from(["openai", "claude", "gpt-4o", "anthropic/claude-x", "fast", "openrouter/a/b", "a/b"])


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "rules": st.dictionaries(st.sampled_from(["*", "gpt-*", "a/*"]), st.lists(_WORDS, min_size=1, max_size=2)),
            "models": st.dictionaries(st.sampled_from(["fast", "slow"]), st.lists(_WORDS, min_size=1, max_size=2)),
            "strategy": st.sampled_from(["composite", "round_robin", "cost_based", "weighted"]),
            "default_provider": st.sampled_from(["openai", "claude"]),
        },
    )
)
def test_a_table_or_a_clear_refusal_and_nothing_else(said: dict[str, Any]) -> None:
    try:
        by = table_of(Routing.model_validate(said), DEPLOYMENTS)
    except ConfigError:
        return

    assert route(Ask(model="gpt-4o"), by).first.deployment.name in DEPLOYMENTS
