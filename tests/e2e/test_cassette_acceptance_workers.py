"""Acceptance of cassettes: a hundred tests on eight workers, all asking the same, each with its own answer."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.acceptance import Answer, Call, Exact, asking, completion, kept, through
from tests.processes import environment
from tests.servers import RawServer

TESTS, WORKERS = 100, 8
CHAT = "/v1/chat/completions"
SOURCE = """
import json, os, urllib.request

import pytest

PATH, BODY = os.environ["UPSTREAM_PATH"], os.environ["BODY"].encode()

@pytest.mark.parametrize("number", range({tests}))
def test_call(setu_server, number):
    for turn in "ab":
        fields = {{"content-type": "application/json", "x-test": f"{{number}}{{turn}}"}}
        request = urllib.request.Request(setu_server.url + PATH, BODY, fields)
        answer = json.load(urllib.request.urlopen(request, timeout=30))
        assert answer["choices"][0]["message"]["content"] == f"for {{number}}{{turn}}"
"""


def answer(call: Call) -> Answer:
    """Answer by a header field that is neither recorded nor compared: to Setu all requests are the same."""
    return completion(f"for {call.headers['x-test']}")


def run(directory: Path, *options: str, **extra: str) -> subprocess.CompletedProcess[str]:
    clean = environment(**extra)
    for name in [name for name in clean if name.startswith("PYTEST_") or name == "PYTHONDONTWRITEBYTECODE"]:
        del clean[name]  # pytest compiles the modules of a plugin anew where it may not keep what it compiled
    others = (f"no:{name}" for name in ("benchmark", "cacheprovider", "hypothesispytest", "schemathesis"))
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(WORKERS), *(f"-p{name}" for name in others)]
    return subprocess.run(
        [*command, *options], cwd=directory, env=clean, capture_output=True, text=True, timeout=200, check=False
    )


@pytest.mark.slow
def test_a_hundred_tests_on_eight_workers_record_and_replay_without_cross_talk(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(SOURCE.format(tests=TESTS))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    upstream = Exact(answer)
    with RawServer(upstream) as raw:
        extra = {"UPSTREAM_PATH": through(raw.url, CHAT), "BODY": asking("the same").decode()}
        recorded = run(tmp_path, "--setu-record-mode=once", **extra)
    replayed = run(tmp_path, "--setu-strict-unused", **extra)

    cassettes = tmp_path / "cassettes"
    for done in (recorded, replayed):
        assert done.returncode == 0, done.stdout[-3000:]
        assert f"{TESTS} passed" in done.stdout
    assert len(upstream.calls) == 2 * TESTS
    assert len(list(cassettes.rglob("*.yaml"))) == TESTS
    assert Counter(len(kept(file)) for file in cassettes.rglob("*.yaml")) == {2: TESTS}
