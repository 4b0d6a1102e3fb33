"""The response cache: `[cache]`."""

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from setu.config.section import Section
from setu.config.units import Seconds, Size
from setu.errors import ConfigError
from setu.ports import CacheStore, Clock, NearStore
from setu.providers.imports import imported

if TYPE_CHECKING:
    from setu.gateway.cache import Rules

_SCHEMES = ("redis", "rediss", "unix")
_METHODS = ("get", "put", "delete", "aclose")


class CacheConfig(Section):
    """Answers that are given again for the same request."""

    enabled: bool = Field(False, description="Whether answers are kept.")
    type: Literal["memory", "redis"] | None = Field(
        None, description="Where: in this process, or in Redis; by default in Redis where one is configured."
    )
    redis_url: SecretStr | None = Field(None, description="A Redis of its own; by default `state.redis_url`.")
    ttl: Seconds = Field(3600.0, description="How long an answer is kept.")
    max_size: int = Field(1_000, gt=0, description="Answers in memory; the one not asked for longest goes first.")
    max_memory: Size = Field(100_000_000, description="Bytes of all answers in memory.")
    max_item: Size = Field(1_000_000, description="Bytes of one answer; a larger one is passed on and not kept.")
    cleanup_interval: Seconds = Field(600.0, description="How often what is over is removed from memory.")
    when: Literal["always", "deterministic"] = Field(
        "always", description="Which answers: every whole one, or those at temperature 0 and embeddings only."
    )
    plugin: str | None = Field(
        None, description="A store of your own, as an import string of what makes it (`package.module:Store`)."
    )

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: SecretStr | None) -> SecretStr | None:
        # The message must not repeat the URL: it may hold a password.
        if value is not None and urlsplit(value.get_secret_value()).scheme not in _SCHEMES:
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value


def rules_of(config: CacheConfig) -> "Rules":
    """Return what the gateway needs to know of it."""
    from setu.gateway.cache import Rules

    return Rules(ttl=config.ttl, max_item=config.max_item, when=config.when)


def store_of(
    config: CacheConfig, clock: Clock, state_url: SecretStr | None = None, patience: float = 0.25
) -> CacheStore:
    """Return an open store; `state_url` is the Redis of `[state]`, `patience` its timeout in seconds.

    Raises:
        ConfigError: Redis is asked for and none is configured or supported, or the plug-in is no store.
    """
    if config.plugin is not None:
        return _plugged(config.plugin)
    url = config.redis_url or state_url
    if config.type == "redis" and url is None:
        raise ConfigError("cache.type is 'redis' but no Redis is configured: set state.redis_url or cache.redis_url")
    if url is not None and config.type != "memory":
        from setu.store.redis_cache import RedisCache

        room = config.max_item + 65_536  # an entry is its answer and a few fields more
        return RedisCache(url.get_secret_value(), clock.monotonic, max_item=room, patience=patience)
    from setu.store.cache import MemoryCache

    return MemoryCache(
        clock.monotonic, max_items=config.max_size, max_bytes=config.max_memory, sweep=config.cleanup_interval
    )


def near_of(store: CacheStore) -> NearStore | None:
    """Return a store that also finds answers to similar requests as what it is; None for any other."""
    return store if callable(getattr(store, "near", None)) else None  # type: ignore[return-value]  # it has the method


def _plugged(reference: str) -> CacheStore:
    try:
        make = imported(reference)
    except ConfigError as error:
        raise ConfigError(f"cache.plugin {error}") from None
    if not callable(make):
        raise ConfigError(f"cache.plugin {reference!r} is a {type(make).__name__}, nothing that makes a store")
    try:
        store: CacheStore = make()
    except Exception as error:  # noqa: BLE001 - somebody else's code may raise anything
        raise ConfigError(f"cache.plugin {reference!r} made no store: {type(error).__name__}: {error}") from None
    missing = [name for name in _METHODS if not callable(getattr(store, name, None))]
    if missing:
        raise ConfigError(f"cache.plugin {reference!r} is no store: it has no method {missing[0]!r}")
    return store
