"""This dialect's own members in the extras of a request or an answer."""

from typing import Any

from setu.chat.seals import Extra
from setu.dialects import extras
from setu.dialects.extras import Where
from setu.dialects.openai_chat.words import NAME
from setu.dialects.record import Loss


def known(extra: Extra | None) -> dict[str, bytes]:
    """Return the members of this dialect's own extra."""
    return extras.known(extra, NAME)


def give_back(target: dict[str, Any], extra: Extra | None, where: Where, losses: list[Loss]) -> None:
    """Merge this dialect's own members into a rendered object; another dialect's are losses."""
    extras.give_back(target, extra, NAME, where, losses)
