"""Run the suite for one provider, offline: recordings, scenarios, laws, fuzzing."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import tomli

from setu import build
from setu.bundled import cassettes_of, data_dir
from setu.cassette.library import Library
from setu.cassette.model import Interaction
from setu.config.model import Config, ProviderConfig
from setu.conformance import fuzz, play_cassettes, play_scenarios, scenario
from setu.conformance.common import Common
from setu.conformance.front import aim_at, embedding_model, front
from setu.conformance.fuzzing.endpoints import of_dialects
from setu.conformance.laws import table as laws
from setu.conformance.laws.pair import Pair
from setu.conformance.probes import registry as probing
from setu.conformance.results import Run
from setu.conformance.tally import Tally
from setu.dialects.record import Dialect
from setu.dialects.registry import DIALECTS
from setu.dialects.routes import classify
from setu.errors import CassetteNotFoundError, ConfigError
from setu.providers import lookup
from setu.providers.deployment import Deployment, url
from setu.providers.record import Path as Place
from setu.server.openapi import document
from setu.server.serve import Background
from setu.transport.simulate.simulator import Simulator

ALL = (
    "openai",
    "anthropic",
    "gemini",
    "openrouter",
    "bedrock",
    "cohere",
    "ollama",
    "azure",
    "vertex",
    "mistral",
    "groq",
    "deepseek",
    "xai",
)
OFFLINE_KEY = "setu-offline"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How to run. `cassettes` replaces the bundled recordings; `dialects` are those under test."""

    cassettes: Path | None = None
    dialects: Mapping[str, Dialect] = msgspec.field(default_factory=lambda: DIALECTS)
    seed: int = 0
    max_examples: int = 40
    fuzz: bool = True
    laws: bool = True
    scenarios: bool = True
    probes: bool = True
    common: Common = Common()


def names_of(provider: str) -> tuple[str, ...]:
    """Return the providers that a `--provider` value means.

    Raises:
        ConfigError: there is no such provider.
    """
    if provider == "all":
        return ALL
    lookup.find(provider)
    return (lookup.ALIASES.get(provider, provider),)


def each_once(names: tuple[str, ...], settings: Settings) -> list[tuple[str, Settings]]:
    """Pair each provider with how to run it: what only its dialect decides, the fuzzing, is run once per dialect."""
    fuzzed: set[str] = set()
    paired = []
    for name in names:
        dialect = lookup.find(name).dialects[0]
        paired.append((name, msgspec.structs.replace(settings, fuzz=settings.fuzz and dialect not in fuzzed)))
        fuzzed.add(dialect)
    return paired


def run(name: str, settings: Settings) -> Run:
    """Judge one provider's adapter and sum up.

    Raises:
        CassetteNotFoundError: there are no recordings of this provider.
    """
    deployment = deployment_of(name)
    model = next(iter(deployment.models), "model")
    tally = Tally()
    recorded = recordings_of(deployment, settings, beside=cassettes_of(name))
    asyncio.run(_play(deployment, model, recorded, settings, tally))
    if settings.probes:
        asyncio.run(_probe(deployment, model, settings, tally))
    if settings.laws:
        laws.run(_pairs(deployment, settings), tally)
    if settings.fuzz:
        _fuzz(deployment, model, settings, tally)
    tally.unsupported |= _expected(name)
    run = settings.common.collected(f"{name} (offline, {len(recorded)} recordings)", tally)
    return msgspec.structs.replace(run, name=name, model=model)


def _pairs(deployment: Deployment, settings: Settings) -> Iterator[Pair]:
    """Yield each client's dialect in front of a deployment; the nearest one gets most of the examples."""
    examples = settings.max_examples
    own, other = max(1, examples // 8), max(1, examples // 20)
    return laws.pairs(settings.dialects, [deployment], seed=settings.seed, own=own, other=other, derandomize=False)


def minimum(name: str) -> int:
    """Return how many checks a full run of a provider must have judged; 1 for a provider of a third party."""
    found = _table("minimum").get(name, 1)
    assert isinstance(found, int)
    return found


def _expected(name: str) -> Mapping[str, str]:
    table = _table("unsupported").get(name, {})
    assert isinstance(table, dict)
    return table


def _table(kind: str) -> dict[str, object]:
    path = data_dir("conformance") / "expected" / "providers.toml"
    table = tomli.loads(path.read_text(encoding="utf-8")).get(kind, {})
    assert isinstance(table, dict)
    return table


def deployment_of(name: str) -> Deployment:
    """Return a provider as it is judged: all its models, no key, nobody behind it."""
    provider = lookup.find(name)
    # A host that lists no model would be asked for every one; then none could be unknown.
    section = ProviderConfig(
        type=name,
        base_url=None if provider.base_url else "http://local/v1",
        models=None if provider.models else ("model",),
    )
    label = provider.name
    deployment = build.deployments(Config(providers={label: section}), {}, offline_key=OFFLINE_KEY)[label]
    return _at_usual_places(deployment)


def _at_usual_places(deployment: Deployment) -> Deployment:
    """Return a deployment whose operations stand where somebody who sees the path alone would look for them.

    Judges and simulator tell an API by its path, and a host may have one of its own (Writer's `/v1/chat`).
    """
    provider = deployment.provider
    paths = {
        dialect: {
            operation: place
            if classify("POST", url(deployment, place.plain)[1]) is not None
            else Place(plain=DIALECTS[dialect].upstream[operation].path("{model}", False)[0])
            for operation, place in places.items()
        }
        for dialect, places in provider.paths.items()
    }
    return msgspec.structs.replace(deployment, provider=msgspec.structs.replace(provider, paths=paths))


def recordings_of(deployment: Deployment, settings: Settings, *, beside: Path | None = None) -> list[Interaction]:
    """Return the recordings of a provider; none where none come with the suite and no folder is named.

    `beside` are those that come with a plug-in.

    Raises:
        CassetteNotFoundError: the folder has none of this provider.
    """
    own = beside or data_dir("cassettes") / deployment.name
    if settings.cassettes is None and not own.is_dir():
        return []
    library = Library.load([settings.cassettes or own])
    hosts = frozenset(urlsplit(lookup.find(name).base_url).netloc for name in ALL)
    found = play_cassettes.of_provider(library.interactions, deployment, hosts)
    if not found:
        raise CassetteNotFoundError(f"no recordings of {deployment.name} in {settings.cassettes or own}")
    return found


async def _play(
    deployment: Deployment, model: str, recorded: list[Interaction], settings: Settings, tally: Tally
) -> None:
    recordings = play_cassettes.Stage(deployment, settings.dialects, tally)
    for interaction in recorded:
        await recordings.run(interaction)
    if not settings.scenarios:
        return
    stage = play_scenarios.Stage(deployment, model, settings.dialects, tally)
    for one in scenario.load(data_dir("conformance") / "scenarios"):
        await stage.run(one)


async def _probe(deployment: Deployment, model: str, settings: Settings, tally: Tally) -> None:
    """Ask Setu's own gateway, over a socket, with a scripted upstream behind it."""
    async with front(deployment, settings.dialects) as served:
        await probing.run(served.subject, aim_at(deployment, model, served), tally, stand=served.stand)


def _fuzz(deployment: Deployment, model: str, settings: Settings, tally: Tally) -> None:
    gateway = build.gateway(
        {deployment.name: deployment},
        Simulator(build.SystemClock()),
        dialects=settings.dialects,
        on_call=lambda _call: None,
    )
    app = build.app(gateway, Config(), dict)
    embedding = embedding_model(deployment.provider.name)
    served = of_dialects(deployment.provider.dialects)
    with Background(app) as server:
        fuzz.run(
            server.url,
            f"{deployment.name}/{model}",
            document(),
            tally,
            seed=settings.seed,
            examples=settings.max_examples,
            endpoints=[endpoint for endpoint in served if embedding is not None or not endpoint.embeds],
            embedding=f"{deployment.name}/{embedding}",
        )


__all__ = ["ALL", "ConfigError", "Settings", "each_once", "minimum", "names_of", "run"]
