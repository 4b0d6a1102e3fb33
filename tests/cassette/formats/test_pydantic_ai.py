"""Bodies that were kept parsed come back as JSON and SSE, and say that they are not the wire's."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.formats.pydantic_ai import NOTE, body_of
from setu.cassette.formats.registry import format_of
from setu.cassette.serialize import from_document, to_document
from setu.framing.sse import SseDecoder
from tests.cassette.formats.reading import read

PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=9)
PAYLOADS = st.dictionaries(st.text("abc", max_size=3), PLAIN | st.lists(PLAIN, max_size=3), max_size=3)

CASSETTE = """interactions:
- request:
    headers: {content-type: [application/json]}
    method: POST
    parsed_body: {model: m, messages: [{role: user, content: hé}]}
    uri: https://api.openai.com/v1/chat/completions
  response:
    headers: {content-type: [application/json]}
    parsed_body:
      id: chatcmpl-1
      choices: []
    status: {code: 200, message: OK}
version: 1
"""


def streamed(*payloads, uri="https://api.openai.com/v1/chat/completions"):
    entry = {
        "request": {"method": "POST", "uri": uri, "headers": {}, "parsed_body": {"stream": True}},
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": ["text/event-stream; charset=utf-8"]},
            "parsed_body": list(payloads),
        },
    }
    return json.dumps({"version": 1, "interactions": [entry]})


def test_the_content_tells_the_format():
    assert format_of(CASSETTE.encode(), "a.yaml").name == "pydantic-ai"


def test_parsed_bodies_become_json():
    [found] = read(CASSETTE)

    assert found.exchange.request.body == '{"model":"m","messages":[{"role":"user","content":"hé"}]}'.encode()
    assert found.exchange.body == b'{"id":"chatcmpl-1","choices":[]}'


def test_an_answer_that_was_parsed_says_so_and_vouches_for_no_bytes():
    [found] = read(CASSETTE)

    document = to_document(found)
    again = from_document(document, "again")

    assert found.notes == (f"a:2: the request: {NOTE}", f"a:2: the response: {NOTE}")
    assert document["response"]["setu"]["provenance"] == "edited"
    assert "sha256" not in document["response"]["setu"]["wire"]
    assert again.recording.provenance == "edited"
    assert again.notes == ()


def test_a_request_alone_that_was_parsed_leaves_the_answer_as_recorded():
    text = CASSETTE.replace("    parsed_body:\n      id: chatcmpl-1\n      choices: []\n", "    body: {string: raw}\n")

    [found] = read(text)

    assert found.exchange.body == b"raw"
    assert found.recording.provenance == "recorded"
    assert "sha256" in to_document(found)["response"]["setu"]["wire"]


@pytest.mark.parametrize(
    ("payloads", "body"),
    [
        ([{"a": 1}, "[DONE]"], b'data: {"a":1}\n\ndata: [DONE]\n\n'),
        ([{"type": "ping"}], b'event: ping\ndata: {"type":"ping"}\n\n'),
        ([{"event": "x", "data": {"b": 2}}], b'event: x\ndata: {"b":2}\n\n'),
        ([], b""),
    ],
    ids=["data", "typed", "event-and-data", "empty"],
)
def test_a_list_of_payloads_becomes_a_stream(payloads, body):
    [found] = read(streamed(*payloads))

    assert found.exchange.body == body


def test_a_list_in_a_json_answer_stays_a_list():
    assert body_of([1, "[DONE]"], "application/json") == '[1,"[DONE]"]'


@given(st.lists(PAYLOADS, max_size=4))
def test_every_payload_of_a_list_is_one_event_with_its_value(payloads):
    decoder = SseDecoder()

    frames = [*decoder.feed(body_of(payloads, "text/event-stream").encode()), *decoder.close()]

    assert [json.loads(frame.data or b"") for frame in frames] == payloads
