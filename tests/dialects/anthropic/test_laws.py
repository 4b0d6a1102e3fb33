"""What holds for every body, request and stream of the dialect."""

import contextlib
import copy
import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.events import Ended, Event, Failed, Started
from setu.chat.fold import fold
from setu.chat.ids import counter
from setu.chat.normal import normal_request, normal_response
from setu.chat.response import ChatResponse, Usage
from setu.dialects.anthropic.codec import DIALECT
from setu.dialects.record import Facts, Reply, Route, Target
from setu.errors import DialectError, LocalDialectError, ProviderError
from setu.framing.frame import Frame
from setu.framing.sse import SseDecoder, SseEncoder
from setu.http import Headers
from tests.chat.streams import PARTS, SCHEDULES, stream
from tests.cuts import PLACES, cut
from tests.dialects.anthropic.bodies import ANSWERS, BODIES, JSON, REQUESTS
from tests.dialects.anthropic.oracle import need_events, need_message, need_order, request_problems

CLIENT = DIALECT.client["chat"]
UPSTREAM = DIALECT.upstream["chat"]
ROUTE = Route(dialect="anthropic", operation="chat")
TARGETS = st.builds(
    lambda thinking, cap, sampling, turns: Target(
        model="claude", facts=Facts(thinking=thinking, max_output=cap, sampling=sampling, system_turns=turns)
    ),
    st.sampled_from([None, "none", "budget", "effort", "adaptive"]),
    st.sampled_from([None, 1000, 8192]),
    st.sampled_from([None, "both", "one", "none"]),
    st.booleans(),
)
REPLY = Reply(model="claude", id="msg_1", created=1, mint=counter())


def mutate(value: Any, path: list[int], odd: Any) -> Any:
    """Put something odd somewhere into a document, wherever the path leads."""
    if path and isinstance(value, dict) and value:
        key = list(value)[path[0] % len(value)]
        value[key] = mutate(value[key], path[1:], odd)
        return value
    if path and isinstance(value, list) and value:
        index = path[0] % len(value)
        value[index] = mutate(value[index], path[1:], odd)
        return value
    return odd


ODD = st.one_of(JSON, st.sampled_from([-1, 10**40, "", "\ud800", {"type": "text"}, [[]], {"type": 1}]))


@given(st.one_of(st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode())))
def test_any_bytes_give_a_value_or_a_dialect_error(body) -> None:
    for parse in (lambda: CLIENT.parse_request(body, ROUTE), lambda: UPSTREAM.parse_response(body, counter())):
        with contextlib.suppress(DialectError, ProviderError):
            parse()


@given(BODIES, st.lists(st.integers(0, 9), max_size=8), ODD)
def test_a_request_with_something_odd_in_it_gives_a_value_or_a_local_error(body, path, odd) -> None:
    mutated = json.dumps(mutate(json.loads(body), path, odd)).encode()
    with contextlib.suppress(LocalDialectError):
        request = CLIENT.parse_request(mutated, ROUTE)
        UPSTREAM.render_request(request, Target(model="claude"))


@pytest.mark.parametrize("depth", [3, 30, 5000])
def test_nesting_without_end_is_refused(depth) -> None:
    block = '{"type":"tool_result","tool_use_id":"t","content":[' * depth + "]}" * depth
    body = f'{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":[{block}]}}]}}'.encode()

    assert ("nested too deeply" in (refusal(body) or "")) is (depth > 3)


def refusal(body: bytes) -> str | None:
    try:
        CLIENT.parse_request(body, ROUTE)
    except LocalDialectError as error:
        return str(error)
    return None


@given(BODIES)
def test_a_request_of_anthropic_comes_back_as_it_was(body) -> None:
    request = CLIENT.parse_request(body, ROUTE)
    target = Target(model=request.model, facts=Facts(sampling="both"))

    rendered = UPSTREAM.render_request(request, target)

    assert rendered.losses == ()
    assert normal_request(CLIENT.parse_request(rendered.body, ROUTE)) == normal_request(request)
    assert UPSTREAM.render_request(CLIENT.parse_request(rendered.body, ROUTE), target) == rendered


@given(REQUESTS, TARGETS)
def test_a_request_of_any_dialect_becomes_one_that_anthropics_sdk_could_send(request, target) -> None:
    before = copy.deepcopy(request)

    rendered = UPSTREAM.render_request(request, target)

    assert request == before
    assert request_problems(rendered.body) == []
    need_conversation(json.loads(rendered.body))


def need_conversation(body: dict[str, Any]) -> None:
    """Check what Anthropic demands beyond types (P06, P07, P13, P17)."""
    for before, after in pairwise(body["messages"]):
        assert before["role"] != after["role"]
        assert after["role"] != "system" or before["role"] == "user"
    assert body["max_tokens"] >= 1
    for message in body["messages"]:
        content = message["content"]
        assert content
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        kinds = [block["type"] for block in blocks]
        assert kinds == sorted(kinds, key=lambda kind: kind != "tool_result") or message["role"] == "assistant"
        assert all(block["text"].strip() for block in blocks if block["type"] == "text")


@given(REQUESTS)
def test_each_mapped_id_is_the_same_on_a_call_and_its_result(request) -> None:
    body = json.loads(UPSTREAM.render_request(request, Target(model="claude")).body)
    blocks = [b for m in body["messages"] if not isinstance(m["content"], str) for b in m["content"]]
    wire = {
        block.get("id") or block.get("tool_use_id") for block in blocks if block["type"] in ("tool_use", "tool_result")
    }
    sources = {
        part.call_id
        for m in request.messages
        for part in m.parts
        if part.__class__.__name__ in ("ToolCall", "ToolResult")
    }

    assert len(wire) == len(sources)  # the map is injective, and one for both ends


@given(ANSWERS)
def test_an_answer_comes_back_as_it_was(answer) -> None:
    response = UPSTREAM.parse_response(json.dumps(answer).encode(), counter())

    rendered = CLIENT.render_response(response, REPLY)

    need_message(rendered.body)
    assert meaning(UPSTREAM.parse_response(rendered.body, counter())) == meaning(response)


@given(ANSWERS, st.lists(st.integers(0, 9), max_size=6), ODD)
def test_an_odd_answer_never_costs_more_than_itself(answer, path, odd) -> None:
    body = json.dumps(mutate(answer, path, odd)).encode()
    try:
        response = UPSTREAM.parse_response(body, counter())
    except (DialectError, ProviderError):
        return

    assert json.loads(CLIENT.render_response(response, REPLY).body)["type"] == "message"


def meaning(response: ChatResponse) -> ChatResponse:
    """Return the normal form without what Setu's usage shape fills in."""
    usage = response.usage or Usage()
    usage = msgspec.structs.replace(
        usage, raw=None, cache_read=usage.cache_read or 0, cache_write=usage.cache_write or 0, cache_write_1h=0
    )
    response = normal_response(response)
    candidates = tuple(
        msgspec.structs.replace(candidate, messages=tuple(m for m in candidate.messages if m.parts))
        for candidate in response.candidates
    )
    return msgspec.structs.replace(response, usage=usage, candidates=candidates)


def streamed(answer: dict[str, Any], places: list[int]) -> bytes:
    """Write an answer as Anthropic streams it, its texts and arguments cut at will."""
    start = answer | {"content": [], "stop_reason": None, "usage": answer["usage"] | {"output_tokens": 1}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(answer["content"]):
        events += block_events(index, block, places)
    delta = {"stop_reason": answer["stop_reason"], "stop_sequence": None}
    events.append(
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": answer["usage"]["output_tokens"]}}
    )
    events.append({"type": "message_stop"})
    encoder = SseEncoder()
    return b"".join(encoder.encode(Frame(event=e["type"], data=json.dumps(e).encode())) for e in events)


def block_events(index: int, block: dict[str, Any], places: list[int]) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = []
    start = dict(block)
    match block["type"]:
        case "text":
            start["text"] = ""
            deltas = [{"type": "text_delta", "text": piece} for piece in cut(block["text"], places)]
        case "thinking":
            start |= {"thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in cut(block["thinking"], places)]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        case "tool_use":
            start["input"] = {}
            pieces = cut(json.dumps(block["input"]), places)
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    events = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *events,
        {"type": "content_block_stop", "index": index},
    ]


def decoded(chunks: list[bytes]) -> list[Event]:
    framing, decoder = SseDecoder(), UPSTREAM.decoder(counter())
    frames = [frame for chunk in chunks for frame in framing.feed(chunk)] + framing.close()
    return [event for frame in frames for event in decoder.feed(frame)] + decoder.close()


def encoded(events: list[Event]) -> list[Frame]:
    encoder = CLIENT.encoder(REPLY)
    return [frame for event in events for frame in encoder.feed(event)]


@given(ANSWERS, PLACES, PLACES)
def test_a_stream_folds_to_its_twin_however_it_is_cut(answer, places, byte_places) -> None:
    body = streamed(answer, places)

    folded = fold(decoded(cut(body, byte_places)))

    assert folded.complete
    twin = UPSTREAM.parse_response(json.dumps(answer).encode(), counter())
    assert meaning(folded.response) == meaning(twin)


@given(ANSWERS, PLACES)
def test_a_stream_written_again_means_the_same(answer, places) -> None:
    events = decoded([streamed(answer, places)])

    frames = encoded(events)

    need_order(need_events(frames))
    again = fold(decoded([SseEncoder().encode(frame) for frame in frames]))
    assert again.complete
    assert meaning(again.response) == meaning(fold(events).response)


@given(PARTS, PLACES, SCHEDULES)
def test_any_legal_stream_becomes_one_that_the_sdk_reads(parts, places, schedule) -> None:
    frames = encoded(stream(parts, places, schedule))

    need_order(need_events(frames))
    assert frames[-1].event == "message_stop"


@given(PARTS, SCHEDULES, st.integers(0, 60))
def test_a_stream_that_breaks_off_ends_in_an_error_and_no_stop(parts, schedule, length) -> None:
    events = stream(parts, (), schedule)[:-1][:length]

    frames = encoded([*events, Ended(complete=False)])

    need_order(need_events(frames))
    assert frames[-1].event == "error"


@given(st.lists(st.one_of(st.binary(max_size=30), JSON.map(lambda value: json.dumps(value).encode())), max_size=6))
def test_the_decoder_never_raises_and_ends_once(datas) -> None:
    decoder = UPSTREAM.decoder(counter())

    events = [event for data in datas for event in decoder.feed(Frame(data=data))] + decoder.close()

    assert sum(isinstance(event, Ended) for event in events) == 1
    assert isinstance(events[-1], Ended)
    assert events[-1].complete is False


@given(ANSWERS, st.integers(0, 40), st.lists(st.integers(0, 9), max_size=6), ODD)
def test_an_odd_event_in_a_stream_is_survived(answer, place, path, odd) -> None:
    frames = SseDecoder().feed(streamed(answer, []))
    at = place % len(frames)
    strange = json.dumps(mutate(json.loads(frames[at].data or b""), path, odd)).encode()
    frames[at] = Frame(event=frames[at].event, data=strange)
    decoder = UPSTREAM.decoder(counter())

    events = [event for frame in frames for event in decoder.feed(frame)] + decoder.close()

    need_order(need_events_loosely(encoded(events)))
    assert isinstance(events[-1], Ended)
    assert events[-1].complete is not any(isinstance(event, Failed) for event in events) or not events[-1].complete
    assert sum(isinstance(event, Started) for event in events) <= 1


def need_events_loosely(frames: list[Frame]) -> list[dict[str, Any]]:
    """Return the events of a stream whose unknown events were forwarded as they came."""
    known = ("message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta")
    events = [json.loads(frame.data or b"") for frame in frames]
    return [e for e in events if isinstance(e, dict) and e.get("type") in (*known, "message_stop", "error")]


@given(st.integers(0, 999), st.binary(max_size=80))
def test_any_error_body_gives_an_error_that_reads_the_same_again(status, body) -> None:
    info = DIALECT.errors.parse(status, Headers(), body)

    again = DIALECT.errors.parse(info.status, Headers(), DIALECT.errors.render(info))

    assert (again.status, again.message, again.kind) == (info.status, info.message, info.kind)
    assert info.status >= 400
