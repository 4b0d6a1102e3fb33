"""The job summary of GitHub Actions."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from setu.conformance.report import summary
from setu.conformance.results import Run
from tests.conformance.report.samples import everything, runs


def test_it_is_appended_to_what_other_steps_wrote(tmp_path: Path) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n", encoding="utf-8")

    assert summary.append([everything()], {"GITHUB_STEP_SUMMARY": str(path)})
    assert path.read_text(encoding="utf-8") == "before\n" + summary.render([everything()])


def test_outside_of_a_job_nothing_is_written() -> None:
    assert not summary.append([everything()], {})
    assert not summary.append([everything()], {"GITHUB_STEP_SUMMARY": ""})


def test_it_has_verdicts_failures_and_what_is_open_but_no_matrix() -> None:
    text = summary.render([everything()])

    assert "| gemini | **fail** |" in text
    assert "### STR-003 fail" in text
    assert "leaves open" in text
    assert "| check |" not in text


@given(st.lists(runs(), max_size=2), st.integers(0, 4000))
@settings(max_examples=40, deadline=None)
def test_failures_that_do_not_fit_are_counted(made: list[Run], limit: int) -> None:
    whole, text = summary.render(made), summary.render(made, limit)

    assert len(text) <= len(whole) + 100
    assert ("more; the other reports" in text) == (text != whole)


def test_a_great_run_stays_below_what_github_takes() -> None:
    assert len(summary.render([everything(evil="x" * 300_000)] * 20).encode()) < 1024 * 1024
