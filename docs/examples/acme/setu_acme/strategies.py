"""A routing strategy: which of the models that could answer is asked first."""

from collections.abc import Sequence

from setu.routing.plan import Ask, Outlook, Target
from setu.routing.policy import Ordered, Policy

_ANSWER = 1024
"""Tokens to keep free for an answer whose request sets no maximum."""


def lightest(targets: Sequence[Target], ask: Ask, _policy: Policy, _outlook: Outlook) -> Ordered:
    """Prefer the smallest context window that question and answer fit into; one of unknown size comes last."""
    needed = ask.tokens + (ask.max_tokens or _ANSWER)

    def rank(target: Target) -> tuple[bool, float]:
        window = target.deployment.facts(target.model).context or float("inf")
        return window < needed, window

    return Ordered(targets=sorted(targets, key=rank))
