"""Policies: the first rule that fits decides, and the scope of a key only narrows."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.access.caller import ANYBODY, Caller
from setu.access.decide import ALLOWED, Decision, Facts, Rule, Rules, decide, facts_of, fits, permit
from setu.errors import DeniedError
from setu.providers.deployment import Deployment
from setu.providers.record import Provider

FACTS = Facts(
    provider="openai",
    model="gpt-4o",
    alias="fast",
    tenant="acme",
    key="key_1",
    region="eu-west",
    tags=frozenset({"region:eu-west", "tag:gdpr"}),
    tools=frozenset({"search", "delete_all"}),
    modalities=frozenset({"text", "image"}),
)


def changed(**members: Any) -> Facts:
    return msgspec.structs.replace(FACTS, **members)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, True),
        ({"tenants": ("ac*",)}, True),
        ({"tenants": ("globex",)}, False),
        ({"keys": ("key_1",)}, True),
        ({"keys": ("key_2",)}, False),
        ({"models": ("gpt-4*",)}, True),
        ({"models": ("openai/*",)}, True),
        ({"models": ("fast",)}, True),
        ({"models": ("GPT-4*",)}, False),
        ({"providers": ("anthropic", "openai")}, True),
        ({"providers": ("open",)}, False),
        ({"regions": ("eu*",)}, True),
        ({"regions": ("us*",)}, False),
        ({"tenants": ("acme",), "providers": ("anthropic",)}, False),
    ],
)
@pytest.mark.parametrize("effect", ["allow", "deny"])
def test_a_rule_fits_when_all_that_it_names_fits(members: dict[str, Any], expected: bool, effect: Any) -> None:
    assert fits(Rule(effect=effect, **members), FACTS) is expected


@pytest.mark.parametrize(
    ("effect", "tools", "found", "expected"),
    [
        ("deny", ("delete_*",), {"search", "delete_all"}, True),
        ("deny", ("delete_*",), {"search"}, False),
        ("deny", ("*",), set(), False),
        ("allow", ("search",), {"search", "delete_all"}, False),
        ("allow", ("search", "delete_*"), {"search", "delete_all"}, True),
        ("allow", ("*",), set(), False),
        ("deny", ("delete_*",), None, True),
        ("allow", ("*",), None, False),
    ],
)
def test_one_tool_is_enough_to_be_denied_and_all_must_fit_to_be_allowed(
    effect: Any, tools: tuple[str, ...], found: set[str] | None, expected: bool
) -> None:
    facts = changed(tools=None if found is None else frozenset(found), modalities=facts_modalities(found))

    assert fits(Rule(effect=effect, tools=tools), facts) is expected
    assert fits(Rule(effect=effect, modalities=tools), facts) is expected


def facts_modalities(found: set[str] | None) -> frozenset[str] | None:
    return None if found is None else frozenset(found)


def test_without_rules_everything_is_allowed() -> None:
    assert decide(Rules(), FACTS) is ALLOWED


def test_a_denial_says_which_rule_it_was_and_why() -> None:
    rules = Rules((Rule(effect="allow", models=("claude*",)), Rule(effect="deny", reason="no data leaves the EU")))

    found = decide(rules, FACTS)

    assert found == Decision(False, "openai/gpt-4o is denied by policy 2: no data leaves the EU", 2)
    with pytest.raises(DeniedError, match="no data leaves the EU") as raised:
        found.require()
    assert (raised.value.info().status, raised.value.info().code) == (403, "policy_denied")


def test_what_is_allowed_goes_on() -> None:
    ALLOWED.require()


def test_a_rule_for_a_region_does_not_fit_where_none_is_known() -> None:
    rules = Rules((Rule(effect="allow", regions=("eu*",)), Rule(effect="deny", reason="not in the EU")))

    assert decide(rules, FACTS).allowed
    assert not decide(rules, changed(region="")).allowed


@pytest.mark.parametrize(
    ("caller", "why"),
    [
        (Caller(models=("claude*",)), "not for the model 'gpt-4o'"),
        (Caller(providers=("anthropic",)), "not for the provider 'openai'"),
        (Caller(require=frozenset({"region:us", "tag:gdpr"})), "needs region:us, which 'openai' is not"),
    ],
)
def test_the_scope_of_a_key_is_said_when_it_is_left(caller: Caller, why: str) -> None:
    found = permit(Rules(), caller, FACTS)

    assert not found.allowed
    assert why in found.reason


@pytest.mark.parametrize("models", [("gpt-4o",), ("openai/*",), ("fast",), ("claude*", "gpt*")])
def test_a_key_for_a_model_is_for_its_aliases_too(models: tuple[str, ...]) -> None:
    assert permit(Rules(), Caller(models=models, require=frozenset({"region:eu-west"})), FACTS).allowed


@pytest.mark.parametrize(
    ("members", "expected"),
    [({}, False), ({"models": ("m",)}, False), ({"tools": ("t",)}, True), ({"modalities": ("image",)}, True)],
)
def test_only_rules_about_contents_need_the_body_read(members: dict[str, Any], expected: bool) -> None:
    assert Rules((Rule(effect="allow"), Rule(effect="deny", **members))).looks_inside is expected


def test_the_facts_of_a_deployment() -> None:
    provider = Provider(name="openai", base_url="https://host.test", dialects=("openai_chat",))
    deployment = Deployment(
        name="eu", provider=provider, base_url="https://host.test", region="eu-west", tags=frozenset({"gdpr"})
    )

    found = facts_of(deployment, "gpt-4o", Caller(tenant="acme", key="key_1"), tools=frozenset({"t"}))

    assert found == Facts(
        provider="eu",
        model="gpt-4o",
        tenant="acme",
        key="key_1",
        region="eu-west",
        tags=frozenset({"region:eu-west", "tag:gdpr"}),
        tools=frozenset({"t"}),
    )


names = st.sampled_from(["acme", "gpt-4o", "openai", "claude", "eu", "search", ""])
globs = st.lists(st.sampled_from(["*", "acme", "gpt*", "openai", "openai/*", "c*", "e?", "search"]), max_size=2).map(
    tuple
)
insides = st.none() | st.frozensets(names, max_size=3)
facts = st.builds(
    Facts, provider=names, model=names, alias=names, tenant=names, key=names, region=names,
    tags=st.frozensets(names, max_size=2), tools=insides, modalities=insides,
)  # fmt: skip
rules = st.builds(
    Rule, effect=st.sampled_from(["allow", "deny"]), reason=st.just("r"), tenants=globs, keys=globs, models=globs,
    providers=globs, regions=globs, tools=globs, modalities=globs,
)  # fmt: skip
lists = st.lists(rules, max_size=4).map(tuple)
callers = st.builds(Caller, models=globs, providers=globs, require=st.frozensets(names, max_size=2))


@given(lists, lists, facts)
def test_what_an_earlier_rule_denies_no_later_one_allows(
    before: tuple[Rule, ...], after: tuple[Rule, ...], asked: Facts
) -> None:
    first = decide(Rules(before), asked)

    if first.rule is not None:
        assert decide(Rules(before + after), asked) == first


@given(lists, callers, facts)
def test_the_scope_of_a_key_only_narrows(listed: tuple[Rule, ...], caller: Caller, asked: Facts) -> None:
    scoped, free = permit(Rules(listed), caller, asked), permit(Rules(listed), ANYBODY, asked)

    assert free == decide(Rules(listed), asked)
    assert scoped == free or not scoped.allowed


@given(lists, facts)
def test_to_hide_a_body_never_helps(listed: tuple[Rule, ...], asked: Facts) -> None:
    """What is denied by its contents is denied unread, as long as allowing rules ask for no contents, too."""
    plain = tuple(
        rule if rule.effect == "deny" else msgspec.structs.replace(rule, tools=(), modalities=()) for rule in listed
    )
    unread = msgspec.structs.replace(asked, tools=None, modalities=None)

    assert decide(Rules(plain), asked).allowed or not decide(Rules(plain), unread).allowed


@given(lists, callers, facts)
def test_the_same_question_has_the_same_answer(listed: tuple[Rule, ...], caller: Caller, asked: Facts) -> None:
    assert permit(Rules(listed), caller, asked) == permit(Rules(tuple(listed)), caller, asked)
