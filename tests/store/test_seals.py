"""Seals in memory: found by call, bounded, the oldest forgotten first."""

from hypothesis import given
from hypothesis import strategies as st

from setu.chat.seals import Seal
from setu.store.seals import MemorySeals, TenantSeals


def seal(data: str) -> Seal:
    return Seal(issuer="gemini", kind="signature", data=data)


def test_what_was_put_is_found_and_nothing_else() -> None:
    store = MemorySeals()
    store.put({"a": seal("1"), "b": seal("2")})

    assert store.get(["b", "c"]) == {"b": seal("2")}
    assert store.get([]) == {}


def test_the_oldest_is_forgotten_and_a_fresh_copy_is_young_again() -> None:
    store = MemorySeals(limit=2)
    store.put({"a": seal("1"), "b": seal("2")})
    store.put({"a": seal("3")})
    store.put({"c": seal("4")})

    assert store.get("abc") == {"a": seal("3"), "c": seal("4")}


@given(
    st.lists(st.dictionaries(st.sampled_from("abcdefgh"), st.text(max_size=2).map(seal), max_size=5), max_size=12),
    st.integers(1, 5),
)
def test_it_never_holds_more_than_its_limit_and_always_the_newest(puts: list[dict[str, Seal]], limit: int) -> None:
    store = MemorySeals(limit)
    newest: dict[str, Seal] = {}
    for one in puts:
        store.put(one)
        for call_id, value in one.items():
            newest.pop(call_id, None)
            newest[call_id] = value

    assert store.get("abcdefgh") == dict(list(newest.items())[-limit:])


def test_a_tenant_never_sees_or_pushes_out_anothers() -> None:
    stores = TenantSeals(limit=1)
    stores.of("a").put({"x": seal("1")})
    stores.of("b").put({"x": seal("2"), "y": seal("3")})

    assert stores.of("a").get("xy") == {"x": seal("1")}
    assert stores.of("b").get("xy") == {"y": seal("3")}


def test_the_tenant_that_was_away_longest_makes_room() -> None:
    stores = TenantSeals(tenants=2)
    for tenant in ("a", "b"):
        stores.of(tenant).put({"x": seal(tenant)})
    stores.of("a")
    stores.of("c")

    assert stores.of("a").get("x") == {"x": seal("a")}
    assert stores.of("b").get("x") == {}
