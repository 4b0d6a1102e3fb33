"""Which deployment a request goes to. Pure: the table in, a plan or a clear refusal out."""

from collections.abc import Mapping
from difflib import get_close_matches

import msgspec

from setu.errors import RouteNotFoundError
from setu.providers.deployment import Deployment


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The chosen deployment, its own name for the model, and why it was chosen."""

    deployment: Deployment
    model: str
    reason: str


def resolve(
    model: str | None, named: str | None, deployments: Mapping[str, Deployment], default: str | None = None
) -> Plan:
    """Choose a deployment.

    Order: the provider the request names; a configured provider as the model's prefix; the one that lists the
    model; the one whose family it belongs to; the default; the only one there is. A prefix that is no provider is
    part of the model's id (`deepseek-ai/DeepSeek-R1`).

    Raises:
        RouteNotFoundError: `provider_not_found` with the names, or `model_not_found` with the models.
    """
    if named:
        return _named(model, named, deployments)
    if model is None:
        raise RouteNotFoundError(
            "the request names no model", code="model_required", available_models=available(deployments)
        )
    prefix, slash, rest = model.partition("/")
    if slash and rest and prefix in deployments:
        # A host may list ids that begin with its own name: openrouter/auto.
        own = model if deployments[prefix].lists(model) else rest
        return Plan(deployment=deployments[prefix], model=own, reason=f"prefix {prefix}/")
    for reason, candidates in (
        ("listed", [d for d in deployments.values() if d.lists(model)]),
        ("family", [d for d in deployments.values() if not d.lists(model) and d.serves(model)]),
    ):
        if candidates:
            return Plan(deployment=candidates[0], model=model, reason=f"{reason} by {candidates[0].name}")
    if default is not None and default in deployments:
        return Plan(deployment=deployments[default], model=model, reason="default provider")
    only = next(iter(deployments.values())) if len(deployments) == 1 else None
    if only is not None and not only.models and not only.families:
        return Plan(deployment=only, model=model, reason="only provider")
    raise RouteNotFoundError(
        f"Model '{model}' not found in any configured provider", available_models=available(deployments), param="model"
    )


def named_deployment(named: str, deployments: Mapping[str, Deployment]) -> Deployment:
    """Return the provider that a client names.

    Raises:
        RouteNotFoundError: it is not configured; `provider_not_found` with the names.
    """
    deployment = deployments.get(named)
    if deployment is None:
        near = get_close_matches(named, deployments, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise RouteNotFoundError(
            f"Provider '{named}' is not configured{hint}",
            code="provider_not_found",
            available_providers=sorted(deployments),
        )
    return deployment


def _named(model: str | None, named: str, deployments: Mapping[str, Deployment]) -> Plan:
    deployment = named_deployment(named, deployments)
    if model is None:
        raise RouteNotFoundError(
            "the request names no model", code="model_required", available_models=sorted(deployment.models)
        )
    return Plan(deployment=deployment, model=model.removeprefix(f"{named}/"), reason=f"provider {named} named")


def available(deployments: Mapping[str, Deployment]) -> list[str]:
    """Return every listed model as `provider/model`."""
    return [f"{name}/{model}" for name, deployment in deployments.items() for model in deployment.models]
