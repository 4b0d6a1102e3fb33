"""Reading Anthropic's streams, straight and bent."""

import pytest

from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Ended,
    Failed,
    Finished,
    Foreign,
    Noted,
    PartEnded,
    PartStarted,
    Ping,
    ReasoningDelta,
    SealAdded,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.fold import fold
from setu.chat.ids import counter
from setu.chat.parts import HostedCall, HostedResult, Opaque, Reasoning, Text, ToolCall
from setu.chat.response import Finish
from setu.chat.seals import Extra, Seal
from setu.errors import ErrorKind
from setu.framing.frame import Frame
from tests.dialects.anthropic.wire import START, STOP, UPSTREAM, block, decode, ended

TEXT = {"type": "text", "text": ""}
CALL = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
THINKING = {"type": "thinking", "thinking": "", "signature": ""}


def text(words):
    return {"type": "text_delta", "text": words}


def json_delta(words):
    return {"type": "input_json_delta", "partial_json": words}


def parts_of(*events):
    (candidate,) = fold(decode(START, *events, ended(), STOP)).response.candidates
    return candidate.messages[0].parts


def test_a_plain_stream_event_by_event() -> None:
    events = decode(START, *block(0, TEXT, text("Hel"), text("lo")), ended(), STOP)

    assert events == [
        Started(id="msg_1", model="claude"),
        PartStarted(part=0, value=Text(text="")),
        TextDelta(part=0, text="Hel"),
        TextDelta(part=0, text="lo"),
        PartEnded(part=0),
        *[event for event in events if isinstance(event, UsageSeen)],
        Finished(candidate=0, finish=Finish(reason="stop", native="end_turn")),
        Ended(complete=True),
    ]


def test_thinking_comes_with_its_seal():  # B-THK-08
    deltas = ({"type": "thinking_delta", "thinking": "hm"}, {"type": "signature_delta", "signature": "sig"})

    events = decode(START, *block(0, THINKING, *deltas), close=False)

    assert events[1:] == [
        PartStarted(part=0, value=Reasoning()),
        ReasoningDelta(part=0, text="hm"),
        SealAdded(part=0, data="sig", issuer="anthropic"),
        PartEnded(part=0),
    ]


def test_redacted_thinking_is_whole_at_its_start():  # B-THK-09
    assert parts_of(*block(0, {"type": "redacted_thinking", "data": "xx"})) == (
        Reasoning(redacted=True, seal=Seal(issuer="anthropic", kind="redacted", data="xx")),
    )


@pytest.mark.parametrize(
    ("start", "deltas", "arguments"),
    [
        ({}, ['{"a', '":1}'], '{"a":1}'),
        ({}, [], "{}"),  # B-STR-09: a call without arguments ends as valid JSON
        ({}, [""], "{}"),
        ({"a": 1}, [], '{"a": 1}'),  # B-ANT-02: compatible servers send all of it in the start
        ({"a": 1}, ['{"a":1}'], '{"a":1}'),
        ({}, ['{"a":'], '{"a":'),  # B-STR-13: cut off by max_tokens
    ],
)
def test_the_arguments_of_a_call_are_its_deltas_or_else_its_start(start, deltas, arguments) -> None:
    assert parts_of(*block(0, CALL | {"input": start}, *map(json_delta, deltas))) == (
        ToolCall(call_id="t1", name="f", arguments=arguments),
    )


def test_hosted_tools_stream_too() -> None:
    use = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
    result = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}

    assert parts_of(*block(0, use, json_delta('{"q":1}')), *block(1, result)) == (
        HostedCall(call_id="s1", tool="server_tool_use", dialect="anthropic", name="web_search", arguments=b'{"q":1}'),
        HostedResult(call_id="s1", tool="web_search_tool_result", dialect="anthropic", content=b"[]"),
    )


def test_citations_are_added_to_their_text() -> None:
    cite = {"type": "web_search_result_location", "url": "https://x", "cited_text": "q"}

    events = decode(START, *block(0, TEXT, {"type": "citations_delta", "citation": cite}), close=False)

    (added,) = [event for event in events if isinstance(event, CiteAdded)]
    assert (added.part, added.cite.url, added.cite.quoted) == (0, "https://x", "q")


def test_a_block_of_an_unknown_kind_grows_and_comes_out_whole() -> None:
    start = {"type": "compaction", "content": None}
    deltas = [{"type": "compaction_delta", "content": words} for words in ("so ", "far")]

    (part,) = parts_of(*block(0, start, *deltas))

    assert part == Opaque(dialect="anthropic", kind="compaction", raw=b'{"type":"compaction","content":"so far"}')


def test_the_input_of_an_unknown_tool_is_put_together() -> None:
    (part,) = parts_of(*block(0, {"type": "of_tomorrow_use", "input": {}}, json_delta('{"a"'), json_delta(":1}")))

    assert part.raw == b'{"type":"of_tomorrow_use","input":{"a":1}}'


def test_usage_is_cumulative_and_a_zero_erases_nothing():  # B-USG-03
    start = START | {
        "message": START["message"] | {"usage": {"input_tokens": 10, "cache_read_input_tokens": 4, "output_tokens": 1}}
    }

    usage = fold(decode(start, ended(input_tokens=0, output_tokens=7), STOP)).response.usage

    assert (usage.input, usage.cache_read, usage.output) == (14, 4, 7)


def test_the_real_split_may_come_with_the_delta():  # B-USG-04
    start = START | {"message": START["message"] | {"usage": {"input_tokens": 8834, "output_tokens": 0}}}

    usage = fold(
        decode(start, ended(input_tokens=18, cache_read_input_tokens=8831, output_tokens=3), STOP)
    ).response.usage

    assert (usage.input, usage.cache_read, usage.output) == (8849, 8831, 3)


def test_a_call_outweighs_the_word_that_came_with_it():  # B-STR-14
    events = decode(START, *block(0, CALL), ended("end_turn"), STOP)

    assert [event.finish.reason for event in events if isinstance(event, Finished)] == ["tool_calls"]


def test_late_members_are_noted() -> None:
    delta = ended() | {"context_management": {"applied_edits": []}}
    delta["delta"] = delta["delta"] | {"container": {"id": "c"}, "stop_details": None}

    events = decode(START, delta, STOP)

    assert (
        Noted(
            extra=Extra(
                dialect="anthropic",
                members={"container": b'{"id": "c"}', "context_management": b'{"applied_edits": []}'},
            )
        )
        in events
    )


@pytest.mark.parametrize("odd", [b": keepalive", b'{"type":"ping"}'], ids=["comment in data", "ping"])  # B-SSE-01
def test_signs_of_life_are_pings(odd) -> None:
    assert decode(odd, close=False) == [Ping()]


def test_empty_data_are_skipped_and_a_bare_event_is_a_ping():  # B-SSE-03
    decoder = UPSTREAM.decoder(counter())

    assert decoder.feed(Frame(data=b"")) == []
    assert decoder.feed(Frame(data=b"[DONE]")) == []
    assert decoder.feed(Frame(comment=b"x")) == []
    assert decoder.feed(Frame(event="keepalive")) == [Ping()]


def test_an_unknown_event_is_kept_for_anthropic():  # B-ANT-08
    assert decode(b'{"type":"of_tomorrow","x":1}', close=False) == [
        Foreign(dialect="anthropic", event="of_tomorrow", raw=b'{"type":"of_tomorrow","x":1}')
    ]


def test_an_unknown_delta_is_kept_for_anthropic() -> None:
    events = decode(START, *block(0, TEXT, {"type": "of_tomorrow_delta"}, stop=False), close=False)

    assert [event.event for event in events if isinstance(event, Foreign)] == ["content_block_delta"]


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, 529, ErrorKind.OVERLOADED),
        ({"type": "rate_limit_error", "message": "slow"}, 429, ErrorKind.RATE_LIMIT),
        ({"type": "of_tomorrow", "message": "?"}, 500, ErrorKind.SERVER),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_an_error_in_the_stream_ends_it(error, status, kind):  # B-SSE-15
    events = decode(START, *block(0, TEXT, text("Hi"), stop=False), {"type": "error", "error": error}, ended(), STOP)

    assert isinstance(events[-2], Failed)
    assert (events[-2].error.status, events[-2].error.kind) == (status, kind)
    assert events[-3:] == [PartEnded(part=0), events[-2], Ended(complete=False)]


def test_an_error_without_its_type_is_an_error_too():  # B-SSE-14
    events = decode(START, b'{"error":{"message":"no"}}')

    assert [type(event) for event in events] == [Started, Failed, Ended]


def test_data_that_are_not_json_fail_the_stream() -> None:
    events = decode(START, b"<html>")

    assert events[1].error.kind is ErrorKind.BAD_GATEWAY
    assert events[-1] == Ended(complete=False)


def test_a_frame_that_the_end_cut_off_only_leaves_the_stream_incomplete() -> None:
    decoder = UPSTREAM.decoder(counter())
    decoder.feed(Frame(data=b'{"type":"message_start","message":{}}'))

    assert decoder.feed(Frame(data=b'{"type":"message_st', terminated=False)) == []
    assert decoder.close() == [Ended(complete=False)]


@pytest.mark.parametrize(
    ("events", "complete"),
    [
        ((START, ended()), True),  # a stop reason was seen
        ((START, STOP), True),
        ((START, *block(0, TEXT, text("Hi"))), False),
        ((START, ended(None)), False),
        ((), False),
    ],
    ids=["stop reason", "message_stop", "text only", "no reason", "nothing"],
)
def test_a_stream_is_complete_once_its_end_was_said(events, complete):  # B-SSE-18
    decoded = decode(*events)

    assert decoded[-1] == Ended(complete=complete)
    assert sum(isinstance(event, Finished) for event in decoded) == int(complete)


def test_a_call_that_was_cut_off_gets_no_arguments_invented() -> None:
    events = decode(START, *block(0, CALL, stop=False))

    assert not any(isinstance(event, ArgumentsDelta) for event in events)


@pytest.mark.parametrize(
    ("events", "parts"),
    [
        # B-ANT-01: a delta without its start
        ([{"type": "content_block_delta", "index": 0, "delta": text("Hi")}], (Text(text="Hi"),)),
        # B-ANT-04: thinking inside a text block
        (
            block(0, TEXT, {"type": "thinking_delta", "thinking": "hm"}, text("Hi")),
            (Reasoning(text=("hm",)), Text(text="Hi")),
        ),
        # B-STR-05: one index for two blocks, the first never stopped
        (
            [*block(0, TEXT, text("Hi"), stop=False), *block(0, CALL, json_delta("{}"))],
            (Text(text="Hi"), ToolCall(call_id="t1", name="f", arguments="{}")),
        ),
        # interleaved blocks
        (
            [
                *block(0, CALL, stop=False),
                *block(1, CALL | {"id": "t2"}, json_delta('{"b":1}'), stop=False),
                {"type": "content_block_delta", "index": 0, "delta": json_delta('{"a":1}')},
            ],
            (
                ToolCall(call_id="t1", name="f", arguments='{"a":1}'),
                ToolCall(call_id="t2", name="f", arguments='{"b":1}'),
            ),
        ),
        # a call without an id
        (block(0, CALL | {"id": ""}), (ToolCall(call_id="toolu_1", name="f", arguments="{}"),)),
        # content in the start itself
        (block(0, {"type": "text", "text": "Hi"}), (Text(text="Hi"),)),
    ],
    ids=["no start", "thinking in text", "index twice", "interleaved", "no id", "whole start"],
)
def test_bent_streams_are_read(events, parts) -> None:
    found = tuple(part for part in parts_of(*events) if part != Text(text=""))

    assert found == parts


def test_a_second_start_begins_nothing_anew():  # B-ANT-04
    events = decode(START, START, *block(0, TEXT, text("Hi")), ended(), STOP)

    assert sum(isinstance(event, Started) for event in events) == 1


def test_a_stream_without_its_start_still_starts() -> None:
    events = decode(*block(0, TEXT, text("Hi")), ended(), STOP)

    assert events[0] == Started()
    assert events[-1] == Ended(complete=True)
