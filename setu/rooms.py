"""What outlives a configuration: counts, usage, keys, answers kept. Opened once, handed to every gateway built."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from setu.config.access import audit_file, key_place
from setu.config.cache import store_of
from setu.config.limits import limits_of, policy_of
from setu.config.model import Config
from setu.config.usage import database_url, prices_of, spill_dir
from setu.errors import SetuError
from setu.gateway.mirror import Mirror
from setu.ports import CacheStore, Clock
from setu.resilience.breaker import Policy
from setu.resilience.ledger import Ledger
from setu.signals import Call
from setu.store.ledger import MemoryLedger
from setu.store.prices import Prices
from setu.store.seals import TenantSeals
from setu.telemetry.logs import log_call

if TYPE_CHECKING:
    from setu.store.audit import AuditLog
    from setu.store.keys import LiveKeys
    from setu.store.redis import RedisLedger

LOG = logging.getLogger("setu")


class Sink(Protocol):
    """Where calls are written down."""

    def put(self, call: Call) -> None: ...

    def close(self) -> None: ...


class Rooms(msgspec.Struct, kw_only=True):
    """Everything that is remembered. Without a usage store calls are only logged."""

    ledger: Ledger
    seals: TenantSeals = msgspec.field(default_factory=TenantSeals)
    prices: Prices | None = None
    usage: Sink | None = None
    store: CacheStore | None = None
    mirror: Mirror | None = None
    recalled: frozenset[tuple[str, str]] = frozenset()
    ring: "LiveKeys | None" = None
    audit: "AuditLog | None" = None
    on_call: Callable[[Call], None] = log_call

    def tell(self, call: Call) -> None:
        """Write a call down, wherever that is done."""
        stranger = call.status == 401 and not call.provider and not call.key
        if self.usage is not None and not stranger:  # who has no key must not be able to fill the database
            self.usage.put(call)
        self.on_call(call)

    def furnish(self, config: Config, clock: Clock) -> None:
        """Open what another configuration needs and this one did not; a backend at another place needs a restart."""
        if self.store is None and config.cache.enabled:
            self.store = store_of(config.cache, clock, config.state.redis_url)
        self.mirror = self.mirror or _mirror(config, clock)
        self.ring = self.ring or _ring(config)
        self.audit = self.audit or _audit(config)

    def adopt(self, config: Config) -> None:
        """Follow another configuration's policies."""
        policy = policy_of(config.breaker)
        if isinstance(self.ledger, MemoryLedger):
            self.ledger.adopt(policy)
        else:
            shared: RedisLedger = self.ledger  # type: ignore[assignment]  # there are these two
            shared.adopt(policy, allow=config.limits.on_error == "allow")

    async def recall(self, config: Config, clock: Clock, environ: Mapping[str, str]) -> None:
        """Count what this day's and this month's budgets were used of before this process began.

        Redis remembers by itself; without a usage database there is nothing to go by.
        """
        limits = limits_of(config.limits, {name: each.rate_limit for name, each in config.providers.items()})
        own = self.ring.limits() if self.ring is not None else {}
        asked = [*limits.budgets(), *(limit for each in own.values() for limit in each if limit.period != "minute")]
        if not asked or self.usage is None or not isinstance(self.ledger, MemoryLedger):
            return
        from setu.store.spent import spent

        url = database_url(config.usage, environ, legacy=config.profile == "ai-gateway")
        try:
            charges = await asyncio.to_thread(spent, url, limits, own, clock.now())
            # Of a budget that was counted all along the database says nothing new.
            self.ledger.recall(
                [each for each in charges if (each.limit.name, each.limit.dimension) not in self.recalled]
            )
            self.recalled |= {(limit.name, limit.dimension) for limit in asked}
        except SetuError as error:
            LOG.warning("budgets begin anew, for the usage database cannot be read: %s", error)

    async def aclose(self) -> None:
        """Write what is left, and let go of backends."""
        if self.mirror is not None:
            await self.mirror.aclose()
        await self.ledger.aclose()
        if self.store is not None:
            await self.store.aclose()
        if self.ring is not None:
            await asyncio.to_thread(self.ring.close)
        if self.audit is not None:
            self.audit.close()
        if self.usage is not None:
            await asyncio.to_thread(self.usage.close)


def plain(clock: Clock, on_call: Callable[[Call], None], policy: Policy | None = None) -> Rooms:
    """Return rooms of one process that keep nothing on a disk."""
    return Rooms(ledger=MemoryLedger(clock, policy), on_call=on_call)


def opened(
    config: Config,
    clock: Clock,
    environ: Mapping[str, str] = os.environ,
    on_call: Callable[[Call], None] = log_call,
) -> Rooms:
    """Open what a configuration names.

    Raises:
        ConfigError: a backend whose library is not installed.
    """
    prices = Prices(prices_of(config.prices), {name: each.type or name for name, each in config.providers.items()})
    return Rooms(
        ledger=ledger(config, clock),
        prices=prices,
        usage=_usage(config, prices, environ),
        store=store_of(config.cache, clock, config.state.redis_url) if config.cache.enabled else None,
        mirror=_mirror(config, clock),
        ring=_ring(config),
        audit=_audit(config),
        on_call=on_call,
    )


def ledger(config: Config, clock: Clock) -> Ledger:
    """Return a ledger: shared through Redis where one is named, else this process's own."""
    policy = policy_of(config.breaker)
    url = config.state.redis_url.get_secret_value() if config.state.redis_url is not None else ""
    if not url:
        return MemoryLedger(clock, policy)
    from setu.store.redis import RedisLedger
    from setu.store.redis_client import RedisLink

    link = RedisLink(url, command_timeout=config.state.redis_timeout)
    return RedisLedger(link, clock, policy, allow=config.limits.on_error == "allow")


def _usage(config: Config, prices: Prices, environ: Mapping[str, str]) -> Sink | None:
    if not config.usage.enabled:
        return None
    from setu.store.usage import UsageStore

    legacy = config.profile == "ai-gateway"
    url = database_url(config.usage, environ, legacy=legacy)
    return UsageStore(url, spill_dir(config.usage, url), prices=prices, keep_days=config.usage.keep_days)


def _mirror(config: Config, clock: Clock) -> Mirror | None:
    return Mirror(clock) if any(rule.mirror for rule in config.routing.rule) else None


def _ring(config: Config) -> "LiveKeys | None":
    place = key_place(config.auth)
    if place is None:
        return None
    from setu.store.keys import LiveKeys, shelf_at

    return LiveKeys(shelf_at(place))


def _audit(config: Config) -> "AuditLog | None":
    file = audit_file(config.audit)
    if file is None:
        return None
    from setu.store.audit import AuditLog

    return AuditLog(file, failures=config.audit.failures_per_minute)
