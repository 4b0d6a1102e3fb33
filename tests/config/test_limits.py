import re
from pathlib import Path

import pytest
import tomli
from pydantic import ValidationError

from setu.config.limits import BreakerConfig, LimitsConfig, Quota, RateLimit, StateConfig, limits_of, policy_of
from setu.config.section import Section
from setu.resilience.breaker import Policy
from setu.resilience.limits import NO_LIMITS

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "limits.md"


def test_an_empty_configuration_has_no_limits() -> None:
    assert limits_of(LimitsConfig(), {"openai": None, "groq": RateLimit()}) is NO_LIMITS


def test_every_table_becomes_limits_of_its_dimension() -> None:
    config = LimitsConfig(
        requests_per_minute=600,
        tenants={"acme": Quota(monthly_usd=50)},
        keys={"k1": Quota(daily_tokens=1000)},
        models={"gpt-*": Quota(tokens_per_minute=90)},
        default_tenant=Quota(concurrency=4),
    )

    limits = limits_of(config, {"openrouter": RateLimit(requests_per_minute=50, burst_size=10)})

    assert [(limit.dimension, limit.name, limit.amount) for limit in (
        *limits.of("gateway", ""), *limits.of("provider", "openrouter"), *limits.of("tenant", "acme"),
        *limits.of("tenant", "other"), *limits.of("key", "k1"), *limits.of("model", "gpt-5"),
    )] == [
        ("gateway", "requests_per_minute", 600),
        ("provider", "requests_per_minute", 50),
        ("tenant", "monthly_usd", 50_000_000_000),
        ("tenant", "concurrency", 4),
        ("key", "daily_tokens", 1000),
        ("model", "tokens_per_minute", 90),
    ]  # fmt: skip
    assert limits.of("provider", "openrouter")[0].burst == 10


def test_the_defaults_of_the_breaker_are_the_policys() -> None:
    assert policy_of(BreakerConfig()) == Policy()
    assert policy_of(BreakerConfig.model_validate({"failures": 3, "open_for": "1m"})) == Policy(
        failures=3, open_for=60.0
    )


@pytest.mark.parametrize("value", [{"burst_size": 5}, {"requests_per_minute": 5, "burst_size": 6}])
def test_a_burst_that_could_not_be_paid_back_is_refused(value: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match="burst_size must not be more than requests_per_minute"):
        RateLimit.model_validate(value)


def test_a_wrong_redis_url_is_refused_without_being_repeated() -> None:
    with pytest.raises(ValidationError) as caught:
        StateConfig.model_validate({"redis_url": "http://user:hunter2@host"})

    said = caught.value.errors()[0]["msg"]
    assert said == "Value error, must begin with redis://, rediss:// or unix://"


@pytest.mark.parametrize("url", ["redis://h:1/0", "rediss://u:p@h", "unix:///run/redis.sock"])
def test_every_form_of_redis_url_is_taken_and_none_is_shown(url: str) -> None:
    config = StateConfig.model_validate({"redis_url": url})

    assert config.redis_url is not None
    assert config.redis_url.get_secret_value() == url
    assert url not in repr(config)


def test_every_table_of_the_guide_is_one() -> None:
    models: dict[str, type[Section]] = {"limits": LimitsConfig, "breaker": BreakerConfig, "state": StateConfig}
    blocks = re.findall(r"^```toml[^\n]*\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    tables = [(name, table) for block in blocks for name, table in tomli.loads(block).items()]

    for name, table in tables:
        if name == "providers":
            [RateLimit.model_validate(provider["rate_limit"]) for provider in table.values()]
        else:
            models[name].model_validate(table)

    assert {name for name, _ in tables} == {"limits", "breaker", "state", "providers"}
