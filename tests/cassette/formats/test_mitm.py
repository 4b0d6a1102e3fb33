"""mitmproxy's flow files: the HTTP flows in them, and a word about the others."""

import gzip

import pytest

from setu.cassette.formats.har import UNTIMED
from setu.cassette.model import Timing
from setu.errors import CassetteDecodeError
from setu.http import Ending
from tests.cassette.formats.reading import found_in, read, skipped
from tests.cassette.formats.test_tnetstring import dumped
from tests.cassette.samples import CHAT_STREAM

START = 1_780_000_000.0


def flow(request=None, response=None, **more):
    """Return a flow of format 21; members given replace those of the usual one."""
    asked = {
        "host": "api.openai.com",
        "port": 443,
        "method": b"POST",
        "scheme": b"https",
        "authority": b"",
        "path": b"/v1/chat/completions?beta=true",
        "http_version": b"HTTP/2.0",
        "headers": [[b"Content-Type", b"application/json"], [b"authorization", b"Bearer " + b"A1b2C3d4" * 5]],
        "content": b'{"model":"m"}',
        "trailers": None,
        "timestamp_start": START,
        "timestamp_end": START + 0.01,
    }
    answered = {
        "http_version": b"HTTP/2.0",
        "headers": [[b"content-type", b"application/json"], [b"content-length", b"2"]],
        "content": b"{}",
        "trailers": None,
        "timestamp_start": START + 0.41,
        "timestamp_end": START + 0.46,
        "status_code": 200,
        "reason": b"OK",
    }
    return {
        "version": 21,
        "type": "http",
        "id": "f",
        "error": None,
        "request": {**asked, **(request or {})},
        "response": {**answered, **(response or {})},
        **more,
    }


def flows(*entries):
    return b"".join(map(dumped, entries))


def test_a_flow_becomes_an_interaction():
    [found] = read(flows(flow()))

    assert found.exchange.request.method == "POST"
    assert found.exchange.request.url == "https://api.openai.com/v1/chat/completions?beta=true"
    assert found.exchange.request.body == b'{"model":"m"}'
    assert found.exchange.body == b"{}"
    assert found.exchange.end is Ending.COMPLETE
    assert found.recording.op == "openai_chat.chat"
    assert found.recording.recorded == "2026-05-28"
    assert found.recording.timing == Timing(ttfb_ms=400, events_ms=(50,))
    assert found.recording.redacted == ("request.headers.authorization",)
    assert found.place == "a#1"


def test_an_old_flow_has_bytes_for_names():
    def bytes_for_names(value):
        return (
            {key.encode(): bytes_for_names(item) for key, item in value.items()} if isinstance(value, dict) else value
        )

    old = bytes_for_names(flow(request={"host": b"api.openai.com"}, type=b"http"))

    [found] = read(flows(old), "mitmproxy")

    assert found.exchange.request.origin == "https://api.openai.com"


def test_a_compressed_body_is_decoded():
    packed = {"content": gzip.compress(b"plain"), "headers": [[b"Content-Encoding", b"gzip"]]}

    [found] = read(flows(flow(response=packed)))

    assert found.exchange.body == b"plain"
    assert found.recording.wire.enc == "gzip"


@pytest.mark.parametrize(
    ("request_", "origin"),
    [
        ({"port": 8443}, "https://api.openai.com:8443"),
        ({"scheme": b"http", "port": 80}, "http://api.openai.com"),
        ({"host": "104.18.6.192", "authority": b"api.x.ai"}, "https://api.x.ai"),
        ({"host": "104.18.6.192", "headers": [[b"Host", b"api.x.ai"]]}, "https://api.x.ai"),
        ({"host": "10.0.0.1", "port": 8000}, "https://10.0.0.1:8000"),
    ],
    ids=["port", "http", "transparent-h2", "transparent", "address"],
)
def test_the_origin_is_where_the_request_meant_to_go(request_, origin):
    [found] = read(flows(flow(request=request_)))

    assert found.exchange.request.origin == origin


def test_a_stream_is_untimed_and_says_so():
    stream = {"content": CHAT_STREAM, "headers": [[b"content-type", b"text/event-stream"]]}

    [found] = read(flows(flow(response=stream)))

    assert found.exchange.body == CHAT_STREAM
    assert found.recording.timing is None
    assert found.notes == (f"a#1: {UNTIMED}",)


def test_a_flow_that_broke_replays_as_truncated():
    [found] = read(flows(flow(error={"msg": "connection lost", "timestamp": START})))

    assert found.exchange.end is Ending.TRUNCATED


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (flow(type="tcp"), "a tcp flow"),
        (flow(websocket={"messages": []}), "a WebSocket"),
        ({**flow(), "response": None}, "no response was recorded"),
        (flow(response={"content": None}), "the body was not kept"),
        ({"type": "http", "response": {}}, "a member is missing or of the wrong kind: 'request'"),
        ([1], "a member is missing or of the wrong kind: 'list' object has no attribute 'get'"),
    ],
    ids=["tcp", "websocket", "no-response", "streamed", "malformed", "list"],
)
def test_what_cannot_be_replayed_is_skipped_with_the_reason(entry, reason):
    data = flows(entry, flow())

    assert skipped(data, "mitmproxy") == [("a#1", reason)]
    assert len(found_in(data, "mitmproxy")) == 2


def test_a_file_that_was_cut_off_gives_what_is_whole():
    data = flows(flow(), flow())

    found = found_in(data[:-20], "mitmproxy")

    assert len(found) == 2
    assert found[1] == ("a#2", "damaged or cut off")


def test_what_is_no_flow_file_is_an_error():
    with pytest.raises(CassetteDecodeError, match="a: not a mitmproxy flow file"):
        found_in("hello", "mitmproxy")
