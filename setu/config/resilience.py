"""Retries, deadlines, hedging, health checks: for all providers in `[resilience]`, for one in its own table."""

from typing import Any

from pydantic import Field, SecretStr, field_validator

from setu.config.section import Section
from setu.config.units import Seconds
from setu.errors import ErrorKind
from setu.resilience.policy import HealthCheck, Hedge, Resilience, Retry, Timeouts

_KINDS = tuple(kind.value for kind in ErrorKind)


class RetryConfig(Section):
    """How often a provider is tried before the next one is."""

    max_attempts: int | None = Field(None, ge=1, le=20, description="Tries in all, the first one counted [default: 3].")
    initial_interval: Seconds | None = Field(None, description="The longest first wait [default: 1s].")
    max_interval: Seconds | None = Field(None, description="The longest wait of all [default: 30s].")
    multiplier: float | None = Field(None, ge=1, le=10, description="What each wait grows by [default: 2].")
    max_wait: Seconds | None = Field(
        None, description="The longest wait that a host may ask for; beyond it the next one is asked [default: 30s]."
    )
    statuses: tuple[int, ...] | None = Field(
        None, description="The answers that are retried [default: 408, 429 and all from 500]."
    )


class HedgeConfig(Section):
    """A second provider is asked when the first says nothing for a while: it costs both calls."""

    after: Seconds = Field(description="How long the first one may say nothing.")
    limit: int = Field(2, ge=2, le=5, description="How many are asked at once, at most.")


class HealthCheckConfig(Section):
    """Active checks; how calls go is watched without them."""

    url: str | None = Field(None, description="What is asked instead of the provider's list of models.")
    interval: Seconds | None = Field(None, description="How often; without it only when an operator asks.")
    timeout: Seconds | None = Field(None, description="How long an answer may take [default: 10s].")

    @field_validator("url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value


class ProviderResilience(Section):
    """What a provider's table, and `[resilience]` for all of them, may say."""

    retry: RetryConfig = Field(RetryConfig(), description="How often it is tried.")
    connect_timeout: Seconds | None = Field(None, description="How long a connection may take [default: 10s].")
    idle_timeout: Seconds | None = Field(None, description="The longest silence in an answer [default: `timeout`].")
    total_timeout: Seconds | None = Field(
        None, description="How long a request that does not stream may take, with all its tries [default: no limit]."
    )
    pool_timeout: Seconds | None = Field(None, description="The wait for a free connection [default: no limit].")
    hedge: HedgeConfig | None = Field(None, description="When a second provider is asked besides [default: never].")
    fallback_on_errors: tuple[int | str, ...] | None = Field(
        None, description="The errors after which the next provider is asked, as statuses or kinds."
    )
    http2: bool | None = Field(None, description="Whether HTTP/2 is spoken; needs the extra http2 [default: false].")

    @field_validator("fallback_on_errors")
    @classmethod
    def _are_errors(cls, value: tuple[int | str, ...] | None) -> tuple[int | str, ...] | None:
        if value is None:
            return None
        # A variable of the environment has only text to say a number with.
        errors = tuple(int(error) if isinstance(error, str) and error.isdecimal() else error for error in value)
        for error in errors:
            known = 400 <= error < 600 if isinstance(error, int) else error in _KINDS
            if not known:
                raise ValueError(f"{error!r} is no status from 400 to 599 and none of {', '.join(_KINDS)}")
        return errors


class ProviderHost(ProviderResilience):
    """What only one provider's table may say, besides its `timeout`."""

    health_check: HealthCheckConfig = Field(HealthCheckConfig(), description="How it is checked.")
    proxy: SecretStr | None = Field(None, description="The proxy to it; by default the environment's.")
    ca_file: str | None = Field(None, description="A PEM file of the authorities to trust instead of the usual ones.")


class ResilienceConfig(ProviderResilience):
    """The same for all providers that do not say otherwise."""

    timeout: Seconds | None = Field(None, description="The wait for the first byte [default: 600s].")


def resilience_of(
    provider: ProviderHost,
    common: ResilienceConfig = ResilienceConfig(),  # noqa: B008 # frozen
    checks: HealthCheckConfig = HealthCheckConfig(),  # noqa: B008 # frozen
) -> Resilience:
    """Return a provider's policy: what its table says, else `[resilience]` and `[health_check]`, else the defaults."""
    said = _given(common) | _given(provider)
    retry = _given(common.retry) | _given(provider.retry)
    hedge = said.get("hedge")
    return Resilience(
        retry=_retry(retry, said.get("fallback_on_errors")),
        timeouts=_timeouts(said),
        hedge=None if hedge is None else Hedge(after=hedge.after, limit=hedge.limit),
        health_check=HealthCheck(**(_given(checks) | _given(provider.health_check))),
        http2=said.get("http2", False),
    )


def _given(section: Section) -> dict[str, Any]:
    """Return what was said, and nothing that only stands there by default."""
    return {name: getattr(section, name) for name in section.model_fields_set if getattr(section, name) is not None}


_RETRY = {
    "max_attempts": "attempts",
    "initial_interval": "initial",
    "max_interval": "maximum",
    "multiplier": "multiplier",
    "max_wait": "max_wait",
}


def _retry(said: dict[str, Any], errors: tuple[int | str, ...] | None) -> Retry:
    fields = {_RETRY[name]: value for name, value in said.items() if name in _RETRY}
    if "statuses" in said:
        fields["statuses"] = frozenset(said["statuses"])
    if errors is not None:
        fields["fallback_statuses"] = frozenset(error for error in errors if isinstance(error, int))
        fields["fallback_on"] = frozenset(ErrorKind(error) for error in errors if isinstance(error, str))
    return Retry(**fields)


def _timeouts(said: dict[str, Any]) -> Timeouts:
    """Return the deadlines; silence in an answer is allowed for as long as before it, unless that is said, too."""
    usual = Timeouts()
    first_byte = said.get("timeout", usual.first_byte)
    return Timeouts(
        connect=said.get("connect_timeout", usual.connect),
        first_byte=first_byte,
        idle=said.get("idle_timeout", first_byte),
        total=said.get("total_timeout"),
        pool=said.get("pool_timeout"),
    )
