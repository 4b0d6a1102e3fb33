"""Policies: may this client call this model there? The first rule that fits says; where none does, yes."""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

from setu.access.caller import Caller
from setu.errors import DeniedError
from setu.providers.deployment import Deployment

Globs = tuple[str, ...]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule fits when each of its lists fits; an empty list fits anything. All entries are glob patterns.

    `models` are compared with the target's model, with `provider/model`, and with the alias that led there.
    """

    effect: Literal["allow", "deny"]
    reason: str = ""
    tenants: Globs = ()
    keys: Globs = ()
    models: Globs = ()
    providers: Globs = ()
    regions: Globs = ()
    tools: Globs = ()
    modalities: Globs = ()


UNREAD = "(unread)"
"""Stands for the model of a request that passes without being read."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision about one target looks at.

    `alias` is a name from the configuration that stood for the target, never what else a client may have written.
    `tags` are what the target meets (`region:eu`, `tag:gdpr`). `tools` and `modalities` are None where nobody looked,
    or could look, into the body.
    """

    provider: str
    model: str
    alias: str = ""
    tenant: str = ""
    key: str = ""
    region: str = ""
    tags: frozenset[str] = frozenset()
    tools: frozenset[str] | None = None
    modalities: frozenset[str] | None = None


def facts_of(
    deployment: Deployment,
    model: str,
    caller: Caller,
    *,
    alias: str = "",
    tools: frozenset[str] | None = None,
    modalities: frozenset[str] | None = None,
) -> Facts:
    """Return what a decision about this target and caller looks at."""
    tags = {f"tag:{tag}" for tag in deployment.tags}
    if deployment.region:
        tags.add(f"region:{deployment.region}")
    return Facts(
        provider=deployment.name,
        model=model.removeprefix("models/"),  # as Gemini's clients may write it
        alias=alias,
        tenant=caller.tenant,
        key=caller.key,
        region=deployment.region,
        tags=frozenset(tags),
        tools=tools,
        modalities=modalities,
    )


class Decision(msgspec.Struct, frozen=True):
    """The answer and its reason; `rule` is the number of the rule that gave it, from 1, or None."""

    allowed: bool
    reason: str = ""
    rule: int | None = None

    def require(self) -> None:
        """Raise unless it is allowed.

        Raises:
            DeniedError: it is not; carries the reason.
        """
        if not self.allowed:
            raise DeniedError(self.reason)


ALLOWED = Decision(allowed=True)


class Rules(msgspec.Struct, frozen=True):
    """Rules in their order."""

    rules: tuple[Rule, ...] = ()

    @property
    def looks_inside(self) -> bool:
        """Tell whether a rule asks what is in a request's body."""
        return any(rule.tools or rule.modalities for rule in self.rules)


def permit(rules: Rules, caller: Caller, facts: Facts) -> Decision:
    """Decide about one target: what the caller's key is for first, then the rules. A key's scope only narrows."""
    scope = _scope(caller, facts)
    return scope if scope is not None else decide(rules, facts)


def decide(rules: Rules, facts: Facts) -> Decision:
    """Return what the first rule that fits says."""
    for number, rule in enumerate(rules.rules, 1):
        if fits(rule, facts):
            if rule.effect == "allow":
                return Decision(True, rule.reason, number)
            what = f"{facts.provider}/{facts.model} is denied by policy {number}"
            return Decision(False, f"{what}: {rule.reason}" if rule.reason else what, number)
    return ALLOWED


def fits(rule: Rule, facts: Facts) -> bool:
    """Tell whether a rule is about this target and request.

    One tool of many is enough to be denied; to be allowed, all of them must fit: else a request could bring a
    forbidden tool in beside an allowed one. Of what nobody could look into, the worst is assumed.
    """
    return (
        _one(rule.tenants, (facts.tenant,))
        and _one(rule.keys, (facts.key,))
        and _model(rule, facts)
        and _one(rule.providers, (facts.provider,))
        and _one(rule.regions, (facts.region,))
        and _inside(rule, rule.tools, facts.tools)
        and _inside(rule, rule.modalities, facts.modalities)
    )


def _scope(caller: Caller, facts: Facts) -> Decision | None:
    """Return why the caller's key is not for this target; None when it is."""
    if not _one(caller.models, _names(facts)):
        return Decision(False, f"this API key is not for the model '{facts.model}'")
    if not _one(caller.providers, (facts.provider,)):
        return Decision(False, f"this API key is not for the provider '{facts.provider}'")
    missing = caller.require - facts.tags if caller.require else None
    if missing:
        return Decision(False, f"this API key needs {', '.join(sorted(missing))}, which '{facts.provider}' is not")
    return None


def _model(rule: Rule, facts: Facts) -> bool:
    """Tell whether a rule is about the model; of a request that nobody read it may be any, so it is denied."""
    if facts.model == UNREAD and rule.models:
        return rule.effect == "deny"
    return _one(rule.models, _names(facts))


def _names(facts: Facts) -> tuple[str, ...]:
    names = (facts.model, f"{facts.provider}/{facts.model}")
    return (*names, facts.alias) if facts.alias else names


def _inside(rule: Rule, globs: Globs, found: frozenset[str] | None) -> bool:
    if not globs:
        return True
    if found is None:
        return rule.effect == "deny"
    quantifier: Callable[[Iterable[bool]], bool] = any if rule.effect == "deny" else all
    return bool(found) and quantifier(_one(globs, (name,)) for name in found)


def _one(globs: Globs, names: tuple[str, ...]) -> bool:
    return not globs or any(fnmatchcase(name, glob) for glob in globs for name in names)
