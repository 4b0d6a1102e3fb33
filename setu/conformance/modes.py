"""The ways to run the suite, each from what a user says to results."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from setu.conformance import fuzz, gateways, live, passive, rejudge, started, two_sided
from setu.conformance.catalogue import load as load_catalogue
from setu.conformance.common import Common
from setu.conformance.lab import Aim
from setu.conformance.probes.registry import PROBES
from setu.conformance.recorded import Source
from setu.conformance.results import Run
from setu.conformance.tally import Tally
from setu.http import Exchange
from setu.server.openapi import document


def gateway(target: str, common: Common, *, port: int, sight: two_sided.Sight | None = None, examples: int = 0) -> Run:
    """Judge a gateway from both sides: a URL, of which `sight` says more, or a recipe, which is installed and started.

    `examples` requests of each kind are generated for its first model, too.

    Raises:
        AbsentError: nobody listens on the URL.
        ConfigError: there is no such recipe.
        SetuError: the recipe could not be installed or started.
    """
    tally = Tally(keep=common.save is not None)
    fingerprint = {"url": target}
    with ExitStack() as stack:
        standing = stack.enter_context(two_sided.Standing(port))
        if sight is None:
            running = stack.enter_context(started.start(gateways.load(target), standing.url))
            target, fingerprint = running.name, {"version": running.version}
            sight = two_sided.Sight(
                url=running.url,
                models=running.models,
                capabilities=running.capabilities,
                embedding=running.embedding,
                secrets=running.secrets,
            )
        wanted = common.selection.probes(load_catalogue(), PROBES)
        asyncio.run(two_sided.run(sight, standing.stand, tally, probes=wanted))
        if examples:
            standing.stand.clear()
            _fuzz(sight, tally, common.seed, examples)
    label = f"{target} {fingerprint.get('version', '')}".strip()
    run = _collected(f"{label} (two-sided)", tally, common, name=target, kind="gateway", mode="two-sided")
    names = ", ".join(model.name for model in sight.models.values())
    return msgspec.structs.replace(run, fingerprint=fingerprint, model=names)


def _fuzz(sight: two_sided.Sight, tally: Tally, seed: int, examples: int) -> None:
    model = next(iter(sight.models.values()))
    headers = {**sight.headers, **model.headers}
    fuzz.run(sight.url, model.name, document(), tally, seed=seed, examples=examples, headers=headers)


def clients_of(capabilities: frozenset[str]) -> frozenset[str]:
    """Return the dialects in which a gateway can be asked, by what it declares."""
    names = {"anthropic": "anthropic", "gemini": "gemini", "responses": "openai_responses"}
    return frozenset({"openai_chat"} | {dialect for name, dialect in names.items() if name in capabilities})


def server(base_url: str, aim: Aim, common: Common, budget: live.Budget, *, examples: int = 0) -> Run:
    """Judge a live server; with `examples` it is sent so many generated requests of each kind, within no budget.

    Raises:
        AbsentError: it is not there, or refuses the credentials.
    """
    tally = Tally(keep=common.save is not None)
    wanted = common.selection.probes(load_catalogue(), PROBES)
    outcome = asyncio.run(live.run(base_url, aim, tally, budget=budget, probes=wanted))
    if examples:
        root = live.root_of(base_url)
        fuzz.run(root, aim.model, document(), tally, seed=common.seed, examples=examples, headers=aim.headers)
    run = _collected(f"{base_url} (live)", tally, common, name=base_url, kind="url", mode="live")
    facts = {"url": base_url, "requests": str(len(outcome.exchanges)), "retried": str(outcome.retried)}
    facts["estimated USD"] = f"{outcome.usd:.4f}"
    return msgspec.structs.replace(run, fingerprint=facts, model=aim.model)


def recorded(sources: Sequence[Source], common: Common) -> Iterator[Run]:
    """Judge recorded traffic, one result per API and provider."""
    for run in passive.run(sources):
        yield common.selection.narrow(run)


def _collected(target: str, tally: Tally, common: Common, *, name: str, kind: str, mode: str) -> Run:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    run = common.collected(target, tally)
    run = msgspec.structs.replace(run, name=name, kind=kind, mode=mode, started=at)
    if common.save is not None:
        _save(common.save, tally.kept, run)
    return run


def _save(folder: Path, kept: Sequence[tuple[str, Exchange]], run: Run) -> None:
    from setu.conformance.report import registry

    folder.mkdir(parents=True, exist_ok=True)
    rejudge.save(folder, [exchange for _, exchange in kept], rejudge.Meta(places=tuple(place for place, _ in kept)))
    registry.write("json", folder / "report.json", [run])
