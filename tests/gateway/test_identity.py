"""Same dialect on both sides: bytes pass, both ways, but for what is declared."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.documents import OBJECTS, Object
from tests.gateway.wire import (
    CHUNKS,
    COMPLETION,
    CONTENT,
    HOME,
    MESSAGE,
    OA_STREAM,
    PLAIN,
    STREAMS,
    USAGE_CHUNK,
    chunk,
)  # fmt: skip
from tests.live import CHAT, MESSAGES, Live, Upstream, asked, reply, sse

GENERATE = "/v1beta/models/ge/gemini-2.5-flash:generateContent"
ODD = b' {"x_new" : {"deep":[1.10, 1e+2, -0.0 ,123456789012345678901234567890]},\r\n\t"x_null":null , "messages":[{"role":"user","content":"caf\xc3\xa9 \\u00e9 \\/"}], "max_tokens":9,"contents":[{"parts":[{"text":"hi"}]}]'


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (GENERATE, "POST /v1beta/models/gemini-2.5-flash:generateContent HTTP/1.1"),
        ("/v1beta/models/tuned:generateContent", "POST /v1beta/models/tuned:generateContent HTTP/1.1"),
    ],
)
def test_a_request_whose_model_stands_in_the_path_passes_unread(
    live: Live, upstream: Upstream, path: str, line: str
) -> None:
    upstream.answer = reply(CONTENT)
    body = ODD + b', "x_new":2 }\n'

    assert live.ask(body, path, [("x-setu-provider", "ge")]).status == 200

    (sent,) = upstream.sent
    assert (sent.line, sent.body) == (line, body)


@pytest.mark.parametrize(("provider", "path"), [("oa", CHAT), ("an", MESSAGES)])
def test_only_the_model_is_spliced(live: Live, upstream: Upstream, provider: str, path: str) -> None:
    upstream.answer = reply(PLAIN[provider])

    answer = live.ask(ODD + b',"model" : "%s/m-1" , "x_new":2}' % provider.encode(), path)

    assert upstream.sent[0].body == ODD + b',"model" : "m-1" , "x_new":2}'
    assert answer.body == PLAIN[provider]


def test_a_model_that_needs_no_splice_leaves_the_bytes_alone(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(COMPLETION)
    body = b'{"model":"gpt-\\u0034o","messages":[]}'

    live.ask(body)

    assert upstream.sent[0].body == body


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])  # one server for all examples
@given(found=OBJECTS, model=st.text(min_size=1, max_size=5).filter(lambda text: text.isprintable()))
def test_any_body_passes_but_for_its_model(live: Live, upstream: Upstream, found: Object, model: str) -> None:
    if {"model", "stream", "stream_options"} & {key for key, _ in found.members}:
        return
    upstream.answer = reply(COMPLETION)
    upstream.sent.clear()
    rest = found.data.lstrip()[1:].lstrip()
    comma = b"" if rest.startswith(b"}") else b","
    head = b'{ "model":%s'

    answer = live.ask(head % json.dumps(f"local/{model}").encode() + comma + rest)

    assert answer.status == 200
    assert upstream.sent[0].body == head % json.dumps(model, ensure_ascii=False).encode() + comma + rest


def test_fields_pass_both_ways_repeated_and_in_order(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(
        COMPLETION, "200 OK", "application/json", "X-Up: 1", "x-limit: a", "x-up: 2", "x-request-id: req_up"
    )
    own = [("x-a", "1"), ("x-b", "2"), ("X-A", "3"), ("openai-beta", "v2")]

    answer = live.ask(asked("oa/m")[0], CHAT, own)

    assert [pair for pair in upstream.sent[0].fields if pair[0] in {"x-a", "x-b", "openai-beta"}] == [
        ("x-a", "1"), ("x-b", "2"), ("x-a", "3"), ("openai-beta", "v2"),
    ]  # fmt: skip
    assert [pair for pair in answer.fields if pair[0] in {"x-up", "x-limit"}] == [
        ("x-up", "1"),
        ("x-limit", "a"),
        ("x-up", "2"),
    ]
    assert [value for name, value in answer.fields if name == "x-request-id"] == ["req_up"]


@pytest.mark.parametrize(
    ("body", "member"),
    [
        (b'{"model":"oa/a","model":"oa/b"}', "model"),
        (b'{"model":"oa/a","m\\u006fdel":"oa/b"}', "model"),
        (b'{"\\u006Dodel":"oa/a","model":"oa/a"}', "model"),
        (b'{"model":"oa/a","stream":true,"stream":false}', "stream"),
        (b'{"model":"oa/a","stream":true,"stream_options":{},"stream_options":null}', "stream_options"),
        (b'{"model":"oa/a","stream":true,"stream_options":{"include_usage":false,"include_usage":false}}', "include_usage"),
    ],
)  # fmt: skip
def test_a_routed_key_that_stands_twice_is_refused(live: Live, upstream: Upstream, body: bytes, member: str) -> None:
    answer = live.ask(body)

    assert (answer.status, answer.error["type"]) == (400, "invalid_request_error")
    assert member in answer.error["message"]
    assert upstream.sent == []


def test_other_keys_may_stand_twice_and_a_name_in_a_text_is_no_key(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(COMPLETION)
    body = b'{"model":"oa/m","x":1,"x":2,"messages":[{"role":"user","content":"\\"model\\""},{"model":1,"stream":2}],"y":"model"}'

    assert live.ask(body).status == 200
    assert upstream.sent[0].body == body.replace(b"oa/m", b"m", 1)


def test_a_gemini_body_may_say_model_as_often_as_it_likes(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(CONTENT)
    body = b'{"contents":[],"model":"a","model":"b","stream":1}'

    assert live.ask(body, GENERATE).status == 200
    assert upstream.sent[0].body == body


@pytest.mark.parametrize("asks", [None, b"null", b"{}", b'{"include_usage":false}', b'{ "x":1 }'])
def test_the_usage_chunk_is_asked_for_and_taken_out_again(live: Live, upstream: Upstream, asks: bytes | None) -> None:
    data: list[Any] = [*CHUNKS, USAGE_CHUNK, "[DONE]"]
    upstream.answer = reply(sse(*data), "200 OK", "text/event-stream")
    body = b'{"model":"oa/m","messages":[],"stream":true%b}' % (b"" if asks is None else b',"stream_options":' + asks)

    answer = live.ask(body)

    assert json.loads(upstream.sent[0].body)["stream_options"]["include_usage"] is True
    assert ("x" in json.loads(upstream.sent[0].body)["stream_options"]) == (asks == b'{ "x":1 }')
    assert answer.body == OA_STREAM
    (call,) = live.calls
    assert (call.input_tokens, call.output_tokens, call.end) == (3, 1, "complete")


def test_a_usage_chunk_that_the_client_asked_for_is_its_own(live: Live, upstream: Upstream) -> None:
    stream = sse(*CHUNKS, USAGE_CHUNK, "[DONE]")
    upstream.answer = reply(stream, "200 OK", "text/event-stream")
    body = b'{"model":"oa/m","messages":[],"stream":true,"stream_options":{ "include_usage" : true }}'

    assert live.ask(body).body == stream
    assert upstream.sent[0].body == body.replace(b"oa/m", b"m", 1)


def test_wrong_stream_options_are_the_upstreams_to_refuse(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(b'{"error":{"message":"no"}}', "400 Bad Request")
    body = b'{"model":"oa/m","messages":[],"stream":true,"stream_options":5}'

    assert live.ask(body).status == 400
    assert upstream.sent[0].body == body.replace(b"oa/m", b"m", 1)


def test_a_host_that_does_not_know_the_usage_chunk_is_not_asked(live: Live, upstream: Upstream) -> None:
    # Some hosts put usage into every chunk, unasked: that is theirs to say.
    stream = sse(chunk({"content": "a"}, usage={"prompt_tokens": 1}), chunk({}, "stop"), USAGE_CHUNK, "[DONE]")
    upstream.answer = reply(stream, "200 OK", "text/event-stream")

    answer = live.ask(asked("local/m", stream=True)[0])

    assert "stream_options" not in json.loads(upstream.sent[0].body)
    assert answer.body == stream


@pytest.mark.parametrize("provider", ["oa", "an", "ge"])
def test_a_stream_passes_byte_for_byte(live: Live, upstream: Upstream, provider: str) -> None:
    stream = (
        b": hello\r\n\r\nid: 7\nretry: 3\n\n" + STREAMS[provider] + b"event: new\ndata:no space\ndata: two\n\n: bye"
    )
    upstream.answer = reply(stream, "200 OK", "text/event-stream; charset=utf-8", "x-up: 1")
    body, path = asked(f"{provider}/m", HOME[provider], stream=True)

    answer = live.ask(body, path)

    assert (answer.status, answer.body) == (200, stream)
    assert (answer.field("content-type"), answer.field("x-up")) == ("text/event-stream; charset=utf-8", "1")
    assert (answer.field("cache-control"), answer.field("x-accel-buffering")) == ("no-cache", "no")
    assert [call.end for call in live.calls] == ["complete"]
    assert (live.calls[0].input_tokens, live.calls[0].output_tokens) == ((3, 1) if provider != "oa" else (None, None))


@pytest.mark.parametrize("provider", ["oa", "an", "ge"])
def test_a_plain_answer_passes_and_its_usage_is_noted(live: Live, upstream: Upstream, provider: str) -> None:
    upstream.answer = reply(PLAIN[provider])
    body, path = asked(f"{provider}/m", HOME[provider])

    answer = live.ask(body, path)

    assert answer.body == PLAIN[provider]
    assert [(call.input_tokens, call.output_tokens) for call in live.calls] == [(3, 1)]


def test_gemini_gets_its_array_as_it_was_sent(live: Live, upstream: Upstream) -> None:
    array = b"[" + CONTENT + b"\n,\r\n" + CONTENT + b"\n]\n"
    upstream.answer = reply(array, "200 OK", "application/json; charset=UTF-8")

    answer = live.ask(asked("m", "gemini")[0], "/v1beta/models/ge/m:streamGenerateContent?key=client-secret&x=1")

    assert answer.body == array
    assert upstream.sent[0].line == "POST /v1beta/models/m:streamGenerateContent?x=1 HTTP/1.1"


def test_gemini_with_sse_asks_for_it(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(STREAMS["ge"], "200 OK", "text/event-stream")

    live.ask(asked("m", "gemini")[0], "/v1beta/models/ge/m:streamGenerateContent?key=client-secret&alt=sse&x=1")

    assert upstream.sent[0].line == "POST /v1beta/models/m:streamGenerateContent?alt=sse&x=1 HTTP/1.1"


def test_an_answer_that_is_no_json_passes_too(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(MESSAGE + b" trailing", "200 OK", "text/odd")

    answer = live.ask(asked("oa/m")[0])

    assert (answer.status, answer.field("content-type"), answer.body) == (200, "text/odd", MESSAGE + b" trailing")
