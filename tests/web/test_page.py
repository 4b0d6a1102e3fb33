"""The page of recordings in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from setu.bundled import data_dir
from setu.cassette.shelf import cassette_files, read_cassette
from setu.web.page import page
from tests.browser import chromium, opened
from tests.cassette.samples import JSON, interaction, request

EVIL = "</script><script>document.title='evil'</script><img src=x onerror=\"document.title='evil'\">"


def recordings() -> list[Any]:
    found = [
        each
        for provider in ("openai", "anthropic", "gemini", "bedrock", "ollama")
        for file in cassette_files(data_dir("cassettes") / provider)
        for each in read_cassette(file)
    ]
    asked = request({"model": EVIL, "max_tokens": 1, "messages": [{"role": "user", "content": EVIL}]}, headers=JSON)
    return [*found, interaction(b'{"x": "y"}', asked=asked, headers=JSON)]


@pytest.fixture(scope="module")
def html() -> str:
    return page(recordings(), "Recordings of a test")


def test_it_needs_nothing_from_anywhere_else(html: str) -> None:
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", html)
    assert not re.search(r"@import|url\((?!data:)", html.partition("</style>")[0])
    assert "default-src 'none'" in html


def test_the_same_recordings_give_the_same_page(html: str) -> None:
    assert page(recordings(), "Recordings of a test") == html


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def view(browser: Any, html: str, tmp_path: Path) -> Iterator[Any]:
    path = tmp_path / "page.html"
    path.write_text(html, encoding="utf-8")
    with opened(browser, path) as page_of_it:
        yield page_of_it


def test_every_recording_is_there_and_nothing_in_one_is_run(view: Any) -> None:
    assert view.title() == "Recordings of a test"
    assert view.locator("article").count() == len(recordings())
    assert view.locator("nav li").count() == len(recordings())
    assert EVIL in view.locator("article").last.text_content()


def test_a_search_leaves_what_has_all_the_words(view: Any) -> None:
    view.get_by_label("Search").fill("gemini-2.5-flash stream")

    shown = view.locator("article:visible").count()
    assert 0 < shown < len(recordings())
    assert view.locator("nav li:visible").count() == shown
    assert view.get_by_role("status").inner_text() == f"{shown} of {len(recordings())} recordings"
    view.keyboard.press("Escape")
    assert view.locator("nav li:visible").count() == len(recordings())


def test_it_can_be_used_with_a_keyboard_and_a_screen_reader(view: Any) -> None:
    view.keyboard.press("Tab")
    assert view.evaluate("document.activeElement.textContent") == "Skip to the recordings"
    view.keyboard.press("Enter")
    assert view.evaluate("document.activeElement.id") == "recordings"
    view.keyboard.press("/")
    assert view.evaluate("document.activeElement.id") == "search"
    assert view.evaluate("[...document.querySelectorAll('svg')].every((each) => each.getAttribute('aria-label'))")
    assert view.evaluate("[...document.querySelectorAll('img')].every((each) => each.alt)")
    assert view.get_by_role("navigation", name="Recordings").count() == 1
    assert view.evaluate(
        "new Set([...document.querySelectorAll('[id]')].map((each) => each.id)).size"
    ) == view.evaluate("document.querySelectorAll('[id]').length")


def test_a_recording_shows_its_conversation_its_wire_and_its_time(view: Any) -> None:
    view.get_by_label("Search").fill("anthropic/anthropic/text-stream.yaml")
    article = view.locator("article:visible").first

    assert article.locator("section.turn.user").count() == 1
    assert article.locator("svg rect.mark").count() > 3
    article.get_by_text("Raw wire", exact=True).click()
    assert "event: message_start" in article.locator("pre").last.inner_text()
    article.get_by_text("Events", exact=True).click()
    assert article.locator("tbody tr").count() == article.locator("svg rect.mark").count()


def test_it_fits_a_narrow_screen(view: Any) -> None:
    view.set_viewport_size({"width": 360, "height": 640})

    assert view.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
