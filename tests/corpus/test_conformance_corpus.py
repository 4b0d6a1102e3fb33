"""The checks on real traffic: those who made an API break no MUST of it, and whatever they break is on record."""

import re

import pytest

from setu.conformance import passive, traffic
from setu.conformance.catalogue import load
from setu.conformance.passive import Traffic
from setu.conformance.recorded import not_as_sent
from tests.corpus.reader import exchanges, needs_corpus
from tests.corpus.traffic import OWN, PAGE, judged, page

pytestmark = [pytest.mark.corpus, needs_corpus]

SECONDS, MEGABYTES = 300, 600
"""What the whole corpus may cost."""


@pytest.fixture(scope="module")
def before() -> float:
    """What other tests have already cost this process, in megabytes."""
    return passive._peak_mb()


@pytest.fixture(scope="module")
def found(before: float) -> Traffic:
    assert before >= 0
    return judged()


def test_the_page_is_up_to_date(found: Traffic) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(found), "run: python -m tests.corpus.traffic"


def test_the_whole_corpus_is_judged_within_its_budget(found: Traffic, before: float) -> None:
    print(f"\n{found.exchanges:,} exchanges in {found.seconds:.1f} s, {found.peak_mb:.0f} MB at most")

    assert found.exchanges + len(found.unread) == 12_442
    assert found.seconds < SECONDS
    assert found.peak_mb - before < MEGABYTES


def test_those_who_made_an_api_break_no_must_of_it(found: Traffic) -> None:
    own = [group for group in found.groups if (group.party, group.api) in OWN]

    assert {(group.party, group.api) for group in own} == OWN
    assert all(group.judged for group in own)
    assert {group.run.label: [*traffic.broken(group, "MUST")] for group in own if not group.run.compat} == {}


def test_what_they_break_of_the_rest_is_evidence_in_the_catalogue(found: Traffic) -> None:
    broken = {check for group in found.groups if (group.party, group.api) in OWN for check in group.broken}

    assert broken
    assert {check for check in broken if not load().by_id[check].evidence} == set()


def test_every_check_of_one_exchange_that_is_passive_meets_real_traffic(found: Traffic) -> None:
    """A check that no provider's traffic ever meets is only as good as its mutants; these are known."""
    met = {check for group in found.groups for check in group.judged}
    passive = {check.id for check in load().checks if check.kind == "passive"}

    assert passive - met == UNMET.keys()


UNMET = {
    "ANT-015": "no recorded stream of Anthropic failed half-way",
    "AUTH-004": "keys are masked in recordings",
    "CHAT-012": "looks at several exchanges",
    "ERR-013": "needs what a gateway sent upstream",
    "GEM-013": "no recorded stream of Gemini failed half-way",
    "TRN-008": "request ids are taken out of recordings",
}


def test_what_is_cited_is_in_the_corpus(found: Traffic) -> None:
    apis = {"openai.chat", "openai.responses", "models.list", "gemini.generate", "gemini.stream", "vertex.predict"}
    apis |= {"bedrock.converse_stream", "ollama.chat"}
    there = {one["id"] for api in sorted(apis) for one in exchanges(api)}
    cited = {name for check in load().checks for line in check.evidence for name in _ids(line)}

    assert cited
    assert cited | not_as_sent().keys() <= there
    assert not_as_sent().keys() <= {skipped.place for skipped in found.unread}


def _ids(line: str) -> list[str]:
    return re.findall(r"\b[a-z][a-z.-]+-[0-9a-f]{10}\b", line)
