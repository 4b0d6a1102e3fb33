"""What changed between two reports."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.conformance.catalogue import load
from setu.conformance.report import compare, json_
from setu.conformance.report.compare import Kind
from setu.conformance.results import CheckResult, Exit, Run, Status
from setu.errors import ConfigError
from tests.conformance.report.samples import everything, runs


def run(status: Status | None, name: str = "gemini", check: str = "STR-003") -> Run:
    results = () if status is None else (CheckResult(check=load().by_id[check], status=status),)
    return Run(target=f"{name} (offline)", name=name, catalogue="2026.11", results=results)


@pytest.mark.parametrize(
    ("before", "after", "kind", "worse"),
    [
        (Status.PASS, Status.FAIL, Kind.FAILING, True),
        (Status.PASS, Status.WARN, Kind.FAILING, True),
        (Status.PASS, Status.ERROR, Kind.FAILING, True),
        (Status.INCONCLUSIVE, Status.FAIL, Kind.FAILING, True),
        (Status.FAIL, Status.PASS, Kind.FIXED, False),
        (Status.XFAIL, Status.XPASS, Kind.FIXED, False),
        (Status.XFAIL, Status.FAIL, Kind.CHANGED, True),
        (Status.FAIL, Status.XFAIL, Kind.CHANGED, False),
        (Status.FAIL, Status.ERROR, Kind.CHANGED, False),
        (Status.PASS, Status.INCONCLUSIVE, Kind.CHANGED, True),
        (Status.UNSUPPORTED, Status.PASS, Kind.CHANGED, False),
        (None, Status.PASS, Kind.NEW, False),
        (None, Status.FAIL, Kind.NEW, True),
        (Status.PASS, None, Kind.GONE, True),
        (Status.FAIL, None, Kind.GONE, False),
    ],
)
def test_a_change_has_a_kind_and_is_worse_or_not(
    before: Status | None, after: Status | None, kind: Kind, worse: bool
) -> None:
    found = compare.compare([run(before)], [run(after)])

    ((change,),) = (target.changes for target in found.targets)
    assert (change.kind, change.worse) == (kind, worse)
    assert found.exit_code is (Exit.FAILED if worse else Exit.OK)


def test_two_lone_runs_are_compared_whatever_they_are_called() -> None:
    found = compare.compare([run(Status.PASS, "litellm")], [run(Status.FAIL, "setu")])

    assert "litellm → setu · catalogue 2026.11 → 2026.11\n! newly failing  STR-003" in compare.text(found)


def test_several_runs_are_matched_by_name_and_the_rest_is_new_or_gone() -> None:
    before = [run(Status.PASS, "a"), run(Status.PASS, "b")]
    after = [run(Status.PASS, "c"), run(Status.PASS, "a")]

    found = compare.compare(before, after)

    assert compare.text(found) == "c: new, 1 checks\na · catalogue 2026.11 → 2026.11\nb: gone, 1 checks\nworse"
    assert not compare.compare(before[:1], [*before]).worse


def test_the_files_are_reports(tmp_path: Path) -> None:
    old, new = tmp_path / "a.json", tmp_path / "b.json"
    old.write_text(json_.render([run(Status.FAIL)]), encoding="utf-8")
    new.write_text(json_.render([run(Status.PASS)]), encoding="utf-8")

    found = compare.diff(old, new)

    assert "  fixed          STR-003   fail → pass            " in compare.text(found)
    assert compare.text(found).endswith("no worse")
    new.write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"b\.json: not a setu"):
        compare.diff(old, new)


def test_the_json_document_says_the_same() -> None:
    document = json.loads(json.dumps(compare.document(compare.compare([run(Status.PASS)], [run(Status.FAIL)]))))

    assert document["schema"] == "setu.conformance.diff/1"
    assert document["worse"] is True
    assert document["targets"][0]["changes"] == [
        {"check": "STR-003", "level": "MUST", "kind": "newly failing", "before": "pass", "after": "fail", "worse": True}
    ]


@given(runs())
@settings(max_examples=40, deadline=None)
def test_a_report_is_the_same_as_itself(made: Run) -> None:
    assert compare.text(compare.compare([made], [made])).endswith("the same")


@given(runs(), runs())
@settings(max_examples=60, deadline=None)
def test_what_got_worse_one_way_did_not_get_worse_the_other(one: Run, other: Run) -> None:
    there = {change.check.id: change for change in compare.compare([one], [other]).targets[0].changes}
    back = {change.check.id: change for change in compare.compare([other], [one]).targets[0].changes}

    assert there.keys() == back.keys()
    assert not [name for name, change in there.items() if change.worse and back[name].worse]
    kinds = {Kind.NEW: Kind.GONE, Kind.GONE: Kind.NEW}
    assert all(back[name].kind is kinds[change.kind] for name, change in there.items() if change.kind in kinds)


@given(st.lists(runs(), max_size=3))
@settings(max_examples=20, deadline=None)
def test_nothing_is_worse_than_nothing_but_a_target_that_is_gone(made: list[Run]) -> None:
    named = [msgspec.structs.replace(each, name=str(index)) for index, each in enumerate(made)]

    assert compare.compare(named, []).worse is bool(made)
    assert not compare.compare([], named).worse
    assert compare.compare([everything()], [everything()]).exit_code is Exit.OK
