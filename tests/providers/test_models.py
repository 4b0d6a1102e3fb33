from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu import build
from setu.config.load import parse
from setu.config.model import Config, ProviderConfig
from setu.dialects.record import Facts
from setu.errors import ConfigError
from setu.providers import models


def deployed(name, **section):
    config = Config(providers={name: ProviderConfig(**section)})
    return build.deployments(config, {}, offline_key="k")[name]


@pytest.mark.parametrize(
    ("spelled", "plain"),
    [
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
        ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
        ("openai/gpt-4o-2024-08-06", "gpt-4o"),
        ("accounts/fireworks/models/gpt-oss-120b", "gpt-oss-20b"),
        ("GPT-4o", "gpt-4o"),
        ("models/gemini-2.5-pro", "gemini-2.5-flash"),
    ],
)
def test_a_model_is_known_under_every_host_s_spelling(spelled, plain) -> None:
    assert models.facts(spelled) == models.facts(plain) != Facts()


@pytest.mark.parametrize(
    ("model", "efforts"),
    [
        ("mistral-small-latest", ("none", "high")),
        ("grok-3-mini", ("low", "high")),
        ("grok-4.7", ("low", "medium", "high")),
        ("gpt-oss-20b", ("low", "medium", "high")),
        ("gpt-5", ("minimal", "low", "medium", "high")),
        ("gpt-5.5", ("none", "low", "medium", "high", "xhigh")),
        ("deepseek-v4-pro", ("low", "high", "max")),
        ("gemini-3.8-flash", ("low", "medium", "high")),
        ("gemini-3-flash-preview", ("minimal", "low", "medium", "high")),
        ("zai-org/GLM-5.3", ("low", "high", "max")),
    ],
)
def test_efforts_are_those_the_model_takes(model, efforts) -> None:
    """B-PRM-12."""
    assert models.facts(model).efforts == efforts


def test_newer_claude_takes_neither_sampling_nor_prefill() -> None:
    assert (models.facts("claude-opus-4-7").sampling, models.facts("claude-opus-4-7").prefill) == ("none", False)
    assert models.facts("claude-sonnet-4-5").prefill is True


def test_a_row_that_a_more_general_one_hides_would_be_dead() -> None:
    samples = [pattern.replace("*", "").replace("[-.]", "-").replace("[134]", "3") for pattern, _ in models.TABLE]
    hidden = [
        (pattern, earlier)
        for index, (pattern, _) in enumerate(models.TABLE)
        for earlier, _ in models.TABLE[:index]
        if "[" not in pattern and fnmatchcase(samples[index], earlier)
    ]

    assert hidden == []


@given(st.text())
def test_any_name_has_facts(name) -> None:
    assert isinstance(models.facts(name), Facts)


def test_a_listed_model_of_a_configured_host_has_its_name_s_facts() -> None:
    host = deployed("lmstudio", models=["openai/gpt-oss-20b", "my-own"])

    assert host.facts("openai/gpt-oss-20b") == models.facts("gpt-oss-20b")
    assert host.facts("my-own") == Facts()
    assert host.facts("qwen2.5-vl-7b").vision is True


@pytest.mark.parametrize(
    ("host", "model", "alike"),
    [
        ("openai", "o3-mini", "o3-mini"),
        ("openai", "gpt-5.4-nano", "gpt-5.4-nano"),
        ("openai", "gpt-4o-2024-08-06", "gpt-4o"),
        ("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
    ],
)
def test_a_version_of_a_listed_model_has_the_facts_of_its_own_name(host: str, model: str, alike: str) -> None:
    assert deployed(host).facts(model) == models.facts(alike)


def test_a_version_of_a_model_that_the_host_knows_better_has_the_host_s_facts() -> None:
    assert deployed("ollama").facts("deepseek-r1:8b").thinking == "budget" != models.facts("deepseek-r1:8b").thinking


def test_a_configured_table_wins_and_leaves_the_rest() -> None:
    text = """
    [providers.openai]
    api_key = "k"
    [providers.openai.models."gpt-4o"]
    max_output = 99
    efforts = ["low"]
    [providers.openai.models.local]
    thinking = "none"
    """
    found = build.deployments(parse(text, "setu.toml", {}), {})["openai"]

    assert list(found.models) == ["gpt-4o", "local"]
    assert (found.facts("gpt-4o").max_output, found.facts("gpt-4o").context) == (99, 128_000)
    assert (found.facts("gpt-4o").efforts, found.facts("local").thinking) == (("low",), "none")


def test_a_typo_in_a_model_s_table_is_an_error() -> None:
    with pytest.raises(ConfigError, match="max_outputs"):
        parse('[providers.openai.models."gpt-4o"]\nmax_outputs = 9\n', "setu.toml", {})
