"""One more try without sealed thinking, at a deployment that could not open it (B-THK-18)."""

from collections.abc import Awaitable, Callable

from setu.dialects.record import Loss
from setu.gateway.ready import Failure, Ready
from setu.translate.unsealed import seal_refused, without_seals

LOST = Loss(phase="request", pointer="", reason="thinking that another deployment has sealed was left out")

Ask = Callable[[bytes], Awaitable[Ready | Failure]]
"""Sends a body, and waits until its answer is worth giving, or is none."""


async def asked(ask: Ask, dialect: str, body: bytes) -> Ready | Failure:
    """Ask; where a seal is refused, ask once more without any. Where that does not help, the refusal stands."""
    found = await ask(body)
    if not isinstance(found, Failure) or not seal_refused(found.info):
        return found
    bare = without_seals(dialect, body)
    again = found if bare is None else await ask(bare)
    if isinstance(again, Failure):
        return found
    again.losses = (LOST, *again.losses)
    return again
