import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.model import Interaction, Recording, Timing
from setu.cassette.tables import events_of, row_of, said, stats_of
from setu.framing.eventstream import EventStreamEncoder
from setu.framing.frame import Frame
from tests.cassette.samples import ANTHROPIC_STREAM, CHAT_STREAM, interaction, request

TIMED = Recording(
    op="anthropic.chat.stream", recorded="2026-11-20", timing=Timing(ttfb_ms=40, events_ms=(0, 0, 5, 95, 300))
)


def test_a_row_says_what_was_asked_how_it_ended_and_how_long_it_took() -> None:
    each = msgspec.structs.replace(interaction(ANTHROPIC_STREAM, recording=TIMED), place="a.yaml:3")

    row = row_of(each)

    assert msgspec.to_builtins(row) == {
        "place": "a.yaml:3", "method": "POST", "url": "https://api.anthropic.com/v1/messages", "model": "m",
        "op": "anthropic.chat.stream", "status": 200, "end": "complete", "events": 5, "size": len(ANTHROPIC_STREAM),
        "ms": 340, "recorded": "2026-11-20", "provenance": "recorded",
    }  # fmt: skip


def test_what_is_no_stream_has_no_events_and_without_times_no_duration() -> None:
    row = row_of(interaction(b'{"a":[1,2]}'))

    assert (row.events, row.ms) == (0, None)
    assert events_of(interaction(b'{"a":[1,2]}')) == []


def test_the_events_of_a_stream_have_their_time_their_name_and_what_they_add() -> None:
    body = b'data: {"choices":[{"delta":{"content":"h\xc3\xa9"}}]}\n\n: wait\n\ndata: [DONE]\n\n'
    timed = Recording(timing=Timing(ttfb_ms=40, events_ms=(0, 5, 95)))

    events = events_of(interaction(body, recording=timed))

    assert [(each.ms, each.name, each.delta, each.data) for each in events] == [
        (0, "", "hé", '{"choices":[{"delta":{"content":"hé"}}]}'), (5, "", "", ": wait"), (95, "", "", "[DONE]"),
    ]  # fmt: skip


def test_times_that_count_other_events_are_not_shown() -> None:
    assert {each.ms for each in events_of(interaction(CHAT_STREAM, recording=TIMED))} == {None}


def test_an_event_is_named_by_its_framing_or_else_by_its_type() -> None:
    named = interaction(ANTHROPIC_STREAM)
    typed = interaction(b'data: {"type":"response.created"}\n\n')
    binary = interaction(
        EventStreamEncoder().encode(Frame(b'{"delta":{"text":"hi"}}', "contentBlockDelta")),
        headers={"content-type": "application/vnd.amazon.eventstream"},
    )

    assert [each.name for each in events_of(named)][:2] == ["message_start", "ping"]
    assert [each.name for each in events_of(typed)] == ["response.created"]
    assert [(each.name, each.delta) for each in events_of(binary)] == [("contentBlockDelta", "hi")]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"choices": [{"delta": {"content": "a", "reasoning": "b"}}]}, "ab"),
        ({"choices": [{"delta": {"tool_calls": [{"id": "x", "function": {"name": "f", "arguments": "{}"}}]}}]}, "{}"),
        ({"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": '{"a'}}, '{"a'),
        ({"type": "response.output_text.delta", "delta": "x", "item_id": "y"}, "x"),
        ({"type": "response.completed", "response": {"output": [{"text": "whole"}]}}, ""),
        ({"candidates": [{"content": {"parts": [{"text": "a"}, {"text": "b"}]}}]}, "ab"),
        ({"usage": {"text": "5"}}, ""),
        ([1, None, "x"], ""),
    ],
)
def test_what_an_event_adds_is_found_in_every_dialect(event: Any, expected: str) -> None:
    assert "".join(said(event)) == expected


def test_totals_count_by_host_operation_model_status_and_ending() -> None:
    other = interaction(status=429, asked=request({"no": "model"}, origin=""))

    found = stats_of([interaction(ANTHROPIC_STREAM, recording=TIMED), interaction(), other])

    assert (found["interactions"], found["events"], found["recorded_ms"]) == (3, 5, 340)
    assert found["host"] == {"api.anthropic.com": 2, "(none)": 1}
    assert found["model"] == {"m": 2, "(none)": 1}
    assert found["status"] == {"200": 2, "429": 1}
    assert found["recorded"] == {"(no date)": 2, "2026-11-20": 1}
    assert json.loads(json.dumps(found)) == found


def bodies() -> st.SearchStrategy[bytes]:
    return st.binary(max_size=60) | st.sampled_from([ANTHROPIC_STREAM, CHAT_STREAM]).flatmap(
        lambda body: st.integers(0, len(body)).map(lambda cut: body[:cut])
    )


@given(
    bodies(), st.sampled_from(["text/event-stream", "application/x-ndjson", "application/vnd.amazon.eventstream", "x"])
)
def test_any_answer_can_be_shown(body: bytes, media_type: str) -> None:
    each: Interaction = interaction(body, headers={"content-type": media_type})

    assert row_of(each).events == len(events_of(each))
