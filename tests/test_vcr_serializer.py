"""Plain vcrpy and pytest-recording with our format, on the bytes that Setu records."""

import os
import subprocess
import sys

import httpx
import pytest
import vcr

from setu import vcr_serializer
from setu.cassette.model import Recording, Timing, Wire
from setu.cassette.serialize import HEADER, render_block
from setu.cassette.shelf import Appender, read_cassette
from setu.http import Ending
from setu.server.serve import Background
from tests.cassette.samples import ANTHROPIC_STREAM, CHAT_STREAM, GEMINI_STREAM, JSON, interaction, request, talk

URL = "https://api.anthropic.com/v1/messages"
TWINS = Recording(
    dialect="anthropic",
    op="anthropic.chat",
    recorded="2026-11-20",
    twin="s1",
    wire=Wire(enc="gzip"),
    timing=Timing(ttfb_ms=5, events_ms=(0, 5)),
    redacted=("request.headers.x-api-key",),
)


def cassettes():
    recorder = vcr.VCR()
    recorder.register_serializer("setu", vcr_serializer)
    return recorder


def texts(*interactions):
    return vcr_serializer.serialize({"interactions": vcr_serializer.deserialize(_file(*interactions))["interactions"]})


def _file(*interactions):
    return HEADER + "".join(map(render_block, interactions))


@pytest.mark.parametrize(
    "body", [ANTHROPIC_STREAM, CHAT_STREAM, GEMINI_STREAM, b'{"a":1,"b":[1.0]}', b"\xff\x00", b""], ids=str
)
def test_plain_vcrpy_plays_the_very_bytes(tmp_path, body):
    Appender(tmp_path / "a.yaml").append(interaction(body, asked=talk("hello")))

    with cassettes().use_cassette(
        str(tmp_path / "a.yaml"), serializer="setu", record_mode="none", match_on=["method", "uri", "body"]
    ):
        answer = httpx.post(URL, json={"model": "m", "messages": [{"role": "user", "content": "hello"}]})

    assert answer.content == body


def test_what_is_read_and_written_is_what_it_was():
    each = interaction(ANTHROPIC_STREAM, end=Ending.TRUNCATED, recording=Recording(provenance="edited", twin="s1"))
    timed = interaction(CHAT_STREAM, recording=TWINS)

    assert texts(each, timed) == _file(each, timed)


def test_what_plain_vcrpy_records_is_a_cassette_of_ours_without_secrets(tmp_path):
    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b'{"id":"msg_1"}'})

    path = str(tmp_path / "a.yaml")
    with (
        Background(_with_lifespan(app)) as server,
        cassettes().use_cassette(path, serializer="setu", record_mode="all"),
    ):
        httpx.post(f"{server.url}/v1/messages", json={"model": "m"}, headers={"x-api-key": "sk-ant-012345678901234"})

    text = (tmp_path / "a.yaml").read_text()
    [found] = read_cassette(tmp_path / "a.yaml")
    assert "sk-ant" not in text
    assert found.exchange.body == b'{"id":"msg_1"}'
    assert "request.headers.x-api-key" in found.recording.redacted


def test_pytest_recording_uses_it(tmp_path):
    asked = request({"model": "m"}, headers=JSON)
    Appender(tmp_path / "cassettes" / "test_it" / "test_hello.setu").append(interaction(GEMINI_STREAM, asked=asked))
    (tmp_path / "test_it.py").write_text(
        """
import httpx, pytest

@pytest.fixture(scope="module")
def vcr_config():
    return {"serializer": "setu", "match_on": ["method", "uri", "body"]}

@pytest.mark.vcr
def test_hello():
    answer = httpx.post("https://api.anthropic.com/v1/messages", json={"model": "m"})
    assert answer.content.endswith(b"\\r\\n\\r\\n")
"""
    )
    (tmp_path / "conftest.py").write_text(
        "import setu.vcr_serializer\n\n"
        "def pytest_recording_configure(config, vcr):\n    vcr.register_serializer('setu', setu.vcr_serializer)\n"
    )

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:benchmark"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def _with_lifespan(app):
    async def whole(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await app(scope, receive, send)

    return whole
