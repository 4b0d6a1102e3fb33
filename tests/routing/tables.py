"""Deployments and tables for the tests of routing."""

from typing import Any

from setu.dialects.record import Facts
from setu.providers.deployment import Deployment
from setu.providers.record import Provider
from setu.routing.table import Table, inspecting


def deployment(name: str, models: tuple[str, ...] = (), families: tuple[str, ...] = (), **said: Any) -> Deployment:
    """Return a deployment with a key; `facts` hold for all of its models."""
    kind = said.pop("kind", name)
    facts = said.pop("facts", Facts())
    provider = Provider(name=kind, base_url="https://x.test/v1", dialects=("openai_chat",))
    return Deployment(
        name=name,
        provider=provider,
        base_url=provider.base_url,
        models=dict.fromkeys(models, facts),
        families=families,
        key=said.pop("key", "k"),
        **said,
    )


def table(*deployments: Deployment, **said: Any) -> Table:
    """Return a table of deployments, by their names."""
    return inspecting(Table(deployments={each.name: each for each in deployments}, **said))


OPENAI = deployment("openai", ("gpt-4o", "gpt-4o-mini"), ("gpt-*",))
ANTHROPIC = deployment("anthropic", ("claude-x",), ("claude-*",))
OPENROUTER = deployment("openrouter", ("openai/gpt-4o", "openrouter/auto"), ("*/*",))
THREE = (OPENAI, ANTHROPIC, OPENROUTER)
