"""The file of expected failures: what it says, what it refuses, and what it does to a run."""

from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from setu.conformance.catalogue import load as load_catalogue
from setu.conformance.expected import Expectation, load, overdue, reasons
from setu.conformance.judges.finding import Finding
from setu.conformance.results import Exit, Observation, Run, Status, collect
from setu.errors import ConfigError

KNOWN = load_catalogue().by_id
ISSUE = "https://example.org/42"
ENTRY = f'{{check: STR-003, reason: "late id", issue: "{ISSUE}", until: 2027-01-31}}'
DUE = date(2027, 1, 31)


def written(folder: Path, text: str) -> Path:
    path = folder / "expected.yml"
    path.write_text(text, encoding="utf-8")
    return path


def judged(expectations: tuple[Expectation, ...], today: date, **broken: bool) -> Run:
    observations = [
        Observation(check=check, place="here", findings=(Finding(check, "wrong"),) if bad else ())
        for name, bad in broken.items()
        for check in [name.replace("_", "-")]
    ]
    return collect(
        "gemini",
        load_catalogue(),
        observations,
        expected=reasons(expectations),
        overdue=overdue(expectations, today),
    )


def test_an_entry_is_a_check_a_reason_an_issue_and_a_date(tmp_path: Path) -> None:
    quoted = ENTRY.replace("STR-003", "STR-001").replace("2027-01-31", "'2027-02-01'")
    path = written(tmp_path, f"# known\n- {ENTRY}\n- {quoted}\n")

    assert load(path, KNOWN) == (
        Expectation(check="STR-003", reason="late id", issue=ISSUE, until=DUE, line=2),
        Expectation(check="STR-001", reason="late id", issue=ISSUE, until=date(2027, 2, 1), line=3),
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[]\n"])
def test_an_empty_file_expects_nothing(tmp_path: Path, text: str) -> None:
    assert load(written(tmp_path, text), KNOWN) == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("check: STR-003\n", r"expected.yml:1: expected a list of \{check, reason, issue, until\}"),
        ("- STR-003\n", r"expected.yml:1: /0: expected a mapping"),
        (f"- {ENTRY}\n- {{check: STR-001, reason: x, until: 2027-01-31}}\n", r"expected.yml:2: /1/issue: missing"),
        (f"- {ENTRY[:-1]}, why: x}}\n", "expected.yml:1: /0/why: unknown; there are check, reason, issue, until"),
        (f"- {ENTRY.replace('STR-003', 'NIX-001')}\n", "/0/check: there is no check 'NIX-001'"),
        (f"- {ENTRY.replace('STR-003', 'STR')}\n", "/0/check: STR is an area; expectations are per check"),
        (f"- {ENTRY.replace('STR-003', 'STR-*')}\n", r"/0/check: STR-\* is an area"),
        (f"- {ENTRY.replace('STR-003', '7')}\n", "/0/check: there is no check 7"),
        (f"- {ENTRY.replace('late id', ' ')}\n", "/0/reason: expected a sentence"),
        (f"- {ENTRY.replace(ISSUE, '#42')}\n", "/0/issue: expected the URL of an issue"),
        (f"- {ENTRY.replace('2027-01-31', 'soon')}\n", "/0/until: expected a date like 2027-01-31, not 'soon'"),
        (f"- {ENTRY.replace('2027-01-31', '2027-01-31T10:00:00')}\n", "/0/until: expected a date"),
        (f"- {ENTRY.replace('2027-01-31', '2027-13-31')}\n", "expected.yml: not readable YAML: month must be"),
        (f"- {ENTRY}\n- {ENTRY}\n", "expected.yml:2: /1: STR-003 stands at line 1"),
        ("- {check: [\n", r"expected.yml:2: not readable YAML"),
        ("- !!python/object:os.system {}\n", "expected.yml:1: not readable YAML"),
    ],
)
def test_what_is_no_entry_is_named_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        load(written(tmp_path, text), KNOWN)


def test_a_file_that_is_not_there_is_a_mistake_of_usage(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.yml: cannot be read"):
        load(tmp_path / "none.yml", KNOWN)


@pytest.mark.parametrize(
    ("today", "broken", "status", "code"),
    [
        (DUE, {"STR_003": True}, Status.XFAIL, Exit.OK),
        (DUE, {"STR_003": False}, Status.XPASS, Exit.STALE),
        (date(2027, 2, 1), {"STR_003": True}, Status.XFAIL, Exit.STALE),
        (date(2027, 2, 1), {"STR_003": False}, Status.XPASS, Exit.STALE),
        (date(2027, 2, 1), {"STR_003": True, "STR_001": True}, Status.XFAIL, Exit.FAILED),
        (DUE, {"STR_003": False, "STR_001": True}, Status.XPASS, Exit.FAILED),
    ],
    ids=["fails", "passes", "fails too long", "passes too late", "another fails, date past", "another fails, passes"],
)
def test_an_expectation_excuses_until_its_date_and_is_stale_after(
    tmp_path: Path, today: date, broken: dict[str, bool], status: Status, code: Exit
) -> None:
    run = judged(load(written(tmp_path, f"- {ENTRY}\n"), KNOWN), today, **broken)

    assert {each.check.id: each.status for each in run.results}["STR-003"] is status
    assert run.exit_code() is code


def test_a_stale_entry_says_which_way_it_is_stale(tmp_path: Path) -> None:
    entries = load(written(tmp_path, f"- {ENTRY}\n"), KNOWN)

    late = judged(entries, date(2028, 1, 1), STR_003=True).stale
    passing = judged(entries, DUE, STR_003=False).stale
    unseen = judged(entries, date(2028, 1, 1), STR_001=False).stale

    assert late == {
        "STR-003": f"expected to fail until 2027-01-31, which is past (late id; {ISSUE}): "
        "fix it, or argue for a later date"
    }
    assert passing["STR-003"].endswith("but passes: remove the expectation")
    assert unseen == late


@given(
    st.dictionaries(
        st.sampled_from(sorted(KNOWN)),
        st.tuples(st.text(min_size=1).filter(str.strip), st.dates(min_value=date(1000, 1, 1))),
        max_size=5,
    ),
    st.dates(),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_what_is_read(tmp_path: Path, entries: dict[str, tuple[str, date]], today: date) -> None:
    rows = [{"check": check, "reason": why, "issue": ISSUE, "until": until} for check, (why, until) in entries.items()]
    path = written(tmp_path, yaml.safe_dump(rows, allow_unicode=False))

    found = load(path, KNOWN)

    assert [(each.check, each.reason, each.until) for each in found] == [
        (check, why.strip(), until) for check, (why, until) in entries.items()
    ]
    assert set(overdue(found, today)) == {check for check, (_, until) in entries.items() if until < today}
