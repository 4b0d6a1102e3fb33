"""Which of a plan's targets a client may use, and with whose key."""

import msgspec

from setu.access.caller import Caller
from setu.access.contents import modalities_of, tools_of
from setu.access.decide import UNREAD, Rules, facts_of, permit
from setu.access.forward import recipient, with_own_key
from setu.chat.request import ChatRequest
from setu.dialects.record import Dialect, Route
from setu.errors import DeniedError
from setu.providers.deployment import Deployment
from setu.routing.model_string import bare
from setu.routing.plan import Ask, Plan, Target
from setu.routing.table import Table
from setu.routing.targets import meant
from setu.translate.splice import Head

Inside = tuple[frozenset[str], frozenset[str]]
"""The tools and the modalities of a request."""


def admitted(
    plan: Plan,
    caller: Caller,
    rules: Rules,
    ask: Ask,
    route: Route,
    dialect: Dialect,
    head: Head,
    table: Table,
    default: str | None = None,
) -> Plan:
    """Return the plan without what policies, the client's key or its own credential rule out.

    `default` is the provider that a client's own credential is for when its request means no other.

    Raises:
        DeniedError: nothing is left; says why the first choice is none.
    """
    if not rules.rules and caller.free:
        return plan
    inside = _inside(route, dialect, head) if rules.looks_inside else None
    whose = None
    if caller.forward is not None:
        whose = recipient(_named(plan, ask, table), dialect.name, table.deployments, default)
    alias, stood = _alias(ask, table)
    kept: list[Target] = []
    first: DeniedError | None = None
    for target in plan.targets:
        try:
            said = alias if target.name in stood else ""
            kept.append(_allowed(target, caller, rules, said, inside, whose, dialect))
        except DeniedError as error:
            first = first or error
    if not kept and first is not None:
        raise first
    mirrors = tuple(target for target in plan.mirrors if caller.forward is None and _permitted(target, caller, rules))
    return msgspec.structs.replace(plan, targets=tuple(kept), mirrors=mirrors)


def _alias(ask: Ask, table: Table) -> tuple[str, frozenset[str]]:
    """Return the alias that the client asked for, and the targets that it stands for: a fallback is none of them."""
    name = bare(ask.model) if ask.model is not None else ""
    if name not in table.aliases or ask.provider is not None:
        return "", frozenset()
    return name, frozenset(target.name for target in meant(name, table))


def alone(deployment: Deployment, caller: Caller, rules: Rules, dialect: str) -> Deployment:
    """Return the one provider of a request that passes unread, as this client may use it.

    Raises:
        DeniedError: it may not; what nobody reads is taken for the worst.
    """
    if not rules.rules and caller.free:
        return deployment
    permit(rules, caller, facts_of(deployment, UNREAD, caller)).require()
    return with_own_key(caller, deployment, deployment.name, dialect)


def offered(deployment: Deployment, caller: Caller, model: str | None = None) -> bool:
    """Tell whether a client's key is for a provider, or for one of its models."""
    if caller.free:
        return True
    scope = caller if model is not None else msgspec.structs.replace(caller, models=())
    return permit(Rules(), scope, facts_of(deployment, model or UNREAD, caller)).allowed


def _allowed(
    target: Target, caller: Caller, rules: Rules, alias: str, inside: Inside | None, whose: str | None, dialect: Dialect
) -> Target:
    tools, modalities = inside if inside is not None else (None, None)
    deployment = target.deployment
    facts = facts_of(deployment, target.model, caller, alias=alias, tools=tools, modalities=modalities)
    permit(rules, caller, facts).require()
    own = with_own_key(caller, deployment, whose, dialect.name)
    return target if own is deployment else msgspec.structs.replace(target, deployment=own)


def _permitted(target: Target, caller: Caller, rules: Rules) -> bool:
    return permit(rules, caller, facts_of(target.deployment, target.model, caller)).allowed


def _named(plan: Plan, ask: Ask, table: Table) -> str | None:
    """Return the provider that the request names: in its path, a header, the query, or before its model."""
    if ask.provider is not None:
        found = table.provider(ask.provider)
        return found.name if found is not None else None
    prefix = (ask.model or "").partition("/")
    found = table.provider(prefix[0]) if prefix[1] else None
    return found.name if found is not None and found.name == plan.deployment.name else None


def _inside(route: Route, dialect: Dialect, head: Head) -> Inside | None:
    if route.operation not in {"chat", "complete"}:
        return frozenset(), frozenset({"text"})
    request = dialect.client[route.operation].parse_request(head.body, route)
    return (tools_of(request), modalities_of(request)) if isinstance(request, ChatRequest) else None
