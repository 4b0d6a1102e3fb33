"""The HTML report: what is in it, and what it does in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from setu.conformance.catalogue import load
from setu.conformance.report import html
from setu.conformance.results import Run, Status, collect
from tests.browser import chromium, opened
from tests.conformance.report.samples import EVIL, everything, runs, seen


def healthy(target: str) -> Run:
    return collect(target, load(), [seen("STR-003"), seen("STR-001"), seen("CHAT-001")])


def four() -> list[Run]:
    return [healthy("setu"), everything("litellm"), everything("portkey with a rather long name"), everything("mlflow")]


PREVIOUS = [healthy("litellm"), healthy("gone")]


@pytest.fixture(scope="module")
def page() -> str:
    return html.render(four(), PREVIOUS)


def test_it_needs_nothing_from_anywhere_else(page: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)

    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]
    assert not re.search(r"@import|url\(", page)
    assert not re.search(r"""<(?!a )[^>]*(?:src|href)=["'](?!#|data:)""", page)
    assert not re.search(r"<[^>]+ (?:style|on\w+)=", page.replace(EVIL, ""))


def test_the_same_runs_give_the_same_page(page: str) -> None:
    assert html.render(four(), PREVIOUS) == page


def test_a_bar_has_a_piece_for_each_status_and_says_so_in_words() -> None:
    bar = html.bar(everything(), "STR")

    assert bar.words == "1 pass, 1 fail, 1 warn, 1 xfail, 1 xpass"
    assert (bar.passed, bar.run) == (2, 5)
    assert [segment.x for segment in bar.segments] == [0, 24, 48, 72, 96]
    assert html.bar(everything(), "GEM").words == "not tried"


@given(runs())
@settings(max_examples=40, deadline=None)
def test_every_result_is_in_the_page_and_every_bar_is_full(run: Run) -> None:
    text = html.render([run])

    assert text.count("data-statuses=") == len(run.results)
    assert len(re.findall(r"<script|<style", text)) == 2
    for area in run.areas:
        segments = html.bar(run, area).segments
        assert sum(segment.number for segment in segments) == sum(each.check.area == area for each in run.results)
        assert abs(sum(segment.width for segment in segments) - html.BAR) < 1


def test_every_status_has_a_shape_of_its_own() -> None:
    assert set(html.MARKS) == set(Status)
    assert len(set(html.MARKS.values())) == len(Status)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="module")
def file(page: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def test_nothing_in_it_is_run_and_all_its_checks_are_there(browser: Any, file: Path) -> None:
    with opened(browser, file) as view:
        assert view.title().startswith("Conformance 2026.")
        assert view.locator("#matrix tr[data-statuses]").count() == 9
        view.locator("#STR-003 td").nth(1).locator("summary").click()
        evidence = view.locator("#STR-003 td").nth(1).locator(".evidence")
        assert "</script><script>document.title='evil'" in evidence.inner_text()
        assert "event 2, bytes 10-20" in evidence.inner_text()
        assert evidence.locator("pre").inner_text() == "curl -sN http://x/v1"
        assert view.locator("img").count() == 0
        assert not view.title().startswith("evil")


def test_evidence_opens_with_the_keyboard_alone(browser: Any, file: Path) -> None:
    with opened(browser, file) as view:
        view.keyboard.press("Tab")
        assert view.evaluate("document.activeElement.textContent") == "Skip to the report"
        view.keyboard.press("Enter")
        assert view.evaluate("document.activeElement.id") == "main"
        cell = view.locator("#STR-003 td").nth(1)
        for _ in range(200):
            view.keyboard.press("Tab")
            if view.evaluate("document.activeElement.closest('#STR-003 td') !== null"):
                break
        assert not cell.locator(".evidence").is_visible()
        view.keyboard.press("Enter")
        assert cell.locator(".evidence").is_visible()


def test_a_search_leaves_the_checks_that_have_all_the_words(browser: Any, file: Path) -> None:
    with opened(browser, file) as view:
        status = view.get_by_role("status")
        assert status.inner_text() == "9 checks"
        view.keyboard.press("/")
        view.keyboard.type("id CHANGES")
        assert view.locator("#matrix tr[data-statuses]:visible").count() == 1
        assert status.inner_text() == "1 of 9 checks"
        assert view.locator("#matrix tbody:visible").count() == 1
        view.keyboard.press("Escape")
        assert status.inner_text() == "9 checks"


def test_a_filter_leaves_what_is_broken_or_changed(browser: Any, file: Path) -> None:
    with opened(browser, file) as view:
        rows = view.locator("#matrix tr[data-statuses]:visible")
        view.get_by_label("Show").select_option("broken")
        assert sorted(rows.evaluate_all("(rows) => rows.map((row) => row.id)")) == ["CHAT-002", "STR-003", "STR-005"]
        view.get_by_label("Show").select_option("changed")
        assert "STR-003" in rows.evaluate_all("(rows) => rows.map((row) => row.id)")
        assert "CHAT-001" not in rows.evaluate_all("(rows) => rows.map((row) => row.id)")
        view.get_by_label("Show").select_option("inconclusive")
        assert rows.evaluate_all("(rows) => rows.map((row) => row.id)") == ["CHAT-014"]


def test_the_difference_to_the_previous_run_is_told(browser: Any, file: Path) -> None:
    with opened(browser, file) as view:
        changes = view.locator("#changes").inner_text()

        assert "newly failing: 1" in changes
        assert "STR-003 (pass → fail)" in changes
        assert "gone: gone" in changes
        assert "setu: new" in changes
        assert "worse: pass → fail" in view.locator("#STR-003 td").nth(1).inner_text()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_screen_with_all_its_evidence_open(browser: Any, file: Path, width: int, scripts: bool) -> None:
    with opened(browser, file, width=width, java_script_enabled=scripts) as view:
        for summary in view.locator("summary").all():
            if summary.is_visible():
                summary.click()

        assert view.locator("#STR-003 .evidence").first.is_visible()
        assert view.locator("#tools").is_visible() is scripts
        # Asked of the browser, not of the page, which may have no scripts.
        metrics = view.context.new_cdp_session(view).send("Page.getLayoutMetrics")
        assert metrics["cssContentSize"]["width"] <= width
        last = view.locator("#STR-003 td").last
        box = last.bounding_box()
        assert box is not None
        assert width > 390 or box["x"] + box["width"] <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_text_can_be_told_from_its_ground(browser: Any, file: Path, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1."""
    with opened(browser, file, color_scheme=scheme) as view:
        worst = view.evaluate(CONTRAST)

        assert worst["ratio"] >= 4.5, worst


CONTRAST = """() => {
  const light = (colour) => {
    const parts = colour.match(/[0-9.]+/g).slice(0, 3).map((each) => each / 255);
    const linear = parts.map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "rgb(255, 255, 255)";
  };
  let worst = { ratio: 21 };
  for (const element of document.querySelectorAll("main *:not(svg *), header *, footer")) {
    if (!element.innerText?.trim() || !element.checkVisibility()) continue;
    const [high, low] = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < worst.ratio) worst = { ratio, text: element.innerText.slice(0, 40), tag: element.tagName };
  }
  return worst;
}"""


def test_a_screen_reader_finds_its_way(browser: Any, file: Path) -> None:
    with opened(browser, file) as view:
        assert view.get_by_role("main").count() == 1
        assert view.get_by_role("banner").count() == 1
        assert view.get_by_role("contentinfo").count() == 1
        assert view.get_by_role("navigation", name="Areas").count() == 1
        assert view.get_by_role("search").count() == 1
        assert view.get_by_role("table").count() == 3
        assert view.evaluate("[...document.querySelectorAll('th')].every((each) => each.scope)")
        assert view.evaluate("[...document.querySelectorAll('svg')].every((each) => each.getAttribute('aria-label'))")
        assert view.evaluate("[...document.querySelectorAll('.status')].every((each) => /[a-z]/.test(each.innerText))")
        ids = view.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
        assert len(set(ids)) == len(ids)
        targets = view.evaluate("[...document.querySelectorAll('a[href^=\"#\"]')].map((each) => each.hash.slice(1))")
        assert set(targets) <= set(ids)
        view.set_viewport_size({"width": 390, "height": 800})
        assert view.get_by_role("table").count() == 3
        assert view.get_by_role("row").count() > 20
