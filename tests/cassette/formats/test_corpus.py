"""JSON lines of exchanges: every flag is respected, and lines are read one at a time."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.formats import corpus
from setu.cassette.formats.corpus import NOTES, UNUSABLE
from setu.cassette.serialize import to_document
from tests.cassette.formats.reading import found_in, read, skipped

EDITED = {"response_json_reserialized", "response_scrubbed", "media_truncated", "maybe_synthetic"}


def line(**more):
    entry = {
        "id": "x-1",
        "host": "api.anthropic.com",
        "method": "POST",
        "path": "/v1/messages",
        "query": "beta=true",
        "request_headers": {"content-type": "application/json", "anthropic-version": "2023-06-01"},
        "request_body": {"model": "m", "messages": [{"role": "user", "content": "hé"}], "stream": True},
        "status": 200,
        "response_headers": {"content-type": "text/event-stream", "request-id": ["a", "b"]},
        "response_body": "event: ping\r\ndata: {}\r\n\r\n",
        "response_body_encoding": "text",
        "flags": [],
    }
    return json.dumps({**entry, **more}, ensure_ascii=False) + "\n"


def test_a_line_becomes_an_interaction():
    [found] = read(line())

    exchange = found.exchange
    assert exchange.request.url == "https://api.anthropic.com/v1/messages?beta=true"
    assert exchange.request.body == '{"model":"m","messages":[{"role":"user","content":"hé"}],"stream":true}'.encode()
    assert exchange.body == b"event: ping\r\ndata: {}\r\n\r\n"
    assert exchange.headers.getall("request-id") == ["a", "b"]
    assert found.recording.op == "anthropic.chat.stream"
    assert found.recording.provenance == "recorded"
    assert (found.place, found.notes) == ("a:1", ())


def test_base64_bodies_are_bytes():
    body = base64.b64encode(b"\x00\xff").decode()

    [found] = read(line(response_body=body, response_body_encoding="base64"))

    assert found.exchange.body == b"\x00\xff"


@pytest.mark.parametrize(
    ("body", "sent"),
    [(None, b""), ("a=b", b"a=b"), ({"t": "\ud800"}, b'{"t": "\\ud800"}')],
    ids=["none", "text", "lone"],
)
def test_a_request_body_may_be_anything(body, sent):
    [found] = read(json.dumps(json.loads(line()) | {"request_body": body}) + "\n")

    assert found.exchange.request.body == sent


def test_chunks_are_kept():
    [found] = read(line(response_chunk_sizes=[5, 20]))

    assert found.recording.chunks == (5, 20)


def test_the_encoding_that_was_decoded_is_kept():
    [found] = read(line(orig_content_encoding="gzip"))

    assert found.recording.wire.enc == "gzip"


@pytest.mark.parametrize("flag", sorted(NOTES))
def test_a_flag_is_noted(flag):
    [found] = read(line(flags=[flag, "from_history"]))

    assert found.notes == (f"a:1: x-1: {NOTES[flag]}",)
    rebuilt = "reconstructed" if flag == "sse_framing_inferred" else "recorded"
    assert found.recording.provenance == ("edited" if flag in EDITED else rebuilt)
    vouches = "sha256" in to_document(found)["response"]["setu"]["wire"]
    assert vouches is (found.recording.provenance != "edited")


@pytest.mark.parametrize("flag", sorted(UNUSABLE))
def test_what_cannot_be_replayed_is_skipped_with_the_reason(flag):
    assert skipped(line(flags=[flag])) == [("a:1", UNUSABLE[flag])]


@pytest.mark.parametrize(
    "bad", ["{\n", "[]\n", '{"id": 1}\n', line(request_body=None).replace('"host": "api', '"host": "[')]
)
def test_a_line_that_cannot_be_read_is_skipped(bad):
    found = found_in(bad + "\n" + line(), "corpus")

    assert found[0].place == "a:1"
    assert found[1].place == "a:3"


def test_lines_are_read_one_at_a_time():
    given_out = 0

    def endless():
        nonlocal given_out
        while True:
            given_out += 1
            yield line().encode()

    found = corpus.read(endless(), "a")

    assert [next(found).place, next(found).place] == ["a:1", "a:2"]
    assert given_out == 2


@given(st.text(st.characters(exclude_categories=["Cs"])), st.binary(max_size=50))
def test_bodies_are_read_as_they_were_kept(text, data):
    encoded = base64.b64encode(data).decode()

    [plain, binary] = read(line(response_body=text) + line(response_body=encoded, response_body_encoding="base64"))

    # Whatever looks like a key is taken out; nothing that is drawn here does.
    assert plain.exchange.body == text.encode()
    assert binary.exchange.body == data
