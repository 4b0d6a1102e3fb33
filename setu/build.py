"""The composition root: the one place where the rooms meet."""

import asyncio
import os
import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import msgspec
from starlette.routing import Route

from setu.chat.parts import Inline
from setu.config.access import rules_of
from setu.config.limits import limits_of, policy_of
from setu.config.model import Config, ProviderConfig
from setu.config.resilience import resilience_of
from setu.config.routing import load_strategies, table_of
from setu.credentials import aws, google
from setu.dialects.record import Dialect, Facts
from setu.dialects.registry import DIALECTS, of_path
from setu.errors import ConfigError, ErrorInfo
from setu.gateway.charging import Meter
from setu.gateway.door import Door
from setu.gateway.handle import Gateway
from setu.gateway.services import Services
from setu.http import Request
from setu.ports import Clock, Fetcher, Signer, Transport
from setu.providers import lookup
from setu.providers.deployment import Deployment, url
from setu.providers.models import facts
from setu.providers.record import Provider, Scheme, Variable
from setu.resilience.breaker import Policy
from setu.resilience.limits import NO_LIMITS
from setu.resilience.policy import Resilience, Retry
from setu.rooms import Rooms, plain
from setu.routing.plan import Price, Target
from setu.server import serve
from setu.server.app import App
from setu.server.endpoints import Operations
from setu.server.hosts import hosts_of, is_loopback
from setu.server.openapi import document
from setu.signals import Call
from setu.telemetry.logs import log_call
from setu.transport.httpx_ import HttpxTransport, OriginSettings
from setu.transport.media import MediaFetcher
from setu.transport.reverse import HOME

OFFLINE_KEY = "setu-offline"
"""Stands where a key would: nothing leaves the machine."""


class SystemClock:
    """Real time."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


NO_BREAKER = Policy(enabled=False)


def call_id() -> str:
    """Return a fresh UUID (version 7, RFC 9562): rows of a table stay in the order in which they came."""
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    text = f"{(number & ~(0xF << 76) & ~(0x3 << 62)) | (7 << 76) | (2 << 62):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


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
        found = {name: lookup.find(name) for name in lookup.BUILT_IN}
        wanted = {
            name: ProviderConfig()
            for name, provider in found.items()
            if (_addressed(provider) if offline_key is not None else _ready(provider, environ))
        }
    return {name: _deployment(name, section, environ, offline_key) for name, section in wanted.items()}


def _addressed(provider: Provider) -> bool:
    """Tell whether it is one host: that of a key, or a dialect's own (Ollama's, which has a path no other host has)."""
    return bool(provider.keys) or provider.name in HOME.values()


def _ready(provider: Provider, environ: Mapping[str, str]) -> bool:
    """Tell whether the environment says all that a provider needs: its URL, and a key or other credentials."""
    said = [any(environ.get(env) for env in source.env) for source in provider.variables.values() if source.env]
    needed = [source for source in provider.variables.values() if source.default is None and source.follows is None]
    if any(not any(environ.get(env) for env in source.env) for source in needed):
        return False
    if not provider.keys and provider.credentials is None:
        return any(said)  # a host without keys is there if its address is given (OLLAMA_HOST)
    return any(environ.get(name) for name in (*(key.env for key in provider.keys), *_SIGNING[provider.credentials]))


_SIGNING: Mapping[str | None, tuple[str, ...]] = {
    None: (),
    "aws": ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    "google": (google.CREDENTIALS,),
}
"""Environment variables that stand for credentials other than a key."""


def _deployment(name: str, section: ProviderConfig, environ: Mapping[str, str], offline_key: str | None) -> Deployment:
    provider = lookup.find(section.type or name) if section.type or not section.base_url else _found(name)
    unknown = [dialect for dialect in provider.dialects if dialect not in DIALECTS]
    if unknown:
        known = ", ".join(sorted(DIALECTS))
        raise ConfigError(f"provider {name} speaks {unknown[0]!r}, which is no dialect; there are {known}")
    base_url = _filled(
        name, section.base_url or provider.base_url, section, provider, environ, offline=offline_key is not None
    )
    if not base_url:
        raise ConfigError(f"providers.{name}: base_url is required for type {provider.name}")
    key, scheme = _key(section, provider, environ)
    if key is None and not offline_key and not provider.keys:
        scheme = "none"
    return Deployment(
        name=name,
        provider=provider,
        base_url=base_url,
        key=key or offline_key,
        scheme=scheme,
        models=_models(section, provider),
        families=() if section.models is not None else provider.families,
        region=section.region,
        tags=frozenset(section.tags),
        weight=section.weight,
        priority=section.priority,
        timeout=section.timeout,
        signer=_signer(provider, section, environ) if key is None and offline_key is None else None,
    )


def _signer(provider: Provider, section: ProviderConfig, environ: Mapping[str, str]) -> Signer | None:
    """Return what signs for a host that was given no key."""
    if provider.credentials == "aws" and aws.likely(environ):
        return aws.SigV4(aws.region_of(section.variables, environ))
    if provider.credentials == "google" and environ.get(google.CREDENTIALS):
        return google.load(environ[google.CREDENTIALS], SystemClock(), HttpxTransport)
    return None


def _filled(
    name: str,
    base_url: str,
    section: ProviderConfig,
    provider: Provider,
    environ: Mapping[str, str],
    *,
    offline: bool,
) -> str:
    """Fill a base URL's variables from the configuration, the environment, or their defaults."""
    values: dict[str, str] = {}
    for variable, source in provider.variables.items():
        value = section.variables.get(variable) or _said(source, environ, values) or ""
        for known, text in values.items():
            value = value.replace("{" + known + "}", text)
        values[variable] = value
        if "{" + variable + "}" not in base_url:
            continue
        if not value and offline:
            value = source.example or ""
        if not value:
            unset = " or ".join(source.env) or "no variable"
            raise ConfigError(f"providers.{name}: variables.{variable} is required ({unset} is unset)")
        base_url = base_url.replace("{" + variable + "}", source.reads(value) if source.reads is not None else value)
    return base_url


def _said(source: Variable, environ: Mapping[str, str], values: Mapping[str, str]) -> str | None:
    """Return a variable's value without the configuration: by another variable, from the environment, its default."""
    if source.follows is not None:
        return source.cases.get(values.get(source.follows, ""), source.default)
    return next((environ[env] for env in source.env if environ.get(env)), source.default)


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
    """Return the listed ids with their facts; what the configuration says of a model wins over what its name says."""
    if section.models is None:
        return provider.models
    return {
        model: msgspec.structs.replace(provider.models.get(model, facts(model)), **said.given())
        for model, said in section.models.items()
    }


def timeouts(deployed: Mapping[str, Deployment]) -> dict[str, float]:
    """Return the seconds of silence that each origin is allowed; of two for one origin the longer."""
    found: dict[str, float] = {}
    for deployment in deployed.values():
        origin, _ = url(deployment, "/")
        found[origin] = max(deployment.timeout, found.get(origin, 0.0))
    return found


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
    rooms: Rooms | None = None,
) -> Gateway:
    """Wire a gateway. `rooms` are what outlives it; without them it remembers little, and in memory.

    Without a configuration it tries each target once and leaves none alone: what a translation is judged by.

    Raises:
        ConfigError: a strategy or a provider of the routing section does not exist.
    """
    clock = clock or SystemClock()
    rooms = rooms or plain(clock, on_call, NO_BREAKER if config is None else policy_of(config.breaker))
    policies = resilience(config, deployed)
    config = config or Config()
    prices = rooms.prices
    return Gateway(
        Services(
            dialects=dialects,
            table=table_of(config.routing, deployed, load_strategies(config.routing)),
            transport=transport,
            ledger=rooms.ledger,
            clock=clock,
            draw=random.random,
            mint=mint,
            call_id=call_id,
            seals=rooms.seals.of,
            retry=_retry_of(policies),
            resilience=policies,
            media=media,
            charging=_meter(config, rooms),
            policies=rules_of(config.policy),
            prices=_unpriced if prices is None else prices.price,
            refuses_losses=config.routing.on_loss == "refuse",
            on_call=rooms.tell,
        )
    )


def _unpriced(_provider: str, _model: str) -> Price | None:
    return None


def resilience(config: Config | None, deployed: Mapping[str, Deployment]) -> dict[str, Resilience]:
    """Return the policy of each provider; without a configuration each is tried once."""
    if config is None:
        return dict.fromkeys(deployed, Resilience(retry=Retry(attempts=1)))
    return {
        name: resilience_of(config.providers.get(name, ProviderConfig()), config.resilience, config.health_check)
        for name in deployed
    }


def _retry_of(policies: Mapping[str, Resilience]) -> Callable[[Target], Retry]:
    def retry(target: Target) -> Retry:
        usual = policies[target.deployment.name].retry
        return usual if target.attempts is None else msgspec.structs.replace(usual, attempts=target.attempts)

    return retry


def origins(config: Config, deployed: Mapping[str, Deployment]) -> dict[str, OriginSettings]:
    """Return how each origin is spoken to; of two providers at one origin the first says it."""
    policies = resilience(config, deployed)
    found: dict[str, OriginSettings] = {}
    for name, deployment in deployed.items():
        section = config.providers.get(name, ProviderConfig())
        found.setdefault(
            url(deployment, "/")[0],
            OriginSettings(
                timeouts=policies[name].timeouts,
                http2=policies[name].http2,
                proxy=section.proxy.get_secret_value() if section.proxy is not None else None,
                ca_file=section.ca_file,
            ),
        )
    return found


def _meter(config: Config, rooms: Rooms) -> Meter | None:
    """Return what charges requests; None where nothing is limited and no key can be."""
    limits = limits_of(config.limits, {name: each.rate_limit for name, each in config.providers.items()})
    if limits is NO_LIMITS and config.auth.key_store is None:
        return None
    prices = rooms.prices
    return Meter(limits, _unpriced if prices is None else prices.price, output=config.limits.reserve_output)


def guarded(transport: Transport, config: Config) -> Transport:
    """Put the door before a gateway, if its configuration asks for keys."""
    if config.auth.mode == "open":
        return transport
    return Door(transport, [key.get_secret_value() for key in config.auth.keys], render_error, mint)


def media_fetcher(config: Config, transport: Transport) -> MediaFetcher | None:
    """Return what fetches media URLs; None when that is switched off."""
    section = config.media
    if not section.fetch:
        return None
    return MediaFetcher(transport, allow_private=section.allow_private, max_bytes=section.max_bytes)


def addresses(config: Config) -> list[tuple[str, int]]:
    """Return where to listen.

    Raises:
        ConfigError: one of the configured addresses is none.
    """
    server = config.server
    return [serve.address(text) for text in server.listen] or [(server.host, server.port)]


def app(
    transport: Transport,
    config: Config,
    describe: Callable[[], Mapping[str, Any]],
    admin: Sequence[Route] = (),
    running: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
) -> App:
    """Wrap a transport as the ASGI app that uvicorn serves; `admin` are routes of its own."""
    operations = Operations(SystemClock(), describe, document)
    server = config.server
    bound = [host for host, _ in addresses(config)]
    hosts = hosts_of(next((host for host in bound if not is_loopback(host)), bound[0]), server.allowed_hosts)
    return App(
        transport, render_error, operations, mint, max_body=server.max_body, admin=admin, running=running, hosts=hosts
    )


def describe_gateway(deployed: Mapping[str, Deployment]) -> Callable[[], Mapping[str, Any]]:
    """Return what GET /health says of a gateway."""
    providers = {
        name: {
            "status": "unknown" if deployment.callable else "no key",
            "base_url": deployment.base_url,
            "models": len(deployment.models),
        }
        for name, deployment in deployed.items()
    }
    usable = any(deployment.callable for deployment in deployed.values())
    return lambda: {"providers": providers, "usable": usable}
