"""Seeded defects: the suite must fail, with the right check, for every one; and pass without."""

import pytest

from setu.conformance.results import Status
from setu.conformance.runner import Settings, run
from setu.dialects.registry import DIALECTS
from tests.conformance.defects import Defect
from tests.conformance.pool import POOL, PROVIDER


def broken_checks(provider: str, settings: Settings) -> frozenset[str]:
    results = run(provider, settings).results
    return frozenset(result.check.id for result in results if result.status in {Status.FAIL, Status.ERROR, Status.WARN})


@pytest.mark.parametrize("provider", sorted(set(PROVIDER.values())))
def test_nothing_fails_without_a_defect(provider: str) -> None:
    assert broken_checks(provider, Settings(fuzz=False, laws=False)) == frozenset()


@pytest.mark.parametrize("defect", POOL, ids=lambda defect: defect.id)
def test_a_defect_fails_its_check(defect: Defect) -> None:
    dialects = {**DIALECTS, defect.dialect: defect.change(DIALECTS[defect.dialect])}

    found = broken_checks(PROVIDER[defect.dialect, defect.side], Settings(dialects=dialects, fuzz=False, laws=False))

    assert found & defect.checks, f"expected one of {sorted(defect.checks)}, found {sorted(found)}"


def test_the_pool_covers_every_dialect_side_and_mode() -> None:
    places = [(defect.dialect, defect.side, defect.mode) for defect in POOL]

    assert len(POOL) >= 40
    assert all(places.count(place) >= 2 for place in set(places))
    assert len(set(places)) == sum(2 * (bool(d.client) + bool(d.upstream)) for d in DIALECTS.values())
