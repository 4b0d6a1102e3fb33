"""`setu record -- CMD`: the child's environment, its exit status, and what becomes of its calls."""

import json
import sys
from pathlib import Path

import pytest

from tests.cli import forks
from tests.gateway.wire import COMPLETION
from tests.live import Upstream, reply
from tests.servers import RawServer

TELL = """
import json, os, sys
names = ("OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "KEPT")
print(json.dumps({name: os.environ.get(name) for name in names}))
sys.exit(7)
"""
CALL = """
import os, urllib.request
body = b'{"model":"m","messages":[]}'
fields = {"content-type": "application/json", "authorization": "Bearer sk-child-key-0123456789abcdef"}
request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, fields)
print(urllib.request.urlopen(request).read().decode())
"""
SWALLOW = CALL.replace(
    "print(urllib.request.urlopen(request).read().decode())",
    """
try:
    urllib.request.urlopen(request)
except urllib.error.HTTPError as error:
    print(error.code)
""",
)
KILL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("record")


@pytest.fixture(scope="module")
def ended(folder: Path) -> list[tuple[int, str, str]]:
    upstream = Upstream(reply(COMPLETION))
    with RawServer(upstream) as raw:
        lead = ["record", "-o", str(folder / "kept"), "--upstream", f"{raw.url}/v1", "--", sys.executable, "-c"]
        return forks.run([[*lead, TELL], [*lead, CALL], [*lead, KILL]], folder)


def test_the_childs_status_is_the_commands_own(ended: list[tuple[int, str, str]]) -> None:
    assert [status for status, _, _ in ended] == [7, 0, 128 + 9]


def test_every_sdk_of_the_child_is_pointed_at_the_proxy(ended: list[tuple[int, str, str]]) -> None:
    told = json.loads(ended[0][1])

    url = told["ANTHROPIC_BASE_URL"]
    assert url.startswith("http://127.0.0.1:")
    assert told == {
        "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_BASE": f"{url}/v1",
        "ANTHROPIC_BASE_URL": url, "GOOGLE_GEMINI_BASE_URL": url, "KEPT": None,
    }  # fmt: skip


def test_the_childs_call_is_answered_and_recorded_without_its_key(
    ended: list[tuple[int, str, str]], folder: Path
) -> None:
    kept = "".join(path.read_text() for path in (folder / "kept").rglob("*.yaml"))

    assert ended[1][1].encode().strip() == COMPLETION
    assert "/v1/chat/completions" in kept
    assert "sk-child-key" not in kept


def test_a_call_that_a_replaying_mode_has_no_recording_of_fails_the_command(folder: Path) -> None:
    empty = folder / "empty"
    empty.mkdir()
    command = ["record", "-o", str(empty), "--mode", "none", "--", sys.executable, "-c", SWALLOW]

    [(status, out, errors)] = forks.run([command], folder)

    assert (status, out.strip()) == (1, "424")
    assert "1 request(s) had no recording" in errors
