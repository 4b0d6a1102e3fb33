"""Limits, budgets, breakers, and where they are kept: `[limits]`, `[breaker]`, `[state]`, `providers.*.rate_limit`."""

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from setu.config.section import Section
from setu.config.units import Seconds
from setu.resilience.breaker import Policy
from setu.resilience.ledger import Dimension
from setu.resilience.limits import NO_LIMITS, Limits, LimitsT, limits_for

_SCHEMES = ("redis", "rediss", "unix")


class RateLimit(Section):
    """Limits of a minute and of calls at once."""

    requests_per_minute: int | None = Field(None, gt=0, description="Requests in any 60 s.")
    burst_size: int = Field(
        0,
        ge=0,
        description="So many requests more at once, paid back in the next minute.",
    )
    tokens_per_minute: int | None = Field(
        None, gt=0, description="Tokens in any 60 s, in and out; an estimate is reserved, the real use counts."
    )
    concurrency: int | None = Field(None, gt=0, description="Requests under way at once.")

    @model_validator(mode="after")
    def _burst_belongs_to_a_rate(self) -> "RateLimit":
        if self.burst_size > (self.requests_per_minute or 0):
            raise ValueError("burst_size must not be more than requests_per_minute: it is paid back in the next minute")
        return self


class Quota(RateLimit):
    """Limits of a minute, and budgets of a day and a month (calendar, UTC)."""

    daily_tokens: int | None = Field(None, gt=0, description="Tokens a day.")
    monthly_tokens: int | None = Field(None, gt=0, description="Tokens a month.")
    daily_usd: float | None = Field(None, gt=0, description="US dollars a day; models without a known price are free.")
    monthly_usd: float | None = Field(None, gt=0, description="US dollars a month.")


class LimitsConfig(Quota):
    """Limits of the whole gateway, and tables for tenants, keys and models."""

    on_error: Literal["allow", "deny"] = Field(
        "allow", description="What happens to requests while Redis cannot be asked: unlimited, or a 503."
    )
    reserve_output: int = Field(
        1024, ge=0, description="Tokens of answer that are reserved, unless a request allows itself fewer."
    )
    default_tenant: Quota = Field(Quota(), description="For each tenant without a table of its own.")
    tenants: dict[str, Quota] = Field({}, description="By tenant; `default` is for requests that name none.")
    keys: dict[str, Quota] = Field({}, description="By the id of a virtual key.")
    models: dict[str, Quota] = Field(
        {}, description="By model, or a pattern such as `gpt-*`: an exact name first, then the first that matches."
    )


class BreakerConfig(Section):
    """When a provider that fails is left alone."""

    enabled: bool = Field(True, description="Whether providers that fail are left alone at all.")
    failures: int = Field(
        5,
        gt=0,
        description="Failures in a row that open a breaker; a 4xx is none.",
    )
    open_for: Seconds = Field(30.0, description="Seconds until one probe may go.")
    probe_timeout: Seconds = Field(60.0, description="Seconds after which a probe of which nothing is heard is lost.")
    error_rate: float | None = Field(
        None, gt=0, le=1, description="A share of failures that opens a breaker as well; none by default."
    )
    minimum: int = Field(20, gt=0, description="Calls in the window before the error rate counts.")
    window: Seconds = Field(60.0, description="Seconds over which the error rate is counted.")


class StateConfig(Section):
    """Where counts and breakers are kept."""

    redis_url: SecretStr | None = Field(
        None, description="A Redis that several workers or machines share; by default each process counts for itself."
    )
    redis_timeout: Seconds = Field(0.25, description="Seconds to wait for Redis before it counts as down.")

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: SecretStr | None) -> SecretStr | None:
        # The message must not repeat the URL: it may hold a password.
        if value is not None and urlsplit(value.get_secret_value()).scheme not in _SCHEMES:
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value


def limits_of(config: LimitsConfig, providers: Mapping[str, RateLimit | None]) -> Limits:
    """Return all limits by subject; `providers` are the providers' own `rate_limit` tables by name."""
    limits = Limits(
        gateway=_limits("gateway", config),
        providers={name: found for name, rate in providers.items() if rate and (found := _limits("provider", rate))},
        tenants={name: _limits("tenant", quota) for name, quota in config.tenants.items()},
        keys={name: _limits("key", quota) for name, quota in config.keys.items()},
        models=tuple((pattern, _limits("model", quota)) for pattern, quota in config.models.items()),
        default_tenant=_limits("tenant", config.default_tenant),
    )
    return NO_LIMITS if limits == NO_LIMITS else limits


def policy_of(config: BreakerConfig) -> Policy:
    """Return the policy of all breakers."""
    return Policy(**config.model_dump())


def _limits(dimension: Dimension, rate: RateLimit) -> LimitsT:
    quota = rate if isinstance(rate, Quota) else Quota()
    return limits_for(
        dimension,
        requests_per_minute=rate.requests_per_minute,
        burst=rate.burst_size,
        tokens_per_minute=rate.tokens_per_minute,
        concurrency=rate.concurrency,
        daily_tokens=quota.daily_tokens,
        monthly_tokens=quota.monthly_tokens,
        daily_usd=quota.daily_usd,
        monthly_usd=quota.monthly_usd,
    )
