"""Whether a request comes in, and as whom. Pure: what it says, what is known of its key, and the time."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from setu.access.caller import ANYBODY, Caller
from setu.access.keys import PREFIX, Ended, Pass, check, digest_of
from setu.access.said import Said, speaking

Mode = Literal["open", "keys", "passthrough", "hybrid"]
"""Nobody is asked; only this gateway's keys count; everybody brings a provider's key; either of the two."""

Reason = Ended | Literal["absent", "foreign", "not admin"]

_SAYS: Mapping[Reason, str] = {
    "absent": "no API key was given",
    "unknown": "the API key is not one of this gateway's",
    "expired": "the API key has expired",
    "revoked": "the API key has been revoked",
    "replaced": "the API key has been replaced by a new one",
    "foreign": "the API key is one of this gateway's, which asks for a provider's own",
    "not admin": "the API key is not one of an administrator's",
}


class Refused(msgspec.Struct, frozen=True):
    """Why somebody stays outside; `key` is the id of a key that is known."""

    reason: Reason
    key: str = ""

    @property
    def message(self) -> str:
        return _SAYS[self.reason]


def entered(mode: Mode, said: Said, known: Pass | None, now: float) -> Caller | Refused:
    """Return who comes in, or why nobody does. `known` is what this gateway has for the key's digest.

    A key of this gateway never leaves it: neither one that is known, nor any that looks like one.
    """
    if mode == "open":
        return speaking(ANYBODY, said)
    if said.key is None:
        return Refused("absent")
    if known is not None:
        return _known(mode, said, said.key, known, now)
    if said.key.startswith(PREFIX) or mode == "keys":
        return Refused("unknown")
    return speaking(own(said.key, said.shown), said)


def _known(mode: Mode, said: Said, key: str, known: Pass, now: float) -> Caller | Refused:
    found = check(known, digest_of(key), now)
    if not isinstance(found, Caller):
        return Refused(found, known.caller.key)
    if mode == "passthrough":
        return Refused("foreign", found.key)
    return speaking(found, said)


def own(key: str, shown: str) -> Caller:
    """Return a client that brings a provider's key. Half a digest tells its clients apart, and tells nothing else."""
    return Caller(key=f"own-{digest_of(key)[:16]}", forward=key, shown=shown)


def administrator(said: Said, known: Pass | None, now: float) -> Caller | Refused:
    """Return the administrator, or why a request is none's; whatever the mode is."""
    if said.key is None:
        return Refused("absent")
    found: Caller | Ended = check(known, digest_of(said.key), now) if known is not None else "unknown"
    if not isinstance(found, Caller):
        return Refused(found, known.caller.key if known is not None else "")
    return found if found.admin else Refused("not admin", found.key)
