"""What routing goes by: the providers there are, and everything the configuration says about choosing among them."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Literal

import msgspec

from setu.errors import RouteNotFoundError
from setu.providers.deployment import Deployment
from setu.routing.policy import Policy, Strategy
from setu.routing.rules import Rule
from setu.routing.strategies import STRATEGIES

BUILT_IN_ALIASES: Mapping[str, str] = {
    "openai": "openrouter",
    "gpt": "openrouter",
    "claude": "anthropic",
    "google": "gemini",
}
"""Other names of providers; each counts only where no provider of that name is configured, and its target is."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The tables that a decision is made from; a new configuration is a new table.

    `aliases` are model strings by the name that clients use; `priorities` providers, first choice first;
    `capabilities` what a provider can do where its models do not say. Routes are rules that a use case chooses; the
    one named `default` takes requests without a model, or all that are left (`default_route`). With `enable_fallback`
    off only the first target is tried; below `min_confidence` a provider is not chosen at all. `directives` honours
    the comment at the start of a system prompt. `strategies` are those beside the built-in ones.

    `looks_inside` says that a request's body must be looked at: what it needs its target to do tells targets apart
    (`inspecting` finds that out).
    """

    deployments: Mapping[str, Deployment]
    provider_aliases: Mapping[str, str] = {}
    aliases: Mapping[str, tuple[str, ...]] = {}
    rules: tuple[Rule, ...] = ()
    routes: tuple[Rule, ...] = ()
    policy: Policy = Policy()
    default_provider: str | None = None
    default_route: Literal["no_model", "always"] = "no_model"
    priorities: tuple[str, ...] = ()
    capabilities: Mapping[str, frozenset[str]] = {}
    enable_fallback: bool = True
    min_confidence: float = 0.0
    directives: bool = False
    strategies: Mapping[str, Strategy] = {}
    looks_inside: bool = False

    def provider(self, name: str) -> Deployment | None:
        """Return the deployment of a provider's name or alias."""
        return _provider(name, self.deployments, self.provider_aliases)

    def strategy(self, name: str) -> Strategy:
        """Return a strategy, built in or handed in.

        Raises:
            RouteNotFoundError: `unknown_strategy` with the names.
        """
        found = STRATEGIES.get(name) or self.strategies.get(name)
        if found is None:
            raise RouteNotFoundError(
                f"Strategy '{name[:80]}' does not exist",
                code="unknown_strategy",
                available_strategies=sorted({*STRATEGIES, *self.strategies}),
            )
        return found

    def rank(self, deployment: Deployment) -> tuple[int, int]:
        """Return what orders providers that serve the same model: the listed ones first, then by priority."""
        listed = self.priorities
        place = listed.index(deployment.name) if deployment.name in listed else len(listed)
        return place, -deployment.priority


def inspecting(table: Table) -> Table:
    """Return a table that knows whether it must look inside requests."""
    rules = (*table.rules, *table.routes)
    names = {table.policy.strategy, *(rule.policy for rule in rules if rule.policy is not None)}
    inside = (
        any(rule.when.needs for rule in rules)
        or any(name in _INSIDE or name not in STRATEGIES for name in names)
        or (table.enable_fallback and _alternatives(table))
    )
    return msgspec.structs.replace(table, looks_inside=inside)


_INSIDE = frozenset({"cost_based", "split"})
"""Strategies that go by what a request's body says: the longest answer it allows, the user it is for."""


def _alternatives(table: Table) -> bool:
    """Tell whether a plan may hold several targets, so that what a request needs tells them apart."""
    deployments = table.deployments.values()
    shared = any(
        one is not other and any(other.serves(model) for model in one.models)
        for one in deployments
        for other in deployments
    )
    families = [family for deployment in deployments for family in deployment.families]
    lists = any(len(rule.to) > 1 for rule in (*table.rules, *table.routes))
    return (
        shared
        or lists
        or len(families) != len(set(families))
        or any(len(strings) > 1 for strings in table.aliases.values())
    )


def named_deployment(
    named: str, deployments: Mapping[str, Deployment], aliases: Mapping[str, str] | None = None
) -> Deployment:
    """Return the provider that a client names, by its name or an alias.

    Raises:
        RouteNotFoundError: it is not configured; `provider_not_found` with the names.
    """
    deployment = _provider(named, deployments, aliases or {})
    if deployment is None:
        near = get_close_matches(named, deployments, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise RouteNotFoundError(
            f"Provider '{named}' is not configured{hint}",
            code="provider_not_found",
            available_providers=sorted(deployments),
        )
    return deployment


def _provider(name: str, deployments: Mapping[str, Deployment], aliases: Mapping[str, str]) -> Deployment | None:
    found = deployments.get(name)
    if found is not None:
        return found
    alias = aliases.get(name) or BUILT_IN_ALIASES.get(name)
    return None if alias is None else deployments.get(alias)


def unknown_model(model: str, deployments: Mapping[str, Deployment]) -> RouteNotFoundError:
    """Return the error for a model that nobody serves."""
    return RouteNotFoundError(
        f"Model '{model}' not found in any configured provider", available_models=available(deployments), param="model"
    )


def available(deployments: Mapping[str, Deployment]) -> list[str]:
    """Return every listed model as `provider/model`."""
    return [f"{name}/{model}" for name, deployment in deployments.items() for model in deployment.models]
