"""The composition root: the one place where the rooms meet."""

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from setu.chat.parts import Inline
from setu.config.model import Config, ProviderConfig
from setu.dialects.record import Dialect, Facts
from setu.dialects.registry import DIALECTS, of_path
from setu.errors import ConfigError, ErrorInfo
from setu.gateway.handle import Gateway
from setu.http import Request
from setu.ports import Clock, Fetcher, Transport
from setu.providers import lookup
from setu.providers.deployment import Deployment
from setu.providers.record import Provider, Scheme
from setu.server.app import App
from setu.server.endpoints import Operations
from setu.server.openapi import document
from setu.signals import Call
from setu.store.seals import MemorySeals
from setu.telemetry.logs import log_call
from setu.transport.media import MediaFetcher

NAMED = ("openai", "anthropic", "gemini", "openrouter")
"""The providers that need no configuration but a key."""


class SystemClock:
    """Real time."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def mint(prefix: str) -> str:
    """Return a fresh random identifier."""
    return prefix + secrets.token_hex(12)


def deployments(
    config: Config, environ: Mapping[str, str] = os.environ, *, offline_key: str | None = None
) -> dict[str, Deployment]:
    """Return the configured providers, or, with none configured, those whose keys the environment holds.

    `offline_key` stands in for missing keys where nothing leaves the machine (replay, conformance); then every named
    provider is there.

    Raises:
        ConfigError: an unknown provider, or one without the base URL it needs.
    """
    wanted = {name: section for name, section in config.providers.items() if section.enabled}
    if not config.providers:
        wanted = {name: ProviderConfig() for name in NAMED}
    found = {name: _deployment(name, section, environ, offline_key) for name, section in wanted.items()}
    if config.providers or offline_key is not None:
        return found
    return {name: deployment for name, deployment in found.items() if deployment.key is not None}


def _deployment(name: str, section: ProviderConfig, environ: Mapping[str, str], offline_key: str | None) -> Deployment:
    provider = lookup.find(section.type or name) if section.type or not section.base_url else _found(name)
    base_url = _filled(name, section.base_url or provider.base_url, section, provider, environ)
    if not base_url:
        raise ConfigError(f"providers.{name}: base_url is required for type {provider.name}")
    key, scheme = _key(section, provider, environ)
    if key is None and not provider.keys:
        scheme = "none"
    return Deployment(
        name=name,
        provider=provider,
        base_url=base_url,
        key=key or offline_key,
        scheme=scheme,
        models=_models(section, provider),
        families=() if section.models is not None else provider.families,
        timeout=section.timeout,
    )


def _filled(name: str, base_url: str, section: ProviderConfig, provider: Provider, environ: Mapping[str, str]) -> str:
    """Fill a base URL's variables from the configuration, the environment, or their defaults."""
    for variable, source in provider.variables.items():
        if "{" + variable + "}" not in base_url:
            continue
        given = (environ[env] for env in source.env if environ.get(env))
        value = section.variables.get(variable) or next(given, source.default)
        if value is None:
            unset = " or ".join(source.env) or "no variable"
            raise ConfigError(f"providers.{name}: variables.{variable} is required ({unset} is unset)")
        base_url = base_url.replace("{" + variable + "}", value)
    return base_url


def _found(name: str) -> Provider:
    """A table with a base URL and no type is a generic host, unless its name is a known one."""
    return lookup.find(name if name in lookup.BUILT_IN or name in lookup.ALIASES else "openai_compatible")


def _key(section: ProviderConfig, provider: Provider, environ: Mapping[str, str]) -> tuple[str | None, Scheme]:
    if section.api_key is not None:
        return section.api_key.get_secret_value() or None, provider.scheme
    for source in provider.keys:
        if environ.get(source.env):
            return environ[source.env], source.scheme
    return None, provider.scheme


def _models(section: ProviderConfig, provider: Provider) -> Mapping[str, Facts]:
    if section.models is None:
        return provider.models
    return {model: provider.models.get(model, Facts()) for model in section.models}


def render_error(request: Request, info: ErrorInfo) -> bytes:
    """Write an error in the words of whatever endpoint the request was for."""
    return of_path(request.path).errors.render(info)


def gateway(
    deployed: Mapping[str, Deployment],
    transport: Transport,
    *,
    config: Config | None = None,
    media: Fetcher[Inline] | None = None,
    dialects: Mapping[str, Dialect] = DIALECTS,
    clock: Clock | None = None,
    mint: Callable[[str], str] = mint,
    on_call: Callable[[Call], None] = log_call,
) -> Gateway:
    """Wire a gateway."""
    config = config or Config()
    return Gateway(
        dialects=dialects,
        deployments=deployed,
        transport=transport,
        clock=clock or SystemClock(),
        mint=mint,
        seals=MemorySeals(),
        default_provider=config.routing.default_provider,
        media=media,
        on_loss=config.routing.on_loss,
        on_call=on_call,
    )


def media_fetcher(config: Config, transport: Transport) -> MediaFetcher | None:
    """Return what fetches media URLs; None when that is switched off."""
    section = config.media
    if not section.fetch:
        return None
    return MediaFetcher(transport, allow_private=section.allow_private, max_bytes=section.max_bytes)


def app(transport: Transport, config: Config, describe: Callable[[], Mapping[str, Any]]) -> App:
    """Wrap a transport as the ASGI app that uvicorn serves."""
    operations = Operations(SystemClock(), describe, document)
    return App(transport, render_error, operations, mint, max_body=config.server.max_body)


def describe_gateway(deployed: Mapping[str, Deployment]) -> Callable[[], Mapping[str, Any]]:
    """Return what GET /health says of a gateway."""
    providers = {
        name: {"status": "unknown", "base_url": deployment.base_url, "models": len(deployment.models)}
        for name, deployment in deployed.items()
    }
    return lambda: {"providers": providers, "usable": bool(providers)}
