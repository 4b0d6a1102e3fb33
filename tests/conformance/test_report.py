"""From observations to statuses, counts, verdicts, exit codes and the two reports."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

import setu
from setu.conformance.catalogue import load
from setu.conformance.judges.finding import Finding
from setu.conformance.report import junit, table
from setu.conformance.results import Exit, Observation, Run, Status, collect
from setu.errors import ConfigError

BROKEN = (Finding("STR-003", "the id changes", path="$.id", got='"b"', want='"a"', event=2, span=(10, 20)),)


def seen(check: str, *, broken: bool = False, error: str | None = None) -> Observation:
    findings = (Finding(check, "it is wrong"),) if broken else ()
    return Observation(check=check, place="scenario text", findings=findings, error=error)


def run(*observations: Observation, **reasons: dict[str, str]) -> Run:
    return collect("gemini", load(), observations, **reasons)


def statuses(result: Run) -> dict[str, str]:
    return {found.check.id: found.status for found in result.results}


@pytest.mark.parametrize(
    ("observations", "status"),
    [
        ([seen("STR-003")], Status.PASS),
        ([seen("STR-003"), seen("STR-003", broken=True)], Status.FAIL),
        ([seen("STR-005", broken=True)], Status.WARN),
        ([seen("STR-003"), seen("STR-003", error="no recording")], Status.ERROR),
    ],
    ids=["pass", "one of two broken", "broken SHOULD", "not judged"],
)
def test_observations_become_one_status(observations: list[Observation], status: Status) -> None:
    (result,) = run(*observations).results

    assert result.status is status


def test_expectations_turn_failures_and_passes_around() -> None:
    result = run(
        seen("STR-003", broken=True), seen("STR-001"), expected={"STR-003": "known", "STR-001": "known", "STR-002": "x"}
    )

    assert statuses(result) == {"STR-001": "xpass", "STR-003": "xfail"}


def test_what_did_not_run_is_named_with_its_reason() -> None:
    result = run(
        seen("STR-003"),
        unsupported={"TOOL-001": "no tools", "STR-003": "seen after all"},
        inconclusive={"CHAT-014": "k = 3"},
    )

    assert statuses(result) == {"CHAT-014": "inconclusive", "STR-003": "pass", "TOOL-001": "unsupported"}


@pytest.mark.parametrize("reasons", [{}, {"unsupported": {"NIX-001": "x"}}, {"expected": {"NIX-001": "x"}}])
def test_an_unknown_check_is_an_error(reasons: dict[str, dict[str, str]]) -> None:
    with pytest.raises(ConfigError, match="no check NIX-001"):
        run(*([] if reasons else [seen("NIX-001")]), **reasons)


def test_counts_are_per_area() -> None:
    result = run(
        seen("STR-003"), seen("STR-001", broken=True), seen("STR-005", broken=True), seen("CHAT-001"),
        unsupported={"STR-013": "x"}, inconclusive={"STR-012": "y"},
    )  # fmt: skip

    area = result.counts("STR")

    assert (area.run, area.passed, area.failed, area.warned, area.unsupported, area.inconclusive) == (3, 1, 1, 1, 1, 1)
    assert result.counts().run == 4
    assert result.areas == ("CHAT", "STR")


@pytest.mark.parametrize(
    ("observations", "reasons", "compat", "strict"),
    [
        ([seen("STR-003")], {}, Exit.OK, Exit.OK),
        ([seen("STR-003", broken=True)], {}, Exit.FAILED, Exit.FAILED),
        ([seen("STR-005", broken=True)], {}, Exit.OK, Exit.FAILED),
        ([seen("STR-003", error="lost")], {}, Exit.FAILED, Exit.FAILED),
        ([seen("STR-003", broken=True)], {"expected": {"STR-003": "known"}}, Exit.OK, Exit.OK),
        ([seen("STR-003")], {"expected": {"STR-003": "known"}}, Exit.STALE, Exit.STALE),
        ([seen("STR-003"), seen("STR-001", broken=True)], {"expected": {"STR-003": "x"}}, Exit.FAILED, Exit.FAILED),
        ([], {"unsupported": {"STR-003": "x"}}, Exit.NOTHING, Exit.NOTHING),
    ],
    ids=["good", "broken MUST", "broken SHOULD", "error", "xfail", "stale", "failure outranks stale", "nothing ran"],
)
def test_exit_codes(
    observations: list[Observation], reasons: dict[str, dict[str, str]], compat: Exit, strict: Exit
) -> None:
    result = run(*observations, **reasons)

    assert (result.exit_code(), result.exit_code(strict=True)) == (compat, strict)


def test_the_table_shows_counts_evidence_basis_and_repetition() -> None:
    failing = Observation(check="STR-003", place="scenario tool-call", findings=BROKEN, repro="setu conformance -k x")
    text = table.render(run(failing, seen("CHAT-001"), unsupported={"TOOL-001": "no tools"}))

    assert re.search(r"^STR +1 +0 +1 +0 +0 +0$", text, re.MULTILINE)
    assert re.search(r"^TOOL +0 +0 +0 +0 +1 +0$", text, re.MULTILINE)
    assert "compat (MUST): FAIL" in text
    assert 'the id changes at $.id, got "b", want "a" (event 2, bytes 10-20)' in text
    assert "at     scenario tool-call" in text
    assert "repeat setu conformance -k x" in text
    assert "basis  openai:#/components/schemas/CreateChatCompletionStreamResponse/properties/id, B-STR-04" in text
    assert "TOOL-001  no tools" in text


def test_the_table_is_short_where_much_fails_alike() -> None:
    text = table.render(run(*[seen("STR-003", broken=True)] * 50))

    assert text.count("it is wrong") == 3
    assert "and 47 more of 50 exchanges" in text


def test_a_scenario_that_does_not_fit_is_named_with_its_reason() -> None:
    text = table.render(run(seen("CHAT-001"), skipped={"B-EMB-01": "acme has no operation 'embed'"}))

    assert "\nscenarios that do not fit:\n  B-EMB-01  acme has no operation 'embed'\n" in text
    assert "do not fit" not in table.render(run(seen("CHAT-001")))


def test_a_run_of_nothing_does_not_pass() -> None:
    assert "compat (MUST): nothing ran" in table.render(run(unsupported={"TOOL-001": "no tools"}))


def test_a_stale_expectation_says_what_to_do() -> None:
    text = table.render(run(seen("STR-003"), expected={"STR-003": "upstream bug 42"}))

    assert "expected to fail (upstream bug 42), but passes: remove the expectation" in text


def overdue() -> Run:
    late = {"STR-003": "expected to fail until 2026-01-31, which is past"}
    return run(seen("STR-003", broken=True), expected={"STR-003": "known"}, overdue=late)


def test_an_expectation_whose_date_is_past_is_told_everywhere() -> None:
    assert "stale:\n  STR-003  expected to fail until 2026-01-31, which is past" in table.render(overdue())

    root = ET.fromstring(junit.render([overdue()]))
    (failure,) = root.iterfind(".//testcase[@name='STR-003']/failure")
    assert (failure.get("type"), failure.get("message")) == ("stale", overdue().overdue["STR-003"])
    assert [(suite.get("failures"), suite.get("skipped")) for suite in root] == [("1", "0")]


def test_an_expected_failure_is_skipped_in_junit() -> None:
    root = ET.fromstring(junit.render([run(seen("STR-003", broken=True), expected={"STR-003": "known"})]))

    (skipped,) = root.iterfind(".//testcase[@name='STR-003']/skipped")
    assert skipped.get("message") == "xfail: known"
    assert [(suite.get("failures"), suite.get("skipped")) for suite in root] == [("0", "1")]


def test_a_run_knows_what_it_was_judged_with_and_what_it_left_out() -> None:
    result = run(seen("STR-003"), unsupported={"TOOL-001": "x"})

    assert (result.suite, len(result.schema_sha)) == (setu.__version__, 64)
    assert "openai" in result.sdk
    assert set(result.untried) == set(load().by_id) - {"STR-003", "TOOL-001"}


def test_a_condensed_run_keeps_the_evidence_and_the_numbers() -> None:
    result = run(seen("STR-003"), seen("STR-003", broken=True), seen("STR-003"), seen("CHAT-001"))

    chat, stream = result.condensed().results
    assert (chat.observations, chat.held, chat.exchanges) == ((), 1, 1)
    assert (stream.observations, stream.held, stream.exchanges) == ((seen("STR-003", broken=True),), 2, 3)
    assert result.condensed().condensed() == result.condensed()
    assert result.condensed().name == "gemini"


def test_checks_are_counted_by_profile_and_level() -> None:
    result = run(seen("STR-003"), seen("STR-001", broken=True), seen("STR-005"), seen("TOOL-002"))

    counted = result.by_status("core", "MUST")
    assert {status: number for status, number in counted.items() if number} == {Status.PASS: 1, Status.FAIL: 1}
    assert set(counted) == set(Status)


def test_junit_has_a_suite_per_area_and_a_case_per_check() -> None:
    result = run(
        Observation(check="STR-003", place="a", findings=BROKEN), seen("STR-005", broken=True), seen("CHAT-001"),
        seen("CHAT-002", error="lost"), unsupported={"TOOL-001": "no tools"},
    )  # fmt: skip

    root = ET.fromstring(junit.render([result]).encode())

    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["gemini.CHAT", "gemini.STR", "gemini.TOOL"]
    assert {name: suites["gemini.STR"].get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "2", "failures": "1", "errors": "0", "skipped": "0",
    }  # fmt: skip
    (failure,) = root.iterfind(".//testcase[@name='STR-003']/failure")
    assert failure.get("type") == "MUST"
    assert "event 2, bytes 10-20" in (failure.text or "")
    assert root.find(".//testcase[@name='STR-005']/failure") is None
    assert root.find(".//testcase[@name='STR-005']/system-out") is not None
    assert root.find(".//testcase[@name='CHAT-002']/error") is not None
    (skipped,) = root.iterfind(".//testcase[@name='TOOL-001']/skipped")
    assert skipped.get("message") == "unsupported: no tools"
    facts = {fact.get("name"): fact.get("value") for fact in root.iterfind(".//testcase[@name='CHAT-001']//property")}
    assert facts["level"] == "MUST"
    assert "CreateChatCompletionResponse" in str(facts["basis"])


@given(st.text())
def test_junit_is_well_formed_whatever_a_server_sent(text: str) -> None:
    findings = (Finding("STR-003", text, got=text),)
    document = junit.render([run(Observation(check="STR-003", place=text, findings=findings))])

    assert ET.fromstring(document.encode("utf-8")).tag == "testsuites"
