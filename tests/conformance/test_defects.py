"""Seeded defects: the suite must fail, with the right check, for every one; and pass without."""

import os
import random

import pytest

from setu.conformance.results import CheckResult, Status
from setu.conformance.runner import Settings, run
from setu.dialects.registry import DIALECTS
from tests.conformance.defects import Defect
from tests.conformance.pool import POOL, PROVIDER

SEED = int(os.environ.get("SETU_SEED", "3"))
"""What the sample is drawn by; another value tries another one."""
DRAWN = random.Random(SEED).sample(POOL, 12)


def broken(provider: str, settings: Settings) -> list[CheckResult]:
    results = run(provider, settings).results
    return [result for result in results if result.status in {Status.FAIL, Status.ERROR, Status.WARN}]


def broken_checks(provider: str, settings: Settings) -> frozenset[str]:
    return frozenset(result.check.id for result in broken(provider, settings))


def run_with(defect: Defect) -> list[CheckResult]:
    dialects = {**DIALECTS, defect.dialect: defect.change(DIALECTS[defect.dialect])}
    return broken(
        PROVIDER[defect.dialect, defect.side], Settings(dialects=dialects, fuzz=False, laws=False, probes=False)
    )


@pytest.mark.parametrize("provider", sorted(set(PROVIDER.values())))
def test_nothing_fails_without_a_defect(provider: str) -> None:
    assert broken_checks(provider, Settings(fuzz=False, laws=False, probes=False)) == frozenset()


@pytest.mark.parametrize("defect", POOL, ids=lambda defect: defect.id)
def test_a_defect_fails_its_check(defect: Defect) -> None:
    found = {result.check.id for result in run_with(defect)}

    assert found & defect.checks, f"expected one of {sorted(defect.checks)}, found {sorted(found)}"


@pytest.mark.parametrize("defect", DRAWN, ids=lambda defect: f"seed {SEED}: {defect.id}")
def test_no_defect_of_a_sample_is_caught_by_one_test_alone(defect: Defect) -> None:
    witnesses = {(result.check.id, seen.place) for result in run_with(defect) for seen in result.broken}

    assert len(witnesses) >= 2, f"only {witnesses} would tell"


def test_the_pool_covers_every_dialect_side_and_mode() -> None:
    places = [(defect.dialect, defect.side, defect.mode) for defect in POOL]

    assert len(POOL) >= 40
    assert len(POOL) == len({defect.id for defect in POOL})
    assert all(places.count(place) >= 2 for place in set(places))
    assert len(set(places)) == sum(2 * (bool(d.client) + bool(d.upstream)) for d in DIALECTS.values())
