"""What a key lets its holder do, and until when."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.access.caller import Caller
from setu.access.keys import (
    Key,
    Pass,
    caller_of,
    check,
    digest_of,
    limits_of,
    made,
    passes_of,
    revoked,
    rotated,
    state,
    static_passes,
)
from setu.errors import SetuError
from setu.resilience.ledger import Limit

SECRET = "sk-setu-" + "s" * 40
NEWER = "sk-setu-" + "n" * 40
NOW = 1_000_000.0


def entering(secret: str, *keys: Key, now: float = NOW) -> Caller | str:
    digest = digest_of(secret)
    known = passes_of(keys).get(digest)
    return check(known, digest, now) if known is not None else "unknown"


def test_a_key_lets_its_holder_in_as_what_it_says() -> None:
    key = made("key_1", SECRET, NOW, tenant="acme", models=("gpt-*",), require=("region:eu",), requests_per_minute=9)

    assert entering(SECRET, key) == Caller(
        tenant="acme",
        key="key_1",
        models=("gpt-*",),
        require=frozenset({"region:eu"}),
        limits=(Limit(name="key.requests_per_minute", unit="requests", amount=9, dimension="key", period="minute"),),
    )


def test_a_key_does_not_hold_its_secret() -> None:
    key = made("key_1", SECRET, NOW)

    assert SECRET.encode() not in msgspec.json.encode(key)
    assert key.prefix == "sk-setu-ssss"


@pytest.mark.parametrize(("now", "entered"), [(NOW + 59, True), (NOW + 60, False), (NOW + 61, False)])
def test_a_key_ends_when_it_expires(now: float, entered: bool) -> None:
    found = entering(SECRET, made("key_1", SECRET, NOW, expires_at=NOW + 60), now=now)

    assert found == (Caller(key="key_1") if entered else "expired")


def test_a_revoked_key_lets_nobody_in_and_stays_revoked() -> None:
    key = revoked(made("key_1", SECRET, NOW, expires_at=NOW + 60), NOW)

    assert entering(SECRET, key) == "revoked"
    assert revoked(key, NOW + 99) == key
    assert state(key, NOW) == "revoked"


def test_after_a_rotation_both_secrets_count_for_a_while() -> None:
    key = rotated(made("key_1", SECRET, NOW), NEWER, NOW, 10)

    assert [entering(secret, key, now=NOW + 9) for secret in (SECRET, NEWER)] == [Caller(key="key_1")] * 2
    assert entering(SECRET, key, now=NOW + 10) == "replaced"
    assert entering(NEWER, key, now=NOW + 10) == Caller(key="key_1")


def test_without_grace_the_old_secret_is_unknown_at_once() -> None:
    assert entering(SECRET, rotated(made("key_1", SECRET, NOW), NEWER, NOW, 0)) == "unknown"


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (made("key_1", SECRET, NOW, expires_at=NOW + 5), "expired"),
        (made("key_1", SECRET, NOW, expires_at=NOW + 99), "replaced"),
    ],
)
def test_an_old_secret_ends_with_its_grace_or_with_its_key(key: Key, why: str) -> None:
    assert entering(SECRET, rotated(key, NEWER, NOW, 10), now=NOW + 10) == why


def test_a_revocation_ends_the_grace_too() -> None:
    key = revoked(rotated(made("key_1", SECRET, NOW), NEWER, NOW, 10), NOW + 1)

    assert [entering(secret, key, now=NOW + 2) for secret in (SECRET, NEWER)] == ["revoked"] * 2


@pytest.mark.parametrize(
    "key", [revoked(made("key_1", SECRET, NOW), NOW), made("key_1", SECRET, 0.0, expires_at=NOW - 1)]
)
def test_what_lets_nobody_in_cannot_be_rotated(key: Key) -> None:
    with pytest.raises(SetuError, match="make a new one"):
        rotated(key, NEWER, NOW, 10)


def test_the_keys_of_a_configuration_say_which_they_are() -> None:
    found = static_passes(["a", ""], ["b"])

    assert {digest: known.caller for digest, known in found.items()} == {
        digest_of("a"): Caller(key="config-1"),
        digest_of("b"): Caller(key="admin-1", admin=True),
    }


def test_a_digest_that_is_another_lets_nobody_in() -> None:
    assert check(Pass(digest_of("a"), Caller()), digest_of("b"), NOW) == "unknown"


def test_limits_are_those_that_have_an_amount() -> None:
    key = made("key_1", SECRET, NOW, tokens_per_minute=5, monthly_nano_usd=7)

    assert [(limit.unit, limit.period, limit.amount) for limit in limits_of(key)] == [
        ("tokens", "minute", 5),
        ("nano_usd", "month", 7),
    ]


def test_a_field_that_a_newer_version_wrote_is_not_overlooked() -> None:
    data = msgspec.json.encode({"id": "key_1", "digest": "d", "only_on_mondays": True})

    with pytest.raises(msgspec.ValidationError, match="only_on_mondays"):
        msgspec.json.decode(data, type=Key)


moments = st.floats(NOW - 100, NOW + 100)


@given(moments | st.none(), moments | st.none(), moments, st.floats(0, 100), moments)
def test_nothing_lets_in_once_it_has_ended(
    expires: float | None, revoked_at: float | None, turned: float, grace: float, now: float
) -> None:
    """And a key that has not ended lets in by its newest secret."""
    key = made("key_1", SECRET, NOW - 100, expires_at=expires)
    if state(key, turned) == "active":
        key = rotated(key, NEWER, turned, grace)
    if revoked_at is not None:
        key = revoked(key, revoked_at)
    newest = NEWER if key.digest == digest_of(NEWER) else SECRET
    over = (expires is not None and expires <= now) or (revoked_at is not None and revoked_at <= now)

    assert (entering(newest, key, now=now) != caller_of(key)) == over
    if key.previous and now >= key.previous_until:
        assert entering(SECRET, key, now=now) != caller_of(key)
