"""Chunks to events, however the bytes are cut."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.events import (
    ArgumentsDelta,
    Ended,
    PartStarted,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.fold import fold
from setu.chat.ids import counter
from setu.chat.parts import Reasoning, Text, ToolCall
from setu.chat.response import Finish
from setu.chat.seals import Extra, Seal
from setu.dialects.gemini.codec import DIALECT, path
from setu.dialects.gemini.decoder import Decoder
from setu.dialects.gemini.response import parse_response
from setu.errors import ErrorKind
from setu.framing.frame import Frame
from setu.framing.jsonarray import JsonArrayDecoder
from setu.framing.sse import SseDecoder
from tests.cuts import PLACES, cut
from tests.dialects.gemini.streams import CHUNKS, check_order, chunk, decode, folded, parts


def test_a_text_grows_chunk_by_chunk() -> None:
    events = decode(
        chunk({"text": "a"}, responseId="r", modelVersion="m"),
        chunk({"text": "b"}, finish="STOP", usageMetadata={"promptTokenCount": 1, "candidatesTokenCount": 2}),
    )

    assert [type(event).__name__ for event in events] == [
        "Started", "PartStarted", "TextDelta", "TextDelta", "UsageSeen", "PartEnded", "Finished", "Ended",
    ]  # fmt: skip
    assert events[0] == Started(id="r", model="m")
    assert events[-1] == Ended(complete=True)


def test_thoughts_and_texts_are_parts_of_their_own_in_order() -> None:
    result = folded(
        chunk({"text": "h", "thought": True}),
        chunk({"text": "m", "thought": True}, {"text": "a"}),
        chunk({"text": "b"}, finish="STOP"),
    )

    assert parts(result) == (Reasoning(text=("hm",)), Text(text="ab"))


def test_the_empty_signed_text_at_the_end_signs_the_text_before_it() -> None:  # B-THK-04
    result = folded(chunk({"text": "a"}), chunk({"text": "", "thoughtSignature": "c2ln"}, finish="STOP"))

    assert parts(result) == (Text(text="a", seal=Seal(issuer="gemini", kind="signature", data="c2ln")),)


def test_an_empty_signed_text_alone_is_kept() -> None:  # B-THK-05
    result = folded(chunk({"text": "", "thoughtSignature": "c2ln"}, finish="STOP"))

    assert parts(result) == (Text(text="", seal=Seal(issuer="gemini", kind="signature", data="c2ln")),)


def test_a_call_arrives_whole_with_an_id_of_its_own() -> None:  # B-ANT-03, B-STR-06
    events = decode(
        chunk({"functionCall": {"name": "f", "args": {"a": 1}}}),
        chunk({"functionCall": {"name": "f", "args": {"a": 1}}}, finish="STOP"),
    )

    started = [event.value for event in events if isinstance(event, PartStarted)]
    assert started == [
        ToolCall(call_id="call_1", name="f", arguments=""),
        ToolCall(call_id="call_2", name="f", arguments=""),
    ]
    assert [event.text for event in events if isinstance(event, ArgumentsDelta)] == ['{"a":1}', '{"a":1}']


def test_a_late_stop_does_not_hide_the_calls() -> None:  # B-STR-14
    result = folded(chunk({"functionCall": {"name": "f"}}), chunk({"text": ""}, finish="STOP"))

    assert result.response.candidates[0].finish == Finish(reason="tool_calls", native="STOP")


@pytest.mark.parametrize(
    ("first", "second", "native"), [("MAX_TOKENS", "STOP", "MAX_TOKENS"), ("STOP", "SAFETY", "SAFETY")]
)
def test_the_stronger_of_two_endings_counts(first: Any, second: Any, native: Any) -> None:  # B-FIN-11
    result = folded(chunk({"text": "a"}, finish=first), chunk(finish=second))

    finish = result.response.candidates[0].finish
    assert finish is not None
    assert finish.native == native


def test_candidates_grow_side_by_side() -> None:
    result = folded(
        chunk({"text": "a"}, index=0), chunk({"text": "x"}, index=1), chunk({"text": "b"}, index=0, finish="STOP"),
        chunk({"text": "y"}, index=1, finish="MAX_TOKENS"),
    )  # fmt: skip

    assert [parts(result, 0), parts(result, 1)] == [(Text(text="ab"),), (Text(text="xy"),)]
    assert result.complete


def test_a_stream_is_incomplete_until_every_candidate_has_ended() -> None:
    assert folded(chunk({"text": "a"}, index=0, finish="STOP"), chunk({"text": "x"}, index=1)).complete is False
    assert folded(chunk({"text": "a"})).complete is False
    assert folded().complete is False


def test_a_blocked_prompt_completes_a_stream() -> None:  # B-FIN-04
    result = folded({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})

    assert result.complete
    assert result.response.candidates[0].finish == Finish(reason="content_filter", native="PROHIBITED_CONTENT")
    assert result.response.feedback == b'{"blockReason":"PROHIBITED_CONTENT"}'


def test_feedback_without_a_block_is_not_an_ending() -> None:
    result = folded({"promptFeedback": {}} | chunk({"text": "a"}))

    assert result.complete is False


def test_usage_is_told_with_the_first_chunk_and_again_at_the_end() -> None:
    counts = [{"promptTokenCount": 3, "candidatesTokenCount": n} for n in (1, 2, 3)]

    events = decode(*(chunk({"text": "a"}, usageMetadata=count) for count in counts))

    seen = [(n, event.usage.output) for n, event in enumerate(events) if isinstance(event, UsageSeen)]
    assert [output for _, output in seen] == [1, 3]
    assert isinstance(events[seen[0][0] - 1], TextDelta)
    assert isinstance(events[seen[1][0] + 1], Ended)


def test_the_last_usage_counts() -> None:
    result = folded(
        chunk({"text": "a"}, usageMetadata={"promptTokenCount": 3}),
        chunk(finish="STOP", usageMetadata={"promptTokenCount": 3, "candidatesTokenCount": 4, "totalTokenCount": 7}),
    )

    usage = result.response.usage
    assert usage is not None
    assert (usage.input, usage.output, usage.total) == (3, 4, 7)


@pytest.mark.parametrize("error", [{"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}])
def test_an_error_in_a_stream_fails_it(error: Any) -> None:
    for value in ({"error": error}, [{"error": error}, chunk({"text": "late"})]):
        result = folded(chunk({"text": "a"}, finish="STOP"), value, chunk({"text": "late"}))
        assert result.error is not None
        assert (result.error.kind, result.error.status) == (ErrorKind.UNAVAILABLE, 503)
        assert result.complete is False
        assert parts(result) == (Text(text="a"),)


def test_an_unreadable_frame_is_a_bad_gateway() -> None:
    result = folded(chunk({"text": "a"}), Frame(data=b"<html>"))

    assert result.error is not None
    assert result.error.kind is ErrorKind.BAD_GATEWAY


def test_a_frame_cut_off_by_the_end_leaves_the_stream_incomplete_without_an_error() -> None:
    result = folded(chunk({"text": "a"}, finish="STOP"), Frame(data=b'{"candidates":[{"con', terminated=False))

    assert result.error is None
    assert result.complete is False


@pytest.mark.parametrize(
    "noise", [Frame(), Frame(data=b""), Frame(data=b": keepalive"), Frame(comment=b"ping"), Frame(data=b"[DONE]")]
)
def test_signs_of_life_change_nothing(noise: Any) -> None:  # B-SSE-01, B-SSE-03
    chunks = (chunk({"text": "a"}), chunk({"text": "b"}, finish="STOP"))

    assert folded(noise, chunks[0], noise, chunks[1], noise) == folded(*chunks)


def test_members_nobody_knows_are_kept() -> None:
    result = folded(
        chunk({"text": "a"}, newThing={"x": 1}),
        {"candidates": [{"finishReason": "STOP", "safetyRatings": []}], "lateThing": 2},
    )

    assert result.response.extra == Extra(dialect="gemini", members={"newThing": b'{"x":1}', "lateThing": b"2"})
    assert result.response.candidates[0].extra == Extra(dialect="gemini", members={"safetyRatings": b"[]"})


def test_an_audio_piece_is_media() -> None:
    (part,) = parts(folded(chunk({"inlineData": {"mimeType": "audio/L16", "data": "AAAA"}}, finish="STOP")))

    assert msgspec.to_builtins(part)["source"] == {"b64": "AAAA", "mime": "audio/L16"}


@given(CHUNKS)
def test_a_stream_means_the_same_as_its_chunks_in_one_array(chunks: list[Any]) -> None:
    assert parse_response(json.dumps(chunks, separators=(",", ":")).encode(), counter()) == folded(*chunks).response


@given(CHUNKS, PLACES, st.booleans())
def test_any_cutting_of_the_bytes_gives_the_same_events(chunks: list[Any], places: list[int], crlf: bool) -> None:
    lines = b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in chunks)
    array = json.dumps(chunks).encode()
    for body, framing in ((lines.replace(b"\n", b"\r\n") if crlf else lines, SseDecoder), (array, JsonArrayDecoder)):
        cutter, decoder = framing(), Decoder(counter())
        events = [e for piece in cut(body, places) for f in cutter.feed(piece) for e in decoder.feed(f)]
        events += [e for f in cutter.close() for e in decoder.feed(f)] + decoder.close()
        assert fold(events) == folded(*[Frame(data=json.dumps(value).encode()) for value in chunks])


@given(st.lists(st.builds(Frame, data=st.none() | st.binary(max_size=20) | st.sampled_from(
    [b'{"candidates":[{}]}', b'{"candidates":[{"content":{"parts":[{"text":"\\ud800"}]}}]}', b"[1]", b'"x"', b"[[[]]]"])),
    max_size=4))  # fmt: skip
def test_no_frame_makes_the_decoder_raise(frames: list[Frame]) -> None:
    check_order(decode(*frames))


@pytest.mark.parametrize(
    ("model", "stream_asked", "expected"),
    [
        ("gemini-2.5-flash", False, ("/v1beta/models/gemini-2.5-flash:generateContent", "")),
        ("gemini-2.5-flash", True, ("/v1beta/models/gemini-2.5-flash:streamGenerateContent", "alt=sse")),
        ("models/a b", False, ("/v1beta/models/a%20b:generateContent", "")),
        ("tunedModels/x", False, ("/v1beta/tunedModels/x:generateContent", "")),
    ],
)
def test_model_and_stream_go_into_the_path(model: Any, stream_asked: Any, expected: Any) -> None:
    assert path(model, stream_asked) == expected


def test_the_dialect_names_itself() -> None:
    assert DIALECT.name == "gemini"
    assert DIALECT.framings == ("sse", "jsonarray")
    assert DIALECT.params["max_tokens"] == "/generationConfig/maxOutputTokens"
