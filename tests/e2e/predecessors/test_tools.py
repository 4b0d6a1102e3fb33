"""What belongs to working with the gateway: recording, replay, the suite, documents, its own tests."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT
from tests.e2e.predecessors.serving import CHAT, THREE, Started, said
from tests.live import ask
from tests.processes import Serving, setu

pytestmark = pytest.mark.slow


def test_record_traffic(tmp_path: Path) -> None:
    """002 dumped bodies without headers or timing, keys among them; a recording here can be played."""
    body = json.dumps(said("nonce:rec1")).encode()
    with Started(tmp_path, THREE, "--record", "recordings") as started:
        live = ask(started.url, body, CHAT, [("content-type", "application/json")])
    files = list((tmp_path / "recordings").rglob("*.yaml"))

    assert files
    assert "sk-openai-0123456789abcdef" not in "".join(path.read_text() for path in files)
    with Serving("start", "--replay", "recordings", "--port", "0", cwd=tmp_path) as replaying:
        again = ask(replaying.url, body, CHAT, [("content-type", "application/json")])
    assert (again.status, again.body) == (live.status, live.body)


def test_replay_mock_provider(tmp_path: Path) -> None:
    """Without any key or network: the bundled recordings."""
    question = said("Name the three primary colours of light.", "gpt-4o-mini")
    with Serving("replay", "bundled", "--port", "0", cwd=tmp_path) as replaying:
        answer = ask(replaying.url, json.dumps(question).encode(), CHAT, [("content-type", "application/json")])
        missed = ask(replaying.url, json.dumps(said("Never asked.", "gpt-4o-mini")).encode(), CHAT)

    assert "Red, green and blue" in answer.json["choices"][0]["message"]["content"]
    assert missed.status == 424


def test_conformance_suite(tmp_path: Path) -> None:
    """002's scripts needed a live key; this needs nothing."""
    done = setu("conformance", "--provider", "openai", "--no-fuzz", "--select", "CHAT,USG", cwd=tmp_path, timeout=120)

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-1000:]
    assert "compat (MUST): pass" in done.stdout


def test_openapi_document(gateway: Started) -> None:
    document = gateway.get("/openapi.json")

    assert document.field("content-type") == "application/json"
    assert document.json["openapi"].startswith("3.")
    assert {"/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/models"} <= set(document.json["paths"])


def test_tests_in_repo() -> None:
    """This suite: it collects, and it is as large as it claims."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:benchmark", "tests/dialects", "tests/e2e/predecessors"]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stdout[-2000:]
    assert done.stdout.count("::test_") > 1000
