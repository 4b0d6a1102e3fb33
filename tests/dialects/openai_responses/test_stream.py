"""Streams, both ways: what hosts leave out, and the order a client is given."""

import json
from typing import Any

import pytest

from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Ended,
    Event,
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
from setu.chat.parts import Reasoning, Text, ToolCall
from setu.chat.response import Finish, Usage
from setu.chat.seals import Cite
from setu.dialects.openai_responses.codec import DIALECT
from setu.errors import ErrorInfo, ErrorKind
from setu.framing.frame import Frame
from tests.dialects.openai_responses.bodies import streamed
from tests.dialects.openai_responses.oracle import need_events, need_order
from tests.dialects.openai_responses.wire import answer, call, decode, encode, frame, frames, kinds, message

CREATED = {"type": "response.created", "response": answer(status="in_progress", usage=None)}
STOPPED: tuple[Event, ...] = (Finished(candidate=0, finish=Finish(reason="stop")), Ended(complete=True))
BROKEN = ErrorInfo(kind=ErrorKind.OVERLOADED, status=529, message="busy")


def completed(*items: dict[str, Any], kind: str = "completed", **members: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "response": answer(*items, status=kind, **members)}


def added(item: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def done(item: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def parts(events: list[Event]) -> list[Any]:
    folded = fold(events)
    return [part for m in folded.response.candidates[0].messages for part in m.parts]


def test_text_that_was_streamed_is_not_told_again() -> None:
    """B-STR-24."""
    events = decode(*streamed(answer(message("hello")), [2]))

    assert [event.text for event in events if isinstance(event, TextDelta)] == ["he", "llo"]
    assert isinstance(events[-1], Ended)
    assert events[-1].complete


@pytest.mark.parametrize("where", ["done event", "item", "last event"])
def test_arguments_that_no_delta_told_come_from_a_closing_copy(where: str) -> None:
    """B-ANT-02."""
    whole = call(arguments='{"a":1}', id="fc_1")
    copies = {
        "done event": {"type": "response.function_call_arguments.done", "output_index": 0, "arguments": '{"a":1}'},
        "item": done(whole),
        "last event": completed(whole),
    }

    events = decode(CREATED, added(call(arguments="", id="fc_1")), copies[where], completed(whole))

    assert [event.text for event in events if isinstance(event, ArgumentsDelta)] == ['{"a":1}']
    assert Finished(candidate=0, finish=Finish(reason="tool_calls", native="completed")) in events


def test_a_host_that_announces_nothing_is_understood() -> None:
    """B-RSP-02."""
    events = decode({"type": "response.output_text.delta", "item_id": "m", "delta": "hi"}, completed(message("hi")))

    assert isinstance(events[0], Started)
    assert parts(events)[0].text == "hi"


def test_an_item_that_only_the_last_event_shows_is_told() -> None:
    assert [part.text for part in parts(decode(CREATED, completed(message("late"))))] == ["late"]


@pytest.mark.parametrize("kind", ["completed", "incomplete", "failed"])
def test_usage_is_read_whatever_the_end(kind: str) -> None:
    """B-USG-09."""
    events = decode(CREATED, completed(kind=kind, error={"code": "server_error", "message": "x"}))

    usage = next(event.usage for event in events if isinstance(event, UsageSeen))
    assert (usage.input, usage.output) == (3, 2)
    assert isinstance(events[-1], Ended)
    assert events[-1].complete is (kind != "failed")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "rate_limit_exceeded", "message": "slow", "param": None, "sequence_number": 3},
        {"type": "error", "error": {"type": "tokens", "code": "rate_limit_exceeded", "message": "slow"}},
        {"error": {"code": "rate_limit_exceeded", "message": "slow"}},
    ],
    ids=["flat", "nested", "bare"],
)
def test_an_error_is_read_in_any_form(event: dict[str, Any]) -> None:
    """B-ERR-14."""
    events = decode(CREATED, event, completed(message("never")))

    assert [(e.error.kind, e.error.message) for e in events if isinstance(e, Failed)] == [
        (ErrorKind.RATE_LIMIT, "slow")
    ]
    assert events[-1] == Ended(complete=False)


def test_signs_of_life_and_events_of_tomorrow_pass() -> None:
    strange = {"type": "response.rate_limits.updated", "sequence_number": 9}

    events = decode({"type": "keepalive", "sequence_number": 0}, CREATED, strange, completed(message("x")), b"[DONE]")

    assert Ping() in events
    assert any(isinstance(event, Foreign) and event.event == strange["type"] for event in events)


def test_a_stream_without_its_end_is_not_complete() -> None:
    events = decode(*streamed(answer(message("hello")), [])[:-1])

    assert events[-1] == Ended(complete=False)


def test_facts_that_come_with_the_end_are_noted() -> None:
    events = decode(CREATED, completed(service_tier="default", billing={"payer": "x"}))

    (noted,) = [event for event in events if isinstance(event, Noted)]
    assert noted.service_tier == "default"
    assert noted.extra is not None
    assert noted.extra.members.keys() == {"billing"}


def test_a_message_goes_through_its_whole_life() -> None:
    """B-RSP-01, B-RSP-02, B-RSP-03."""
    cite = Cite(kind="web", dialect="x", url="https://x.test", start=0, end=1)
    events = encode(
        [
            Started(id="resp_1", model="m", created=3),
            PartStarted(part=0, value=Text(text="")),
            TextDelta(part=0, text="he"),
            TextDelta(part=0, text="llo"),
            CiteAdded(part=0, cite=cite),
            PartEnded(part=0),
            UsageSeen(usage=Usage(input=1, output=2)),
            *STOPPED,
        ]
    )

    assert kinds(events) == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.annotation.added", "output_text.done", "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert [event["sequence_number"] for event in events] == list(range(11))
    assert events[0]["response"]["id"] == "resp_1"
    assert events[-1]["response"]["usage"]["total_tokens"] == 3
    assert events[-1]["response"]["output"] == [events[-2]["item"]]


def test_thinking_has_sections_and_its_proof_comes_with_the_end() -> None:
    events = encode(
        [
            Started(),
            PartStarted(part=0, value=Reasoning()),
            ReasoningDelta(part=0, text="a", summary=True),
            ReasoningDelta(part=0, text="b", section=1, summary=True),
            SealAdded(part=0, data="gA", issuer="openai_responses", kind="encrypted"),
            PartEnded(part=0),
            *STOPPED,
        ]
    )

    assert kinds(events)[2:-1] == [
        "output_item.added",
        "reasoning_summary_part.added", "reasoning_summary_text.delta", "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "reasoning_summary_part.added", "reasoning_summary_text.delta", "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]  # fmt: skip
    item = events[-1]["response"]["output"][0]
    assert ([part["text"] for part in item["summary"]], item["encrypted_content"]) == (["a", "b"], "gA")


def test_overlapping_items_keep_their_own_index_and_close_in_time() -> None:
    one, two = (ToolCall(call_id=c, name="f", arguments="") for c in ("a", "b"))
    sent = frames(
        [
            Started(),
            PartStarted(part=0, value=Text(text="")),
            PartStarted(part=1, value=one),
            PartStarted(part=2, value=two),
            ArgumentsDelta(part=2, text='{"n":2}'),
            TextDelta(part=0, text="x"),
            ArgumentsDelta(part=1, text='{"n":1}'),
            PartEnded(part=0),
            PartEnded(part=2),
            PartEnded(part=1),
            *STOPPED,
        ]
    )

    events = need_events(sent)
    need_order(events)
    output = events[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["message", "function_call", "function_call"]
    assert [item["arguments"] for item in output[1:]] == ['{"n":1}', '{"n":2}']


def test_texts_of_two_messages_are_two_items() -> None:
    events: list[Event] = [Started()]
    for number in (0, 1):
        events += [
            PartStarted(part=number, value=Text(text="x"), message=number, phase="commentary"),
            PartEnded(part=number),
        ]

    output = encode([*events, *STOPPED])[-1]["response"]["output"]

    assert [(item["type"], item["phase"]) for item in output] == [("message", "commentary")] * 2
    assert len({item["id"] for item in output}) == 2


def test_an_empty_call_ends_as_json() -> None:
    """B-STR-09."""
    events = encode(
        [
            Started(),
            PartStarted(part=0, value=ToolCall(call_id="c", name="f", arguments="")),
            PartEnded(part=0),
            *STOPPED,
        ]
    )

    assert events[-1]["response"]["output"][0]["arguments"] == "{}"
    assert "function_call_arguments.delta" in kinds(events)


def test_a_failure_is_an_error_in_both_forms_and_a_failed_response() -> None:
    """B-SSE-17, B-ERR-14."""
    sent = frames(
        [Started(), PartStarted(part=0, value=Text(text="")), TextDelta(part=0, text="x"), Failed(error=BROKEN)]
    )

    events = need_events(sent)
    error, last = events[-2:]
    assert (error["type"], error["message"], error["error"]["message"]) == ("error", "busy", "busy")
    assert (last["type"], last["response"]["status"]) == ("response.failed", "failed")
    assert last["response"]["error"] == {"code": "server_error", "message": "busy"}


def test_an_event_of_the_hosts_own_is_numbered_anew() -> None:
    """B-RSP-01."""
    foreign = Foreign(dialect="openai_responses", event="x", raw=b'{"type":"x","sequence_number":77}')

    events = encode([Started(), foreign, Foreign(dialect="anthropic", event="y", raw=b"{}"), *STOPPED])

    assert [event["sequence_number"] for event in events] == [0, 1, 2, 3]


def test_an_error_behind_a_relayed_stream_has_the_next_number() -> None:
    after = DIALECT.errors.after
    assert after is not None

    numbers = [json.loads(after(BROKEN, last).data or b"")["sequence_number"]
               for last in (frame({"type": "x", "sequence_number": 6}), frame(b"junk"), Frame())]  # fmt: skip

    assert numbers == [7, 0, 0]
    assert json.loads(DIALECT.errors.frame(BROKEN).data or b"")["type"] == "error"
