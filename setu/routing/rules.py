"""Rules: which requests go where, and what is demanded of every target on the way."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

import msgspec

from setu.routing.model_string import bare
from setu.routing.plan import Ask


class When(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of a rule; all of those that are set must hold.

    `models` are glob patterns on the name that the client asked for, with or without its provider's prefix.
    `min_tokens` and `max_tokens` bound the prompt's estimated length, both inclusive.
    """

    models: tuple[str, ...] = ()
    use_case: str | None = None
    tenant: str | None = None
    key: str | None = None
    metadata: Mapping[str, str] = {}
    needs: frozenset[str] = frozenset()
    min_tokens: int | None = None
    max_tokens: int | None = None
    stream: bool | None = None
    dialect: str | None = None
    operation: str | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A provider, a model string or an alias, and its share where shares count."""

    to: str
    weight: float = 1.0


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Where matching requests go.

    Without `to` a rule chooses nothing, but its other settings hold for whatever is chosen. `require` always holds when
    the rule matches, however the target was chosen. `override_model` says whether a model named in `to` replaces the
    one that the client asked for. `timeout` is in seconds, `attempts` the total of tries of each target.
    """

    name: str
    when: When = When()
    to: tuple[Choice, ...] = ()
    policy: str | None = None
    weights: Mapping[str, float] = {}
    require: frozenset[str] = frozenset()
    mirror: tuple[str, ...] = ()
    timeout: float | None = None
    attempts: int | None = None
    override_model: bool = True


def matches(when: When, ask: Ask) -> bool:
    """Tell whether every condition holds; a model's name decides most often, so it is looked at first."""
    if when.models and not _named(when.models, ask.directive or ask.model):
        return False
    return (
        _same(when.use_case, ask.use_case)
        and _same(when.tenant, ask.tenant)
        and _same(when.key, ask.key)
        and _same(when.stream, ask.stream)
        and _same(when.dialect, ask.dialect)
        and _same(when.operation, ask.operation)
        and (when.min_tokens is None or ask.tokens >= when.min_tokens)
        and (when.max_tokens is None or ask.tokens <= when.max_tokens)
        and when.needs <= ask.needs
        and all(ask.metadata.get(name) == value for name, value in when.metadata.items())
    )


def _same(wanted: object, found: object) -> bool:
    return wanted is None or wanted == found


def _named(patterns: tuple[str, ...], model: str | None) -> bool:
    if model is None:
        return False
    name = bare(model)
    unprefixed = name.partition("/")[2]
    for pattern in patterns:  # noqa: SIM110 # a generator costs more than what it does here
        if fnmatchcase(name, pattern) or (unprefixed and fnmatchcase(unprefixed, pattern)):
            return True
    return False
