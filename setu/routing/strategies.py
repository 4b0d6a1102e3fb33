"""The strategies: in which order the targets that could serve a request are tried.

Each takes the targets in their base order (as listed, or by priority) and breaks ties by it, so that the same ask, the
same table and the same outlook give the same plan.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b

import msgspec

from setu.resilience.ledger import Standing
from setu.routing.plan import Ask, Outlook, Plan, Target
from setu.routing.policy import Ordered, Policy, Strategy

EXPECTED_OUTPUT = 500
"""Tokens of an answer whose request sets no maximum, for an estimate of its cost."""

_UNKNOWN = Standing()


def usable(target: Target, outlook: Outlook) -> bool:
    """Tell whether a call is worth trying: it has its credential, and its breaker is not open."""
    standing = outlook.standing.get(target.deployment.name)
    return target.deployment.callable and (standing is None or standing.usable)


def in_order(strategy: Strategy, targets: Sequence[Target], ask: Ask, policy: Policy, outlook: Outlook) -> Ordered:
    """Order targets, usable ones first; whatever a strategy of somebody else's returns, none is lost or added."""
    if len(targets) < 2:
        return Ordered(targets=targets)
    ordered = strategy(targets, ask, policy, outlook)
    known = {target.name: target for target in targets}
    wanted = [known[name] for name in dict.fromkeys(target.name for target in ordered.targets) if name in known]
    chosen = {target.name for target in wanted}
    wanted += [target for target in targets if target.name not in chosen]
    wanted.sort(key=lambda target: not usable(target, outlook))
    return Ordered(targets=wanted, scores=ordered.scores)


def rotated(plan: Plan, turn: int) -> Plan:
    """Return a plan with its ring turned, `turn` being how often its counter was asked before."""
    ring = plan.ring
    start = turn % ring if ring else 0
    targets = plan.targets[start:ring] + plan.targets[:start] + plan.targets[ring:]
    return msgspec.structs.replace(plan, targets=targets[:1] if plan.alone else targets, rotate=None)


def as_given(targets: Sequence[Target], _ask: Ask, _policy: Policy, _outlook: Outlook) -> Ordered:
    """Keep the base order. Round robin does, too: its counter turns it afterwards (`rotated`)."""
    return Ordered(targets=targets)


def least_latency(targets: Sequence[Target], _ask: Ask, _policy: Policy, outlook: Outlook) -> Ordered:
    """Prefer the fastest; one that was never measured goes first, or it would never be."""
    return _by_score(targets, {target.name: _latency(target, outlook) or 0.0 for target in targets})


def least_busy(targets: Sequence[Target], _ask: Ask, policy: Policy, outlook: Outlook) -> Ordered:
    """Prefer the one with the fewest calls under way for its weight."""
    scores = {target.name: _standing(target, outlook).busy / max(_weight(target, policy), 1e-9) for target in targets}
    return _by_score(targets, scores)


def cost_based(targets: Sequence[Target], ask: Ask, policy: Policy, outlook: Outlook) -> Ordered:
    """Prefer the least weighted sum of cost, latency and failures, each normalised to 0…1 among the candidates.

    A price that is not known counts as the highest, a latency that was never measured as the lowest. A target above
    the latency threshold is the last resort, but stays one.
    """
    costs = _normalised([_cost(target, ask, outlook) for target in targets], unknown=1.0)
    latencies = _normalised([_latency(target, outlook) for target in targets], unknown=0.0)
    failures = _normalised([_standing(target, outlook).failures for target in targets], unknown=0.0)
    weights = (policy.cost_weight, policy.latency_weight, policy.health_weight)
    scores = {
        target.name: sum(weight * part for weight, part in zip(weights, parts, strict=True))
        for target, parts in zip(targets, zip(costs, latencies, failures, strict=True), strict=True)
    }
    limit = policy.max_latency

    def key(target: Target) -> tuple[bool, float]:
        latency = _latency(target, outlook)
        return limit is not None and latency is not None and latency > limit, scores[target.name]

    return Ordered(targets=sorted(targets, key=key), scores=scores)


def failover(targets: Sequence[Target], _ask: Ask, policy: Policy, outlook: Outlook) -> Ordered:
    """Prefer the primary, then the backups in order, then the rest.

    A primary that came back must stay well for `failover_delay` before it leads again, so that a provider which comes
    and goes does not take its users with it.
    """
    ranks = {name: rank for rank, name in enumerate(policy.backups, start=1)}
    first = policy.primary if policy.primary is not None else targets[0].deployment.name
    since = outlook.standing.get(first, _UNKNOWN).since
    settled = since is None or outlook.now - since >= policy.failover_delay
    ranks[first] = 0 if settled else len(ranks) + 1
    return Ordered(targets=sorted(targets, key=lambda target: ranks.get(target.deployment.name, len(ranks) + 2)))


def weighted(targets: Sequence[Target], _ask: Ask, policy: Policy, outlook: Outlook) -> Ordered:
    """Draw without putting back: each target leads as often as its weight says."""
    return Ordered(targets=_drawn(targets, policy, outlook.draw))


def split(targets: Sequence[Target], ask: Ask, policy: Policy, outlook: Outlook) -> Ordered:
    """Draw by a hash of who asks: the same user stays on the same side. Nobody in particular is drawn at random."""
    return Ordered(targets=_drawn(targets, policy, position(policy.salt, ask.sticky) if ask.sticky else outlook.draw))


def position(salt: str, who: str) -> float:
    """Return where in [0, 1) someone stands; the same on every machine and in every version."""
    digest = blake2b(f"{salt}\0{who}".encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


STRATEGIES: Mapping[str, Strategy] = {
    "composite": as_given,
    "model": as_given,
    "provider": as_given,
    "priority": as_given,
    "round_robin": as_given,
    "weighted": weighted,
    "least_latency": least_latency,
    "least_busy": least_busy,
    "cost_based": cost_based,
    "failover": failover,
    "split": split,
}
"""By name. `composite`, `model` and `provider` differ in where they look for a provider (`setu.routing.route`)."""


def _drawn(targets: Sequence[Target], policy: Policy, draw: float) -> list[Target]:
    """Order by one random number: what is left of it after each choice is as random as it was, and is used again."""
    rest = [(target, _weight(target, policy)) for target in targets]
    chosen: list[Target] = []
    while total := sum(weight for _, weight in rest):
        at = draw * total
        index = _index([weight for _, weight in rest], at)
        target, weight = rest.pop(index)
        before = sum(each for _, each in rest[:index])
        draw = min(max((at - before) / weight, 0.0), 1 - 1e-12)
        chosen.append(target)
    return chosen + [target for target, _ in rest]


def _index(weights: Sequence[float], at: float) -> int:
    """Return the slot that a place on the line of weights falls into; rounding never chooses a slot of no weight."""
    reached = 0.0
    last = 0
    for index, weight in enumerate(weights):
        reached += weight
        if weight > 0:
            last = index
            if at < reached:
                return index
    return last


def _by_score(targets: Sequence[Target], scores: Mapping[str, float]) -> Ordered:
    return Ordered(targets=sorted(targets, key=lambda target: scores[target.name]), scores=scores)


def _normalised(values: Sequence[float | None], *, unknown: float) -> list[float]:
    known = [value for value in values if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    if high == low:
        # All known ones are alike; what is not known still counts as it must.
        return [unknown if value is None and known else 0.0 for value in values]
    return [unknown if value is None else (value - low) / (high - low) for value in values]


def _cost(target: Target, ask: Ask, outlook: Outlook) -> float | None:
    price = outlook.prices.get(target.name)
    if price is None:
        return None
    output = EXPECTED_OUTPUT if ask.max_tokens is None else ask.max_tokens
    return price.input * ask.tokens + price.output * output


def _weight(target: Target, policy: Policy) -> float:
    weights = policy.weights
    weight = weights.get(target.name)
    return max(0.0, weight if weight is not None else weights.get(target.deployment.name, target.deployment.weight))


def _standing(target: Target, outlook: Outlook) -> Standing:
    return outlook.standing.get(target.deployment.name, _UNKNOWN)


def _latency(target: Target, outlook: Outlook) -> float | None:
    return _standing(target, outlook).latency
