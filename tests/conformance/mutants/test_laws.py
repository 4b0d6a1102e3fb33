"""Mutants of translators: each breaks the law it is made for, and the law holds on the reference."""

from collections.abc import Mapping

import msgspec
import pytest

from setu.conformance import prove
from setu.conformance.catalogue import load
from setu.conformance.laws.bench import Profile, bench
from setu.conformance.laws.pair import Pair
from setu.conformance.laws.table import LAWS, tried
from setu.conformance.mutants import laws_answers, laws_requests
from setu.conformance.mutants.mutant import Mutant
from setu.dialects.record import Dialect
from setu.dialects.registry import DIALECTS

MUTANTS = (*laws_requests.MUTANTS.all, *laws_answers.MUTANTS.all)
FEW = Profile(5, 5, derandomize=True)


def pair_of(mutant: Mutant, dialects: Mapping[str, Dialect]) -> Pair:
    found = next(p for p in bench(dialects, FEW) if (p.client.name, p.upstream.name) == mutant.pair)
    return msgspec.structs.replace(found, shrinks=False)


def broken_pair(mutant: Mutant) -> Pair:
    pair = pair_of(mutant, DIALECTS if mutant.dialects is None else mutant.dialects(DIALECTS))
    return pair if mutant.wiring is None else mutant.wiring(pair)


def problems(mutant: Mutant) -> list[str]:
    """Try the laws of a mutant's check on it, on many examples where few do not break one."""
    pair = broken_pair(mutant)
    laws = [law for law in LAWS if law.check == mutant.check and law.excuse(pair) is None]
    for examples in (prove.LAW_EXAMPLES, prove.MANY_LAW_EXAMPLES):
        harder = msgspec.structs.replace(pair, examples=examples)
        found = [problem for law in laws if (problem := tried(law, harder)) is not None]
        if found:
            return found
    return []


def test_every_law_that_must_hold_has_a_mutant() -> None:
    musts = {check.id for check in load().checks if check.level == "MUST"}

    assert {law.check for law in LAWS} & musts <= {mutant.check for mutant in MUTANTS}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.check}-{mutant.name}")
def test_a_mutant_breaks_its_law_by_an_assertion(mutant: Mutant) -> None:
    """A law that fails because a mutant crashes would prove nothing."""
    found = problems(mutant)

    assert found
    assert not [problem for problem in found if problem.startswith(("Flaky", "TypeError", "AttributeError"))]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.check}-{mutant.name}")
def test_the_law_holds_without_the_mutant(mutant: Mutant) -> None:
    pair = pair_of(mutant, DIALECTS)

    laws = [law for law in LAWS if law.check == mutant.check and law.excuse(pair) is None]

    assert laws
    assert [tried(law, pair) for law in laws] == [None for _ in laws]
