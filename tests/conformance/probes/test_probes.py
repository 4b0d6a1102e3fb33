"""The probes: the reference passes all of them, behind every API that has one."""

import asyncio

import pytest

from setu.conformance.catalogue import load
from setu.conformance.front import aim_at, front
from setu.conformance.probes import registry
from setu.conformance.probes.registry import PROBES
from setu.conformance.runner import ALL, deployment_of
from setu.conformance.tally import Tally
from setu.dialects.registry import DIALECTS


def judged(provider: str) -> Tally:
    async def main() -> Tally:
        deployment = deployment_of(provider)
        tally = Tally()
        async with front(deployment, DIALECTS) as served:
            aim = aim_at(deployment, next(iter(deployment.models), "model"), served)
            await registry.run(served.subject, aim, tally, stand=served.stand)
        return tally

    return asyncio.run(main())


@pytest.mark.parametrize("provider", ALL)
def test_setu_passes_every_probe(provider: str) -> None:
    tally = judged(provider)

    broken = [
        (seen.check, seen.place, seen.error, seen.findings)
        for seen in tally.observations
        if seen.findings or seen.error
    ]
    assert broken == []


def test_every_probe_concludes_on_its_checks_somewhere() -> None:
    tally = judged("openai")

    observed = {seen.check for seen in tally.observations} | set(tally.inconclusive)
    optional = {"SDK-003"}  # a package that the tests do not install
    assert {check for probe in PROBES for check in probe.checks} - observed <= optional


def test_every_probe_is_about_checks_of_the_catalogue() -> None:
    assert {check for probe in PROBES for check in probe.checks} <= set(load().by_id)


def test_names_are_unique() -> None:
    names = [probe.name for probe in PROBES]

    assert len(names) == len(set(names))
