"""The configuration: every key, its type and its default."""

import re
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator

from setu.config.section import Section
from setu.config.units import Seconds, Size

_HOST = re.compile(r"\*|(?:\*\.)?[A-Za-z0-9_.-]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*")
"""A name, a pattern of names, an IPv4 or an IPv6 address."""


class Server(Section):
    """Where Setu listens."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(3742, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    max_body: Size = Field(10 * 1024 * 1024, description="Largest request body in bytes; a larger one gets 413.")
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


class ProviderConfig(Section):
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


class Routing(Section):
    """How a provider is chosen."""

    default_provider: str | None = Field(None, description="Where a model goes that no provider lists.")
    on_loss: Literal["signal", "refuse"] = Field(
        "signal", description="What happens to a request that its target cannot express whole: a header, or a 400."
    )


class Auth(Section):
    """Who may use the gateway."""

    mode: Literal["none", "keys"] = Field("none", description="Whether clients must show one of `keys`.")
    keys: tuple[SecretStr, ...] = Field((), description="The keys that let a client in; `${NAME}` reads a variable.")

    def model_post_init(self, _context: Any) -> None:
        if self.mode == "keys" and not any(key.get_secret_value() for key in self.keys):
            raise ValueError("auth.mode is keys, but there are no auth.keys")
        if self.mode == "none" and self.keys:
            raise ValueError("there are auth.keys, but auth.mode is none: nobody would be asked for them")


class MediaConfig(Section):
    """What the gateway fetches for targets that take no URLs."""

    fetch: bool = Field(True, description="Whether media URLs of clients are fetched; else such a request gets a 400.")
    allow_private: bool = Field(False, description="Whether they may lead to private addresses: for closed networks.")
    max_bytes: Size = Field(20 * 1024 * 1024, description="The most that one of them may hold.")


class Config(Section):
    """A whole configuration."""

    server: Server = Server()
    providers: dict[str, ProviderConfig] = Field({}, description="The upstreams, by name.")
    routing: Routing = Routing()
    auth: Auth = Auth()
    media: MediaConfig = MediaConfig()

    def model_post_init(self, _context: Any) -> None:
        default = self.routing.default_provider
        if default is not None and self.providers and default not in self.providers:
            raise ValueError(f"routing.default_provider: {default!r} is not one of {', '.join(self.providers)}")
