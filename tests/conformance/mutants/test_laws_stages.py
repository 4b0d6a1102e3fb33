"""Mutants of scenarios and of generated requests, and how a stage is tried."""

import pytest

from setu.conformance import prove
from setu.conformance.mutants import stages
from setu.conformance.mutants.mutant import Mutant

BY_CHECK = {mutant.check: mutant for mutant in stages.MUTANTS.all}


def test_scenarios_and_fuzzing_have_a_mutant_for_each_check() -> None:
    assert BY_CHECK.keys() == {"SCN-001", "SCN-002", "FUZ-001", "FUZ-002", "FUZ-003", "FUZ-004"}


@pytest.mark.parametrize("mutant", stages.MUTANTS.all, ids=lambda mutant: f"{mutant.check}-{mutant.name}")
def test_a_mutant_fails_its_check_and_no_other(mutant: Mutant) -> None:
    verdict = prove.trial(mutant)

    assert verdict.failed == {mutant.check}, verdict.sample


@pytest.mark.parametrize("reference", prove.reference(stages.MUTANTS.all), ids=lambda one: one.stage)
def test_the_reference_fails_nothing(reference: Mutant) -> None:
    assert prove.trial(reference).failed == frozenset()
