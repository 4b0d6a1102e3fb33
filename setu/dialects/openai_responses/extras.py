"""Members nobody knows: kept beside what was read, given back where they stood."""

from typing import Any

from setu.chat.seals import Extra
from setu.dialects.openai_chat.extras import dump, merge, put_back
from setu.dialects.openai_responses.words import NAME
from setu.dialects.record import Loss, pointer

Where = tuple[str | int, ...]

__all__ = ["Where", "dump", "give_back", "known", "lose", "merge", "put_back"]


def known(extra: Extra | None) -> dict[str, bytes]:
    """Return the members of this dialect's own extra."""
    return extra.members if extra is not None and extra.dialect == NAME else {}


def lose(losses: list[Loss], where: Where, reason: str, *, info: bool = False, response: bool = False) -> None:
    losses.append(
        Loss(
            phase="response" if response else "request",
            pointer=pointer(*where),
            reason=reason,
            severity="info" if info else "warn",
        )
    )


def give_back(target: dict[str, Any], extra: Extra | None, where: Where, losses: list[Loss]) -> None:
    """Merge this dialect's own members into a rendered object; another dialect's are losses."""
    merge(target, known(extra))
    if extra is not None and extra.dialect != NAME:
        for key in extra.members:
            lose(losses, (*where, key), f"only {extra.dialect} knows this member")
