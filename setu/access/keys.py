"""Virtual keys as values: what is known of each, and what whoever shows one may do.

A key's secret is 240 random bits, so its plain SHA-256 cannot be turned back and needs no slow hash. The secret itself
is nowhere: it is shown once, when it is made.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from hmac import compare_digest
from typing import Literal, Protocol

import msgspec

from setu.access.caller import Caller
from setu.errors import SetuError
from setu.resilience.ledger import Limit, Period, Unit

PREFIX = "sk-setu-"
SECRET_LENGTH = 40
"""Characters after the prefix."""

_DISPLAYED = len(PREFIX) + 4


class Key(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is kept of a virtual key.

    Times are seconds since the epoch. `digest` is the hex SHA-256 of the secret, `previous` that of the one before a
    rotation, which counts until `previous_until`. `prefix` is the start of the secret, to tell keys apart. `models`
    and `providers` are globs, `require` tags (`region:eu`); no amount means no limit. Unknown fields are errors: one
    written by a newer version may be a restriction.
    """

    id: str
    digest: str
    prefix: str = ""
    name: str = ""
    tenant: str = ""
    admin: bool = False
    models: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    daily_tokens: int | None = None
    monthly_tokens: int | None = None
    daily_nano_usd: int | None = None
    monthly_nano_usd: int | None = None
    created_at: float = 0.0
    expires_at: float | None = None
    revoked_at: float | None = None
    last_used: float | None = None
    previous: str = ""
    previous_until: float = 0.0


AMOUNTS: Mapping[str, tuple[Unit, Period]] = {
    "requests_per_minute": ("requests", "minute"),
    "tokens_per_minute": ("tokens", "minute"),
    "daily_tokens": ("tokens", "day"),
    "monthly_tokens": ("tokens", "month"),
    "daily_nano_usd": ("nano_usd", "day"),
    "monthly_nano_usd": ("nano_usd", "month"),
}
"""The members of a key that are limits."""


Ended = Literal["unknown", "expired", "revoked", "replaced"]
"""Why a key lets nobody in."""


class Pass(msgspec.Struct, frozen=True):
    """What a digest stands for: a caller, when that ends and why; `ends` is None for never."""

    digest: str
    caller: Caller
    ends: float | None = None
    why: Ended = "unknown"


class Keyring(Protocol):
    """The virtual keys as last read."""

    def find(self, digest: str) -> Pass | None: ...

    def used(self, key: str, now: float) -> None:
        """Note that a key let somebody in."""
        ...

    async def refresh(self) -> None:
        """Look whether keys have changed, if it is time to; returns at once if not."""
        ...


class NoKeys:
    """A keyring without keys."""

    def find(self, digest: str) -> Pass | None:
        del digest
        return None

    def used(self, key: str, now: float) -> None:
        pass

    async def refresh(self) -> None:
        pass


def digest_of(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def made(identifier: str, secret: str, now: float, **said: object) -> Key:
    """Return a new key; `said` are members of it."""
    return msgspec.structs.replace(
        Key(id=identifier, digest=digest_of(secret), prefix=secret[:_DISPLAYED], created_at=now), **said
    )


def revoked(key: Key, now: float) -> Key:
    """Return the key as one that lets nobody in; a revoked one stays as it is."""
    return key if key.revoked_at is not None else msgspec.structs.replace(key, revoked_at=now)


def rotated(key: Key, secret: str, now: float, grace: float) -> Key:
    """Return the key with a new secret; the old one counts for `grace` seconds more, one from before not any more.

    Raises:
        SetuError: it has been revoked, or has expired: a new secret would let nobody in.
    """
    if state(key, now) != "active":
        raise SetuError(f"the key {key.id} is {state(key, now)}: make a new one")
    return msgspec.structs.replace(
        key,
        digest=digest_of(secret),
        prefix=secret[:_DISPLAYED],
        previous=key.digest if grace > 0 else "",
        previous_until=now + grace if grace > 0 else 0.0,
    )


def state(key: Key, now: float) -> str:
    """Return `active`, `expired` or `revoked`."""
    if key.revoked_at is not None and key.revoked_at <= now:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "active"


def limits_of(key: Key) -> tuple[Limit, ...]:
    """Return the limits that a key sets itself."""
    return tuple(
        Limit(name=f"key.{name}", unit=unit, amount=amount, dimension="key", period=period)
        for name, (unit, period) in AMOUNTS.items()
        if (amount := getattr(key, name)) is not None
    )


def caller_of(key: Key) -> Caller:
    """Return who shows this key."""
    return Caller(
        tenant=key.tenant,
        key=key.id,
        admin=key.admin,
        models=key.models,
        providers=key.providers,
        require=frozenset(key.require),
        limits=limits_of(key),
    )


def passes_of(keys: Iterable[Key]) -> dict[str, Pass]:
    """Return what each digest stands for."""
    found: dict[str, Pass] = {}
    for key in keys:
        caller = caller_of(key)
        ends, why = _end(key)
        found[key.digest] = Pass(key.digest, caller, ends, why)
        if key.previous:
            if ends is None or key.previous_until < ends:
                ends, why = key.previous_until, "replaced"
            found[key.previous] = Pass(key.previous, caller, ends, why)
    return found


def _end(key: Key) -> tuple[float | None, Ended]:
    """Return when a key ends and why, whichever comes first."""
    if key.revoked_at is not None and (key.expires_at is None or key.revoked_at <= key.expires_at):
        return key.revoked_at, "revoked"
    return key.expires_at, "expired"


def static_passes(keys: Iterable[str], admin_keys: Iterable[str] = ()) -> dict[str, Pass]:
    """Return what the keys of a configuration stand for; their ids say which list they are of, and where there."""
    callers = [(key, Caller(key=f"config-{number}")) for number, key in enumerate(keys, 1)]
    callers += [(key, Caller(key=f"admin-{number}", admin=True)) for number, key in enumerate(admin_keys, 1)]
    return {digest_of(key): Pass(digest_of(key), caller) for key, caller in callers if key}


def check(known: Pass, digest: str, now: float) -> Caller | Ended:
    """Return who comes in, or why nobody does."""
    # The table found it by its hash already; comparing takes the same time however much of it is right.
    if not compare_digest(known.digest, digest):
        return "unknown"
    if known.ends is not None and known.ends <= now:
        return known.why
    return known.caller
