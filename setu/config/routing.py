"""How a provider is chosen: the section, and the table that routing decides by."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Literal

import msgspec
from pydantic import Field, field_validator

from setu.config.plugins import strategies_of
from setu.config.section import Section
from setu.config.units import Seconds
from setu.dialects.record import Operation
from setu.errors import ConfigError
from setu.providers.deployment import Deployment
from setu.routing.model_string import bare
from setu.routing.policy import Policy, Strategy
from setu.routing.rules import Choice, Rule, When
from setu.routing.strategies import STRATEGIES
from setu.routing.table import Table, inspecting
from setu.routing.targets import meant

Need = Literal["tools", "vision", "audio", "files", "json_schema"]


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class MatchConfig(Section):
    """The conditions under which a route or a rule counts; all that are given must hold."""

    model: tuple[str, ...] = Field((), description="Glob patterns on the model's name, with or without its prefix.")
    use_case: str | None = Field(None, description="The request's `metadata.use_case`.")
    tenant: str | None = Field(None, description="The tenant, of the key or as the client claims it.")
    key: str | None = Field(None, description="The id of the client's key.")
    metadata: dict[str, str] = Field({}, description="Members of the request's `metadata` and their values.")
    needs: tuple[Need, ...] = Field((), description="What the request needs: tools, vision, audio, files, json_schema.")
    min_tokens: int | None = Field(None, ge=0, description="The least estimated length of the prompt.")
    max_tokens: int | None = Field(None, ge=0, description="The greatest estimated length of the prompt.")
    stream: bool | None = Field(None, description="Whether the answer is asked for as a stream.")
    dialect: str | None = Field(None, description="The client's dialect, such as openai_chat or anthropic.")
    operation: Operation | None = Field(None, description="What is asked for: chat, embed, complete, count_tokens.")

    @field_validator("model", "needs", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        return _listed(value)


class RuleConfig(MatchConfig):
    """A rule: conditions, and where the requests go that meet them, or what is demanded of whatever is chosen."""

    name: str = Field("", description="What the rule is called in `x-setu-route`; by default its place in the list.")
    to: tuple[str, ...] = Field((), description="Providers, model strings or aliases, in the order they are tried.")
    split: dict[str, float] = Field({}, description="The same with shares; one user stays on one side.")
    strategy: str | None = Field(None, description="The strategy that orders these targets.")
    require: tuple[str, ...] = Field((), description="Tags that every target must have: `region:eu`, `tag:gdpr`.")
    mirror: tuple[str, ...] = Field((), description="Who gets a copy of the request; their answers are dropped.")
    timeout: Seconds | None = Field(None, description="Seconds to wait for each attempt's first byte.")
    attempts: int | None = Field(None, ge=1, description="Tries of each target, the first included.")
    override_model: bool = Field(True, description="Whether a model named in `to` replaces the one asked for.")

    @field_validator("to", "require", "mirror", mode="before")
    @classmethod
    def _as_lists(cls, value: Any) -> Any:
        return _listed(value)

    @field_validator("require")
    @classmethod
    def _are_tags(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _tags(value)

    @field_validator("split")
    @classmethod
    def _are_shares(cls, value: dict[str, float]) -> dict[str, float]:
        return _shares(value)

    def model_post_init(self, _context: Any) -> None:
        if self.to and self.split:
            raise ValueError("a rule has 'to' or 'split', not both")
        if not (self.to or self.split or self.require or self.mirror or self.timeout or self.attempts or self.strategy):
            raise ValueError(
                "a rule says where requests go ('to', 'split') or what is demanded ('require', 'mirror', …)"
            )


class TargetConfig(Section):
    """A provider and its name for a model."""

    provider: str = Field(description="The provider's name.")
    model: str | None = Field(None, description="The model there; by default the one that is asked for.")

    def text(self) -> str:
        return self.provider if self.model is None else f"{self.provider}/{self.model}"


class RouteConfig(Section):
    """A use case's route. The one named `default` takes what no other does."""

    name: str = Field(description="What the route is called; `default` is the last resort.")
    match: MatchConfig = Field(MatchConfig(), description="When it is taken: usually `use_case`.")
    primary: TargetConfig = Field(description="Where its requests go first.")
    fallbacks: tuple[TargetConfig, ...] = Field((), description="Where they go when that fails, in order.")
    timeout_ms: int | None = Field(None, gt=0, description="Milliseconds for each attempt.")
    retries: int | None = Field(None, ge=0, description="Further tries of each target after the first.")
    override_model: bool = Field(False, description="Whether its models replace one that the request names.")


class Routing(Section):
    """How a provider is chosen."""

    default_provider: str | None = Field(None, description="Where a model goes that no provider lists.")
    strategy: str = Field("composite", description="How providers are found and ordered; or an import string.")
    enable_fallback: bool = Field(True, description="Whether a second target is tried when the first one fails.")
    min_confidence: float = Field(0.0, ge=0, le=1, description="How sure the choice of a provider must be at least.")
    rules: dict[str, str | tuple[str, ...]] = Field(
        {}, description="Patterns of model names, each with a provider, a model string or several."
    )
    rule: tuple[RuleConfig, ...] = Field((), description="Rules with more than a pattern; they come before `rules`.")
    provider_priorities: tuple[str, ...] = Field((), description="Providers in the order of preference.")
    provider_aliases: dict[str, str] = Field({}, description="Other names of providers.")
    provider_capabilities: dict[str, tuple[str, ...]] = Field(
        {}, description="What a provider can do where its models do not say: tools, vision, streaming, …"
    )
    models: dict[str, str | tuple[str, ...]] = Field(
        {}, description="Names that clients may use, each for one model string or several."
    )
    model_aliases: dict[str, str | tuple[str, ...]] = Field({}, description="The same; `models` wins where both say.")
    routes: tuple[RouteConfig, ...] = Field((), description="Routes by use case.")
    default_route: Literal["no_model", "always"] = Field(
        "no_model", description="What the route named default takes: requests that name no model, or all."
    )
    directives: bool = Field(
        False, description="Whether a first line `<!-- provider/model -->` of a system prompt chooses the model."
    )
    weights: dict[str, float] = Field({}, description="Shares for `weighted` and `least_busy`, by provider or target.")
    cost_weight: float = Field(0.6, ge=0, description="What cost counts in `cost_based`.")
    latency_weight: float = Field(0.3, ge=0, description="What latency counts in `cost_based`.")
    health_weight: float = Field(0.1, ge=0, description="What failures count in `cost_based`.")
    max_latency_threshold: Seconds | None = Field(
        5.0, description="A target slower than this is the last resort of `cost_based`."
    )
    primary_provider: str | None = Field(None, description="The first provider of `failover`.")
    backup_providers: tuple[str, ...] = Field((), description="Those that stand in for it, in order.")
    failover_delay: Seconds = Field(30.0, description="How long it must be well again before it leads again.")
    hedge_after: Seconds | None = Field(
        None, description="After how long without an answer the second target is asked, too; by default never."
    )
    on_loss: Literal["signal", "refuse"] = Field(
        "signal", description="What happens to a request that its target cannot express whole: a header, or a 400."
    )

    @field_validator("rules", "models", "model_aliases")
    @classmethod
    def _somewhere(cls, value: dict[str, str | tuple[str, ...]]) -> dict[str, str | tuple[str, ...]]:
        for name, targets in value.items():
            if not name or not targets:
                raise ValueError(f"{name!r} needs at least one target")
        return value

    @field_validator("weights")
    @classmethod
    def _are_shares(cls, value: dict[str, float]) -> dict[str, float]:
        return value and _shares(value)


def _tags(value: tuple[str, ...]) -> tuple[str, ...]:
    for tag in value:
        kind, _, name = tag.partition(":")
        if kind not in {"region", "tag"} or not name:
            raise ValueError(f"{tag!r} is no requirement: write 'region:NAME' or 'tag:NAME'")
    return value


def _shares(value: dict[str, float]) -> dict[str, float]:
    if any(share < 0 for share in value.values()) or (value and not any(value.values())):
        raise ValueError("shares must not be negative, and one must be above zero")
    return value


def load_strategies(section: Routing) -> Mapping[str, Strategy]:
    """Import the strategies that are named by import string.

    Raises:
        ConfigError: there is no such function.
    """
    return strategies_of({section.strategy, *(rule.strategy for rule in section.rule if rule.strategy is not None)})


def table_of(
    section: Routing, deployments: Mapping[str, Deployment], strategies: Mapping[str, Strategy] | None = None
) -> Table:
    """Return the table that a section describes.

    Raises:
        ConfigError: a strategy or a provider that does not exist; names the key and what was probably meant.
    """
    custom = load_strategies(section) if strategies is None else strategies
    table = Table(
        deployments=deployments,
        provider_aliases=section.provider_aliases,
        aliases=_aliases(section),
        rules=(*_rules(section.rule), *_patterns(section.rules)),
        routes=tuple(_route(each) for each in section.routes),
        default_provider=section.default_provider,
        default_route=section.default_route,
        enable_fallback=section.enable_fallback,
        min_confidence=section.min_confidence,
        directives=section.directives,
        strategies=custom,
    )
    _check_strategies(section, custom)
    _check_providers(section, table)
    _check_targets(section, table)
    return inspecting(msgspec.structs.replace(table, **_by_provider(section, table)))


def _by_provider(section: Routing, table: Table) -> dict[str, Any]:
    """Return what is said of providers, by their own names instead of aliases."""

    def own(name: str) -> str:
        deployment = table.provider(name)
        return name if deployment is None else deployment.name

    return {
        "priorities": tuple(own(name) for name in section.provider_priorities),
        "capabilities": {own(name): frozenset(each) for name, each in section.provider_capabilities.items()},
        "policy": Policy(
            strategy=section.strategy,
            weights={own(name): share for name, share in section.weights.items()},
            cost_weight=section.cost_weight,
            latency_weight=section.latency_weight,
            health_weight=section.health_weight,
            max_latency=section.max_latency_threshold,
            primary=None if section.primary_provider is None else own(section.primary_provider),
            backups=tuple(own(name) for name in section.backup_providers),
            failover_delay=section.failover_delay,
            hedge=section.hedge_after,
        ),
    }


def _many(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _aliases(section: Routing) -> dict[str, tuple[str, ...]]:
    return {name: _many(value) for name, value in {**section.model_aliases, **section.models}.items()}


def _patterns(rules: Mapping[str, str | tuple[str, ...]]) -> list[Rule]:
    return [
        Rule(name=pattern, when=When(models=(pattern,)), to=tuple(Choice(to=each) for each in _many(value)))
        for pattern, value in rules.items()
    ]


def _when(match: MatchConfig) -> When:
    return When(
        models=match.model,
        use_case=match.use_case,
        tenant=match.tenant,
        key=match.key,
        metadata=match.metadata,
        needs=frozenset(match.needs),
        min_tokens=match.min_tokens,
        max_tokens=match.max_tokens,
        stream=match.stream,
        dialect=match.dialect,
        operation=match.operation,
    )


def _rules(rules: Iterable[RuleConfig]) -> list[Rule]:
    return [
        Rule(
            name=rule.name or str(place),
            when=_when(rule),
            to=tuple(Choice(to=to, weight=share) for to, share in (rule.split or dict.fromkeys(rule.to, 1.0)).items()),
            policy=rule.strategy or ("split" if rule.split else None),
            require=frozenset(rule.require),
            mirror=rule.mirror,
            timeout=rule.timeout,
            attempts=rule.attempts,
            override_model=rule.override_model,
        )
        for place, rule in enumerate(rules, start=1)
    ]


def _route(route: RouteConfig) -> Rule:
    return Rule(
        name=route.name,
        when=_when(route.match),
        to=tuple(Choice(to=target.text()) for target in (route.primary, *route.fallbacks)),
        timeout=None if route.timeout_ms is None else route.timeout_ms / 1000,
        # A retry is a further try: the total counts the first one, too.
        attempts=None if route.retries is None else route.retries + 1,
        override_model=route.override_model,
    )


def _check_strategies(section: Routing, custom: Mapping[str, Strategy]) -> None:
    known = {*STRATEGIES, *custom}
    said = {"routing.strategy": section.strategy}
    said |= {f"routing.rule.{at}.strategy": rule.strategy for at, rule in enumerate(section.rule) if rule.strategy}
    for key, name in said.items():
        if name not in known:
            raise ConfigError(f"{key}: there is no strategy {name!r}{_hint(name, known)}")


def _check_providers(section: Routing, table: Table) -> None:
    for key, names in {
        "routing.default_provider": [section.default_provider] if section.default_provider else [],
        "routing.primary_provider": [section.primary_provider] if section.primary_provider else [],
        "routing.backup_providers": section.backup_providers,
        "routing.provider_priorities": section.provider_priorities,
        "routing.provider_aliases": section.provider_aliases.values(),
        "routing.provider_capabilities": section.provider_capabilities,
    }.items():
        for name in names:
            if table.provider(name) is None:
                raise ConfigError(f"{key}: {_no_provider(name, table)}")
    for at, route in enumerate(section.routes):
        for target in (route.primary, *route.fallbacks):
            if table.provider(target.provider) is None:
                raise ConfigError(f"routing.routes.{at}: {_no_provider(target.provider, table)}")


def _check_targets(section: Routing, table: Table) -> None:
    """Refuse a rule whose target is no provider, no alias and no model that anybody serves."""
    said = [(f"routing.rules.{pattern}", to) for pattern, value in section.rules.items() for to in _many(value)]
    for at, rule in enumerate(section.rule):
        said += [(f"routing.rule.{at}", to) for to in (*rule.to, *rule.split, *rule.mirror)]
    for key, to in said:
        if table.provider(to) is None and not meant(to, table):
            name = bare(to).partition("/")[0]
            raise ConfigError(f"{key}: {_no_provider(name, table)}")


def _no_provider(name: str, table: Table) -> str:
    return f"{name!r} is not a configured provider{_hint(name, table.deployments)}; there are {_names(table)}"


def _names(table: Table) -> str:
    return ", ".join(table.deployments) or "none"


def _hint(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
