"""From names to targets: which deployment a model string means, and what each one can do."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from setu.providers.deployment import Deployment
from setu.routing.model_string import bare, is_openrouter, meaning, settings
from setu.routing.plan import Ask, Target
from setu.routing.table import Table


def target_at(deployment: Deployment, text: str) -> Target:
    """Return a deployment with a model string of its own, settings included.

    Raises:
        LocalDialectError: a setting has a value of the wrong kind.
    """
    if "?" not in text and ":" not in text:
        return Target(deployment=deployment, model=text)
    meant = meaning(text, deployment)
    return Target(deployment=deployment, model=meant.model, options=meant.options, members=meant.members)


def prefixed(text: str, table: Table) -> tuple[str, Target] | None:
    """Return the prefix and the target of a string that begins with a provider; any other slash is part of an id."""
    prefix, slash, rest = text.partition("/")
    if not slash or not rest:
        return None
    deployment = table.deployments.get(prefix)
    if deployment is None:
        deployment = table.provider(prefix)
        if deployment is None:
            return None
        if prefix not in table.provider_aliases and not _takes(deployment, text, rest, table):
            return None
    return prefix, target_at(deployment, own_name(deployment, prefix, text))


def own_name(deployment: Deployment, prefix: str, text: str) -> str:
    """Return what is left of a string behind a provider's prefix, as that provider calls the model.

    A host may list ids that begin with its own name (openrouter/auto), and OpenRouter's ids begin with their author's:
    where `openai` is another name for it, its model is `openai/gpt-4o`.
    """
    if not text.startswith(f"{prefix}/"):
        return text
    rest = text[len(prefix) + 1 :]
    return text if deployment.lists(bare(text)) else _authored(deployment, prefix, rest)


def _authored(deployment: Deployment, named: str, model: str) -> str:
    """Give a model of OpenRouter's the author that its own name for it begins with."""
    author = _AUTHORS.get(named)
    if author is None or named == deployment.name or "/" in bare(model) or not is_openrouter(deployment):
        return model
    return f"{author}/{model}"


_AUTHORS = {"openai": "openai", "gpt": "openai"}
"""Names under which OpenRouter is asked in another host's stead, and that host's name there."""


def _takes(deployment: Deployment, text: str, rest: str, table: Table) -> bool:
    """Tell whether an alias nobody configured is meant: its provider serves the model, and it is nobody's own id."""
    return deployment.serves(bare(rest)) and not any(each.lists(bare(text)) for each in table.deployments.values())


def pool(text: str, table: Table) -> list[Target]:
    """Return every target that serves a model without being named: by priority, listed ones before families."""
    name = bare(text)
    serving = [(not each.lists(name), each) for each in table.deployments.values() if each.serves(name)]
    if len(serving) > 1:
        serving.sort(key=lambda pair: (*table.rank(pair[1]), pair[0]))
    return [target_at(deployment, text) for _, deployment in serving]


def found(text: str, table: Table) -> list[Target]:
    """Return the targets of a model string that is no alias: by its prefix, else all that serve it."""
    named = prefixed(text, table)
    return [named[1]] if named is not None else pool(text, table)


def expanded(text: str, table: Table, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the model strings that an alias stands for, recursively; in a circle a name means itself.

    Settings behind an alias go on to all of them.
    """
    name = text if text in table.aliases else bare(text)
    if name not in table.aliases or name in seen:
        yield text
        return
    more = "" if name == text else settings(text)
    for string in table.aliases[name]:
        for each in expanded(string, table, seen | {name}):
            yield _joined(each, more)


def _joined(text: str, more: str) -> str:
    return text if not more else f"{text}&{more[1:]}" if settings(text) else text + more


def meant(text: str, table: Table) -> list[Target]:
    """Return the targets of an alias or a model string; empty when nobody serves it."""
    return unique(chain.from_iterable(found(each, table) for each in expanded(text, table)))


def at_provider(deployment: Deployment, named: str, text: str, table: Table) -> list[Target]:
    """Return what a model string means at one provider: an alias' targets there, else the string as it stands."""
    if table.aliases and (text in table.aliases or bare(text) in table.aliases):
        there = [target for target in meant(text, table) if target.deployment.name == deployment.name]
        if there:
            return there
    for prefix in (named, deployment.name):
        if text.startswith(f"{prefix}/"):
            return [target_at(deployment, own_name(deployment, prefix, text))]
    return [target_at(deployment, _authored(deployment, named, text))]


def unique(targets: Iterable[Target]) -> list[Target]:
    """Return the targets without those whose provider and model came before."""
    return list({(target.deployment.name, target.model): target for target in reversed(list(targets))}.values())[::-1]


def meets(target: Target, require: Iterable[str]) -> bool:
    """Tell whether a target has every tag that is required."""
    return all(target.deployment.has(each) for each in require)


def able(targets: Sequence[Target], ask: Ask, table: Table) -> list[Target]:
    """Return the targets that can do what a request needs, as far as that is known; all of them when none can."""
    if len(targets) < 2:
        return list(targets)
    needs = ask.needs | {"streaming"} if ask.stream else ask.needs
    fit = [target for target in targets if _can(target, needs, ask.tokens, table)]
    return fit or list(targets)


def _can(target: Target, needs: frozenset[str], tokens: int, table: Table) -> bool:
    known = table.capabilities.get(target.deployment.name)
    if not tokens and not needs:
        return True
    facts = target.deployment.facts(target.model)
    if facts.context is not None and tokens > facts.context:
        return False
    said = {"tools": facts.tools, "vision": facts.vision}
    if facts.modalities:
        said |= {need: kind in facts.modalities for need, kind in _MODALITIES.items()}
    for need in needs:
        can = said.get(need)
        if can is False or (can is None and known is not None and need not in known):
            return False
    return True


_MODALITIES = {"vision": "image", "audio": "audio", "files": "document"}


def aliased(name: str, table: Table) -> bool:
    """Tell whether a provider is called by another name than its own."""
    return name not in table.deployments
