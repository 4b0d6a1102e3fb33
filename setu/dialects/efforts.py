"""Efforts of thinking and the budgets that stand for them, the same between any two dialects."""

from collections.abc import Collection, Sequence
from typing import Final

BUDGETS: Final = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 32768}
"""Tokens of thinking for each effort, where a model takes the one and the client gave the other."""

LADDER: Final = tuple(BUDGETS)
"""The efforts that think, from the least."""

EFFORTS: Final = ("none", *LADDER)
"""The words of OpenAI's APIs, from the least; "none" is one of them there."""


def effort_of(budget: int) -> str:
    """Return the highest effort whose budget is not above this one; the least effort for less than any."""
    return next((effort for effort in reversed(LADDER) if BUDGETS[effort] <= budget), LADDER[0])


def nearest(effort: str, known: Collection[str], order: Sequence[str] = EFFORTS) -> str | None:
    """Return the next effort down that a model knows, else the least that it knows (B-PRM-12).

    None when the effort has no place in the order, or nothing that is known has.
    """
    ranks = [order.index(word) for word in known if word in order]
    if effort not in order or not ranks:
        return None
    wanted = order.index(effort)
    return order[max((rank for rank in ranks if rank <= wanted), default=min(ranks))]
