import gzip
from datetime import date
from hashlib import sha256

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.model import Recording, Timing, Wire
from setu.cassette.serialize import HEADER, from_document, reason_of, render_block, to_document
from setu.errors import CassetteDecodeError
from setu.http import Ending, Headers
from tests.cassette.samples import ANTHROPIC_STREAM, CHAT_STREAM, GEMINI_STREAM, SSE, interaction, request
from tests.documents import DOCUMENTS


def reload(found):
    [document] = yaml.load(render_block(found), yaml.CSafeLoader)
    return from_document(document)


BODIES = {
    "lf": ANTHROPIC_STREAM,
    "crlf": GEMINI_STREAM,
    "cr": b"data: 1\r\rdata: 2\r\r",
    "mixed line ends": b"data: 1\r\n\r\ndata: 2\n\n",
    "done": CHAT_STREAM,
    "no final newline": CHAT_STREAM.rstrip(),
    "cut within a character": CHAT_STREAM[: CHAT_STREAM.index(b"\xc3") + 1],
    "comment only": b": OPENROUTER PROCESSING\n\n",
    "leading blank lines": b"\n\n data: 1\n\n",
    "trailing spaces": b"data: 1  \n\ndata:\t2 \n\n",
    "BOM": b"\xef\xbb\xbfdata: 1\n\n",
    "line separators": "data: \u2028\u2029\x85\n\n".encode(),
    "emoji": "data: \U0001f600\n\n".encode(),
    "compact JSON": b'{"a":[1,{"b":"\xc3\xa9"}]}',
    "spaced JSON with escapes": b'{"a": "\\u00e9\\ud83d\\ude00"}\n',
    "indented JSON": b'{\n  "error": {\n    "code": 429\n  }\n}\n',
    "odd JSON": b'{"a":1e0,"a":0.10}',
    "lone surrogate": b'{"a":"\\ud800"}',
    "array stream": b'[{\n  "a": 1\n}\n,\r\n{"b": 2}\n]\n',
    "HTML": b"<html>\r\n<body>502</body>\r\n</html>",
    "binary": bytes(range(256)),
    "empty": b"",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_bodies_come_back_byte_for_byte(body) -> None:
    found = reload(interaction(body, asked=request(body), headers=SSE))

    assert found.exchange.body == body
    assert found.exchange.request.body == body
    assert found.notes == ()


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bodies_come_back(asked, answered) -> None:
    found = reload(interaction(answered, asked=request(asked)))

    assert (found.exchange.request.body, found.exchange.body) == (asked, answered)


@given(DOCUMENTS)
def test_any_json_comes_back(document) -> None:
    data = document.text.encode("utf-8", "surrogatepass")
    found = reload(interaction(data, asked=request(data)))

    assert (found.exchange.request.body, found.exchange.body) == (data, data)


def test_everything_a_recording_says_comes_back() -> None:
    recording = Recording(
        side="client",
        dialect="anthropic",
        op="anthropic.chat.stream",
        key="7d0c1f5e9a2b4c61",
        recorded="2026-11-20",
        provenance="reconstructed",
        twin="s1",
        wire=Wire(enc="gzip"),
        timing=Timing(ttfb_ms=400, events_ms=(0, 5, 10, 15, 20)),
        redacted=("request.headers.x-api-key",),
    )
    saved = interaction(ANTHROPIC_STREAM, end=Ending.TRUNCATED, recording=recording)

    found = reload(saved)

    wire = Wire(json_req="compact", enc="gzip", sha256=sha256(ANTHROPIC_STREAM).hexdigest())
    assert found.recording == msgspec.structs.replace(recording, wire=wire)
    assert found.exchange.end is Ending.TRUNCATED
    assert [arrival.ms for arrival in found.exchange.arrivals] == [400, 405, 410, 415, 420]
    assert found.exchange.request == saved.exchange.request
    assert render_block(found) == render_block(saved)


@pytest.mark.parametrize(("provenance", "vouches"), [("recorded", True), ("edited", False), ("reconstructed", True)])
def test_an_edited_answer_is_vouched_for_by_nobody(provenance, vouches) -> None:
    document = to_document(interaction(recording=Recording(provenance=provenance)))

    assert ("sha256" in document["response"]["setu"]["wire"]) is vouches


def test_the_block_is_what_a_reviewer_expects() -> None:
    body = {"model": "m", "stream": True}
    asked = request(body, query="beta=true", headers={"content-type": "application/json", "accept": "*/*", "host": "x"})
    recording = Recording(dialect="anthropic", op="anthropic.chat.stream", recorded="2026-11-20")
    answered = interaction(
        b"event: ping\r\ndata: {}\r\n\r\n",
        asked=asked,
        headers=SSE | {"request-id": "req_1", "date": "now", "set-cookie": "a=b"},
        arrivals=((412, 25),),
        recording=recording,
    )

    digest = sha256(answered.exchange.body).hexdigest()
    assert (
        render_block(answered)
        == f"""\
- request:
    method: POST
    uri: https://api.anthropic.com/v1/messages?beta=true
    headers:
      accept: ["*/*"]
      content-type: [application/json]
    body: |-
      {{
        "model": "m",
        "stream": true
      }}
  response:
    status: {{code: 200, message: OK}}
    headers:
      content-type: [text/event-stream; charset=utf-8]
      request-id: [req_1]
    body:
      string: |+
        event: ping
        data: {{}}

    setu:
      v: 1
      side: upstream
      dialect: anthropic
      op: anthropic.chat.stream
      recorded: "2026-11-20"
      wire: {{json_req: compact, eol: crlf, sha256: {digest}}}
      timing: {{ttfb_ms: 410, events_ms: [0]}}
      end: complete
"""
    )


def test_the_order_of_headers_does_not_change_the_file() -> None:
    one = interaction(headers={"content-type": "a", "request-id": "b"})
    other = interaction(headers={"request-id": "b", "content-type": "a"})

    assert render_block(one) == render_block(other)


def test_repeated_headers_keep_their_order() -> None:
    saved = interaction()
    saved.exchange.headers.add("retry-after", "2")
    saved.exchange.headers.add("retry-after", "1")

    assert reload(saved).exchange.headers.getall("retry-after") == ["2", "1"]


def test_an_edited_body_is_served_and_noted() -> None:
    document = to_document(interaction(b'{"a":1}'))
    document["response"]["body"]["string"] = '{"a": 2}'

    found = from_document(document, "x.yaml:3")

    assert found.exchange.body == b'{"a":2}'
    assert found.notes == ("x.yaml:3: the response body was edited after it was recorded",)


def test_a_timing_that_counts_other_events_is_ignored_and_noted() -> None:
    document = to_document(interaction(b"data: 1\n\n", arrivals=((10, 9),)))
    document["response"]["body"]["string"] += "data: 2\n\n"
    del document["response"]["setu"]["wire"]["sha256"]

    found = from_document(document, "x.yaml:3")

    assert found.exchange.arrivals == ()
    assert found.notes == ("x.yaml:3: timing ignored: it counts 1 events, the body has 2",)


def test_json_that_an_edit_broke_is_served_as_it_stands() -> None:
    document = to_document(interaction(b'{"a":1}'))
    document["response"]["body"]["string"] = '{"a": '
    document["response"]["setu"]["wire"] = {"json_resp": "compact"}

    found = from_document(document, "x.yaml:3")

    assert found.exchange.body == b'{"a": '
    assert found.notes == ("x.yaml:3: response.body.string is no longer JSON; it is served as it stands",)


@pytest.mark.parametrize(
    ("encoding", "stored", "body"),
    [
        ("gzip", gzip.compress(b"plain"), b"plain"),
        ("gzip", "plain", b"plain"),
        ("br", "plain", b"plain"),
    ],
    ids=["compressed", "decoded with the header left", "unknown but text"],
)
def test_encoded_recordings_of_other_tools_are_served_plain(encoding, stored, body) -> None:
    document = to_document(interaction())
    document["response"]["headers"]["Content-Encoding"] = [encoding]
    document["response"]["body"]["string"] = stored
    del document["response"]["setu"]

    found = from_document(document)

    assert found.exchange.body == body
    assert "content-encoding" not in found.exchange.headers
    assert found.recording.wire.enc == encoding


def test_an_encoding_that_cannot_be_undone_is_served_as_it_is() -> None:
    document = to_document(interaction(b"\x1b\x00", headers={"content-encoding": "br"}))

    found = from_document(document)

    assert found.exchange.body == b"\x1b\x00"
    assert found.exchange.headers.get("content-encoding") == "br"


def test_fields_of_a_connection_are_not_served_again() -> None:
    document = to_document(interaction(headers={"content-type": "a"}))
    document["response"]["headers"] |= {
        "Transfer-Encoding": ["chunked"],
        "Content-Length": ["3"],
        "Date": ["x"],
        "Connection": ["close"],
    }

    assert list(from_document(document).exchange.headers.items()) == [("content-type", "a")]


def test_bare_dates_are_dates() -> None:
    document = to_document(interaction())
    document["response"]["setu"]["recorded"] = date(2026, 11, 20)

    assert from_document(document).recording.recorded == "2026-11-20"


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        ({"body": None}, {"status": {"code": 200, "message": "OK"}, "body": {"string": b"hi"}}),
        ({"body": "", "headers": {"Accept": "*/*"}}, {"status_code": 200, "content": "hi", "headers": {"X": "y"}}),
        ({"body": {"m": 1}}, {"status": {"code": 200}, "body": "hi"}),
    ],
    ids=["binary", "old httpx form", "aiohttp form"],
)
def test_recordings_of_vcrpy_are_read(request_, response) -> None:
    found = from_document({"request": {"method": "GET", "uri": "http://x/y?z=1"} | request_, "response": response})

    assert found.exchange.body == b"hi"
    assert found.exchange.status == 200
    assert found.exchange.request.url == "http://x/y?z=1"
    assert found.recording == Recording()


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (["request"], None, "needs a 'request' mapping"),
        (["response"], [], "needs a 'response' mapping"),
        (["request", "uri"], 3, "'request.uri' must be text"),
        (["request", "uri"], "http://[::1", "'request.uri' is not a URI"),
        (["request", "method"], None, "'request.method' must be text"),
        (["request", "headers"], [1], "'request.headers' must be a mapping"),
        (["request", "body"], [1], "'request.body' must be text or binary"),
        (["response", "status"], {"code": "x"}, "'response.status.code' must be an HTTP status"),
        (["response", "status"], {"code": 99}, "'response.status.code' must be an HTTP status"),
        (["response", "body"], {"base64_string": "x"}, "'response.body' needs a 'string'"),
        (["response", "body"], {"string": 1}, "'response.body.string' must be text or binary"),
        (["response", "setu"], 1, "'response.setu' must be a mapping"),
        (["response", "setu", "side"], "up", "'response.setu': Invalid enum value 'up'"),
        (["response", "setu", "end"], "later", "'response.setu.end' is 'later'; known are"),
        (["response", "setu", "timing"], {"events_ms": "x"}, "'response.setu': Expected `array`"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(path, value, problem) -> None:
    document = to_document(interaction())
    owner = document
    for step in path[:-1]:
        owner = owner[step]
    owner[path[-1]] = value

    with pytest.raises(CassetteDecodeError) as caught:
        from_document(document, "dir/x.yaml:17")

    assert str(caught.value).startswith("dir/x.yaml:17: ")
    assert problem in str(caught.value)


def outcome(document):
    try:
        return from_document(document, "x:1").place
    except CassetteDecodeError as error:
        return str(error)


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.just({}), st.dates()
)


@given(st.sampled_from(["request", "response"]), st.data(), LEAVES)
def test_a_document_is_read_or_refused(top, data, leaf) -> None:
    document = to_document(interaction(b"data: 1\n\n", arrivals=((1, 9),)))
    owner = document[top]
    while isinstance(owner, dict):
        key = data.draw(st.sampled_from(sorted(owner)))
        if not isinstance(owner[key], dict) or data.draw(st.booleans()):
            owner[key] = leaf
            break
        owner = owner[key]

    assert outcome(document).startswith("x:1")


def test_unregistered_statuses_have_no_reason() -> None:
    assert reason_of(529) == ""
    assert reason_of(429) == "Too Many Requests"


def test_the_file_header_opens_a_list() -> None:
    assert yaml.load(HEADER + render_block(interaction()), yaml.CSafeLoader)["version"] == 1


def test_binary_storage_holds_the_same_bytes() -> None:
    saved = interaction(ANTHROPIC_STREAM, headers=SSE)
    [document] = yaml.load(render_block(saved, binary=True), yaml.CSafeLoader)

    assert from_document(document).exchange.body == ANTHROPIC_STREAM
    assert Headers.of(SSE) == from_document(document).exchange.headers
