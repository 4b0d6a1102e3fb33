"""The composition root: the one place where the rooms meet."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import msgspec
from starlette.routing import Route

from setu.chat.parts import Inline
from setu.config.access import rules_of, secrets_of
from setu.config.cache import near_of
from setu.config.cache import rules_of as cache_rules_of
from setu.config.limits import limits_of, policy_of
from setu.config.model import Config, ProviderConfig
from setu.config.privacy import options_of
from setu.config.resilience import RetryConfig, resilience_of
from setu.config.routing import load_strategies, table_of
from setu.deployed import deployments
from setu.dialects.record import Dialect
from setu.dialects.registry import DIALECTS, of_path
from setu.errors import ErrorInfo
from setu.gateway.cache import Cache
from setu.gateway.charging import Meter
from setu.gateway.door import Door, Porter
from setu.gateway.handle import Gateway
from setu.gateway.services import Services
from setu.http import Request
from setu.ports import Clock, Fetcher, Transport
from setu.providers.deployment import Deployment, url
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
from setu.store.prices import Prices
from setu.system import SystemClock, call_id, mint
from setu.telemetry.logs import log_call
from setu.transport.httpx_ import OriginSettings
from setu.transport.media import MediaFetcher

__all__ = ["SystemClock", "app", "call_id", "deployments", "gateway", "mint"]

OFFLINE_KEY = "setu-offline"
"""Stands where a key would: nothing leaves the machine."""


NO_BREAKER = Policy(enabled=False)


def asked_once(config: Config) -> Config:
    """Return a configuration under which a request is one request upstream: what recordings are made and played with.

    A recorded 429 is meant for the client, and five of them are no reason to leave a recording alone.
    """
    once = config.resilience.model_copy(update={"retry": RetryConfig(max_attempts=1)})
    providers = {name: each.model_copy(update={"retry": RetryConfig()}) for name, each in config.providers.items()}
    breaker = config.breaker.model_copy(update={"enabled": False})
    return config.model_copy(update={"resilience": once, "providers": providers, "breaker": breaker})


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
    door: Porter | None = None,
) -> Gateway:
    """Wire a gateway. `rooms` are what outlives it; without them it remembers little, and in memory. Without a `door`
    everybody may come in.

    Without a configuration it tries each target once and leaves none alone: what a translation is judged by.

    Raises:
        ConfigError: a strategy or a provider of the routing section does not exist.
    """
    clock = clock or SystemClock()
    rooms = rooms or plain(clock, on_call, NO_BREAKER if config is None else policy_of(config.breaker))
    policies = resilience(config, deployed)
    config = config or Config()
    services = Services(
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
        cache=_cache(config, rooms, dialects, clock),
        mirror=rooms.mirror,
        door=door,
        on_call=rooms.tell,
    )
    return Gateway(_configured(services, config, deployed, rooms))


def _configured(services: Services, config: Config, deployed: Mapping[str, Deployment], rooms: Rooms) -> Services:
    """Return the services with what the configuration alone says."""
    prices = rooms.prices
    return msgspec.structs.replace(
        services,
        charging=_meter(config, rooms),
        policies=rules_of(config.policy),
        masks=options_of(config.privacy),
        prices=_unpriced if prices is None else prices.price,
        price_list=_price_list(config, deployed, prices),
        priced=_priced(prices),
        passthrough=config.auth.mode == "passthrough",
        legacy_fields=config.server.gw_headers,
        legacy_events=config.responses.legacy_events,
        body_ids=config.profile == "semaroute",
        log_bodies=config.privacy.log_bodies,
        refuses_losses=config.routing.on_loss == "refuse",
    )


def _cache(config: Config, rooms: Rooms, dialects: Mapping[str, Dialect], clock: Clock) -> Cache | None:
    if rooms.store is None or not config.cache.enabled:
        return None
    return Cache(
        rooms.store, dialects=dialects, clock=clock, rules=cache_rules_of(config.cache), near=near_of(rooms.store)
    )


def _priced(prices: Prices | None) -> Callable[[], Awaitable[None]]:
    async def priced() -> None:
        if prices is not None and not prices.ready:
            await asyncio.to_thread(prices.load)

    return priced


def _price_list(
    config: Config, deployed: Mapping[str, Deployment], prices: Prices | None
) -> Callable[[], Mapping[str, Price]]:
    """Return what gives the prices that routing compares: the configured ones at once, all when they are loaded.

    A client may name a strategy that the configuration does not: then it goes by what is known.
    """
    if prices is None:
        return dict
    names = {config.routing.strategy, *(rule.strategy for rule in config.routing.rule)}
    if not names <= _PRICELESS:
        prices.load_soon()
    found: dict[str, Price] = {}
    looked: set[bool] = set()

    def listed() -> Mapping[str, Price]:
        if prices.ready not in looked:
            looked.add(prices.ready)
            found.update(prices.of((name, model) for name, each in deployed.items() for model in each.models))
        return found

    return listed


_PRICELESS = {None, "composite", "model", "provider", "priority", "round_robin", "weighted", "failover"}
"""Strategies that do not compare prices; what a package brings may."""


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
    """Put the door before a transport, if its configuration asks for keys."""
    if config.auth.mode == "open":
        return transport
    return Door(transport, secrets_of(config.auth.keys), render_error, mint, mode=config.auth.mode)


def porter(config: Config, rooms: Rooms) -> Porter:
    """Return who lets clients in, and administrators."""
    return Porter(
        config.auth.mode,
        keys=secrets_of(config.auth.keys),
        admin_keys=secrets_of(config.auth.admin_keys),
        ring=rooms.ring,
        audit=rooms.audit,
    )


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
    on_close: Callable[[], Awaitable[None]] | None = None,
) -> Any:
    """Wrap a transport as the ASGI app that uvicorn serves; `admin` are routes of its own."""
    operations = Operations(SystemClock(), describe, document)
    server = config.server
    bound = [host for host, _ in addresses(config)]
    hosts = hosts_of(next((host for host in bound if not is_loopback(host)), bound[0]), server.allowed_hosts)
    made = App(
        transport,
        render_error,
        operations,
        mint,
        max_body=server.max_body,
        on_close=on_close,
        admin=admin,
        running=running,
        hosts=hosts,
    )
    if not config.cors.allow_origins:
        return made
    from setu.server.cors import with_cors

    return with_cors(made, **config.cors.options())


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
