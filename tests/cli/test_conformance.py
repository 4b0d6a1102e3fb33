"""`setu conformance` and its verbs, as commands."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from setu.conformance.front import KEY, front
from setu.conformance.mutants.edits import drop, plain
from setu.conformance.mutants.mutant import Change, unchanged
from setu.conformance.runner import deployment_of
from setu.dialects.registry import DIALECTS


class Serving:
    """The reference, or a mutant of it, on a URL for as long as a test lasts."""

    def __init__(self, change: Change = unchanged) -> None:
        self._change = change
        self._up, self._done = threading.Event(), threading.Event()
        self.url = ""

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._up.wait(20)
        return self

    async def _serve(self) -> None:
        async with front(deployment_of("openai"), DIALECTS, before=self._change) as served:
            self.url = served.url
            self._up.set()
            await asyncio.to_thread(self._done.wait)

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join(20)


@pytest.fixture(scope="module")
def good() -> Iterator[str]:
    with Serving() as serving:
        yield serving.url


@pytest.fixture(scope="module")
def spoilt() -> Iterator[str]:
    with Serving(plain(drop("/usage"))) as serving:
        yield serving.url


def setu(*words: str, key: str = KEY, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "setu", "conformance", *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=240,
        env={"PATH": "/usr/bin:/bin", "SOME_KEY": key},
    )


def live(url: str, *words: str, key: str = KEY) -> subprocess.CompletedProcess[str]:
    return setu("--base-url", f"{url}/v1", "-m", "openai/gpt-5.6", "--api-key-env", "SOME_KEY", *words, key=key)


def test_a_good_server_passes(good: str) -> None:
    done = live(good)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "compat (MUST): pass" in done.stdout
    assert KEY not in done.stdout


def test_a_spoilt_server_fails_with_evidence_and_a_way_to_see_it(spoilt: str) -> None:
    done = live(spoilt, "--select", "USG")

    assert done.returncode == 1
    assert "USG-001 FAIL (MUST)" in done.stdout
    assert "curl -sN -X POST http://127.0.0.1" in done.stdout
    assert "$API_KEY" in done.stdout
    assert KEY not in done.stdout


def test_refused_credentials_are_3(good: str) -> None:
    done = live(good, key="sk-wrong-0123456789")

    assert done.returncode == 3
    assert "refuses the credentials" in done.stderr


def test_a_selection_with_nothing_in_it_is_5(good: str) -> None:
    assert live(good, "--select", "XLT").returncode == 5


def test_an_expected_failure_passes_and_a_stale_one_is_4(spoilt: str, good: str, tmp_path: Path) -> None:
    path = tmp_path / "expected.yml"
    entries = [
        {"check": check, "reason": "no usage yet", "issue": "https://example.com/42", "until": "2999-01-31"}
        for check in ("USG-001",)
    ]
    path.write_text(json.dumps(entries).replace('"2999-01-31"', "2999-01-31"), encoding="utf-8")

    assert live(spoilt, "--select", "USG-001", "--expected-failures", str(path)).returncode == 0
    assert live(good, "--select", "USG-001", "--expected-failures", str(path)).returncode == 4


def test_a_saved_run_is_judged_again_and_compared(spoilt: str, tmp_path: Path) -> None:
    report, again = tmp_path / "a.json", tmp_path / "b.json"

    first = live(spoilt, "--select", "USG", "--save", str(tmp_path / "run"), "--report", f"json={report}")
    second = setu("rejudge", str(tmp_path / "run"), "--report", f"json={again}")

    assert (first.returncode, second.returncode) == (1, 1), second.stdout + second.stderr
    assert not any(KEY in path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.*") if path.is_file())
    assert "USG-001" in second.stdout
    assert setu("diff", str(report), str(again)).returncode == 0


def test_a_worse_run_is_told(good: str, spoilt: str, tmp_path: Path) -> None:
    before, after = tmp_path / "a.json", tmp_path / "b.json"
    live(good, "--select", "USG", "--report", f"json={before}")
    live(spoilt, "--select", "USG", "--report", f"json={after}")

    done = setu("diff", str(before), str(after))

    assert done.returncode == 1
    assert "USG-001" in done.stdout
    assert json.loads(setu("diff", str(before), str(after), "--json").stdout)


def test_clients_are_told_safe_or_not(spoilt: str) -> None:
    done = live(spoilt, "--clients")

    assert "openai-python" in done.stdout


def test_a_budget_holds(good: str) -> None:
    done = live(good, "--max-requests", "3", "--select", "CHAT")

    assert "the budget of 3 requests is spent" in done.stdout


def test_checks_are_listed() -> None:
    done = setu("list", "--area", "PRX")
    rows = json.loads(setu("list", "--area", "PRX", "--json").stdout)

    assert done.returncode == 0
    assert "PRX-001" in done.stdout
    assert "PRX-001" in json.dumps(rows)


def test_a_check_is_explained() -> None:
    done = setu("explain", "CHAT-003")

    assert done.returncode == 0
    assert all(word in done.stdout for word in ("why", "fix", "basis"))


def test_a_mutant_is_proved(tmp_path: Path) -> None:
    page = tmp_path / "kills.md"

    done = setu("prove", "CHAT-003", "--workers", "1", "--markdown", str(page))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "killed CHAT-003" in done.stdout
    assert "| CHAT-003 |" in page.read_text(encoding="utf-8")
