"""What a strategy is: candidates in, an order of them out. And what it may be told."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from setu.routing.plan import Ask, Outlook, Target


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy by its name, and its settings; each strategy reads its own.

    `weights` are shares by target (`provider/model`) or provider; where a target has none, its deployment's counts.
    `salt` keeps two splits of the same users apart. The thresholds are in seconds, `hedge` too.
    """

    strategy: str = "composite"
    weights: Mapping[str, float] = {}
    salt: str = ""
    cost_weight: float = 0.6
    latency_weight: float = 0.3
    health_weight: float = 0.1
    max_latency: float | None = 5.0
    primary: str | None = None
    backups: tuple[str, ...] = ()
    failover_delay: float = 30.0
    hedge: float | None = None


class Ordered(msgspec.Struct, frozen=True, kw_only=True):
    """The candidates, best first, and the scores that made them so, by the targets' names (less is better)."""

    targets: Sequence[Target]
    scores: Mapping[str, float] = {}


Strategy = Callable[[Sequence[Target], Ask, Policy, Outlook], Ordered]
"""Pure. It may leave targets out or repeat them: those left out come last, repetitions do not count."""
