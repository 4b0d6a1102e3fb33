"""The decision: an ask, a table and an outlook in; a plan or a clear refusal out.

Whoever comes first decides: the provider that the request names, a directive, an alias, a provider's prefix, the rules,
the use case's route, the providers that serve the model, the default provider.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from setu.errors import RouteNotFoundError
from setu.providers.deployment import Deployment
from setu.routing.model_string import bare, is_openrouter
from setu.routing.plan import Ask, Outlook, Plan, Target
from setu.routing.policy import Policy
from setu.routing.rules import Rule, matches
from setu.routing.strategies import in_order, usable
from setu.routing.table import Table, available, named_deployment, unknown_model
from setu.routing.targets import able, aliased, at_provider, meant, meets, pool, prefixed, target_at, unique

_CERTAIN, _ALIASED, _STRUCTURED, _PATTERN, _DEFAULT = 1.0, 0.95, 0.9, 0.7, 0.5
"""How sure a choice is: named, named by an alias, written down for it, guessed by a family's pattern, left over."""

_PLAIN = frozenset({"composite", "model", "provider", "priority"})
"""Strategies that keep the base order."""

_NOTHING_KNOWN = Outlook()


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """What one rung found. `ordered` when the targets' order was written down by somebody, `by` the rule that did."""

    targets: Sequence[Target]
    reason: str
    confidence: float = _STRUCTURED
    ordered: bool = False
    by: Rule | None = None
    weights: dict[str, float] = {}


def route(ask: Ask, table: Table, outlook: Outlook = _NOTHING_KNOWN) -> Plan:
    """Choose the targets of a request and the order in which they are tried.

    Raises:
        RouteNotFoundError: `provider_not_found`, `model_not_found`, `model_required`, `unknown_strategy`, or
            `no_eligible_provider` when none that serves the model has the required tags.
        LocalDialectError: the model string has a setting of the wrong kind.
    """
    ask = _heard(ask, table)
    rules = _matching(ask, table)
    pick = _picked(ask, table, rules)
    if len(pick.targets) == 1 and not (rules or pick.by or ask.fallbacks or ask.require or ask.strategy):
        strategy = "priority" if pick.ordered else table.policy.strategy  # nothing to order: the common case is short
        reason = _reason(pick, pick.targets, strategy)
        return Plan(targets=(pick.targets[0],), reason=reason, policy=strategy, confidence=pick.confidence)
    shaping = [rule for rule in rules if not rule.to]
    if pick.by is not None:
        shaping.insert(0, pick.by)
    require = ask.require.union(*(rule.require for rule in rules), *(rule.require for rule in shaping))
    later = _fallbacks(ask, table, pick)
    behind = {target.name for target in later} - {target.name for target in pick.targets}
    targets = _eligible(unique([*pick.targets, *later]), ask, table, require, pinned=pick.confidence >= _ALIASED)
    targets = _shaped(targets, shaping)
    policy = _policy(ask, table, pick, shaping)
    plan = _planned(targets, behind, ask, table, policy, outlook)
    return msgspec.structs.replace(
        plan,
        reason=_reason(pick, plan.targets, plan.policy),
        rule=pick.by.name if pick.by is not None else "",
        confidence=pick.confidence,
        mirrors=_mirrors(shaping, table, require, plan),
        hedge=policy.hedge if len(plan.targets) > 1 else None,
    )


def required(ask: Ask, table: Table) -> frozenset[str]:
    """Return the tags that a request which nobody reads demands of its provider.

    What it asks for is unknown, so each rule counts that could be about it.
    """
    unread: dict[str, Any] = {
        "models": (),
        "needs": frozenset(),
        "min_tokens": None,
        "max_tokens": None,
        "stream": None,
    }
    unread |= {"dialect": None, "operation": None}
    could = (rule for rule in table.rules if matches(msgspec.structs.replace(rule.when, **unread), ask))
    return ask.require.union(*(rule.require for rule in could))


def _matching(ask: Ask, table: Table) -> list[Rule]:
    return [rule for rule in table.rules if matches(rule.when, ask)]


def _heard(ask: Ask, table: Table) -> Ask:
    """Drop a directive that names neither an alias nor a provider: it is a comment. A named provider wins over any."""
    text = ask.directive
    if text is None or (ask.provider is None and (_is_alias(text, table) or prefixed(text, table) is not None)):
        return ask
    return msgspec.structs.replace(ask, directive=None)


def _picked(ask: Ask, table: Table, rules: Sequence[Rule]) -> Pick:
    if ask.provider is not None:
        return _named(ask, ask.provider, table)
    for rung in _RUNGS:
        pick = rung(ask, table, rules)
        if pick is not None and pick.targets and pick.confidence >= table.min_confidence:
            return pick
    if ask.model is None:
        raise _model_required(available(table.deployments))
    raise unknown_model(ask.model, table.deployments)


def _named(ask: Ask, named: str, table: Table) -> Pick:
    deployment = named_deployment(named, table.deployments, table.provider_aliases)
    if ask.model is None:
        raise _model_required(sorted(deployment.models))
    by = f" by {ask.named_by}" if ask.named_by else ""
    return Pick(
        targets=at_provider(deployment, named, ask.model, table),
        reason=f"provider {named} named{by}",
        confidence=_ALIASED if aliased(named, table) else _CERTAIN,
        ordered=True,
    )


def _model_required(models: list[str]) -> RouteNotFoundError:
    return RouteNotFoundError("the request names no model", code="model_required", available_models=models)


def _directed(ask: Ask, table: Table, _rules: Sequence[Rule]) -> Pick | None:
    if ask.directive is None:
        return None
    targets = meant(ask.directive, table)
    return Pick(targets=targets, reason=f"directive {ask.directive}", confidence=_CERTAIN, ordered=True)


def _aliased(ask: Ask, table: Table, _rules: Sequence[Rule]) -> Pick | None:
    if ask.model is None or not _is_alias(ask.model, table):
        return None
    # An alias whose targets are nobody's is no alias: the name may be a model's own.
    return Pick(targets=meant(ask.model, table), reason=f"alias {bare(ask.model)}")


def _is_alias(text: str, table: Table) -> bool:
    return bool(table.aliases) and (text in table.aliases or bare(text) in table.aliases)


def _prefixed(ask: Ask, table: Table, _rules: Sequence[Rule]) -> Pick | None:
    named = prefixed(ask.model, table) if ask.model is not None else None
    if named is None:
        return None
    prefix, target = named
    return Pick(
        targets=[target],
        reason=f"prefix {prefix}/",
        confidence=_ALIASED if aliased(prefix, table) else _CERTAIN,
        ordered=True,
    )


def _ruled(ask: Ask, table: Table, rules: Sequence[Rule]) -> Pick | None:
    for rule in rules:
        if rule.to:
            pick = _by_rule(rule, ask, table, f"rule {rule.name}")
            if pick.targets:
                return pick
    return None


def _used(ask: Ask, table: Table, _rules: Sequence[Rule]) -> Pick | None:
    """Follow the route of the use case, else the one named `default`, which takes what names no model."""
    found = next((each for each in table.routes if each.name != "default" and matches(each.when, ask)), None)
    if found is None and (ask.model is None or table.default_route == "always"):
        found = next((each for each in table.routes if each.name == "default"), None)
    if found is None:
        return None
    pick = _by_rule(found, ask, table, f"route {found.name}")
    return msgspec.structs.replace(pick, ordered=True)


def _by_rule(rule: Rule, ask: Ask, table: Table, reason: str) -> Pick:
    """Return a rule's targets. A model that the client asked for stays, unless the rule overrides it."""
    weights: dict[str, float] = dict(rule.weights)
    targets: list[Target] = []
    for choice in rule.to:
        found = _choice(choice.to, rule, ask, table)
        for target in found:
            weights.setdefault(target.name, choice.weight if target is found[0] else 0.0)
        targets += found
    return Pick(targets=unique(targets), reason=reason, by=rule, weights=weights)


def _choice(to: str, rule: Rule, ask: Ask, table: Table) -> list[Target]:
    deployment = table.provider(to)
    if deployment is not None:
        return [] if ask.model is None else at_provider(deployment, to, ask.model, table)
    found = meant(to, table)
    if ask.model is None or rule.override_model:
        return found
    model = ask.model
    return [target_at(each.deployment, model) for each in found if each.deployment.serves(bare(model))]


def _pooled(ask: Ask, table: Table, _rules: Sequence[Rule]) -> Pick | None:
    if ask.model is None or _looking(ask, table) == "provider":
        return None
    targets = pool(ask.model, table)
    listed = any(target.deployment.lists(bare(ask.model)) for target in targets)
    return Pick(targets=targets, reason="", confidence=_STRUCTURED if listed else _PATTERN)


def _defaulted(ask: Ask, table: Table, _rules: Sequence[Rule]) -> Pick | None:
    """Go to the default provider, or to the only one if it tells nothing of its models."""
    if ask.model is None or _looking(ask, table) == "model":
        return None
    default = table.provider(table.default_provider) if table.default_provider is not None else None
    if default is not None:
        targets = at_provider(default, default.name, ask.model, table)
        return Pick(targets=targets, reason="default provider", confidence=_DEFAULT)
    only = next(iter(table.deployments.values())) if len(table.deployments) == 1 else None
    if only is None or only.models or only.families:
        return None
    return Pick(targets=[target_at(only, ask.model)], reason="only provider", confidence=_DEFAULT)


_Rung = Callable[[Ask, Table, Sequence[Rule]], Pick | None]
_RUNGS: tuple[_Rung, ...] = (_directed, _aliased, _prefixed, _ruled, _used, _pooled, _defaulted)


def _looking(ask: Ask, table: Table) -> str:
    """Return where to look: by the model's name, by the provider's, or both (any other strategy)."""
    return ask.strategy or table.policy.strategy


def _fallbacks(ask: Ask, table: Table, pick: Pick) -> list[Target]:
    """Return the targets that the client names for the case that the others fail: providers, or model strings.

    A provider gets the same model; OpenRouter by its own name for it, where it lists one.
    """
    later: list[Target] = []
    for name in ask.fallbacks:
        deployment = table.provider(name)
        if deployment is None:
            targets = meant(name, table)
            if not targets:
                raise _no_fallback(name, table)
        else:
            targets = _same_model(deployment, name, ask, pick.targets[0], table)
        later += targets
    return later


def _no_fallback(name: str, table: Table) -> RouteNotFoundError:
    if "/" in name:
        return unknown_model(name, table.deployments)
    return RouteNotFoundError(
        f"Fallback '{name}' is neither a configured provider nor a model of one",
        code="provider_not_found",
        available_providers=sorted(table.deployments),
    )


def _same_model(deployment: Deployment, named: str, ask: Ask, first: Target, table: Table) -> list[Target]:
    if ask.model is not None and _is_alias(ask.model, table):
        there = at_provider(deployment, named, ask.model, table)
        if there[0].model != ask.model:
            return there
    model = first.model
    authored = f"{first.deployment.name}/{model}"
    if is_openrouter(deployment) and deployment.lists(authored):
        model = authored
    return [msgspec.structs.replace(first, deployment=deployment, model=model, members={})]


def _eligible(targets: list[Target], ask: Ask, table: Table, require: frozenset[str], *, pinned: bool) -> list[Target]:
    """Return the targets that have what is required, and of these the able ones; a pinned first stays whatever it can.

    What is required holds for fallbacks, too: data that must stay in a region never leaves it.
    """
    allowed = [target for target in targets if meets(target, require)] if require else targets
    if not allowed:
        wanted = ", ".join(sorted(require))
        raise RouteNotFoundError(
            f"no provider that this request may go to has {wanted}",
            code="no_eligible_provider",
            required=sorted(require),
        )
    fit = able(allowed, ask, table)
    if pinned and allowed[0] is targets[0] and fit[0] is not targets[0]:
        fit.insert(0, targets[0])
    return fit


def _shaped(targets: list[Target], rules: Iterable[Rule]) -> list[Target]:
    """Give every target the deadline and the tries of the first rule that sets them."""
    timeout = next((rule.timeout for rule in rules if rule.timeout is not None), None)
    attempts = next((rule.attempts for rule in rules if rule.attempts is not None), None)
    if timeout is None and attempts is None:
        return targets
    return [msgspec.structs.replace(target, timeout=timeout, attempts=attempts) for target in targets]


def _policy(ask: Ask, table: Table, pick: Pick, shaping: Iterable[Rule]) -> Policy:
    """Return the policy that orders: the client's strategy, a rule's, the order as written, the table's."""
    ruled = next((rule.policy for rule in shaping if rule.policy is not None), None)
    strategy = ask.strategy or ruled or ("priority" if pick.ordered else table.policy.strategy)
    if strategy == table.policy.strategy and not pick.weights:
        return table.policy
    salt = pick.by.name if pick.by is not None else ""
    return msgspec.structs.replace(
        table.policy, strategy=strategy, salt=salt, weights={**table.policy.weights, **pick.weights}
    )


def _planned(targets: list[Target], later: set[str], ask: Ask, table: Table, policy: Policy, outlook: Outlook) -> Plan:
    """Order the targets, named fallbacks behind the others unless the client asked for a strategy itself."""
    # One who names a strategy and fallbacks wants it to choose among all of them.
    together = ask.strategy is not None or all(each.name in later for each in targets)
    lead = targets if together else [each for each in targets if each.name not in later]
    rest = [] if together else [each for each in targets if each.name in later]
    ordered = in_order(table.strategy(policy.strategy), lead, ask, policy, outlook)
    whole = [*ordered.targets, *rest]
    if len(whole) > 1:
        whole.sort(key=lambda target: not usable(target, outlook))
    ring = sum(usable(target, outlook) for target in lead) if policy.strategy == "round_robin" else 0
    turns = ring > 1
    alone = not table.enable_fallback
    return Plan(
        targets=tuple(whole[:1] if alone and not turns else whole),
        reason="",
        policy=policy.strategy,
        rotate=_counter(lead) if turns else None,
        ring=ring if turns else 0,
        alone=alone and turns,
        scores=ordered.scores,
    )


def _counter(ring: Iterable[Target]) -> str:
    """Name the counter of a ring. Models that nobody lists are left out: clients could invent counters by the score."""
    names = (each.name if each.deployment.lists(each.model) else each.deployment.name for each in ring)
    return ":".join(("round_robin", *names))


def _mirrors(shaping: Iterable[Rule], table: Table, require: frozenset[str], plan: Plan) -> tuple[Target, ...]:
    """Return who gets a copy; what is required of targets is required of them, too."""
    names = [name for rule in shaping for name in rule.mirror]
    found = [target for name in names for target in _mirror(name, plan.first, table)]
    return tuple(each for each in unique(found) if meets(each, require) and each.name != plan.first.name)


def _mirror(name: str, first: Target, table: Table) -> list[Target]:
    deployment = table.provider(name)
    if deployment is None:
        return meant(name, table)[:1]
    return [msgspec.structs.replace(first, deployment=deployment, members={})]


def _reason(pick: Pick, targets: Sequence[Target], policy: str) -> str:
    """Return why, in printable ASCII: it goes into a header field."""
    reason = pick.reason
    if not reason:
        first = targets[0]
        how = "listed" if first.deployment.lists(first.model) else "family"
        reason = f"{how} by {first.deployment.name}"
    if len(targets) > 1 and policy not in _PLAIN:
        reason = f"{reason}, {policy}"
    if reason.isascii() and reason.isprintable() and len(reason) <= _LONGEST:
        return reason
    return "".join(char if " " <= char <= "~" else "?" for char in reason[:_LONGEST])


_LONGEST = 160
