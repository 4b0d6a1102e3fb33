"""Streams in trouble: an honest end for every client, whatever the upstream did."""

import json
from itertools import pairwise
from typing import Any

import pytest

from tests.gateway.wire import (
    AN_STREAM,
    CHUNKS,
    CONTENT,
    EVENTS,
    GE_STREAM,
    HOME,
    OA_STREAM,
    PLAIN,
    STREAMS,
    USAGE_CHUNK,
    chunk,
)  # fmt: skip
from tests.live import CHAT, Live, Upstream, asked, reply, sse
from tests.servers import SSE_HEAD, chunked

DIALECTS = ("openai_chat", "anthropic", "gemini")
TRANSLATED = [(provider, dialect) for provider in HOME for dialect in DIALECTS if dialect != HOME[provider]]
ARRAY = "/v1beta/models/{}/m:streamGenerateContent"


def events(body: bytes) -> list[Any]:
    """The JSON of each data line."""
    lines = [
        line.removeprefix("data: ").removeprefix("data:")
        for line in body.decode().splitlines()
        if line.startswith("data:")
    ]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def text_of(body: bytes, dialect: str) -> str:
    """The text that a stream amounts to."""
    found = [event for event in events(body) if isinstance(event, dict)]
    if dialect == "openai_chat":
        return "".join(choice["delta"].get("content") or "" for event in found for choice in event.get("choices", ()))
    if dialect == "anthropic":
        return "".join(event["delta"].get("text", "") for event in found if event["type"] == "content_block_delta")
    parts = [
        part
        for event in found
        for one in event.get("candidates", ())
        for part in one.get("content", {}).get("parts", ())
    ]
    return "".join(part.get("text", "") for part in parts)


def error_of(event: Any) -> Any:
    return event.get("error") if isinstance(event, dict) else None


def finishes(body: bytes) -> bool:
    """Whether a stream claims to be whole."""
    return any(word in body for word in (b"[DONE]", b"message_stop", b'"finishReason"'))


@pytest.mark.parametrize("provider", ["oa", "an", "ge"])
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("kind", ["text/event-stream", "application/json", "text/plain", ""])
def test_a_stream_is_a_stream_whatever_it_calls_itself(
    live: Live, upstream: Upstream, provider: str, dialect: str, kind: str
) -> None:
    upstream.answer = reply(STREAMS[provider], "200 OK", kind).replace(b"content-type: \r\n", b"")

    answer = live.ask(*asked(f"{provider}/m", dialect, stream=True))

    assert (answer.status, text_of(answer.body, dialect)) == (200, "Hello")
    assert finishes(answer.body)
    assert [call.end for call in live.calls] == ["complete"]
    if dialect != HOME[provider]:
        assert (answer.field("content-type") or "").startswith("text/event-stream")


@pytest.mark.parametrize("provider", ["oa", "an", "ge"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_upstream_that_does_not_stream_still_gives_a_stream(
    live: Live, upstream: Upstream, provider: str, dialect: str
) -> None:
    upstream.answer = reply(b"\r\n " + PLAIN[provider])

    answer = live.ask(*asked(f"{provider}/m", dialect, stream=True))

    assert (answer.status, text_of(answer.body, dialect)) == (200, "Hello")
    assert (answer.field("content-type") or "").startswith("text/event-stream")
    assert finishes(answer.body)
    assert [(call.end, call.input_tokens, call.output_tokens) for call in live.calls] == [("complete", 3, 1)]


def test_sse_called_json_loses_its_unasked_usage_chunk_too(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(sse(*CHUNKS, USAGE_CHUNK, "[DONE]"))

    assert live.ask(*asked("oa/m", stream=True)).body == OA_STREAM


def test_gemini_that_sends_its_array_unasked_is_understood(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(b"[" + CONTENT + b"]")

    answer = live.ask(*asked("ge/m", stream=True))

    assert (answer.status, text_of(answer.body, "openai_chat")) == (200, "Hello")


@pytest.mark.parametrize("provider", ["oa", "an", "ge"])
def test_a_gemini_client_without_sse_gets_one_array(live: Live, upstream: Upstream, provider: str) -> None:
    upstream.answer = (
        reply(b"[" + CONTENT + b"]") if provider == "ge" else reply(STREAMS[provider], "200 OK", "text/event-stream")
    )

    answer = live.ask(asked("m", "gemini")[0], ARRAY.format(provider))

    elements = json.loads(answer.body)
    assert (answer.field("content-type") or "").startswith("application/json")
    assert (
        "".join(p.get("text", "") for e in elements for p in e["candidates"][0].get("content", {}).get("parts", ()))
        == "Hello"
    )


def broken(provider: str, *, content: bool, tail: bytes = b"") -> bytes:
    """A stream that ends in the middle of a chunk, before or after the first content, perhaps within a frame."""
    frames = {
        "oa": [sse(one) for one in (CHUNKS[:2] if content else CHUNKS[:1])],
        "an": [sse(one, named=True) for one in (EVENTS[:3] if content else EVENTS[:2])],
        "ge": [b'data: {"candidates":[{"content":{"role":"model","parts":[{"text":"Hel"}]},"index":0}]}\r\n\r\n'] if content else [b": hi\n\n"],
    }[provider]  # fmt: skip
    return SSE_HEAD + chunked(*frames, *([tail] if tail else []), end=False) + b"40\r\nhalf"


@pytest.mark.parametrize("provider", ["oa", "an", "ge"])
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("tail", [b"", b'data: {"id":"x","cho'])
def test_a_stream_that_breaks_off_ends_with_an_error_and_no_claim_to_be_whole(
    live: Live, upstream: Upstream, provider: str, dialect: str, tail: bytes
) -> None:
    upstream.answer = broken(provider, content=True, tail=tail)

    answer = live.ask(*asked(f"{provider}/m", dialect, stream=True))

    assert answer.status == 200
    assert text_of(answer.body, dialect).startswith("Hel")
    assert not finishes(answer.body)
    assert error_of(events(answer.body)[-1])["message"]
    assert answer.body.count(b'"error":') == 1
    assert b'data: {"id":"x","cho' not in answer.body
    assert [(call.status, call.end, call.error) for call in live.calls] == [
        (200, "truncated-upstream", "upstream_truncated")
    ]


@pytest.mark.parametrize(("provider", "dialect"), [("oa", "openai_chat"), ("an", "anthropic"), ("ge", "gemini")])
def test_a_passed_stream_that_is_over_without_its_end_says_so(
    live: Live, upstream: Upstream, provider: str, dialect: str
) -> None:
    """The connection ends in good order: without a word, a client would take what came for the whole answer."""
    upstream.answer = broken(provider, content=True).removesuffix(b"40\r\nhalf") + b"0\r\n\r\n"

    answer = live.ask(*asked(f"{provider}/m", dialect, stream=True))

    assert text_of(answer.body, dialect).startswith("Hel")
    assert not finishes(answer.body)
    assert error_of(events(answer.body)[-1])["message"]
    assert [(call.status, call.end, call.error) for call in live.calls] == [
        (200, "truncated-upstream", "upstream_truncated")
    ]


@pytest.mark.parametrize(("provider", "dialect"), TRANSLATED)
def test_a_stream_that_breaks_off_before_content_is_a_502_when_translated(
    live: Live, upstream: Upstream, provider: str, dialect: str
) -> None:
    upstream.answer = broken(provider, content=False)

    answer = live.ask(*asked(f"{provider}/m", dialect, stream=True))

    assert (answer.status, [call.status for call in live.calls]) == (502, [502])


GE_ELEMENTS = [
    json.dumps({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}]}).encode()
    for text in "ab"
]


@pytest.mark.parametrize(
    ("sent", "elements"),
    [
        (b"", 0),
        (b"[", 0),
        (b"[" + GE_ELEMENTS[0], 1),
        (b"[" + GE_ELEMENTS[0] + b"\n,\r\n", 1),
        (b"[" + GE_ELEMENTS[0] + b",\n" + GE_ELEMENTS[1][:20], 1),
        (b"[" + GE_ELEMENTS[0] + b",\n" + GE_ELEMENTS[1], 2),
    ],
)
def test_a_passed_array_that_breaks_off_is_an_array_that_ends_with_an_error(
    live: Live, upstream: Upstream, sent: bytes, elements: int
) -> None:
    head = SSE_HEAD.replace(b"text/event-stream", b"application/json")
    upstream.answer = head + (chunked(sent, end=False) if sent else b"") + b"40\r\nx"

    answer = live.ask(asked("m", "gemini")[0], ARRAY.format("ge"))

    got = json.loads(answer.body)
    *whole, last = got if isinstance(got, list) else [got]
    assert whole == [json.loads(one) for one in GE_ELEMENTS[:elements]]
    assert last["error"]["code"] == 502


def test_an_array_that_was_closed_stays_closed(live: Live, upstream: Upstream) -> None:
    array = b"[" + GE_ELEMENTS[0] + b"\n]\n"
    upstream.answer = (
        SSE_HEAD.replace(b"text/event-stream", b"application/json") + chunked(array, end=False) + b"40\r\nx"
    )

    assert json.loads(live.ask(asked("m", "gemini")[0], ARRAY.format("ge")).body) == [json.loads(GE_ELEMENTS[0])]


@pytest.mark.parametrize("dialect", ["anthropic", "gemini"])
def test_an_error_after_content_is_the_last_word(live: Live, upstream: Upstream, dialect: str) -> None:
    failed = {"error": {"message": "gone", "type": "server_error", "code": 503}}
    upstream.answer = reply(sse(*CHUNKS[:2], failed, *CHUNKS[2:], "[DONE]"), "200 OK", "text/event-stream")

    answer = live.ask(*asked("oa/m", dialect, stream=True))

    assert text_of(answer.body, dialect) == "Hel"
    assert error_of(events(answer.body)[-1])["message"] == "gone"
    assert not finishes(answer.body)
    assert [(call.status, call.end) for call in live.calls] == [(200, "error")]


def test_usage_is_given_to_those_who_asked(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(AN_STREAM, "200 OK", "text/event-stream")

    asking = live.ask(*asked("an/m", stream=True, stream_options={"include_usage": True}))
    silent = live.ask(*asked("an/m", stream=True))

    usage = [event["usage"] for event in events(asking.body) if isinstance(event, dict) and event.get("usage")]
    assert [(one["prompt_tokens"], one["completion_tokens"], one["total_tokens"]) for one in usage] == [(3, 1, 4)]
    assert events(asking.body)[-2]["choices"] == []
    assert all(not event.get("usage") and event["choices"] for event in events(silent.body) if isinstance(event, dict))


def test_usage_is_asked_of_a_host_that_knows_it_for_a_client_of_another_dialect(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(sse(*CHUNKS, USAGE_CHUNK, "[DONE]"), "200 OK", "text/event-stream")
    answer = live.ask(*asked("oa/m", "anthropic", stream=True))
    live.ask(*asked("local/m", "anthropic", stream=True))

    deltas = [event for event in events(answer.body) if event["type"] == "message_delta"]
    assert json.loads(upstream.sent[0].body)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in json.loads(upstream.sent[1].body)
    assert deltas[-1]["usage"]["output_tokens"] == 1


@pytest.mark.parametrize("size", [1, 2, 7])
def test_any_cutting_of_the_upstreams_bytes_gives_the_same(live: Live, upstream: Upstream, size: int) -> None:
    for provider, stream in STREAMS.items():
        edges = [*range(0, len(stream), size), len(stream)]
        upstream.answer = SSE_HEAD + chunked(*(stream[a:b] for a, b in pairwise(edges) if a < b))
        for dialect in DIALECTS:
            answer = live.ask(*asked(f"{provider}/m", dialect, stream=True))

            assert (text_of(answer.body, dialect), finishes(answer.body)) == ("Hello", True)


def test_long_silence_before_content_does_not_hold_memory(live: Live, upstream: Upstream) -> None:
    # A host that sends role chunks for ever: held back, then given up holding.
    quiet = sse(*[chunk({"role": "assistant", "content": ""})] * 2000)
    upstream.answer = reply(b": x\n\n" * 40_000 + quiet + OA_STREAM, "200 OK", "text/event-stream")

    assert text_of(live.ask(*asked("oa/m", "anthropic", stream=True)).body, "anthropic") == "Hello"


def test_a_plain_request_that_is_answered_by_a_stream_is_a_bad_gateway(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(GE_STREAM, "200 OK", "text/event-stream")

    assert live.ask(asked("ge/m")[0], CHAT).status == 502
