"""Acceptance of cassettes: plain vcrpy, pytest-recording and cassetter load and play what `setu record` wrote."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import vcr
from vcr.serialize import deserialize
from vcr.serializers import yamlserializer

from setu.cassette.shelf import cassette_files
from tests.e2e import apart
from tests.e2e.acceptance import Answer, Call, Exact, asking, post, said, through
from tests.e2e.answers import CASES
from tests.processes import Serving
from tests.servers import RawServer

PLAYED = (
    "anthropic: LF, ping, comment, unknown event", "openai: DONE", "openai: UTF-8 split over chunks",
    "bedrock: frames cut anywhere", "ollama: NDJSON", "speech",
)  # fmt: skip
"""What other tools play byte for byte: of bodies that are stored to be read they do not know how they were laid out."""

SAME_VALUE = ("JSON: compact", "JSON: pretty", "an error with its header fields")
"""What they play as the same JSON."""


JSON = {"content-type": "application/json"}


class Recorded(NamedTuple):
    directory: Path
    origin: str

    def url(self, name: str) -> str:
        return self.origin + CASES[name].path

    def file(self, name: str) -> Path:
        """Return the cassette of a case: each has one of its own."""
        return self.directory / f"case-{list(CASES).index(name)}.yaml"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Every case in a file of its own; the upstream is gone by the time anything is played."""
    directory = tmp_path_factory.mktemp("cassettes")

    def answer(call: Call) -> Answer:
        return CASES[said(call)].answer

    with RawServer(Exact(answer)) as upstream, Serving("record", "--port", "0", "-o", str(directory)) as proxy:
        for index, (name, case) in enumerate(CASES.items()):
            post(proxy.url, f"/c/case-{index}{through(upstream.url, case.path)}", asking(name, stream=True))
    return Recorded(directory, upstream.url)


@pytest.mark.parametrize("name", CASES)
def test_vcrpy_loads_every_file(recorded: Recorded, name: str) -> None:
    (request,), (response,), *_ = deserialize(recorded.file(name).read_text(encoding="utf-8"), yamlserializer)

    assert request.uri == recorded.url(name)
    assert json.loads(request.body) == json.loads(asking(name, stream=True))
    assert response["status"]["code"] == CASES[name].answer.status
    assert isinstance(response["body"]["string"], bytes)


def true(name: str, status: int, body: bytes) -> bool:
    """Say whether an answer is the recorded one, JSON by its value."""
    answer = CASES[name].answer
    same = json.loads(body) == json.loads(answer.body) if name in SAME_VALUE else body == answer.body
    return same and status == answer.status


@pytest.mark.parametrize("name", [*PLAYED, *SAME_VALUE])
def test_vcrpy_plays_what_was_recorded(recorded: Recorded, name: str) -> None:
    with vcr.use_cassette(str(recorded.file(name)), record_mode="none", match_on=["method", "uri", "body"]):
        answer = httpx.post(recorded.url(name), content=asking(name, stream=True), headers=JSON)

    assert true(name, answer.status_code, answer.content)


def test_pytest_recording_plays_every_file(recorded: Recorded, tmp_path: Path) -> None:
    """A user's test module, with the network blocked, in a process of its own."""
    cases = [(str(recorded.file(name)), recorded.url(name), name) for name in PLAYED]
    bodies = {name: CASES[name].answer.body.hex() for name in PLAYED}
    (tmp_path / "test_calls.py").write_text(
        "import httpx, pytest\n"
        f"BODIES = {bodies!r}\n"
        f"CASES = [pytest.param(url, name, marks=pytest.mark.vcr(file)) for file, url, name in {cases!r}]\n"
        "@pytest.mark.block_network\n"
        "@pytest.mark.parametrize(('url', 'name'), CASES)\n"
        "def test_call(url, name):\n"
        "    assert httpx.post(url).content == bytes.fromhex(BODIES[name])\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    run = [sys.executable, "-m", "pytest", "-q", "--record-mode=none", "-p", "no:cacheprovider", "-p", "no:benchmark"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)

    assert done.returncode == 0, done.stdout
    assert f"{len(PLAYED)} passed" in done.stdout


CASSETTER = """
import json, sys
import httpx
from cassetter import use_cassette

heard = {}
for file, url, asked in json.loads(sys.argv[1]):
    with use_cassette(file, record_mode="none", match_on=["method", "uri", "json_body"]) as cassette:
        answer = httpx.post(url, content=asked.encode(), headers={"content-type": "application/json"})
        heard[file] = [len(cassette.interactions), answer.status_code, answer.content.hex()]
print(json.dumps(heard))
"""


def test_cassetter_loads_every_file_and_plays_what_was_recorded(recorded: Recorded, tmp_path: Path) -> None:
    asked = [(str(recorded.file(name)), recorded.url(name), asking(name, stream=True).decode()) for name in CASES]

    done = apart.run(CASSETTER, tmp_path, json.dumps(asked))

    assert done.returncode == 0, done.stderr
    heard = json.loads(done.stdout)
    assert [heard[str(file)][0] for file in cassette_files(recorded.directory)] == [1] * len(CASES)
    for name in (*PLAYED, *SAME_VALUE):
        _, status, body = heard[str(recorded.file(name))]
        assert true(name, status, bytes.fromhex(body)), name
