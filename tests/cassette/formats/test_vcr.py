"""Cassettes of vcrpy's family are read in all their forms, and written so that plain vcrpy plays them."""

import json

import httpx
import pytest
import vcr
from hypothesis import given
from hypothesis import strategies as st
from vcr.serialize import deserialize
from vcr.serializers import jsonserializer, yamlserializer

from setu.cassette.formats.vcr import write
from setu.cassette.serialize import HEADER, render_block
from setu.cassette.shelf import read_cassette
from tests.cassette.formats.reading import found_in, read, skipped
from tests.cassette.samples import ANTHROPIC_STREAM, CHAT_STREAM, GEMINI_STREAM, interaction, request

URL = "https://api.openai.com/v1/chat/completions"
ASKED = {"method": "POST", "uri": URL, "headers": {"Content-Type": ["application/json"]}, "body": '{"model":"m"}'}
ANSWERED = {
    "status": {"code": 200, "message": "OK"},
    "headers": {"Content-Type": ["application/json"]},
    "body": {"string": '{"id": 1}'},
}


def cassette(request=None, response=None, **more):
    """Return a JSON cassette of one interaction; members given replace those of the usual one."""
    entry = {"request": {**ASKED, **(request or {})}, "response": {**ANSWERED, **(response or {})}, **more}
    return json.dumps({"version": 1, "interactions": [entry]})


@pytest.mark.parametrize("serializer", [yamlserializer, jsonserializer], ids=["yaml", "json"])
def test_what_vcrpy_serialised_is_read(serializer):
    [found] = read(serializer.serialize(json.loads(cassette())))

    assert found.exchange.request.url == URL
    assert found.exchange.request.body == b'{"model":"m"}'
    assert found.exchange.body == b'{"id": 1}'
    assert found.recording.op == "openai_chat.chat"
    assert found.recording.key


@pytest.mark.parametrize(
    ("response", "body"),
    [
        ({"status_code": 200, "headers": {}, "content": "flat", "http_version": "HTTP/1.1"}, b"flat"),
        ({**ANSWERED, "body": {"base64_string": "AP8=", "encoding": "ASCII-8BIT"}}, b"\x00\xff"),
        ({**ANSWERED, "body": {"encoding": "ISO-8859-1", "string": "é"}}, b"\xe9"),
        ({**ANSWERED, "status": 200, "body": {"type": "json", "content": {"b": 1, "a": [2]}}}, b'{"b":1,"a":[2]}'),
        ({**ANSWERED, "status": 200, "body": {"type": "text", "content": "é"}}, "é".encode()),
        ({**ANSWERED, "status": 200, "body": {"type": "binary", "content": "00ff"}}, b"\x00\xff"),
        ({**ANSWERED, "status": 200, "body": {"type": "none"}}, b""),
        ({"code": 200, "status": "200 OK", "headers": {}, "body": "go"}, b"go"),
    ],
    ids=["httpx-flat", "ruby-base64", "ruby-encoding", "json", "text", "binary", "none", "go-vcr"],
)
def test_an_answer_in_another_form_is_read(response, body):
    text = json.dumps({"interactions": [{"request": ASKED, "response": response}]})

    [found] = read(text)

    assert found.exchange.status == 200
    assert found.exchange.body == body


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ({"m": 1}, b'{"m":1}'),
        ({"encoding": "UTF-8", "string": "ruby"}, b"ruby"),
        ({"type": "json", "content": {"m": 1}}, b'{"m":1}'),
        (None, b""),
    ],
    ids=["aiohttp", "ruby", "cassetter", "none"],
)
def test_a_request_in_another_form_is_read(body, sent):
    [found] = read(cassette(request={"body": body, "headers": {}}))

    assert found.exchange.request.body == sent


def test_ruby_cassettes_have_their_own_list_symbols_and_tag():
    text = """---
http_interactions:
- request:
    method: post
    uri: https://api.openai.com/v1/models
    body: {encoding: UTF-8, string: ''}
    headers: {}
  response:
    status: {code: 200, message: OK}
    headers: {}
    body: {encoding: ASCII-8BIT, string: !binary "AP8="}
  recorded_at: Tue, 01 Nov 2011 04:58:44 GMT
recorded_with: VCR 6.0.0
"""
    [found] = read(text)

    assert found.exchange.request.method == "POST"
    assert found.exchange.body == b"\x00\xff"


def test_the_day_of_a_recording_is_kept():
    [found] = read(cassette(recorded_at="2026-02-01T00:00:00Z"))

    assert found.recording.recorded == "2026-02-01"


def test_setus_own_cassettes_are_read_with_all_they_say():
    original = interaction(ANTHROPIC_STREAM, arrivals=((400, 100), (500, len(ANTHROPIC_STREAM) - 100)))

    [found] = read(HEADER + render_block(original))

    assert found.exchange.body == ANTHROPIC_STREAM
    assert found.recording.timing is not None
    assert found.recording.timing.ttfb_ms == 400


def test_secrets_are_taken_out_on_the_way_in():
    key = "sk-proj-" + "A1b2C3d4" * 5
    text = cassette(request={"headers": {"Authorization": [f"Bearer {key}"]}, "body": json.dumps({"model": key})})

    [found] = read(text)

    assert "authorization" not in found.exchange.request.headers
    assert key.encode() not in found.exchange.request.body
    assert found.recording.redacted == ("request.headers.authorization", "request.body")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"request": ASKED}, "an interaction needs a 'response' mapping"),
        ({"request": ASKED, "response": {**ANSWERED, "status": 99}}, "'response.status.code' must be an HTTP status"),
        (
            {"request": ASKED, "response": {**ANSWERED, "body": {"type": "binary", "content": "x"}}},
            "'response.body' is not what it says it is: non-hexadecimal number found in fromhex() arg at position 0",
        ),
    ],
    ids=["no-response", "status", "hex"],
)
def test_an_interaction_that_cannot_be_read_is_skipped_with_the_reason(entry, reason):
    good = {"request": ASKED, "response": ANSWERED}
    text = json.dumps({"interactions": [entry, good]})

    assert len(found_in(text)) == 2
    [bad] = skipped(text)
    assert bad.place == "a:1"
    # Python words its own complaints anew from time to time.
    assert bad.reason.partition(":")[0] == reason.partition(":")[0]


def test_replay_reads_the_other_forms_too(tmp_path):
    (tmp_path / "a.yaml").write_text(cassette(response={"status": 200, "body": {"type": "text", "content": "x"}}))

    [found] = read_cassette(tmp_path / "a.yaml")

    assert found.exchange.body == b"x"


@pytest.mark.parametrize("body", [ANTHROPIC_STREAM, CHAT_STREAM, GEMINI_STREAM, b'{ "a":1}', b"\xff\x00binary"])
def test_plain_vcrpy_plays_what_is_written(tmp_path, body):
    path = tmp_path / "a.yaml"
    path.write_text(write([interaction(body, asked=request(b'{"model":"m"}'))]))

    assert "setu" not in path.read_text()
    with vcr.use_cassette(str(path), record_mode="none", match_on=["method", "uri", "body"]):
        answer = httpx.post("https://api.anthropic.com/v1/messages", json={"model": "m"})
    assert answer.content == body


@given(st.lists(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode()), max_size=4))
def test_vcrpy_loads_the_same_bytes_from_whatever_is_written(bodies):
    text = write(interaction(body, asked=request(body)) for body in bodies)

    requests, responses = deserialize(text, yamlserializer) if bodies else ([], [])

    assert [response["body"]["string"] for response in responses] == bodies
    # vcrpy has no empty request body: it reads one as none.
    assert [asked.body or b"" for asked in requests] == bodies
