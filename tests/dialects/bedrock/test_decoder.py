"""ConverseStream's messages to events."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.events import Ended, Failed, Finished, Foreign, Noted, PartEnded, PartStarted, Started, UsageSeen
from setu.chat.fold import fold
from setu.chat.ids import counter
from setu.chat.normal import normal_response
from setu.chat.parts import HostedResult, Inline, Media, Reasoning, Text, ToolCall
from setu.chat.seals import Seal
from setu.dialects.bedrock.decoder import Decoder
from setu.dialects.bedrock.response import parse_response
from setu.errors import ErrorKind
from setu.framing.eventstream import EventStreamEncoder
from setu.framing.frame import Frame, Header
from tests.cuts import PLACES, cut
from tests.dialects.bedrock.wire import METADATA, START, decoded, delta, ended, folded, opened, stop, stream

USE = {"toolUse": {"toolUseId": "t1", "name": "f"}}


def _parts(*events):
    return folded(START, *events, stop(), METADATA).response.candidates[0].messages[0].parts


def test_text_streams_as_one_part_and_ends_with_usage() -> None:
    events = decoded(stream(START, delta({"text": "Hel"}), delta({"text": "lo"}), ended(), stop(), METADATA))

    result = fold(events)
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Ended)
    assert result.complete
    assert result.response.candidates[0].messages[0].parts == (Text(text="Hello"),)
    assert result.response.usage is not None
    assert (result.response.usage.input, result.response.usage.total) == (3, 5)


def test_thinking_then_text_then_a_call() -> None:
    parts = _parts(
        delta({"reasoningContent": {"text": "Hm"}}),
        delta({"reasoningContent": {"signature": "c2ln"}}),
        ended(),
        delta({"text": "So."}, 1),
        ended(1),
        opened(USE, 2),
        delta({"toolUse": {"input": ""}}, 2),
        delta({"toolUse": {"input": '{"a"'}}, 2),
        delta({"toolUse": {"input": ":1}"}}, 2),
        ended(2),
    )

    assert parts == (
        Reasoning(text=("Hm",), seal=Seal(issuer="anthropic", kind="signature", data="c2ln")),
        Text(text="So."),
        ToolCall(call_id="t1", name="f", arguments='{"a":1}'),
    )


def test_blocks_of_two_kinds_in_one_index_are_two_parts() -> None:
    parts = _parts(delta({"reasoningContent": {"text": "Hm"}}), delta({"text": "So."}), ended())

    assert [type(part) for part in parts] == [Reasoning, Text]


def test_redacted_thinking_streams_whole() -> None:
    (part,) = _parts(delta({"reasoningContent": {"redactedContent": "RW13Sw=="}}), ended())

    assert part == Reasoning(redacted=True, seal=Seal(issuer="anthropic", kind="redacted", data="EmwK"))


def test_a_call_without_arguments_has_an_empty_object() -> None:
    """B-STR-09."""
    assert _parts(opened(USE), ended()) == (ToolCall(call_id="t1", name="f", arguments="{}"),)


def test_the_forced_answer_streams_as_text() -> None:
    answer = {"toolUse": {"toolUseId": "t", "name": "setu-json-answer"}}

    result = folded(START, opened(answer), delta({"toolUse": {"input": '{"a":1}'}}), ended(), stop("tool_use"))

    candidate = result.response.candidates[0]
    assert candidate.messages[0].parts == (Text(text='{"a":1}'),)
    assert candidate.finish is not None
    assert candidate.finish.reason == "stop"


def test_a_hosted_result_and_an_image_are_given_whole() -> None:
    start = {"toolResult": {"toolUseId": "s", "type": "calc_result", "status": "success"}}

    parts = _parts(
        opened(start),
        delta({"toolResult": [{"text": "1"}]}),
        delta({"toolResult": [{"text": "2"}]}),
        ended(),
        opened({"image": {"format": "png"}}, 1),
        delta({"image": {"source": {"bytes": "AAAA"}}}, 1),
        ended(1),
    )

    assert parts == (
        HostedResult(
            call_id="s", tool="calc_result", dialect="bedrock", content=b'[{"text": "1"},{"text": "2"}]', is_error=False
        ),
        Media(kind="image", source=Inline(b64="AAAA", mime="image/png")),
    )


def test_citations_come_on_the_text() -> None:
    (part,) = _parts(delta({"text": "A"}), delta({"citation": {"title": "T"}}), ended())

    assert isinstance(part, Text)
    assert [cite.title for cite in part.cites] == ["T"]


def test_a_call_outweighs_a_plain_stop() -> None:
    """B-STR-14."""
    events = decoded(stream(START, opened(USE), ended(), stop("end_turn"), METADATA))

    (finished,) = [event for event in events if isinstance(event, Finished)]
    assert finished.finish.reason == "tool_calls"


def test_a_trace_and_a_tier_come_late() -> None:
    late = ("metadata", {"trace": {"guardrail": {}}, "serviceTier": {"type": "flex"}, "metrics": {}, "p": "abc"})

    events = decoded(stream(START, delta({"text": "x"}), ended(), stop(), late))

    (noted,) = [event for event in events if isinstance(event, Noted)]
    assert noted.service_tier == "flex"
    assert noted.extra is not None
    assert noted.extra.members == {"trace": b'{"guardrail": {}}'}


@pytest.mark.parametrize(
    ("name", "data", "status", "kind", "message"),
    [
        ("throttlingException", {"message": "slow"}, 429, ErrorKind.RATE_LIMIT, "slow"),
        ("serviceUnavailableException", {"message": "x"}, 503, ErrorKind.UNAVAILABLE, "x"),
        ("validationException", {"message": "x"}, 400, ErrorKind.INVALID_REQUEST, "x"),
        ("internalServerException", {}, 500, ErrorKind.SERVER, "the upstream answered 500 without a message"),
        (
            "modelStreamErrorException",
            {"originalStatusCode": 503, "originalMessage": "o"},
            503,
            ErrorKind.UNAVAILABLE,
            "o",
        ),
        ("modelStreamErrorException", {"message": "m", "originalMessage": "o"}, 424, ErrorKind.SERVER, "m"),
        ("brandNewException", {"message": "n"}, 500, ErrorKind.SERVER, "n"),
    ],
)
def test_an_exception_fails_the_stream_with_its_status(name, data, status, kind, message) -> None:
    events = decoded(stream(START, delta({"text": "x"}), (name, data), delta({"text": "y"}), stop()))

    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert (failed.error.status, failed.error.kind, failed.error.message) == (status, kind, message)
    assert events[-1] == Ended(complete=False)
    assert not any(isinstance(event, Finished) for event in events)


def test_an_unmodelled_error_has_its_words_in_headers() -> None:
    headers = (
        Header(":message-type", "string", "error"),
        Header(":error-code", "string", "InternalFailure"),
        Header(":error-message", "string", "gone"),
    )
    wire = EventStreamEncoder().encode(Frame(headers=headers))

    (failed,) = [event for event in decoded(wire) if isinstance(event, Failed)]

    assert (failed.error.message, failed.error.type, failed.error.status) == ("gone", "InternalFailure", 500)


def test_a_damaged_message_is_a_bad_gateway() -> None:
    wire = bytearray(stream(START, delta({"text": "x"})))
    wire[-1] ^= 1

    (failed,) = [event for event in decoded(bytes(wire)) if isinstance(event, Failed)]

    assert (failed.error.kind, failed.error.status) == (ErrorKind.BAD_GATEWAY, 502)


def test_an_event_that_is_no_json_is_a_bad_gateway() -> None:
    wire = EventStreamEncoder().encode(Frame(event="messageStart", data=b"oops"))

    (failed,) = [event for event in decoded(wire) if isinstance(event, Failed)]

    assert failed.error.kind == ErrorKind.BAD_GATEWAY


@pytest.mark.parametrize("cut_off", [1, 5])
def test_a_stream_cut_inside_a_message_is_incomplete(cut_off) -> None:
    wire = stream(START, delta({"text": "x"}), ended(), stop())

    events = decoded(wire[:-cut_off])

    assert events[-1] == Ended(complete=False)
    assert not any(isinstance(event, (Failed, Finished)) for event in events)


def test_a_stream_without_its_metadata_is_complete() -> None:
    assert folded(START, delta({"text": "x"}), stop()).complete


def test_an_unknown_event_passes_as_foreign() -> None:
    events = decoded(stream(START, ("weather", {"sun": 1})))

    assert [event for event in events if isinstance(event, Foreign)] == [
        Foreign(dialect="bedrock", event="weather", raw=b'{"sun": 1}')
    ]


def test_deltas_without_a_start_begin_the_answer() -> None:
    events = decoded(stream(delta({"text": "x"}), stop()))

    assert isinstance(events[0], Started)


BLOCKS = st.one_of(
    st.builds(lambda text: {"text": text}, st.text(min_size=1, max_size=8)),
    st.builds(
        lambda text: {"reasoningContent": {"reasoningText": {"text": text, "signature": "cw"}}},
        st.text(min_size=1, max_size=8),
    ),
    st.builds(lambda n: {"toolUse": {"toolUseId": f"t{n}", "name": "f", "input": {"n": n}}}, st.integers(0, 9)),
)


def _streamed(index: int, block: dict[str, Any]) -> list[Any]:
    if "text" in block:
        return [delta(block, index), ended(index)]
    if "toolUse" in block:
        use = block["toolUse"]
        start = {"toolUse": {"toolUseId": use["toolUseId"], "name": use["name"]}}
        return [opened(start, index), delta({"toolUse": {"input": json.dumps(use["input"])}}, index), ended(index)]
    words = block["reasoningContent"]["reasoningText"]
    pieces = ({"text": words["text"]}, {"signature": words["signature"]})
    return [*(delta({"reasoningContent": piece}, index) for piece in pieces), ended(index)]


@given(st.lists(BLOCKS, max_size=5), PLACES)
def test_a_stream_however_cut_is_its_plain_twin(blocks, places) -> None:
    events = [
        START,
        *(event for index, block in enumerate(blocks) for event in _streamed(index, block)),
        stop(),
        METADATA,
    ]
    wire = stream(*events)
    plain = {"output": {"message": {"content": blocks}}, "stopReason": "end_turn", "usage": METADATA[1]["usage"]}

    twin = parse_response(json.dumps(plain).encode(), counter())

    found = decoded(*cut(wire, places))
    assert found == decoded(wire)
    one, other = (normal_response(answer) for answer in (fold(found).response, twin))
    assert [c.messages[0].parts for c in one.candidates if c.messages] == [
        c.messages[0].parts for c in other.candidates if c.messages[0].parts
    ]
    assert one.usage == other.usage


NAMES = ["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata", "x"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "delta",
                    "start",
                    "text",
                    "toolUse",
                    "input",
                    "reasoningContent",
                    "toolResult",
                    "image",
                    "contentBlockIndex",
                    "usage",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(st.lists(st.tuples(st.sampled_from(NAMES), JSON), max_size=8))
def test_any_messages_give_a_legal_sequence_of_events(messages) -> None:
    frames = [Frame(event=name, data=json.dumps(value).encode()) for name, value in messages]
    decoder = Decoder(counter())

    events = [event for frame in frames for event in decoder.feed(frame)] + decoder.close()

    opened_parts = [event.part for event in events if isinstance(event, PartStarted)]
    ended_parts = [event.part for event in events if isinstance(event, PartEnded)]
    assert sorted(opened_parts) == sorted(ended_parts)
    assert isinstance(events[-1], Ended)
    assert sum(isinstance(event, Started) for event in events) <= 1
    assert sum(isinstance(event, Finished) for event in events) <= 1
    spoken = [event for event in events if not isinstance(event, (Failed, Ended, Foreign))]
    assert not spoken or isinstance(spoken[0], Started)
    assert all(isinstance(event.usage.raw, bytes) for event in events if isinstance(event, UsageSeen))
    fold(events)
