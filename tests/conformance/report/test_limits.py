"""What every report says of what it leaves open."""

import msgspec
import pytest
from hypothesis import given, settings

from setu.conformance.report.limits import limits
from setu.conformance.results import Run, Status
from tests.conformance.report.samples import everything, runs


def test_every_open_end_has_its_number() -> None:
    untried = len(everything().untried)

    assert limits(everything())[1:] == (
        f"Not tried: {untried} of the catalogue's {untried + 9} checks.",
        "Inconclusive, so neither held nor broken: 1 check.",
        "About what the target declares not to have: 1 check.",
        "Failing, but expected to: 1 check. A verdict excuses them.",
        "Scenarios that do not fit the target: 1.",
    )


@pytest.mark.parametrize(
    ("mode", "words"),
    [("offline", "no live model"), ("two-sided", "scripted"), ("live", "One model"), ("passive", "recorded traffic")],
)
def test_the_mode_has_its_caveat(mode: str, words: str) -> None:
    assert words in limits(msgspec.structs.replace(everything(), mode=mode))[0]


@given(runs())
@settings(max_examples=40, deadline=None)
def test_what_is_open_is_said_and_nothing_else(run: Run) -> None:
    said = " ".join(limits(run))

    assert ("Not tried" in said) == bool(run.untried)
    assert ("Inconclusive" in said) == any(result.status is Status.INCONCLUSIVE for result in run.results)
