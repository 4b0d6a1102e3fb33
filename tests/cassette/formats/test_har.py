"""HAR archives: what browsers and tools write is read, and what is written is read back the same."""

import gzip
import json
from base64 import b64encode
from binascii import hexlify
from string import printable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.formats.har import REBUILT, UNTIMED, write
from setu.cassette.model import Recording, Timing
from setu.errors import CassetteDecodeError
from setu.http import Ending
from tests.cassette.formats.reading import found_in, read, skipped
from tests.cassette.samples import CHAT_STREAM, JSON, SSE, interaction, request

KEY = "sk-proj-" + "A1b2C3d4" * 5


def entry(request=None, response=None, content=None, **more):
    """Return an entry as Chrome exports it."""
    asked = {
        "method": "POST",
        "url": "https://api.openai.com/v1/chat/completions?beta=true",
        "httpVersion": "http/2.0",
        "headers": [
            {"name": ":method", "value": "POST"},
            {"name": "Content-Type", "value": "application/json"},
            {"name": "Authorization", "value": f"Bearer {KEY}"},
        ],
        "queryString": [{"name": "beta", "value": "true"}],
        "postData": {"mimeType": "application/json", "text": '{"model":"m","stream":true}'},
    }
    answered = {
        "status": 200,
        "statusText": "OK",
        "headers": [
            {"name": "content-type", "value": "application/json; charset=utf-8"},
            {"name": "content-encoding", "value": "br"},
            {"name": "content-length", "value": "7"},
        ],
        "content": {"size": 9, "mimeType": "application/json", "text": '{"é": 1}', **(content or {})},
        "_transferSize": 321,
    }
    timings = {"blocked": 3, "dns": -1, "connect": -1, "ssl": -1, "send": 1, "wait": 402.5, "receive": 11}
    return {
        "startedDateTime": "2026-03-04T05:06:07.089Z",
        "time": 417.5,
        "request": {**asked, **(request or {})},
        "response": {**answered, **(response or {})},
        "timings": timings,
        **more,
    }


def har(*entries):
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}})


def stream(text=None, events=None, **more):
    """Return the entry of a stream; without text Chrome kept no body."""
    headers = [{"name": "content-type", "value": "text/event-stream"}]
    found = entry(response={"headers": headers}, content={"mimeType": "text/event-stream"}, **more)
    found["response"]["content"].pop("text")
    if text is not None:
        found["response"]["content"]["text"] = text
    if events is not None:
        found["_eventSourceMessages"] = events
    return found


def test_an_entry_becomes_an_interaction():
    [found] = read(har(entry()))

    exchange = found.exchange
    assert exchange.request.url == "https://api.openai.com/v1/chat/completions?beta=true"
    assert exchange.request.method == "POST"
    assert exchange.request.body == b'{"model":"m","stream":true}'
    assert exchange.status == 200
    assert exchange.body == '{"é": 1}'.encode()
    assert found.reason == "OK"
    assert found.place == "a#1"
    assert found.recording.op == "openai_chat.chat.stream"
    assert found.recording.recorded == "2026-03-04"


def test_the_answer_is_decoded_text_whatever_its_encoding_was():
    [found] = read(har(entry()))

    assert "content-encoding" not in found.exchange.headers
    assert found.recording.wire.enc == "br"


def test_secrets_are_taken_out_on_the_way_in():
    body = {"mimeType": "application/json", "text": json.dumps({"key": KEY})}

    [found] = read(har(entry(request={"postData": body})))

    assert dict(found.exchange.request.headers.items()) == {"content-type": "application/json"}
    assert KEY.encode() not in found.exchange.request.body


def test_the_wait_is_the_time_to_the_head_and_the_rest_is_the_body_s():
    [found] = read(har(entry()))

    assert found.recording.timing == Timing(ttfb_ms=405, events_ms=(10,))


def test_a_base64_body_is_bytes():
    [found] = read(har(entry(content={"text": "AP8=", "encoding": "base64"})))

    assert found.exchange.body == b"\x00\xff"


@pytest.mark.parametrize(("mark", "pack"), [("encoding", b64encode), ("_isBinary", hexlify)], ids=["base64", "hex"])
def test_polly_keeps_compressed_chunks(mark, pack):
    headers = [{"name": "content-encoding", "value": "gzip"}, {"name": "content-type", "value": "text/plain"}]
    packed = gzip.compress(b"plain", mtime=0)
    chunks = [pack(packed[:10]).decode(), pack(packed[10:]).decode()]
    content = {"text": json.dumps(chunks), mark: "base64" if mark == "encoding" else True}

    [found] = read(har(entry(response={"headers": headers}, content=content)))

    assert found.exchange.body == b"plain"
    assert "content-encoding" not in found.exchange.headers
    assert found.recording.wire.enc == "gzip"


def test_text_of_another_charset_has_its_bytes_again():
    content = {"mimeType": "text/plain; charset=ISO-8859-1", "text": "é"}

    [found] = read(har(entry(content=content)))

    assert found.exchange.body == b"\xe9"


def test_a_form_is_rebuilt_from_its_fields():
    post = {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a", "value": "b c"}, {"name": "d"}]}

    [found] = read(har(entry(request={"postData": post})))

    assert found.exchange.request.body == b"a=b+c&d="


def test_headers_may_be_pairs():
    [found] = read(har(entry(request={"headers": [["Content-Type", "text/plain"]]})))

    assert found.exchange.request.headers.get("content-type") == "text/plain"


def test_a_stream_without_event_times_is_untimed_and_says_so():
    [found] = read(har(stream(CHAT_STREAM.decode())))

    assert found.exchange.body == CHAT_STREAM
    assert found.recording.timing is None
    assert found.notes == (f"a#1: {UNTIMED}",)


def test_the_events_that_a_browser_counted_time_the_stream():
    events = [{"time": 100.0, "data": "{}"}, {"time": 100.25, "data": "[DONE]"}]

    [found] = read(har(stream("data: {}\n\n: ping\n\ndata: [DONE]\n\n", events)))

    assert found.recording.timing == Timing(ttfb_ms=405, events_ms=(0, 0, 250))
    assert found.notes == ()


def test_a_stream_without_text_is_rebuilt_from_its_events():
    events = [
        {"time": 100.0, "eventName": "message", "eventId": "", "data": "{}"},
        {"time": 100.05, "eventName": "delta", "eventId": "7", "data": "a\nb"},
    ]

    [found] = read(har(stream(None, events)))

    assert found.exchange.body == b"data: {}\n\nevent: delta\nid: 7\ndata: a\ndata: b\n\n"
    assert found.recording.timing == Timing(ttfb_ms=405, events_ms=(0, 50))
    assert found.recording.provenance == "edited"
    assert found.notes == (f"a#1: {REBUILT}",)


@pytest.mark.parametrize(
    ("error", "end"),
    [("net::ERR_ABORTED", Ending.CLOSED_BY_CLIENT), ("net::ERR_HTTP2_PROTOCOL_ERROR", Ending.TRUNCATED)],
)
def test_a_broken_answer_replays_as_one(error, end):
    [found] = read(har(entry(response={"_error": error})))

    assert found.exchange.end is end


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (entry(response={"status": 0}), "no response was recorded"),
        (entry(request={"url": "wss://api.openai.com/v1/realtime"}), "a WebSocket"),
        (entry(request={"url": "chrome-extension://abc/x.js"}), "not HTTP"),
        (stream(), "the body was not exported"),
        ({"request": {}}, "a member is missing or of the wrong kind: 'response'"),
        (entry(content={"text": "%", "encoding": "base64", "size": 1}), "a member is missing or of the wrong kind"),
        (entry(request={"url": "https://["}), "not a URL: Invalid IPv6 URL"),
    ],
    ids=["no-response", "websocket", "extension", "no-body", "malformed", "base64", "url"],
)
def test_what_cannot_be_replayed_is_skipped_with_the_reason(bad, reason):
    found = found_in(har(bad, entry()))

    [first] = skipped(har(bad, entry()))
    assert first.place == "a#1"
    assert first.reason.startswith(reason)
    assert len(found) == 2


@pytest.mark.parametrize("text", ["{", '{"log": {}}', '{"log": {"entries": 1}}', "[]"])
def test_what_is_no_har_is_an_error(text):
    with pytest.raises(CassetteDecodeError, match="a: not a HAR"):
        found_in(text, "har")


HEADER_TEXT = st.text("".join(sorted(set(printable) - set("\r\n\x0b\x0c"))), max_size=20)
MEDIA_TYPES = st.sampled_from(
    [
        "application/json",
        "text/event-stream",
        "text/plain; charset=latin-1",
        "text/x; charset=utf-16",
        "x; charset=no",
        "",
    ]
)


@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    path=st.text("abc/%2", max_size=9).map(lambda path: f"/v1/{path}"),
    query=st.sampled_from(["", "a=b", "a=b&a=&c"]),
    asked=st.binary(max_size=40),
    body=st.binary(max_size=40) | st.text(max_size=40).map(lambda text: text.encode()),
    status=st.integers(100, 599),
    media=MEDIA_TYPES,
    value=HEADER_TEXT.filter(lambda value: value == value.strip()),
    end=st.sampled_from(list(Ending)),
)
def test_what_is_written_is_read_back(method, path, query, asked, body, status, media, value, end):
    sent = request(asked, method=method, path=path, query=query, headers={"content-type": media})
    headers = {"content-type": media, "request-id": value}
    original = interaction(body, asked=sent, headers=headers, status=status, end=end)

    [found] = read(write([original]))

    assert found.exchange.request == original.exchange.request
    assert found.exchange.status == status
    assert found.exchange.headers == original.exchange.headers
    assert found.exchange.body == body
    assert found.exchange.end is end


def test_timing_and_day_are_read_back():
    recording = Recording(timing=Timing(ttfb_ms=120, events_ms=(0, 55)), recorded="2026-11-20")

    [found] = read(write([interaction(CHAT_STREAM, headers=SSE, recording=recording)]))

    assert found.recording.timing == recording.timing
    assert found.recording.recorded == "2026-11-20"


def test_a_written_archive_has_every_member_that_har_1_2_demands():
    [written] = json.loads(write([interaction(b"{}", headers=JSON)]))["log"]["entries"]

    assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= written.keys()
    assert {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"} <= (
        written["request"].keys()
    )
    assert {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL"} <= (
        written["response"].keys()
    )
    assert {"send", "wait", "receive"} <= written["timings"].keys()
