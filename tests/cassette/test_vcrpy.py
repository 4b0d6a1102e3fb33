"""The files are vcrpy's: it loads, plays and re-saves them, and Setu reads what it wrote."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import vcr
import yaml
from vcr.request import Request as VcrRequest
from vcr.serialize import deserialize, serialize
from vcr.serializers import jsonserializer, yamlserializer

from setu.cassette.library import Library
from setu.cassette.model import Recording, Timing
from setu.cassette.shelf import Appender, read_cassette
from tests.cassette.samples import ANTHROPIC_STREAM, CHAT_STREAM, GEMINI_STREAM, interaction, request, talk
from tests.cassette.test_serialize import BODIES

URL = "https://api.anthropic.com/v1/messages"


def record(path, *interactions):
    appender = Appender(path)
    for each in interactions:
        appender.append(each)
    return path


def resaved(text):
    """Load and save as vcrpy does."""
    requests, responses = deserialize(text, yamlserializer)
    return serialize({"requests": requests, "responses": responses}, yamlserializer)


def test_vcrpy_loads_every_body(tmp_path: Path) -> None:
    path = record(tmp_path / "a.yaml", *(interaction(body, asked=request(body)) for body in BODIES.values()))

    requests, responses = deserialize(path.read_text(), yamlserializer)

    assert len(requests) == len(responses) == len(BODIES)
    assert {each.uri for each in requests} == {URL}
    for body, response in zip(BODIES.values(), responses, strict=True):
        assert isinstance(response["body"]["string"], bytes)
        if b"\r" not in body and not body.startswith((b"{", b"[")):
            assert response["body"]["string"] == body


@pytest.mark.parametrize("body", [ANTHROPIC_STREAM, CHAT_STREAM, b"\xff\x00binary"], ids=["lf", "utf-8", "binary"])
def test_plain_vcrpy_plays_the_recorded_bytes(tmp_path: Path, body) -> None:
    path = record(tmp_path / "a.yaml", interaction(body, asked=talk("hello")))

    with vcr.use_cassette(str(path), record_mode="none", match_on=["method", "uri", "body"]) as cassette:
        answer = httpx.post(URL, json={"messages": [{"content": "hello", "role": "user"}], "model": "m"})

        assert answer.content == body
        assert answer.status_code == 200
        assert cassette.all_played


def test_plain_vcrpy_plays_errors_and_json(tmp_path: Path) -> None:
    path = record(tmp_path / "a.yaml", interaction(b'{"error":{"type":"overloaded_error"}}', status=529))

    with vcr.use_cassette(str(path), record_mode="none"):
        answer = httpx.post(URL, json={})

    assert answer.status_code == 529
    assert answer.json() == {"error": {"type": "overloaded_error"}}


def test_a_resave_by_vcrpy_keeps_every_byte_and_fact(tmp_path: Path) -> None:
    recording = Recording(
        dialect="anthropic", key="1234567890123456", recorded="2026-11-20", redacted=("request.query.key",)
    )
    timed = interaction(GEMINI_STREAM, recording=recording, arrivals=((100, 45), (200, len(GEMINI_STREAM) - 45)))
    path = record(tmp_path / "a.yaml", *(interaction(body, asked=request(body)) for body in BODIES.values()), timed)
    before = read_cassette(path)

    path.write_text(resaved(path.read_text()))
    after = read_cassette(path)

    assert "setu" in yaml.load(path.read_text(), yaml.CSafeLoader)["interactions"][0]["response"]
    assert [found.exchange for found in after] == [found.exchange for found in before]
    assert [found.recording for found in after] == [found.recording for found in before]
    assert [found.notes for found in after] == [()] * len(after)


def test_a_second_resave_changes_nothing(tmp_path: Path) -> None:
    path = record(tmp_path / "a.yaml", interaction(ANTHROPIC_STREAM))

    once = resaved(path.read_text())

    assert resaved(once) == once


@pytest.mark.parametrize(("serializer", "name"), [(yamlserializer, "a.yaml"), (jsonserializer, "a.json")])
def test_files_that_vcrpy_wrote_are_read(tmp_path: Path, serializer, name) -> None:
    asked = VcrRequest("POST", URL, b'{"model":"m"}', {"content-type": "application/json", "authorization": "Bearer x"})
    answered = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"Content-Type": ["text/event-stream"], "Set-Cookie": ["a", "b"]},
        "body": {"string": CHAT_STREAM},
    }
    path = tmp_path / name
    path.write_text(serialize({"requests": [asked], "responses": [answered]}, serializer))

    found = Library.load(path).take(request({"model": "m"})).interaction

    assert found.exchange.body == CHAT_STREAM
    assert found.exchange.headers.get("content-type") == "text/event-stream"
    assert found.exchange.request.url == URL


def test_a_recording_made_by_vcrpy_is_replayed(tmp_path: Path) -> None:
    """vcrpy records an httpx call; its file answers the same request here."""
    path = tmp_path / "a.yaml"
    upstream = httpx.MockTransport(lambda _: httpx.Response(200, json={"ok": True}))
    with vcr.use_cassette(str(path), record_mode="once"), httpx.Client(transport=upstream) as client:
        client.post(URL, json={"model": "m"})

    found = Library.load(path).take(request({"model": "m"})).interaction

    assert json.loads(found.exchange.body) == {"ok": True}


@pytest.mark.slow
def test_pytest_recording_plays_a_file(tmp_path: Path) -> None:
    """A user's test module with pytest-recording, network blocked, in a process of its own."""
    record(
        tmp_path / "cassettes" / "test_call" / "test_it.yaml",
        interaction(ANTHROPIC_STREAM, recording=Recording(timing=Timing(ttfb_ms=5, events_ms=(0, 0, 0, 0, 0)))),
    )
    (tmp_path / "test_call.py").write_text(
        "import httpx, pytest\n"
        "@pytest.mark.vcr\n"
        "@pytest.mark.block_network\n"
        "def test_it():\n"
        f"    answer = httpx.post({URL!r}, json={{'any': 1}})\n"
        f"    assert answer.content == {ANTHROPIC_STREAM!r}\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    run = [sys.executable, "-m", "pytest", "-q", "--record-mode=none", "-p", "no:cacheprovider", "test_call.py"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)

    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_importing_the_cassette_room_does_not_import_vcrpy() -> None:
    program = "import sys, setu.cassette.library; print('vcr' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"
