"""Prove the suite: the reference passes every check, and each mutant of it is caught by the check it is made for."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import msgspec

from setu.bundled import data_dir
from setu.conformance import fuzz, play_cassettes, play_scenarios, scenario
from setu.conformance.catalogue import load as load_catalogue
from setu.conformance.front import KEY, aim_at, front
from setu.conformance.laws import bench, table
from setu.conformance.laws.pair import Pair
from setu.conformance.mutants.mutant import Mutant, unchanged
from setu.conformance.mutants.registry import MUTANTS
from setu.conformance.probes import registry as probing
from setu.conformance.runner import Settings, deployment_of, recordings_of
from setu.conformance.tally import Tally
from setu.dialects.record import Dialect
from setu.dialects.registry import DIALECTS
from setu.errors import ConfigError
from setu.server.openapi import document

LAW_EXAMPLES = 25
MANY_LAW_EXAMPLES = 250
"""What the laws that must break get, where few examples did not do: which ones are drawn changes with every module."""
FUZZ_EXAMPLES = 30
REFERENCE = "reference"
"""What a mutant is called that has nothing wrong."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a mutant: `failed` are the checks that did, `sample` is what the first finding of its own says.

    `of` names the stage and what stood behind it.
    """

    mutant: str
    check: str
    failed: frozenset[str]
    implies: frozenset[str]
    sample: str = ""
    of: str = ""

    @property
    def killed(self) -> bool:
        return self.check in self.failed

    @property
    def strays(self) -> frozenset[str]:
        """Checks that failed and neither are its own nor follow from it."""
        return self.failed - {self.check} - self.implies

    @property
    def idle(self) -> frozenset[str]:
        """Checks that are said to follow from it and did not fail."""
        return self.implies - self.failed

    @property
    def good(self) -> bool:
        return self.killed and not self.strays and not self.idle


def reference(mutants: Iterable[Mutant]) -> tuple[Mutant, ...]:
    """Return the unbroken counterpart of each kind of mutant."""
    kinds = dict.fromkeys((mutant.stage, mutant.provider, mutant.pair) for mutant in mutants)
    return tuple(
        Mutant(name=REFERENCE, check="", about="Nothing is wrong.", stage=stage, provider=provider, pair=pair)
        for stage, provider, pair in kinds
    )


def trial(mutant: Mutant) -> Verdict:
    """Run the mutant's part of the suite over it."""
    tally = Tally()
    _STAGES[mutant.stage](mutant, tally)
    broken = [seen for seen in tally.observations if seen.findings or seen.error]
    own = next((seen for seen in broken if seen.check == mutant.check), None)
    sample = "" if own is None else own.error or own.findings[0].message
    return Verdict(
        mutant=mutant.name,
        check=mutant.check,
        failed=frozenset(seen.check for seen in broken),
        implies=mutant.implies,
        sample=sample[:200],
        of=f"{mutant.stage}, {mutant.provider if mutant.stage != 'laws' else ' and '.join(mutant.pair)}",
    )


def _dialects(mutant: Mutant) -> Mapping[str, Dialect]:
    return DIALECTS if mutant.dialects is None else mutant.dialects(DIALECTS)


def _probes(mutant: Mutant, tally: Tally) -> None:
    async def main() -> None:
        deployment = deployment_of(mutant.provider)
        model = next(iter(deployment.models), "model")
        before, behind = mutant.front or unchanged, mutant.back or unchanged
        async with front(deployment, _dialects(mutant), before=before, behind=behind) as served:
            await probing.run(served.subject, aim_at(deployment, model, served), tally, stand=served.stand)

    asyncio.run(main())


def _laws(mutant: Mutant, tally: Tally) -> None:
    profile = bench.Profile(LAW_EXAMPLES, LAW_EXAMPLES, derandomize=True)
    pair = next(pair for pair in bench.bench(_dialects(mutant), profile) if _is(pair, mutant))
    pair = msgspec.structs.replace(pair, shrinks=False)
    pair = pair if mutant.wiring is None else mutant.wiring(pair)
    table.run([pair], tally)
    late = {mutant.check, *mutant.implies} - {seen.check for seen in tally.observations if seen.findings}
    more = msgspec.structs.replace(pair, examples=MANY_LAW_EXAMPLES)
    table.run([more], tally, [law for law in table.LAWS if law.check in late])


def _is(pair: Pair, mutant: Mutant) -> bool:
    return (pair.client.name, pair.upstream.name) == mutant.pair


def _scenarios(mutant: Mutant, tally: Tally) -> None:
    async def main() -> None:
        deployment = deployment_of(mutant.provider)
        stage = play_scenarios.Stage(deployment, next(iter(deployment.models), "model"), _dialects(mutant), tally)
        for one in scenario.load(data_dir("conformance") / "scenarios"):
            await stage.run(one)

    asyncio.run(main())


def _recordings(mutant: Mutant, tally: Tally) -> None:
    async def main() -> None:
        deployment = deployment_of(mutant.provider)
        before, behind = mutant.front or unchanged, mutant.back or unchanged
        stage = play_cassettes.Stage(deployment, _dialects(mutant), tally, before=before, behind=behind)
        for one in recordings_of(deployment, Settings()):
            await stage.run(one)

    asyncio.run(main())


def _fuzz(mutant: Mutant, tally: Tally) -> None:
    async def main() -> None:
        deployment = deployment_of(mutant.provider)
        model = f"{deployment.name}/{next(iter(deployment.models), 'model')}"
        before, behind = mutant.front or unchanged, mutant.back or unchanged
        async with front(deployment, _dialects(mutant), before=before, behind=behind) as served:
            await asyncio.to_thread(_fuzzed, served.url, model, tally)

    asyncio.run(main())


def _fuzzed(url: str, model: str, tally: Tally) -> None:
    # What fails needs no smaller example here: a mutant is known by its check.
    keys = {"authorization": f"Bearer {KEY}"}
    fuzz.run(url, model, document(), tally, seed=0, examples=FUZZ_EXAMPLES, headers=keys, tries=0)


_STAGES = {"probes": _probes, "laws": _laws, "scenarios": _scenarios, "recordings": _recordings, "fuzz": _fuzz}


def chosen(only: Sequence[str]) -> tuple[Mutant, ...]:
    """Return the mutants of some checks, or by name; all without any.

    Raises:
        ConfigError: nothing is called so.
    """
    known = {mutant.check for mutant in MUTANTS} | {mutant.name for mutant in MUTANTS}
    for name in only:
        if name not in known:
            raise ConfigError(f"no mutant is of the check or name {name!r}")
    return tuple(mutant for mutant in MUTANTS if not only or mutant.check in only or mutant.name in only)


def prove(mutants: Sequence[Mutant], workers: int) -> Iterator[Verdict]:
    """Try the reference of each kind, then every mutant, several at a time, in order."""
    everyone = [*reference(mutants), *mutants]
    if workers < 2:
        yield from map(trial, everyone)
        return
    # By name: what a mutant is made of cannot travel to another process.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_named, [_key(mutant) for mutant in everyone])


_Key = tuple[str, str, str, str, tuple[str, str]]


def _key(mutant: Mutant) -> _Key:
    return mutant.check, mutant.name, mutant.stage, mutant.provider, mutant.pair


def _named(key: _Key) -> Verdict:
    return trial(next(one for one in (*reference(MUTANTS), *MUTANTS) if _key(one) == key))


def unproved() -> tuple[str, ...]:
    """Return the MUST checks that no mutant is made for."""
    covered = {mutant.check for mutant in MUTANTS}
    return tuple(check.id for check in load_catalogue().checks if check.level == "MUST" and check.id not in covered)
