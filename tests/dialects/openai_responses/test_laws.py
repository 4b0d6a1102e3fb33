"""What holds for every body, request and stream of the dialect."""

import contextlib
import copy
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.events import Ended, Event, Started
from setu.chat.fold import fold
from setu.chat.ids import counter
from setu.chat.normal import normal_request, normal_response
from setu.chat.parts import AnyPart, HostedCall, HostedResult, Media, Opaque, Reasoning, Text, ToolCall
from setu.chat.request import ChatRequest
from setu.chat.response import ChatResponse, Usage
from setu.dialects.efforts import EFFORTS
from setu.dialects.openai_responses.codec import DIALECT
from setu.dialects.openai_responses.words import CAPABILITIES
from setu.dialects.record import Facts, Target
from setu.errors import DialectError, LocalDialectError, ProviderError
from setu.framing.frame import Frame
from setu.framing.sse import SseDecoder, SseEncoder
from setu.http import Headers
from tests.chat.streams import PARTS, SCHEDULES, stream
from tests.cuts import PLACES, cut
from tests.dialects.anthropic.bodies import REQUESTS as FOREIGN
from tests.dialects.openai_responses.bodies import ANSWERS, JSON, REQUESTS, data, streamed
from tests.dialects.openai_responses.oracle import need_events, need_order, need_response, request_problems
from tests.dialects.openai_responses.wire import CLIENT, ROUTE, UPSTREAM, frames, reply

ODD = st.one_of(JSON, st.sampled_from([None, "", [], {}, -1, 2**70, 1.5, True, {"type": None}]))
OWN = Target(model="m", capabilities=CAPABILITIES)
TARGETS = st.builds(
    lambda thinking, efforts: Target(model="m", facts=Facts(thinking=thinking, efforts=efforts)),
    st.sampled_from([None, "none", "budget", "effort"]),
    st.sampled_from([(), ("low", "high"), ("none", "minimal", "low")]),
)


def mutate(value: Any, path: list[int], odd: Any) -> Any:
    """Put something odd somewhere into a document, wherever the path leads."""
    if path and isinstance(value, dict) and value:
        key = list(value)[path[0] % len(value)]
        return value | {key: mutate(value[key], path[1:], odd)}
    if path and isinstance(value, list) and value:
        at = path[0] % len(value)
        return [*value[:at], mutate(value[at], path[1:], odd), *value[at + 1 :]]
    return odd


@given(st.one_of(st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode())))
def test_any_bytes_give_a_value_or_a_dialect_error(body: bytes) -> None:
    with contextlib.suppress(LocalDialectError):
        CLIENT.parse_request(body, ROUTE)
    with contextlib.suppress(DialectError, ProviderError):
        UPSTREAM.parse_response(body, counter())


@given(REQUESTS, st.lists(st.integers(0, 9), max_size=8), ODD)
def test_a_request_with_something_odd_in_it_gives_a_value_or_a_local_error(
    body: dict[str, Any], path: list[int], odd: Any
) -> None:
    mutated = json.dumps(mutate(body, path, odd)).encode()
    with contextlib.suppress(LocalDialectError):
        request = CLIENT.parse_request(mutated, ROUTE)
        UPSTREAM.render_request(request, OWN)


@pytest.mark.parametrize("depth", [3, 5000])
def test_nesting_without_end_is_refused(depth: int) -> None:
    body = b'{"model":"m","input":"x","novelty":' + b"[" * depth + b"]" * depth + b"}"

    try:
        CLIENT.parse_request(body, ROUTE)
        refused = ""
    except LocalDialectError as error:
        refused = str(error)

    assert ("nested too deeply" in refused) is (depth > 3)


@given(REQUESTS)
def test_a_request_of_the_dialect_comes_back_as_it_was(body: dict[str, Any]) -> None:
    request = CLIENT.parse_request(json.dumps(body).encode(), ROUTE)
    before = copy.deepcopy(request)

    rendered = UPSTREAM.render_request(request, OWN)

    assert request == before
    assert rendered.losses == ()
    again = CLIENT.parse_request(rendered.body, ROUTE)
    assert normal_request(again) == normal_request(request)
    assert UPSTREAM.render_request(again, OWN) == rendered


def foreign(request: ChatRequest) -> ChatRequest:
    """Drop what only this dialect's own parser makes, for its form is not the renderer's, and efforts of tomorrow."""
    thinking = request.thinking
    if thinking is not None and thinking.effort not in EFFORTS:
        thinking = None
    return msgspec.structs.replace(
        request,
        thinking=thinking,
        messages=tuple(
            msgspec.structs.replace(
                m, parts=tuple(p for p in m.parts if getattr(p, "dialect", None) != "openai_responses")
            )
            for m in request.messages
        ),
    )


@given(FOREIGN.map(foreign), TARGETS)
def test_a_request_of_any_dialect_becomes_one_that_the_sdk_could_send(request: Any, target: Target) -> None:
    before = copy.deepcopy(request)

    rendered = UPSTREAM.render_request(request, target)

    assert request == before
    assert request_problems(rendered.body) == []


@given(ANSWERS)
def test_an_answer_comes_back_as_it_was(answer: dict[str, Any]) -> None:
    response = UPSTREAM.parse_response(json.dumps(answer).encode(), counter())

    rendered = CLIENT.render_response(response, reply())

    need_response(rendered.body)
    assert rendered.losses == ()
    assert meaning(UPSTREAM.parse_response(rendered.body, counter())) == meaning(response)


@given(ANSWERS, st.lists(st.integers(0, 9), max_size=6), ODD)
def test_an_odd_answer_never_costs_more_than_itself(answer: dict[str, Any], path: list[int], odd: Any) -> None:
    body = json.dumps(mutate(answer, path, odd)).encode()
    try:
        response = UPSTREAM.parse_response(body, counter())
    except (DialectError, ProviderError):
        return

    assert json.loads(CLIENT.render_response(response, reply()).body)["object"] == "response"


def meaning(response: ChatResponse) -> ChatResponse:
    """Return the normal form without what Setu's usage shape fills in."""
    usage = msgspec.structs.replace(response.usage or Usage(), raw=None)
    response = normal_response(response, anonymous=True)
    candidates = tuple(
        msgspec.structs.replace(
            candidate,
            messages=tuple(
                msgspec.structs.replace(m, parts=tuple(map(_compact, m.parts))) for m in candidate.messages if m.parts
            ),
        )
        for candidate in response.candidates
    )
    return msgspec.structs.replace(response, usage=usage, candidates=candidates)


def _compact(part: AnyPart) -> AnyPart:
    """Drop the spaces of an item that is given back as it was."""
    if not isinstance(part, Opaque):
        return part
    return msgspec.structs.replace(part, raw=json.dumps(json.loads(part.raw)).encode())


def decoded(chunks: list[bytes]) -> list[Event]:
    framing, decoder = SseDecoder(), UPSTREAM.decoder(counter())
    found = [frame for chunk in chunks for frame in framing.feed(chunk)] + framing.close()
    return [event for frame in found for event in decoder.feed(frame)] + decoder.close()


@given(ANSWERS, PLACES, PLACES)
def test_a_stream_folds_to_its_twin_however_it_is_cut(
    answer: dict[str, Any], places: list[int], byte_places: list[int]
) -> None:
    body = data(streamed(answer, places))

    folded = fold(decoded(cut(body, byte_places)))

    assert folded.complete
    twin = UPSTREAM.parse_response(json.dumps(answer).encode(), counter())
    assert meaning(folded.response) == meaning(twin)


@given(ANSWERS, PLACES)
def test_a_stream_written_again_means_the_same(answer: dict[str, Any], places: list[int]) -> None:
    events = decoded([data(streamed(answer, places))])

    sent = frames(events)

    need_order(need_events(sent))
    again = fold(decoded([SseEncoder().encode(frame) for frame in sent]))
    assert again.complete
    assert meaning(again.response) == meaning(fold(events).response)


@given(ANSWERS, PLACES)
def test_a_stream_ends_in_the_plain_answer(answer: dict[str, Any], places: list[int]) -> None:
    events = decoded([data(streamed(answer, places))])

    last = json.loads(frames(events)[-1].data or b"")["response"]

    assert json.loads(CLIENT.render_response(fold(events).response, reply()).body) == last


@given(PARTS, PLACES, SCHEDULES)
def test_any_legal_stream_becomes_one_that_the_sdk_reads(parts: Any, places: Any, schedule: Any) -> None:
    sent = frames(stream(parts, places, schedule))

    need_order(need_events(sent))
    assert sent[-1].event == ("response.completed" if parts else "response.incomplete")


@given(PARTS, PLACES, SCHEDULES)
def test_what_a_client_of_the_dialect_reads_is_what_was_said(parts: Any, places: Any, schedule: Any) -> None:
    parts = [grown._replace(candidate=0, message=0) for grown in parts]
    events = stream(parts, places, schedule)

    again = fold(decoded([SseEncoder().encode(frame) for frame in frames(events)]))

    assert said(again.response) == said(fold(events).response)


def said(response: ChatResponse) -> list[Any]:
    """Return what both sides can say: no hosted runs, sounds or seals of others, and calls that are JSON."""
    plain = [_sayable(part) for candidate in response.candidates for m in candidate.messages for part in m.parts]
    bare = normal_response(
        msgspec.structs.replace(
            response,
            candidates=tuple(
                msgspec.structs.replace(
                    candidate,
                    messages=tuple(
                        msgspec.structs.replace(m, parts=tuple(p for p in map(_sayable, m.parts) if p is not None))
                        for m in candidate.messages
                    ),
                )
                for candidate in response.candidates
            ),
        ),
        anonymous=True,
    )
    assert len(plain) >= sum(len(m.parts) for c in bare.candidates for m in c.messages)
    return [part for candidate in bare.candidates for m in candidate.messages for part in m.parts]


def _sayable(part: AnyPart) -> AnyPart | None:
    match part:
        case HostedCall() | HostedResult() | Media() | Opaque():
            return None
        case Reasoning():
            # A section without words has no number of its own on this wire.
            text, summary = tuple(filter(None, part.text)), tuple(filter(None, part.summary))
            return msgspec.structs.replace(part, seal=None, text=text, summary=summary)
        case ToolCall():
            return msgspec.structs.replace(part, arguments=part.arguments or "{}")
        case Text():
            return msgspec.structs.replace(part, cites=())
        case _:
            return part


@given(PARTS, SCHEDULES, st.integers(0, 60))
def test_a_stream_that_breaks_off_ends_in_an_error_and_a_failure(parts: Any, schedule: Any, length: int) -> None:
    events = stream(parts, (), schedule)[:-1][:length]

    sent = frames([*events, Ended(complete=False)])

    need_order(need_events(sent))
    assert [frame.event for frame in sent[-2:]] == ["error", "response.failed"]


@given(st.lists(st.one_of(st.binary(max_size=30), JSON.map(lambda value: json.dumps(value).encode())), max_size=6))
def test_the_decoder_never_raises_and_ends_once(datas: list[bytes]) -> None:
    decoder = UPSTREAM.decoder(counter())

    events = [event for item in datas for event in decoder.feed(Frame(data=item))] + decoder.close()

    assert sum(isinstance(event, Ended) for event in events) == 1
    assert isinstance(events[-1], Ended)
    assert events[-1].complete is False


@given(ANSWERS, st.integers(0, 40), st.lists(st.integers(0, 9), max_size=6), ODD)
def test_an_odd_event_in_a_stream_is_survived(answer: dict[str, Any], place: int, path: list[int], odd: Any) -> None:
    events = streamed(answer, [])
    at = place % len(events)
    events[at] = mutate(events[at], path, odd)
    decoder = UPSTREAM.decoder(counter())

    found = [event for item in events for event in decoder.feed(Frame(data=json.dumps(item).encode()))]
    found += decoder.close()

    sent = frames(found)
    assert sent[-1].event in {"response.completed", "response.incomplete", "response.failed"}
    assert isinstance(found[-1], Ended)
    assert sum(isinstance(event, Started) for event in found) <= 1
    assert fold(found).response is not None


@given(st.integers(0, 999), st.binary(max_size=80))
def test_any_error_body_gives_an_error_that_reads_the_same_again(status: int, body: bytes) -> None:
    info = DIALECT.errors.parse(status, Headers(), body)

    again = DIALECT.errors.parse(info.status, Headers(), DIALECT.errors.render(info))

    assert (again.status, again.message, again.kind) == (info.status, info.message, info.kind)
