"""A real browser without a window, for pages that people read."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.needs import needs


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield Playwright's handle of the system's chromium, or skip for want of it."""
    path = shutil.which("chromium")
    if path is None:
        needs("chromium", "no chromium on the path")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs chromium: playwright is not installed")
    with playwright.sync_playwright() as running:
        launched = running.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"], timeout=120_000
        )
        yield launched
        launched.close()


@contextmanager
def opened(browser: Any, path: Path, *, width: int = 1280, **options: Any) -> Iterator[Any]:
    """Yield a file's page; afterwards it must have asked for nothing else and said nothing on its console."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    page = context.new_page()
    page.set_default_timeout(60_000)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda asked: said.append(asked.url) if not asked.url.startswith(("file:", "data:")) else None)
    page.goto(path.as_uri())
    yield page
    context.close()
    assert said == []
