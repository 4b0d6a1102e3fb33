"""Profiles: what a gateway before this one had for defaults, and the environment variables that it read.

A profile is data. Its defaults lie below everything its user says; its variables are read under it alone, above the
file and below `SETU_…` and the command line.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from setu.config.layers import Path
from setu.errors import ConfigError


class Legacy(NamedTuple):
    """Where a variable of a predecessor goes; `convert` makes the key's value of its text, None leaves it out."""

    path: Path
    convert: Callable[[str], Any] = str


class Profile(NamedTuple):
    """A predecessor as data.

    `legacy` are its environment variables. `prefix` is that of variables for every key, like Setu's own. `files` are
    variables that name a file to read, each with the file that is read if it exists and nothing is said. `aliases` are
    its names for variables that Setu knows by another.
    """

    name: str
    what: str
    defaults: Mapping[str, Any]
    legacy: Mapping[str, tuple[Legacy, ...]] = {}
    prefix: str | None = None
    files: Mapping[str, str] = {}
    aliases: Mapping[str, str] = {}

    def environ(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return an environment in which its names for variables stand for today's."""
        found = dict(given)
        for old, new in self.aliases.items():
            if given.get(old) and not given.get(new):
                found[new] = given[old]
        return found


def profile_of(name: str) -> Profile:
    """Return a profile by its name.

    Raises:
        ConfigError: there is none.
    """
    found = PROFILES.get(name)
    if found is None:
        raise ConfigError(f"there is no profile '{name}'; there are {', '.join(PROFILES)}")
    return found


def _to(dotted: str, convert: Callable[[str], Any] = str) -> Legacy:
    return Legacy(tuple(dotted.split(".")), convert)


def without_endpoint(url: str) -> str:
    """Return a base URL: clients of the Responses proxy were told the whole address of chat completions."""
    return url.rstrip("/").removesuffix("/chat/completions")


SIMULATED = "http://simulated.invalid"
"""The origin of the simulated upstream; no such host can exist (RFC 6761, section 6.4)."""


def _address_of_mock(key: str) -> str | None:
    """Return where a provider is whose key is the word `mock`."""
    return f"{SIMULATED}/v1" if key == "mock" else None


def _spoken(variable: str, version: str) -> tuple[Legacy, ...]:
    """Read a version of an API, of which there is one: the translation knows no other, so nothing else may be asked."""

    def check(said: str) -> None:
        if said != version:
            raise ConfigError(f"{variable}: {said!r} is not spoken; {version} is")

    return (Legacy((), check),)


_SETU = Profile("setu", "Setu's own defaults", {}, aliases={"GOOGLE_AI_API_KEY": "GEMINI_API_KEY"})

_AI_GATEWAY_PROXY = Profile(
    "ai-gateway-proxy",
    "the proxy that forwards /v1/* by the x-provider header with its clients' own keys",
    {
        "server": {"port": 3000},
        "auth": {"mode": "passthrough"},
        "cors": {"allow_origins": ["*"]},
        "providers": {"openai": {}, "anthropic": {}},
        "routing": {"default_provider": "openai"},
    },
    {"HOST": (_to("server.host"),), "PORT": (_to("server.port"),)},
)

_RESPONSES_PROXY = Profile(
    "responses-proxy",
    "the proxy that speaks OpenAI's Responses API in front of a chat completions backend",
    {
        "server": {"port": 8282},
        "auth": {"mode": "passthrough"},
        "responses": {"legacy_events": True},
        "providers": {
            "backend": {"type": "openai_compatible", "base_url": "https://llm.chutes.ai/v1", "timeout": 600},
        },
        "routing": {"default_provider": "backend"},
    },
    {
        "HOST_PORT": (_to("server.port"),),
        "BACKEND_URL": (_to("providers.backend.base_url", without_endpoint),),
        "BACKEND_TIMEOUT_SECS": (_to("providers.backend.timeout"),),
        "ENABLE_CIRCUIT_BREAKER": (_to("breaker.enabled"),),
    },
)

_AI_GATEWAY = Profile(
    "ai-gateway",
    "the gateway with routes by use case, token limits in Redis and usage in PostgreSQL",
    {
        "server": {"port": 8080, "gw_headers": True},
        "resilience": {"timeout": 30},
        "limits": {"default_tenant": {"tokens_per_minute": 50_000}},
        "providers": {"openai": {}, "anthropic": {}},
        "routing": {
            "default_provider": "openai",
            "routes": [{"name": "default", "primary": {"provider": "openai", "model": "gpt-4o-mini"}, "retries": 1}],
        },
    },
    {
        "PORT": (_to("server.port"),),
        "REDIS_URL": (_to("state.redis_url"),),
        "DATABASE_URL": (_to("usage.database_url"),),
        "TOKENS_PER_MINUTE": (_to("limits.default_tenant.tokens_per_minute"),),
        "OPENAI_API_VERSION": _spoken("OPENAI_API_VERSION", "v1"),
        "ANTHROPIC_API_VERSION": _spoken("ANTHROPIC_API_VERSION", "2023-06-01"),
        "OPENAI_API_URL": (_to("providers.openai.base_url"),),
        "ANTHROPIC_API_URL": (_to("providers.anthropic.base_url"),),
        # After the addresses: the word `mock` for a key overrules them.
        "OPENAI_API_KEY": (_to("providers.openai.base_url", _address_of_mock),),
        "ANTHROPIC_API_KEY": (_to("providers.anthropic.base_url", _address_of_mock),),
    },
    files={"ROUTES_CONFIG": "configs/routes.yaml"},
)

_SEMAROUTE = Profile(
    "semaroute",
    "the router by cost, latency and health, with its config.yaml",
    {"server": {"port": 8080}, "resilience": {"timeout": 30}, "routing": {"strategy": "cost_based"}},
    prefix="SEMAROUTE_",
)

PROFILES: Mapping[str, Profile] = {
    profile.name: profile for profile in (_SETU, _AI_GATEWAY_PROXY, _RESPONSES_PROXY, _AI_GATEWAY, _SEMAROUTE)
}
