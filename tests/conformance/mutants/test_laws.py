"""Mutants of translators: each breaks the law it is made for, and the law holds on the reference."""

from collections.abc import Mapping
from functools import cache

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
    many = msgspec.structs.replace(pair, examples=prove.MANY_LAW_EXAMPLES)
    return many if mutant.wiring is None else mutant.wiring(many)


@cache
def problems(mutant_name: str) -> tuple[str, ...]:
    """Try the laws of a mutant's check on it."""
    mutant = next(one for one in MUTANTS if one.name == mutant_name)
    pair = broken_pair(mutant)
    laws = [law for law in LAWS if law.check == mutant.check and law.excuse(pair) is None]
    return tuple(problem for law in laws if (problem := tried(law, pair)) is not None)


def test_every_law_that_must_hold_has_a_mutant() -> None:
    musts = {check.id for check in load().checks if check.level == "MUST"}

    assert {law.check for law in LAWS} & musts <= {mutant.check for mutant in MUTANTS}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.check}-{mutant.name}")
def test_a_mutant_breaks_its_law_by_an_assertion(mutant: Mutant) -> None:
    """A law that fails because a mutant crashes would prove nothing."""
    found = problems(mutant.name)

    assert found
    assert not [problem for problem in found if problem.startswith(("Flaky", "TypeError", "AttributeError"))]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.check}-{mutant.name}")
def test_the_law_holds_without_the_mutant(mutant: Mutant) -> None:
    pair = pair_of(mutant, DIALECTS)

    laws = [law for law in LAWS if law.check == mutant.check and law.excuse(pair) is None]

    assert laws
    assert [tried(law, pair) for law in laws] == [None for _ in laws]
