import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yaml import safe_dump as dump

from setu.config.layers import Path, leaves, put
from setu.config.load import parse
from setu.config.model import Config
from setu.config.schema import ANY, table_at
from setu.config.synonyms import SYNONYMS, SameKeyError, Synonym, milliseconds, rewritten, tries


def way(pattern: Path) -> Path:
    return tuple("mine" if step == ANY else step for step in pattern)


def at(pattern: Path, value: Any) -> dict[str, Any]:
    data: dict[str, Any] = {}
    put(data, way(pattern), value)
    return data


def ids(synonym: Synonym) -> str:
    return ".".join(synonym.old)


@pytest.mark.parametrize("synonym", [one for one in SYNONYMS if one.new is not None], ids=ids)
def test_every_synonym_stands_for_a_key_there_is(synonym: Synonym) -> None:
    assert synonym.new is not None
    table = table_at(Config, way(synonym.new[:-1]))

    assert table is not None
    assert synonym.new[-1] in table.model_fields


@pytest.mark.parametrize("synonym", SYNONYMS, ids=ids)
def test_no_synonym_hides_a_key_there_is(synonym: Synonym) -> None:
    table = table_at(Config, way(synonym.old[:-1]))

    assert table is None or synonym.old[-1] not in table.model_fields


@pytest.mark.parametrize("synonym", [one for one in SYNONYMS if one.new is None], ids=ids)
def test_a_key_without_effect_is_accepted_and_says_why_or_needs_no_word(synonym: Synonym) -> None:
    found = rewritten(at(synonym.old, "x"))

    assert found.notes == ((way(synonym.old), synonym.why),) if synonym.why else found.notes == ()


def test_the_users_own_way_is_remembered() -> None:
    found = rewritten({"daemon": {"port": 1}, "providers": {"a": {"endpoint": "x"}, "b": {"base_url": "y"}}})

    assert found.data == {"server": {"port": 1}, "providers": {"a": {"base_url": "x"}, "b": {"base_url": "y"}}}
    assert found.old(("server", "port")) == ("daemon", "port")
    assert found.old(("providers", "a", "base_url")) == ("providers", "a", "endpoint")
    assert found.old(("providers", "b", "base_url")) == ("providers", "b", "base_url")


def test_two_spellings_of_one_key_are_refused() -> None:
    with pytest.raises(SameKeyError, match=r"says the same as providers\.a\.base_url: keep one of them") as caught:
        rewritten({"providers": {"a": {"endpoint": "x", "base_url": "y"}}})

    assert caught.value.old == ("providers", "a", "endpoint")


def test_a_table_that_a_user_named_stays_though_it_is_empty() -> None:
    assert rewritten({"providers": {"openai": {"name": "openai"}}}).data == {"providers": {"openai": {}}}


@pytest.mark.parametrize(
    ("value", "seconds", "total"),
    [(3, 0.003, 4), ("3", 0.003, 4), (1.5, 0.0015, 1.5), ("x", "x", "x"), (True, True, True), (None, None, None)],
)
def test_a_value_that_cannot_be_converted_is_left_to_the_check(value: object, seconds: object, total: object) -> None:
    assert (milliseconds(value), tries(value)) == (seconds, total)


SERVER = "[{name}]\nhost = '127.0.0.2'\nport = 7\n"
PROVIDER = "[providers.p]\ntype = 'openai_compatible'\n{url} = 'http://h/v1'\n{timeout}\n"


@given(
    st.sampled_from(["server", "daemon"]),
    st.sampled_from(["base_url", "endpoint"]),
    st.sampled_from(
        ["timeout = 30", "timeout = '30s'", "timeout = '0.5m'", "timeout_seconds = 30", "timeout_ms = 30000"]
    ),
)
def test_any_spelling_gives_the_same_configuration(name: str, url: str, timeout: str) -> None:
    spelled = SERVER.format(name=name) + PROVIDER.format(url=url, timeout=timeout)
    canonical = SERVER.format(name="server") + PROVIDER.format(url="base_url", timeout="timeout = 30")

    assert parse(spelled, "setu.toml", {}) == parse(canonical, "setu.toml", {})


KEYS = st.sampled_from(["daemon", "server", "providers", "p", "endpoint", "base_url", "retry", "timeout_ms", "routes"])
TREES = st.recursive(st.integers() | st.text(max_size=3), lambda inner: st.dictionaries(KEYS, inner, max_size=4))


@given(st.dictionaries(KEYS, TREES, max_size=4))
def test_rewriting_twice_is_rewriting_once_and_changes_no_input(data: dict[str, Any]) -> None:
    before = copy.deepcopy(data)
    try:
        once = rewritten(data).data
    except SameKeyError:
        return
    finally:
        assert data == before

    assert rewritten(once).data == once


VALUES: dict[Path, Any] = {
    ("daemon",): {"port": 7, "host": "127.0.0.2"},
    ("routes",): [{"name": "default", "primary": {"provider": "mine"}}],
    ("routing_policy", "type"): "failover",
    ("routing_policy", "config"): {"primary_provider": "mine", "backup_providers": ["other"], "failover_delay": "20s"},
    ("providers", ANY, "endpoint"): "http://here/v1",
    ("providers", ANY, "health_check_url"): "http://here/health",
}
"""A value for each accepted key that takes more than a number."""


def distinct(chosen: list[Synonym]) -> list[Synonym]:
    """Leave out what says the same as another one."""
    return list({one.new: one for one in chosen}.values())


@given(st.lists(st.sampled_from([one for one in SYNONYMS if one.new is not None]), max_size=6).map(distinct))
def test_any_of_the_spellings_together_give_the_same_configuration(chosen: list[Synonym]) -> None:
    accepted: dict[str, Any] = {}
    canonical: dict[str, Any] = {}
    for one in chosen:
        value = VALUES.get(one.old, 3)
        assert one.new is not None
        put(accepted, way(one.old), value)
        for path, part in leaves({"": one.convert(value)}):
            put(canonical, way(one.new) + path[1:], part)

    assert parse(dump(accepted), "c.yaml", {}) == parse(dump(canonical), "c.yaml", {})
