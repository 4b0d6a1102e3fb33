"""The published results, and the pages made of them."""

import pytest

from setu.conformance.report import html, matrix
from setu.conformance.results import Run, Status
from tests.browser import chromium, opened
from tests.docs.matrix import HTML, PAGE

RESULTS = matrix.results()
SETU = next(run for run in RESULTS if run.label == "setu")
RIVALS = [run for run in RESULTS if run.label != "setu"]
_BROKEN = (Status.FAIL, Status.ERROR)


def test_the_pages_are_made_of_the_published_results() -> None:
    assert PAGE.read_text(encoding="utf-8") == matrix.page(RESULTS)
    assert HTML.read_text(encoding="utf-8") == html.render(RESULTS, ())


def test_setu_holds_every_must_from_both_sides() -> None:
    assert [result.check.id for result in SETU.results if result.status in _BROKEN] == []


@pytest.mark.parametrize("run", RIVALS, ids=lambda run: run.label)
def test_what_a_rival_failed_has_evidence_and_setu_passes_it(run: Run) -> None:
    passed = {result.check.id for result in SETU.results if result.status is Status.PASS}

    failed = [result for result in run.results if result.status in _BROKEN]
    assert failed
    assert all(result.broken for result in failed)
    assert {result.check.id for result in failed} <= passed


@pytest.mark.parametrize("run", RESULTS, ids=lambda run: run.label)
def test_a_result_says_what_it_is_of(run: Run) -> None:
    assert run.started
    assert run.fingerprint.get("version")
    assert run.mode == "two-sided"


def test_known_issues_are_about_published_failures() -> None:
    broken = {run.label: {result.check.id for result in run.results if result.status in _BROKEN} for run in RESULTS}

    for gateway, checks in matrix.issues().items():
        assert set(checks) <= broken[gateway]


@pytest.mark.parametrize("width", [390, 1280])
def test_the_matrix_fits_a_screen_and_opens_with_the_keyboard(width: int) -> None:
    failed = next(result.check.id for result in RIVALS[0].results if result.status in _BROKEN)
    with chromium() as browser, opened(browser, HTML, width=width) as view:
        assert all(view.get_by_text(run.label).count() for run in RESULTS)
        metrics = view.context.new_cdp_session(view).send("Page.getLayoutMetrics")
        assert metrics["cssContentSize"]["width"] <= width
        summary = view.locator(f"#{failed} td summary").first
        summary.focus()
        view.keyboard.press("Enter")
        assert view.locator(f"#{failed} td .evidence").first.is_visible()
