"""The badge for shields.io."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.conformance.catalogue import load
from setu.conformance.report import badge
from setu.conformance.results import CheckResult, Run, Status
from tests.conformance.report.samples import runs

CORE = [check for check in load().checks if (check.profile, check.level) == ("core", "MUST")]


def run(*statuses: Status) -> Run:
    results = tuple(CheckResult(check=check, status=status) for check, status in zip(CORE, statuses, strict=False))
    return Run(target="setu", catalogue="2026.11", results=results)


@pytest.mark.parametrize(
    ("statuses", "message", "color"),
    [
        ([Status.PASS] * 3, "MUST 3/3", "brightgreen"),
        ([Status.PASS, Status.FAIL], "MUST 1/2", "red"),
        ([Status.PASS, Status.ERROR], "MUST 1/2", "red"),
        ([Status.PASS, Status.XFAIL], "MUST 1/2", "yellow"),
        ([Status.PASS, Status.UNSUPPORTED], "MUST 1/1", "brightgreen"),
        ([Status.PASS, Status.INCONCLUSIVE], "MUST 1/1, 1 inconclusive", "green"),
        ([Status.UNSUPPORTED], "nothing ran", "lightgrey"),
    ],
)
def test_it_counts_what_holds_of_what_was_judged(statuses: list[Status], message: str, color: str) -> None:
    assert badge.document([run(*statuses)]) == {
        "schemaVersion": 1, "label": "openai-compat core 2026.11", "message": message, "color": color,
        "isError": color == "red",
    }  # fmt: skip


def test_a_run_that_left_checks_out_is_not_as_green() -> None:
    untried = (CORE[1].id, "RSP-001", "NIX-001")
    found = badge.document([msgspec.structs.replace(run(Status.PASS), untried=untried)])

    assert (found["message"], found["color"]) == ("MUST 1/1, 1 not tried", "green")


def test_several_targets_are_counted_together() -> None:
    found = badge.document([run(Status.PASS), run(Status.PASS, Status.FAIL)])

    assert (found["message"], found["color"]) == ("MUST 2/3 in 2 targets", "red")


@given(st.lists(runs(), max_size=3))
@settings(max_examples=40, deadline=None)
def test_there_is_never_a_percentage_and_green_only_without_a_failure(made: list[Run]) -> None:
    found = json.loads(badge.render(made))

    assert "%" not in found["message"]
    failed = any(each.by_status("core", "MUST")[status] for each in made for status in (Status.FAIL, Status.ERROR))
    assert (found["color"] == "red") == failed
