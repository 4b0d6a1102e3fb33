"""`[cache]` becomes rules and an open store, or one sentence that says why not."""

import asyncio
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from setu.config.cache import CacheConfig, near_of, rules_of, store_of
from setu.errors import ConfigError
from setu.gateway.cache import Rules
from setu.store.cache import MemoryCache
from setu.store.redis_cache import RedisCache
from tests.clocks import RealClock

CLOCK = RealClock()
URL = SecretStr("redis://127.0.0.1:1/0")


def test_by_default_nothing_is_kept() -> None:
    config = CacheConfig()

    assert not config.enabled
    assert rules_of(config) == Rules()


def test_what_is_written_is_what_the_gateway_is_told() -> None:
    config = CacheConfig.model_validate({"ttl": "10m", "max_item": "64KB", "when": "deterministic"})

    assert rules_of(config) == Rules(ttl=600.0, max_item=64_000, when="deterministic")


@pytest.mark.parametrize(
    ("config", "state", "expected"),
    [
        (CacheConfig(), None, MemoryCache),
        (CacheConfig(), URL, RedisCache),
        (CacheConfig(type="memory"), URL, MemoryCache),
        (CacheConfig(type="redis"), URL, RedisCache),
        (CacheConfig(redis_url=URL), None, RedisCache),
    ],
)
def test_answers_are_kept_where_the_configuration_says(
    config: CacheConfig, state: SecretStr | None, expected: type
) -> None:
    async def main() -> None:
        store = store_of(config, CLOCK, state)
        assert type(store) is expected
        assert near_of(store) is None
        await store.aclose()

    asyncio.run(main())


def test_memory_keeps_within_the_configured_room() -> None:
    async def main() -> None:
        store = store_of(CacheConfig(max_size=2), CLOCK)
        for key in "abc":
            await store.put(key, b"v", 60)

        assert [await store.get(key) for key in "abc"] == [None, b"v", b"v"]

    asyncio.run(main())


def test_redis_without_a_url_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match=r"^cache\.type is 'redis' but no Redis is configured: set state\.redis_url"):
        store_of(CacheConfig(type="redis"), CLOCK)


@pytest.mark.parametrize(
    "wrong", [{"redis_url": "http://u:secret@h"}, {"max_size": 0}, {"ttl": "soon"}, {"typo": 1}, {"type": "disk"}]
)
def test_a_wrong_value_is_refused_and_a_secret_not_repeated(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        CacheConfig.model_validate(wrong)

    assert [error for error in refused.value.errors() if "secret" in error["msg"]] == []


PLUGIN = """
class Store:
    async def get(self, key): return None
    async def put(self, key, value, ttl): pass
    async def delete(self, key): pass
    async def aclose(self): pass

class Near(Store):
    async def near(self, key, scope, request): return None

class Half:
    async def get(self, key): return None

def broken():
    raise OSError("no disk")

NUMBER = 5
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"setu_cache_plugin_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def test_a_store_of_somebodys_own_is_made_and_may_find_what_is_near(plugin: str) -> None:
    plain = store_of(CacheConfig(plugin=f"{plugin}:Store"), CLOCK, URL)
    near = store_of(CacheConfig(plugin=f"{plugin}:Near"), CLOCK)

    assert near_of(plain) is None
    assert near_of(near) is near


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Half", "is no store: it has no method 'put'"),
        ("broken", "made no store: OSError: no disk"),
        ("NUMBER", "is a int, nothing that makes a store"),
        ("nothing", "has no attribute 'nothing'"),
    ],
)
def test_a_plug_in_that_is_no_store_is_named_with_its_reason(plugin: str, name: str, said: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        store_of(CacheConfig(plugin=f"{plugin}:{name}"), CLOCK)

    assert str(wrong.value).startswith("cache.plugin ")
    assert str(wrong.value).endswith(said)
