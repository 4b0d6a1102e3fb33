from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.dialects.record import Facts
from setu.errors import RouteNotFoundError
from setu.providers.deployment import Deployment, url
from setu.providers.record import Provider
from setu.routing.plan import Ask, Plan
from setu.routing.policy import Policy
from setu.routing.route import route
from setu.routing.rules import Choice, Rule, When
from setu.routing.table import Table, inspecting, named_deployment


def deployment(name: str, models: tuple[str, ...] = (), families: tuple[str, ...] = ()) -> Deployment:
    provider = Provider(name=name, base_url="https://x.test/v1", dialects=("openai_chat",))
    listed = dict.fromkeys(models, Facts())
    return Deployment(name=name, provider=provider, base_url=provider.base_url, models=listed, families=families)


TABLE = {
    "openai": deployment("openai", ("gpt-4o",), ("gpt-*",)),
    "anthropic": deployment("anthropic", ("claude-x",), ("claude-*",)),
    "openrouter": deployment("openrouter", ("openai/gpt-4o", "openrouter/auto"), ("*/*",)),
}


def resolve(
    model: str | None, named: str | None, deployments: dict[str, Deployment], default: str | None = None
) -> Plan:
    """Route by names alone."""
    return route(Ask(model=model, provider=named), Table(deployments=deployments, default_provider=default))


@pytest.mark.parametrize(
    ("model", "named", "expected"),
    [
        ("gpt-4o", None, ("openai", "gpt-4o", "listed by openai")),
        ("anthropic/claude-x", None, ("anthropic", "claude-x", "prefix anthropic/")),
        ("openai/gpt-4o", None, ("openai", "gpt-4o", "prefix openai/")),
        ("openrouter/openai/gpt-4o", None, ("openrouter", "openai/gpt-4o", "prefix openrouter/")),
        ("openrouter/auto", None, ("openrouter", "openrouter/auto", "prefix openrouter/")),
        ("openrouter/openrouter/auto", None, ("openrouter", "openrouter/auto", "prefix openrouter/")),
        ("deepseek-ai/DeepSeek-R1", None, ("openrouter", "deepseek-ai/DeepSeek-R1", "family by openrouter")),
        ("gpt-99-2031-01-01", None, ("openai", "gpt-99-2031-01-01", "family by openai")),
        ("gpt-4o", "anthropic", ("anthropic", "gpt-4o", "provider anthropic named")),
        ("anthropic/claude-x", "anthropic", ("anthropic", "claude-x", "provider anthropic named")),
    ],
)
def test_the_provider_is_found(model: str, named: str | None, expected: tuple[str, str, str]) -> None:
    plan = resolve(model, named, TABLE)

    assert (plan.deployment.name, plan.model, plan.reason) == expected


def test_an_unknown_model_lists_what_there_is() -> None:
    with pytest.raises(RouteNotFoundError) as caught:
        resolve("mystery", None, TABLE)

    info = caught.value.info()
    assert (info.status, info.code) == (400, "model_not_found")
    assert info.extra["available_models"] == [
        "openai/gpt-4o",
        "anthropic/claude-x",
        "openrouter/openai/gpt-4o",
        "openrouter/openrouter/auto",
    ]


def test_an_unknown_provider_lists_the_names_and_suggests_one() -> None:
    with pytest.raises(RouteNotFoundError, match="did you mean 'anthropic'") as caught:
        resolve("gpt-4o", "antropic", TABLE)

    info = caught.value.info()
    assert (info.status, info.code) == (400, "provider_not_found")
    assert info.extra["available_providers"] == ["anthropic", "openai", "openrouter"]


def test_a_model_no_one_lists_goes_to_the_default() -> None:
    assert resolve("mystery", None, TABLE, "anthropic").deployment.name == "anthropic"


def test_a_provider_is_found_by_another_name_of_its_own() -> None:
    assert named_deployment("claude", TABLE).name == "anthropic"
    assert named_deployment("or", TABLE, {"or": "openrouter"}).name == "openrouter"
    assert named_deployment("openai", TABLE).name == "openai"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, False),
        ({"aliases": {"a": ("gpt-4o",)}}, False),
        ({"aliases": {"a": ("gpt-4o", "claude-x")}}, True),
        ({"aliases": {"a": ("gpt-4o", "claude-x")}, "enable_fallback": False}, False),
        ({"rules": (Rule(name="r", when=When(tenant="t"), to=(Choice(to="openai"),)),)}, False),
        ({"rules": (Rule(name="r", when=When(needs=frozenset({"tools"})), to=(Choice(to="openai"),)),)}, True),
        ({"rules": (Rule(name="r", policy="split"),)}, True),
        ({"policy": Policy(strategy="cost_based"), "enable_fallback": False}, True),
        ({"policy": Policy(strategy="somebody:strategy"), "enable_fallback": False}, True),
    ],
)
def test_bodies_are_looked_into_only_where_it_may_matter(said: dict[str, Any], expected: bool) -> None:
    assert inspecting(Table(deployments=TABLE, **said)).looks_inside is expected


def test_two_that_serve_one_model_are_told_apart_by_what_they_can_do() -> None:
    both = {"a": deployment("a", ("m",)), "b": deployment("b", (), ("m*",))}

    assert inspecting(Table(deployments=both)).looks_inside


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ("region:eu", True),
        ("region:us", False),
        ("region:", False),
        ("tag:gdpr", True),
        ("tag:eu", False),
        ("eu", False),
    ],
)
def test_a_deployment_has_its_region_and_its_tags(requirement: str, expected: bool) -> None:
    provider = Provider(name="p", base_url="https://x.test", dialects=("openai_chat",))
    there = Deployment(name="p", provider=provider, base_url="https://x.test", region="eu", tags=frozenset({"gdpr"}))

    assert there.has(requirement) is expected


def test_a_single_host_without_a_list_takes_every_model() -> None:
    assert resolve("llama3:8b", None, {"local": deployment("local")}).model == "llama3:8b"


@given(st.text(max_size=30) | st.none(), st.text(max_size=12) | st.none())
def test_a_plan_or_a_refusal_and_nothing_else(model: str | None, named: str | None) -> None:
    try:
        plan = resolve(model, named, TABLE)
    except RouteNotFoundError:
        return

    assert plan.deployment.name in TABLE


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ("https://api.openai.com/v1", "/v1/chat/completions", "https://api.openai.com/v1/chat/completions"),
        ("https://api.openai.com/v1", "/chat/completions", "https://api.openai.com/v1/chat/completions"),
        ("https://openrouter.ai/api/v1/", "/v1/chat/completions", "https://openrouter.ai/api/v1/chat/completions"),
        ("https://api.anthropic.com", "/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("http://[::1]:8080", "/v1beta/models/x:generateContent", "http://[::1]:8080/v1beta/models/x:generateContent"),
    ],
)
def test_an_endpoint_says_its_version_once(base: str, path: str, expected: str) -> None:
    provider = Provider(name="p", base_url=base, dialects=("openai_chat",))
    origin, full = url(Deployment(name="p", provider=provider, base_url=base), path)

    assert origin + full == expected
