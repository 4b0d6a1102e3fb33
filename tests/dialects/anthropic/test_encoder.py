"""Writing streams for clients of Anthropic."""

import pytest

from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Ended,
    Failed,
    Finished,
    Foreign,
    MediaDelta,
    Noted,
    PartEnded,
    PartStarted,
    PartStatus,
    Ping,
    ReasoningDelta,
    SealAdded,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.parts import HostedCall, HostedResult, Inline, Media, Opaque, Reasoning, Refusal, Text, ToolCall
from setu.chat.response import Finish, Usage
from setu.chat.seals import Cite, Extra, Seal
from setu.dialects.anthropic.words import own_id
from setu.errors import ErrorInfo, ErrorKind
from tests.dialects.anthropic.wire import CLIENT, encode, reply


def part(value, *deltas, number=0):
    return [PartStarted(part=number, value=value), *deltas, PartEnded(part=number)]


def content(events):
    return [event for event in events if event["type"].startswith("content_block")]


def deltas(events):
    return [event["delta"] for event in events if event["type"] == "content_block_delta"]


def starts(events):
    return [event["content_block"] for event in events if event["type"] == "content_block_start"]


def finished(reason="stop", **members):
    return Finished(candidate=0, finish=Finish(reason=reason, **members))


def losses_of(*events):
    encoder = CLIENT.encoder(reply())
    for event in [Started(), *events]:
        encoder.feed(event)
    return encoder.losses


def test_a_plain_answer_event_by_event() -> None:
    usage = Usage(input=10, output=2, cache_read=4)

    events = encode(UsageSeen(usage=usage), *part(Text(text=""), TextDelta(part=0, text="Hi")), finished())

    shape = {
        "input_tokens": 6,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 4,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 2,
    }
    assert events == [
        {
            "type": "message_start",
            "message": {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": "claude",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": shape,  # B-USG-07
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {key: shape[key] for key in list(shape) if key != "cache_creation"},
        },
        {"type": "message_stop"},
    ]


def test_the_usage_that_came_last_is_in_the_delta():  # B-USG-07
    events = encode(*part(Text(text="Hi")), finished(), UsageSeen(usage=Usage(input=5, output=9)))

    assert events[0]["message"]["usage"]["input_tokens"] == 0
    assert events[-2]["usage"] == {
        "input_tokens": 5,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 9,
    }


def test_blocks_number_from_zero_without_gaps_though_some_parts_say_nothing() -> None:
    foreign = HostedCall(call_id="h", tool="web_search_call", dialect="openai_responses")

    events = encode(
        *part(Text(text="")),
        *part(foreign, number=1),
        *part(Refusal(text=""), TextDelta(part=2, text="No."), number=2),
        *part(ToolCall(call_id="t1", name="f", arguments=""), number=3),
    )

    assert [event["index"] for event in content(events)] == [0, 0, 0, 1, 1]


def test_overlapping_parts_go_out_one_after_the_other() -> None:
    events = encode(
        PartStarted(part=0, value=Text(text="")),
        PartStarted(part=1, value=ToolCall(call_id="t1", name="f", arguments="")),
        ArgumentsDelta(part=1, text="{}"),
        TextDelta(part=0, text="Hi"),
        PartEnded(part=1),
        PartEnded(part=0),
    )

    assert [block["type"] for block in starts(events)] == ["text", "tool_use"]
    assert deltas(events) == [{"type": "text_delta", "text": "Hi"}, {"type": "input_json_delta", "partial_json": "{}"}]


def test_thinking_has_a_block_of_its_own_and_its_seal_last():  # B-ANT-04, B-THK-08
    events = encode(
        *part(
            Reasoning(),
            SealAdded(part=0, data="si", issuer="anthropic"),
            ReasoningDelta(part=0, text="hm"),
            SealAdded(part=0, data="g", issuer="anthropic", append=True),
        )
    )

    assert starts(events) == [{"type": "thinking", "thinking": "", "signature": ""}]
    assert deltas(events) == [
        {"type": "thinking_delta", "thinking": "hm"},
        {"type": "signature_delta", "signature": "sig"},
    ]


def test_sections_of_thinking_are_parted_by_a_blank_line():  # B-THK-16
    events = encode(
        *part(
            Reasoning(),
            ReasoningDelta(part=0, text="a", summary=True),
            ReasoningDelta(part=0, text="b", summary=True),
            ReasoningDelta(part=0, text="c", summary=True, section=1),
        )
    )

    assert "".join(delta["thinking"] for delta in deltas(events)) == "ab\n\nc"


def test_a_seal_of_another_issuer_stays_out() -> None:
    events = encode(*part(Reasoning(), ReasoningDelta(part=0, text="hm"), SealAdded(part=0, data="g", issuer="gemini")))

    assert deltas(events) == [{"type": "thinking_delta", "thinking": "hm"}]


def test_thinking_is_left_out_for_a_client_that_does_not_want_it() -> None:
    hidden = part(Reasoning(), ReasoningDelta(part=0, text="hm"), SealAdded(part=0, data="s", issuer="anthropic"))

    assert content(encode(*hidden, include_thoughts=False)) == []


def test_redacted_thinking_is_whole_in_its_start() -> None:
    seal = Seal(issuer="anthropic", kind="redacted", data="xx")

    assert starts(encode(*part(Reasoning(redacted=True, seal=seal)))) == [{"type": "redacted_thinking", "data": "xx"}]


@pytest.mark.parametrize(
    ("value", "pieces", "written"),
    [
        (ToolCall(call_id="t1", name="f", arguments=""), ['{"a"', ":1}"], ['{"a"', ":1}"]),
        (ToolCall(call_id="t1", name="f", arguments='{"a":1}'), [], ['{"a":1}']),  # B-ANT-03
        (ToolCall(call_id="t1", name="f", arguments=""), [], []),  # input {} in the start is the whole of it
        (ToolCall(call_id="t1", name="f", arguments="", kind="custom"), ["ls", " -l"], ['{"input":"ls -l"}']),
    ],
    ids=["deltas", "whole", "empty", "custom"],
)
def test_the_arguments_of_a_call(value, pieces, written) -> None:
    events = encode(*part(value, *(ArgumentsDelta(part=0, text=piece) for piece in pieces)))

    assert starts(events) == [{"type": "tool_use", "id": "toolu_setu_t1", "name": "f", "input": {}}]
    assert [delta["partial_json"] for delta in deltas(events)] == written


def test_foreign_ids_are_marked_and_own_ones_pass():  # B-ANT-06
    events = encode(
        *part(ToolCall(call_id="toolu_01A", name="f", arguments="")),
        *part(ToolCall(call_id="call_1", name="f", arguments=""), number=2),
        *part(ToolCall(call_id="c.1:" + "x" * 90, name="f", arguments=""), number=1),
    )

    own, foreign, illegal = (block["id"] for block in starts(events))
    assert (own, foreign) == ("toolu_01A", "toolu_setu_call_1")
    assert own_id(foreign) == "call_1"
    assert illegal.startswith("toolu_")
    assert len(illegal) <= 64


def test_anthropics_own_blocks_go_back_as_they_came() -> None:
    call = HostedCall(call_id="s1", tool="mcp_tool_use", dialect="anthropic", name="ask", server="wiki")
    result = HostedResult(call_id="s1", tool="mcp_tool_result", dialect="anthropic", content=b"[]", is_error=False)
    opaque = Opaque(dialect="anthropic", kind="compaction", raw=b'{"type":"compaction","content":"c"}')

    events = encode(
        *part(call, PartStatus(part=0, state="running"), ArgumentsDelta(part=0, text='{"q":1}')),
        *part(result, number=1),
        *part(opaque, number=2),
    )

    assert starts(events) == [
        {"type": "mcp_tool_use", "id": "s1", "name": "ask", "input": {}, "server_name": "wiki"},
        {"type": "mcp_tool_result", "tool_use_id": "s1", "is_error": False, "content": []},
        {"type": "compaction", "content": "c"},
    ]
    assert deltas(events) == [{"type": "input_json_delta", "partial_json": '{"q":1}'}]


def test_own_citations_are_written_and_foreign_ones_noted() -> None:
    own = Cite(kind="char_location", dialect="anthropic", raw=b'{"type":"char_location"}')
    foreign = Cite(kind="url_citation", dialect="openai_chat", raw=b"{}")
    cited = part(Text(text=""), CiteAdded(part=0, cite=own), CiteAdded(part=0, cite=foreign))

    assert deltas(encode(*cited)) == [{"type": "citations_delta", "citation": {"type": "char_location"}}]
    assert [loss.pointer for loss in losses_of(*cited)] == ["/content/0"]


def test_sound_leaves_its_transcript() -> None:
    audio = Media(kind="audio", source=Inline(b64="", mime="audio/wav"))
    spoken = part(audio, MediaDelta(part=0, data="AAAA", transcript="Hi"))

    assert deltas(encode(*spoken)) == [{"type": "text_delta", "text": "Hi"}]
    assert len(losses_of(*spoken)) == 1


@pytest.mark.parametrize(
    ("events", "word"),
    [
        ([finished("length")], "max_tokens"),
        ([finished("refusal", native="refusal")], "refusal"),
        ([*part(ToolCall(call_id="t", name="f", arguments="")), finished("stop")], "tool_use"),  # B-STR-30
        ([], "end_turn"),
    ],
    ids=["length", "refusal", "call and stop", "none said"],
)
def test_the_stop_reason(events, word) -> None:
    assert encode(*events)[-2]["delta"]["stop_reason"] == word


def test_only_the_first_candidate_is_told() -> None:
    events = encode(
        PartStarted(part=0, value=Text(text="a")),
        PartStarted(part=1, value=Text(text="b"), candidate=1),
        TextDelta(part=1, text="c"),
        PartEnded(part=1),
        PartEnded(part=0),
        Finished(candidate=1, finish=Finish(reason="length")),
        finished(),
    )

    assert [delta["text"] for delta in deltas(events)] == ["a"]
    assert events[-2]["delta"]["stop_reason"] == "end_turn"


def test_candidates_left_out_are_noted_once() -> None:
    other = [
        PartStarted(part=1, value=Text(text="b"), candidate=1),
        Finished(candidate=1, finish=Finish(reason="stop")),
    ]

    assert [loss.pointer for loss in losses_of(*other)] == ["/candidates/1"]


def test_late_members_stand_where_anthropic_puts_them() -> None:
    members = {"container": b'{"id":"c"}', "context_management": b"{}"}

    end = encode(Noted(extra=Extra(dialect="anthropic", members=members)), finished())[-2]

    assert end["delta"]["container"] == {"id": "c"}
    assert end["context_management"] == {}


def test_a_late_member_never_takes_the_place_of_the_events_own() -> None:
    members = {"type": b'"ping"', "usage": b"null"}

    end = encode(Noted(extra=Extra(dialect="anthropic", members=members)), finished())[-2]

    assert end["type"] == "message_delta"
    assert end["usage"]["output_tokens"] == 0


def test_pings_and_anthropics_unknown_events_go_through():  # B-SSE-04, B-ANT-08
    own = Foreign(dialect="anthropic", event="of_tomorrow", raw=b'{"type":"of_tomorrow","index":7}')
    foreign = Foreign(dialect="openai_responses", event="x", raw=b"{}")

    events = encode(*part(Text(text="a")), Ping(), own, foreign)

    assert [event["type"] for event in events[4:6]] == ["ping", "of_tomorrow"]
    assert events[5]["index"] == 1
    assert len(events) == 8


ERROR = ErrorInfo(kind=ErrorKind.OVERLOADED, status=529, message="Overloaded")


def test_an_error_ends_the_stream_without_a_stop():  # B-SSE-15, B-SSE-17
    events = encode(
        Started(), PartStarted(part=0, value=Text(text="Hi")), Failed(error=ERROR), Ended(complete=False), whole=False
    )

    assert [event["type"] for event in events if event["type"].startswith("message")] == ["message_start"]
    assert events[-1] == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
        "request_id": None,
    }


def test_an_error_before_the_start_stands_alone() -> None:
    assert [event["type"] for event in encode(Failed(error=ERROR), Ended(complete=False), whole=False)] == ["error"]


def test_a_stream_that_breaks_off_is_no_success():  # B-SSE-18
    events = encode(Started(), PartStarted(part=0, value=Text(text="Hi")), Ended(complete=False), whole=False)

    assert events[-1]["type"] == "error"
    assert "message_stop" not in {event["type"] for event in events}


def test_an_empty_answer_is_still_a_message() -> None:
    events = encode(Started(), finished(), Ended(complete=True), whole=False)

    assert [event["type"] for event in events] == ["message_start", "message_delta", "message_stop"]


def test_a_ping_before_the_start_does_not_begin_the_answer() -> None:
    events = encode(Ping(), Started(id="msg_real"), finished(), Ended(complete=True), whole=False)

    assert [event["type"] for event in events] == ["ping", "message_start", "message_delta", "message_stop"]
    assert events[1]["message"]["id"] == "msg_real"


def test_members_of_a_block_that_only_anthropic_knows_are_written_in_its_start() -> None:
    extra = Extra(dialect="anthropic", members={"of_tomorrow": b"1"})

    events = encode(*part(Text(text="", extra=extra), TextDelta(part=0, text="Hi")))

    assert starts(events) == [{"type": "text", "text": "", "of_tomorrow": 1}]


def test_what_the_wire_has_no_place_for_is_noted_once() -> None:
    text = part(Text(text=""), *(TextDelta(part=0, text="a", logprobs=(b"{}",)) for _ in range(2)))

    losses = losses_of(*text, Noted(feedback=b"{}"))

    assert [(loss.pointer, loss.severity) for loss in losses] == [("/logprobs", "info"), ("/promptFeedback", "info")]


def test_thinking_that_is_whole_at_its_start_is_written() -> None:
    seal = Seal(issuer="anthropic", kind="signature", data="sig")

    events = encode(*part(Reasoning(text=("hm",), seal=seal)))

    assert deltas(events) == [
        {"type": "thinking_delta", "thinking": "hm"},
        {"type": "signature_delta", "signature": "sig"},
    ]
