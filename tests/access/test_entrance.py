"""Who comes in, in which mode; and that a key of the gateway never leaves it."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.access.caller import ANYBODY, Caller
from setu.access.entrance import Mode, Refused, administrator, entered, own
from setu.access.keys import PREFIX, Pass, digest_of
from setu.access.said import Said

NOW = 1_000_000.0
KEY, OTHER = "sk-of-the-gateway", "sk-of-a-provider"
HOLDER = Caller(key="key_1", tenant="acme")


def known(key: str = KEY, *, ends: float | None = None, caller: Caller = HOLDER) -> Pass:
    return Pass(digest_of(key), caller, ends, "expired")


@pytest.mark.parametrize(
    ("mode", "key", "expected"),
    [
        ("open", None, ANYBODY),
        ("open", KEY, ANYBODY),
        ("keys", None, Refused("absent")),
        ("keys", KEY, HOLDER),
        ("keys", OTHER, Refused("unknown")),
        ("passthrough", None, Refused("absent")),
        ("passthrough", KEY, Refused("foreign", "key_1")),
        ("passthrough", OTHER, own(OTHER, "bearer")),
        ("hybrid", None, Refused("absent")),
        ("hybrid", KEY, HOLDER),
        ("hybrid", OTHER, own(OTHER, "bearer")),
        ("hybrid", PREFIX + "deleted", Refused("unknown")),
        ("passthrough", PREFIX + "deleted", Refused("unknown")),
    ],
)
def test_who_comes_in(mode: Mode, key: str | None, expected: Caller | Refused) -> None:
    found = entered(mode, Said(key, "bearer" if key else ""), known() if key == KEY else None, NOW)

    assert found == expected


def test_an_expired_key_is_not_taken_for_a_providers() -> None:
    assert entered("hybrid", Said(KEY, "bearer"), known(ends=NOW - 1), NOW) == Refused("expired", "key_1")


def test_whoever_brings_a_key_is_told_apart_by_it_but_not_named_by_it() -> None:
    caller = own(OTHER, "x-api-key")

    assert (caller.forward, caller.shown) == (OTHER, "x-api-key")
    assert caller.key == f"own-{digest_of(OTHER)[:16]}"


def test_a_claimed_tenant_does_not_hide_whose_key_it_was() -> None:
    callers = [entered("passthrough", Said(key, "bearer", "acme"), None, NOW) for key in (KEY, OTHER)]

    assert [caller.tenant for caller in callers if isinstance(caller, Caller)] == ["acme", "acme"]
    assert len({caller.key for caller in callers if isinstance(caller, Caller)}) == 2


@pytest.mark.parametrize(
    ("key", "caller", "expected"),
    [
        (None, None, Refused("absent")),
        (OTHER, None, Refused("unknown")),
        (KEY, HOLDER, Refused("not admin", "key_1")),
        (KEY, Caller(key="admin-1", admin=True), Caller(key="admin-1", admin=True)),
    ],
)
def test_who_is_an_administrator(key: str | None, caller: Caller | None, expected: Caller | Refused) -> None:
    assert administrator(Said(key), known(caller=caller) if caller else None, NOW) == expected


def test_an_administrator_whose_key_has_expired_is_none() -> None:
    chief = known(ends=NOW, caller=Caller(key="key_1", admin=True))

    assert administrator(Said(KEY), chief, NOW) == Refused("expired", "key_1")


@given(
    st.sampled_from(get_args(Mode)),
    st.none() | st.text(min_size=1, max_size=30) | st.text(max_size=40).map(PREFIX.__add__),
    st.booleans(),
    st.none() | st.floats(0, 2 * NOW),
)
def test_a_key_of_the_gateway_never_leaves_it(mode: Mode, key: str | None, ours: bool, ends: float | None) -> None:
    found = entered(mode, Said(key, "bearer"), known(key, ends=ends) if ours and key else None, NOW)

    forwarded = found.forward if isinstance(found, Caller) else None
    assert forwarded is None or (forwarded == key and not ours and not forwarded.startswith(PREFIX))
    assert forwarded is None or mode in ("passthrough", "hybrid")


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_no_other_text_is_a_key(secret: str, shown: str) -> None:
    found = entered("keys", Said(shown, "bearer"), known(secret), NOW)

    assert (found == HOLDER) == (shown == secret)
