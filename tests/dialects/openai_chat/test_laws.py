"""Laws that hold for any input: totality, no mutation, there and back."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from setu.chat.events import Ended, Event, Failed, Finished, PartEnded, PartStarted, Started
from setu.chat.fold import fold
from setu.chat.ids import counter
from setu.chat.normal import normal_request
from setu.chat.parts import Reasoning, Refusal, Text, ToolCall
from setu.chat.response import ChatResponse
from setu.errors import DialectError, LocalDialectError, ProviderError
from setu.framing.frame import Frame
from setu.framing.sse import SseDecoder, SseEncoder
from tests.chat.streams import PARTS, SCHEDULES, Grown, stream
from tests.cuts import PLACES, cut
from tests.dialects.openai_chat.wire import ALL, CLIENT, ROUTE, UPSTREAM, decode, parse, read, render, reply, user

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
MARK = st.sampled_from(
    [{}, {"cache_control": {"type": "ephemeral"}}, {"cache_control": {"type": "ephemeral", "ttl": "1h"}}]
)


def _part(kind: str, **members: Any) -> dict[str, Any]:
    return {"type": kind, **members}


PART = st.one_of(
    st.builds(lambda text, mark: _part("text", text=text or "x") | mark, TEXT, MARK),
    st.builds(lambda d: _part("image_url", image_url={"url": "data:image/png;base64,AAAA"} | d),
              st.sampled_from([{}, {"detail": "low"}, {"x": 1}])),
    st.just(_part("image_url", image_url={"url": "https://x.test/a.png"})),
    st.just(_part("input_audio", input_audio={"data": "AAAA", "format": "wav"})),
    st.just(_part("file", file={"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"})),
    st.just(_part("file", file={"file_id": "file-1"})),
    st.builds(lambda value: _part("novelty", value=value), JSON),
)  # fmt: skip
ASSISTANT = st.builds(
    lambda text, thought, numbers, refusal: {"role": "assistant", "content": text}
    | ({"reasoning_content": thought} if thought else {})
    | ({"refusal": refusal} if refusal else {})
    | ({"tool_calls": [{"id": f"call_{n}", "type": "function", "function": {"name": "f", "arguments": text}} for n in numbers]} if numbers else {}),
    TEXT, TEXT, st.lists(st.integers(0, 3), unique=True, max_size=3), TEXT,
)  # fmt: skip
MESSAGE = st.one_of(
    st.builds(
        lambda role, text: {"role": role, "content": text}, st.sampled_from(["system", "developer", "user"]), TEXT
    ),
    st.builds(lambda parts: {"role": "user", "content": parts}, st.lists(PART, min_size=1, max_size=4)),
    ASSISTANT,
)
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.sampled_from([0, 0.5, 2]),
        "max_tokens": st.integers(1, 10**6),
        "stop": st.sampled_from(["x", ["x", "y"]]),
        "n": st.integers(1, 3),
        "seed": st.integers(-(2**70), 2**70),
        "logit_bias": st.just({"50256": -100}),
        "stream": st.just(True),
        "stream_options": st.sampled_from([{"include_usage": True}, {"include_usage": False, "x": 1}]),
        "response_format": st.sampled_from([{"type": "text"}, {"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}, "strict": True}}]),
        "reasoning_effort": st.sampled_from(["none", "minimal", "high"]),
        "tools": st.just([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": True}}, {"type": "custom", "custom": {"name": "c"}}, {"type": "novelty", "x": 1}]),
        "metadata": st.just({"a": "b"}),
        "store": st.booleans(),
        "novelty": JSON,
    },
)  # fmt: skip


def _request(messages: list[dict[str, Any]], members: dict[str, Any], parallel: bool | None) -> dict[str, Any]:
    # Neighbouring assistant messages are one turn and may be joined; here each has a user's after it.
    messages = [each for message in messages for each in (message, user())]
    called = {"parallel_tool_calls": parallel} if "tools" in members and parallel is not None else {}
    return {"model": "m", "messages": messages} | members | called


REQUESTS = st.builds(_request, st.lists(MESSAGE, min_size=1, max_size=5), MEMBERS, st.none() | st.booleans())


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=100)
def test_any_bytes_are_a_request_or_a_dialect_error(data: bytes) -> None:
    try:
        request = CLIENT.parse_request(data, ROUTE)
    except LocalDialectError:
        return
    assert request.messages


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """A legal request with one value anywhere replaced, or a member taken out."""
    wire = copy.deepcopy(draw(REQUESTS))
    places: list[tuple[Any, Any]] = []
    waiting: list[Any] = [wire]
    while waiting:
        value = waiting.pop()
        keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        places += [(value, key) for key in keys]
        waiting += [value[key] for key in keys]
    holder, key = draw(st.sampled_from(places))
    if isinstance(holder, dict) and draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = draw(JSON)
    return json.dumps(wire).encode()


@given(_mutated())
@settings(max_examples=100)
def test_a_damaged_request_is_a_request_or_a_dialect_error(data: bytes) -> None:
    try:
        rendered = render(CLIENT.parse_request(data, ROUTE), *ALL)
    except LocalDialectError:
        return
    assert json.loads(rendered.body)["model"] == "m"


@given(REQUESTS)
@settings(max_examples=100)
def test_what_is_rendered_reads_as_the_same_request(wire: dict[str, Any]) -> None:
    request = CLIENT.parse_request(json.dumps(wire).encode(), ROUTE)
    before = repr(request)

    first = render(request, *ALL)

    again = CLIENT.parse_request(first.body, ROUTE)
    assert repr(request) == before
    assert render(request, *ALL) == first
    assert normal_request(again) == normal_request(request)
    assert all(loss.severity == "info" or loss.pointer == "/tool_choice" for loss in first.losses)


@given(
    st.binary(max_size=60)
    | JSON.map(lambda value: json.dumps(value).encode())
    | JSON.map(lambda value: json.dumps({"choices": [{"message": value}]}).encode())
)
@settings(max_examples=100)
def test_any_bytes_are_an_answer_or_a_declared_error(data: bytes) -> None:
    try:
        response = read(data)
    except (DialectError, ProviderError):
        return
    ChatCompletion.model_validate_json(CLIENT.render_response(response, reply()).body, strict=True)


ODD = st.one_of(
    JSON,
    st.builds(lambda delta: {"choices": [{"delta": delta}]}, st.dictionaries(st.sampled_from(["content", "reasoning", "reasoning_content", "reasoning_details", "tool_calls", "function_call", "refusal", "audio", "images", "annotations", "extra_content"]), JSON | st.lists(st.dictionaries(st.sampled_from(["index", "id", "type", "function", "custom", "text", "image_url", "thinking", "data", "url"]), JSON, max_size=3), max_size=2), max_size=3)),
    st.builds(lambda choice: {"choices": [choice]}, st.dictionaries(st.sampled_from(["index", "delta", "finish_reason", "logprobs", "message", "error", "usage"]), JSON, max_size=4)),
    st.builds(lambda usage: {"choices": [], "usage": usage}, JSON),
)  # fmt: skip


@given(st.lists(ODD.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=20), max_size=6))
@settings(max_examples=100)
def test_the_decoder_never_raises_and_its_events_are_in_order(data: list[bytes]) -> None:
    events = decode(*data, done=False)

    _need_order(events)
    frames = [frame for encoder in [CLIENT.encoder(reply())] for event in events for frame in encoder.feed(event)]
    for frame in frames:
        if frame.data is not None and frame.data != b"[DONE]" and b'"error"' not in frame.data[:9]:
            ChatCompletionChunk.model_validate_json(frame.data, strict=True)


def _need_order(events: list[Event]) -> None:
    """Started once and first, every part opened and closed once, one finish a candidate after its parts, the end last."""
    assert isinstance(events[-1], Ended)
    assert sum(isinstance(event, Ended) for event in events) == 1
    starts = [index for index, event in enumerate(events) if isinstance(event, Started)]
    opened: set[int] = set()
    closed: set[int] = set()
    finished: set[int] = set()
    for index, event in enumerate(events):
        if isinstance(event, PartStarted):
            assert starts
            assert starts[0] < index
            assert event.part not in opened
            assert event.candidate not in finished
            opened.add(event.part)
        elif isinstance(event, PartEnded):
            assert event.part in opened - closed
            closed.add(event.part)
        elif isinstance(event, Finished):
            assert event.candidate not in finished
            finished.add(event.candidate)
        elif hasattr(event, "part"):
            assert event.part in opened - closed
    assert opened == closed
    assert len(starts) <= 1
    assert not (any(isinstance(event, Failed) for event in events) and events[-1].complete)


def _kept(parts: list[Grown]) -> list[Grown]:
    """The parts that chat can stream to its own decoder: words, refusals, thinking, calls."""
    return [part for part in parts if isinstance(part.value, (Text, Refusal, Reasoning, ToolCall))]


def _meaning(response: ChatResponse) -> list[Any]:
    """What a reader of an answer gets: per candidate its words, refusal, thinking, calls and finish."""
    meaning = []
    for candidate in response.candidates:
        parts = [part for message in candidate.messages for part in message.parts]
        meaning.append((
            candidate.index,
            "".join(part.text for part in parts if isinstance(part, Text)),
            "".join(part.text for part in parts if isinstance(part, Refusal)),
            "".join("".join(part.text or part.summary) for part in parts if isinstance(part, Reasoning)).replace("\n", ""),
            [part.seal.data for part in parts if isinstance(part, Reasoning) and part.seal],
            sorted((part.name, part.arguments or "{}") for part in parts if isinstance(part, ToolCall)),
            candidate.finish and candidate.finish.reason if not any(isinstance(part, ToolCall) for part in parts) else "tool_calls",
        ))  # fmt: skip
    return meaning


@given(PARTS, PLACES, SCHEDULES)
@settings(max_examples=100)
def test_an_encoded_stream_decodes_to_the_same_answer(
    parts: list[Grown], places: list[int], schedule: list[int]
) -> None:
    kept = [part._replace(message=0) for part in _kept(parts)]
    events = stream(kept, places, schedule)
    encoder = CLIENT.encoder(reply(stream_usage=True))

    frames = [frame for event in events for frame in encoder.feed(event)]

    again = fold(decode(*(frame.data or b"" for frame in frames), done=False))
    expected = fold(events)
    assert again.complete
    if expected.response.candidates:
        assert _meaning(again.response) == _meaning(expected.response)
    assert again.response.usage is not None
    assert again.response.usage.output == 2


@given(PARTS, PLACES, PLACES)
@settings(max_examples=60)
def test_no_cutting_of_the_bytes_changes_the_events(parts: list[Grown], places: list[int], cuts: list[int]) -> None:
    encoder, framing = CLIENT.encoder(reply()), SseEncoder()
    data = b"".join(framing.encode(frame) for event in stream(_kept(parts), places) for frame in encoder.feed(event))

    assert _decoded(cut(data, cuts)) == _decoded([data])


def _decoded(pieces: list[bytes]) -> list[Event]:
    framing, decoder = SseDecoder(), UPSTREAM.decoder(counter())
    frames: list[Frame] = [frame for piece in pieces for frame in framing.feed(piece)]
    return [event for frame in frames + framing.close() for event in decoder.feed(frame)] + decoder.close()


@given(TEXT, TEXT, TEXT, st.lists(TEXT, max_size=2))
@settings(max_examples=60)
def test_a_stream_means_what_the_whole_answer_means(
    text: str, thought: str, refusal: str, arguments: list[str]
) -> None:
    wire = [
        {"index": i, "id": f"call_{i}", "type": "function", "function": {"name": "f", "arguments": argument}}
        for i, argument in enumerate(arguments)
    ]
    message = {
        "role": "assistant",
        "content": text,
        "reasoning_content": thought,
        "refusal": refusal,
        "tool_calls": wire,
    }
    whole = json.dumps({"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode()
    pieces: list[dict[str, Any]] = [{"content": letter} for letter in text] + [
        {"refusal": letter} for letter in refusal
    ]
    pieces = [{"reasoning_content": letter} for letter in thought] + pieces + [{"tool_calls": [item]} for item in wire]
    chunks = [{"id": "c", "choices": [{"index": 0, "delta": piece}]} for piece in pieces]

    folded = fold(decode(*chunks, {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))

    assert folded.complete
    assert _meaning(folded.response) == _meaning(read(whole))


def test_a_request_keeps_the_text_of_schemas_and_unknown_members() -> None:
    schema = b'{"type": "object", "x": 1.10, "n": 12345678901234567890}'
    body = b'{"model":"m","messages":[{"role":"user","content":"a"}],"tools":[{"type":"function","function":{"name":"f","parameters":%b}}],"odd":1.50}'

    rendered = render(CLIENT.parse_request(body % schema, ROUTE)).body

    assert schema in rendered
    assert b'"odd":1.50' in rendered


def test_deep_nesting_is_a_dialect_error() -> None:
    deep = b'{"model":"m","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    with pytest.raises(LocalDialectError, match="nested"):
        CLIENT.parse_request(deep, ROUTE)


def test_a_plain_request_reads_and_renders() -> None:
    assert json.loads(render(parse()).body) == {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
