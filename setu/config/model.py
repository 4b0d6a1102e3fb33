"""The configuration: every key, its type and its default."""

import re
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator

from setu.config.access import Audit, Auth, Cors, PolicyRule
from setu.config.cache import CacheConfig
from setu.config.limits import BreakerConfig, LimitsConfig, RateLimit, StateConfig
from setu.config.privacy import PrivacyConfig
from setu.config.resilience import HealthCheckConfig, ProviderHost, ResilienceConfig
from setu.config.routing import Routing
from setu.config.section import Section
from setu.config.units import Seconds, Size
from setu.config.usage import ModelPrice, Usage

_HOST = re.compile(r"\*|(?:\*\.)?[A-Za-z0-9_.-]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*")
"""A name, a pattern of names, an IPv4 or an IPv6 address."""


class Server(Section):
    """Where Setu listens."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(3742, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    listen: tuple[str, ...] = Field(
        (), description="Addresses to listen on, such as `127.0.0.1:3742`, instead of host and port."
    )
    max_body: Size = Field(10 * 1024 * 1024, description="Largest request body in bytes; a larger one gets 413.")
    idle_timeout: Seconds = Field(75.0, description="Seconds for which a client's idle connection is kept.")
    shutdown_timeout: Seconds = Field(30.0, description="Seconds that answers under way have when the server stops.")
    gw_headers: bool = Field(
        False, description="Whether answers carry x-gw-route, x-gw-provider, x-gw-model and x-gw-cache."
    )
    allowed_hosts: tuple[str, ...] = Field(
        (),
        description="Names it answers to besides this machine's own, `*.example.com` for all below one, `*` for any; "
        "with none given, any where it listens on an address that others can reach.",
    )

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _HOST.fullmatch(name):
                raise ValueError(f"{name!r} must be a host name or an address, without scheme, port and path")
        return value


class ModelConfig(Section):
    """What is to be known of one model, where its name does not say it or says it wrong."""

    context: int | None = Field(None, gt=0, description="Tokens of prompt and answer together.")
    max_output: int | None = Field(None, gt=0, description="Tokens of the longest answer.")
    thinking: Literal["budget", "effort", "adaptive", "none"] | None = Field(
        None, description="How it takes a thinking request: a token budget, an effort, Anthropic's adaptive mode, not."
    )
    efforts: tuple[str, ...] | None = Field(None, description="The efforts it knows, least first.")
    vision: bool | None = Field(None, description="Whether it sees images.")
    tools: bool | None = Field(None, description="Whether it calls tools.")
    sampling: Literal["both", "one", "none"] | None = Field(
        None, description="Whether temperature and top_p may come together, one at a time, or not at all."
    )
    system_turns: bool | None = Field(None, description="Whether system messages may stand between turns.")
    prefill: bool | None = Field(None, description="Whether the last message may be the assistant's own.")
    modalities: tuple[str, ...] | None = Field(None, description="Kinds of input, such as text and image.")

    def given(self) -> dict[str, Any]:
        """Return what was said, by the names that a model's facts have."""
        return self.model_dump(exclude_none=True)


class ProviderConfig(ProviderHost):
    """One upstream."""

    type: str | None = Field(
        None, description="What it is: a built-in provider's name, openai_compatible, or an import string."
    )
    enabled: bool = Field(True, description="Whether requests may go there.")
    api_key: SecretStr | None = Field(None, description="Its key; by default from the provider's own variables.")
    base_url: str | None = Field(None, description="Its base URL; required for openai_compatible.")
    models: dict[str, ModelConfig] | None = Field(
        None, description="The model ids it serves, instead of the built-in list: a list, or tables with facts."
    )
    variables: dict[str, str] = Field({}, description="Values for the {names} in its base URL, such as a region.")
    rate_limit: RateLimit | None = Field(None, description="How much of it may be used.")
    region: str = Field("", description="Where it is, such as `eu`: a rule or a key may demand `region:eu`.")
    tags: tuple[str, ...] = Field((), description="What else a rule or a key may demand of it, as `tag:NAME`.")
    weight: float = Field(1.0, ge=0, description="Its share where a strategy goes by shares.")
    priority: int = Field(0, description="Of providers that serve the same model the highest is asked first.")
    timeout: Seconds = Field(600.0, description="Seconds to wait for the first byte, and between chunks.")

    @field_validator("models", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return {name: {} for name in value} if isinstance(value, list | tuple) else value

    @field_validator("base_url")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        # A base URL is shown by GET /health and in error messages; a secret in it would be, too.
        authority = value.partition("://")[2].partition("/")[0]
        if "@" in authority:
            raise ValueError("must not hold a user name or password; use api_key")
        if not authority.partition(":")[0] or any(mark in value for mark in "?# "):
            raise ValueError("must be a host and a path")
        return value


class MediaConfig(Section):
    """What the gateway fetches for targets that take no URLs."""

    fetch: bool = Field(True, description="Whether media URLs of clients are fetched; else such a request gets a 400.")
    allow_private: bool = Field(False, description="Whether they may lead to private addresses: for closed networks.")
    max_bytes: Size = Field(20 * 1024 * 1024, description="The most that one of them may hold.")


class Responses(Section):
    """OpenAI's Responses API."""

    legacy_events: bool = Field(
        False,
        description="Whether streams also have the events of the earlier proxy (output_tool_call.*, done), and what it "
        "refused is refused with its codes.",
    )


class Config(Section):
    """A whole configuration."""

    profile: str | None = Field(
        None, description="The predecessor whose defaults and variables are used; see profiles."
    )
    strict: bool = Field(False, description="Whether what is worth a warning is an error.")
    server: Server = Server()
    responses: Responses = Responses()
    providers: dict[str, ProviderConfig] = Field({}, description="The upstreams, by name.")
    routing: Routing = Routing()
    auth: Auth = Auth()
    policy: tuple[PolicyRule, ...] = Field((), description="What is allowed and denied; the first that fits decides.")
    limits: LimitsConfig = LimitsConfig()
    breaker: BreakerConfig = BreakerConfig()
    state: StateConfig = StateConfig()
    resilience: ResilienceConfig = ResilienceConfig()
    health_check: HealthCheckConfig = HealthCheckConfig()
    cache: CacheConfig = CacheConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    cors: Cors = Cors()
    audit: Audit = Audit()
    media: MediaConfig = MediaConfig()
    usage: Usage = Usage()
    prices: dict[str, ModelPrice] = Field(
        {}, description="What models cost, by `model`, `provider/model` or a pattern."
    )

    def model_post_init(self, _context: Any) -> None:
        default = self.routing.default_provider
        if default is not None and self.providers and default not in self.providers:
            raise ValueError(f"routing.default_provider: {default!r} is not one of {', '.join(self.providers)}")
