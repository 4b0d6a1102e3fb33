"""The kill matrix is of the mutants that there are, and every one of them is dead."""

from setu.conformance.mutants.registry import MUTANTS
from tests.docs.kills import PAGE, kept, page


def test_the_page_is_made_of_the_last_proof() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_last_proof_was_of_these_mutants() -> None:
    verdicts, _ = kept()

    assert {(one.check, one.mutant) for one in verdicts if one.check} == {(one.check, one.name) for one in MUTANTS}
    assert all(one.good for one in verdicts if one.check)
    assert all(not one.failed for one in verdicts if not one.check)
