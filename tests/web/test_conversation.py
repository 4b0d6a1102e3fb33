import msgspec
import pytest

from setu.bundled import data_dir
from setu.cassette.model import Interaction, Recording, Timing
from setu.cassette.shelf import cassette_files, read_cassette
from setu.web.conversation import turns_of
from setu.web.waterfall import WIDTH, waterfall_of
from tests.cassette.samples import ANTHROPIC_STREAM, JSON, interaction, request

BUNDLED = [each for file in cassette_files(data_dir("cassettes")) for each in read_cassette(file)]


def place(each: Interaction) -> str:
    return "/".join(each.place.partition(":")[0].split("/")[-3:])


@pytest.mark.parametrize("each", BUNDLED, ids=place)
def test_every_bundled_recording_can_be_read_as_a_conversation(each: Interaction) -> None:
    turns = turns_of(each)

    assert turns
    if each.recording.op.split(".")[1:2] == ["chat"]:
        assert any(turn.role == "user" for turn in turns) or each.exchange.status in (400, 422)
        assert turns[-1].role in ({"assistant", "answer"} if each.exchange.status < 400 else {"error"})


def test_a_tool_call_and_its_result_are_told_apart_from_text() -> None:
    each = next(found for found in BUNDLED if place(found).startswith("anthropic/anthropic/tool-result"))

    kinds = {piece.kind for turn in turns_of(each) for piece in turn.pieces}

    assert {"call", "result", "text"} <= kinds


def test_what_was_used_and_why_it_ended_are_noted() -> None:
    each = next(found for found in BUNDLED if place(found) == "openai/openai_chat/text-stream.yaml")

    note = turns_of(each)[-1].note

    assert note.startswith("stop; ")
    assert "output" in note


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"messages":7}', b"\xff\xfe"])
def test_what_cannot_be_read_is_shown_as_it_is(body: bytes) -> None:
    each = interaction(b"\x00\xff", asked=request(body), headers=JSON)

    assert turns_of(each)


def test_a_call_that_is_no_chat_is_shown_as_its_bodies() -> None:
    each = interaction(b'{"data":[]}', asked=request({"input": "x"}, path="/v1/embeddings"), headers=JSON)

    assert [turn.role for turn in turns_of(each)] == ["request", "answer"]


def test_a_time_line_has_a_mark_for_each_event_within_its_width() -> None:
    timed = Recording(timing=Timing(ttfb_ms=400, events_ms=(0, 50, 100, 150, 600)))
    found = waterfall_of(interaction(ANTHROPIC_STREAM, recording=timed))

    assert found is not None
    assert (found.total_ms, found.wait) == (1000, 240.0)
    assert [mark.x for mark in found.marks] == [240.0, 270.0, 300.0, 330.0, WIDTH]
    assert "5 events until 1000 ms" in found.words
    assert waterfall_of(interaction(ANTHROPIC_STREAM)) is None


def test_reading_a_conversation_needs_no_ids_of_the_source() -> None:
    calls = [{"type": "function", "function": {"name": "f", "arguments": "{}"}}] * 2
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    answer = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    asked = request({"model": "m", "messages": []}, path="/v1/chat/completions")

    assert len(turns_of(interaction(msgspec.json.encode(answer), asked=asked, headers=JSON))[-1].pieces) == 2
