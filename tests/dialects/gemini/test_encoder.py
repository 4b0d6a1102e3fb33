"""Events to chunks: pieces go out as they come, the endings last, and nothing ends well that broke off."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Ended,
    Event,
    Failed,
    Finished,
    Noted,
    PartEnded,
    PartStarted,
    ReasoningDelta,
    SealAdded,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.fold import fold
from setu.chat.ids import counter
from setu.chat.normal import normal_parts, normal_response
from setu.chat.parts import AnyPart, Media, Reasoning, Refusal, Text, ToolCall
from setu.chat.response import ChatResponse, Finish, Usage
from setu.chat.seals import Cite
from setu.dialects.gemini.decoder import Decoder
from setu.dialects.gemini.encoder import Encoder
from setu.errors import ErrorInfo, ErrorKind
from setu.framing.jsonarray import JsonArrayDecoder, JsonArrayEncoder
from setu.framing.sse import SseDecoder, SseEncoder
from tests.chat.streams import CONTENTS, PARTS, SCHEDULES, Grown, stream
from tests.cuts import PLACES
from tests.dialects.gemini.oracle import check_response
from tests.dialects.gemini.streams import CHUNKS, check_order, chunk, decode, parts, reply


def encode(*events: Event, **fields: Any) -> list[Any]:
    encoder = Encoder(reply(**fields))
    return [json.loads(out.data or b"") for event in events for out in encoder.feed(event)]


def opened(value: AnyPart, *deltas: Event) -> list[Event]:
    return [PartStarted(part=0, value=value), *deltas, PartEnded(part=0)]


STOPPED = (Finished(candidate=0, finish=Finish(reason="stop")), Ended(complete=True))


def test_each_piece_is_a_chunk_and_the_last_holds_ending_and_usage() -> None:
    chunks = encode(
        Started(id="r", model="m"),
        *opened(Text(text=""), TextDelta(part=0, text="a"), TextDelta(part=0, text="b")),
        UsageSeen(usage=Usage(input=1, output=2)),
        *STOPPED,
    )

    head = {"modelVersion": "m", "responseId": "r"}
    assert chunks == [
        {"candidates": [{"content": {"parts": [{"text": "a"}], "role": "model"}, "index": 0}]} | head,
        {"candidates": [{"content": {"parts": [{"text": "b"}], "role": "model"}, "index": 0}]} | head,
        {
            "candidates": [{"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3},
        }
        | head,
    ]


def test_a_text_goes_out_as_it_comes_and_a_call_when_it_is_whole() -> None:
    encoder = Encoder(reply())

    assert len(encoder.feed(Started())) == 0
    assert len(encoder.feed(PartStarted(part=0, value=Text(text="")))) == 0
    assert len(encoder.feed(TextDelta(part=0, text="a"))) == 1
    assert len(encoder.feed(PartEnded(part=0))) == 0
    assert len(encoder.feed(PartStarted(part=1, value=ToolCall(call_id="c", name="f", arguments="")))) == 0
    assert len(encoder.feed(ArgumentsDelta(part=1, text='{"a":'))) == 0
    assert len(encoder.feed(ArgumentsDelta(part=1, text="1}"))) == 0
    (out,) = encoder.feed(PartEnded(part=1))
    assert b'"args":{"a":1}' in (out.data or b"")


def test_a_signature_of_gemini_follows_its_part_and_a_foreign_one_is_a_loss() -> None:
    own = encode(
        Started(),
        *opened(Text(text=""), TextDelta(part=0, text="a"), SealAdded(part=0, data="c2ln", issuer="gemini")),
        *STOPPED,
    )
    encoder = Encoder(reply())
    for event in [Started(), *opened(Reasoning(), SealAdded(part=0, data="x", issuer="anthropic")), *STOPPED]:
        encoder.feed(event)

    assert own[1]["candidates"][0]["content"]["parts"] == [{"text": "", "thoughtSignature": "c2ln"}]
    assert [loss.severity for loss in encoder.losses] == ["info"]


def test_thoughts_are_left_out_of_a_stream_for_who_did_not_ask() -> None:
    events = [Started(), *opened(Reasoning(), ReasoningDelta(part=0, text="hm")), *STOPPED]

    assert len(encode(*events)) == 2
    assert len(encode(*events, include_thoughts=False)) == 1


def test_sections_of_thought_are_set_apart() -> None:
    chunks = encode(
        Started(),
        *opened(Reasoning(), ReasoningDelta(part=0, text="a"), ReasoningDelta(part=0, text="b", section=1)),
        *STOPPED,
    )

    assert [value["candidates"][0]["content"]["parts"][0]["text"] for value in chunks[:2]] == ["a", "\n\nb"]


def test_foreign_cites_are_grounding_in_the_last_chunk() -> None:
    cite = Cite(kind="url_citation", dialect="openai_chat", start=0, end=1, url="https://a")
    chunks = encode(
        Started(), *opened(Text(text=""), TextDelta(part=0, text="ab"), CiteAdded(part=0, cite=cite)), *STOPPED
    )

    assert chunks[-1]["candidates"][0]["groundingMetadata"]["groundingSupports"] == [
        {"segment": {"startIndex": 0, "endIndex": 1, "text": "a"}, "groundingChunkIndices": [0]}
    ]


def test_a_blocked_prompt_is_feedback_without_a_candidate() -> None:
    (last,) = encode(
        Started(),
        Noted(feedback=b'{"blockReason":"SAFETY"}'),
        Finished(candidate=0, finish=Finish(reason="content_filter", native="SAFETY")),
        Ended(complete=True),
    )

    assert last["promptFeedback"] == {"blockReason": "SAFETY"}
    assert "candidates" not in last


def test_a_stream_that_breaks_off_ends_in_one_error_and_no_ending() -> None:  # B-SSE-17
    text = opened(Text(text=""), TextDelta(part=0, text="a"))
    failed = Failed(error=ErrorInfo(kind=ErrorKind.RATE_LIMIT, status=429, message="m", type="RESOURCE_EXHAUSTED"))

    cut_off = encode(Started(), *text, Ended(complete=False))
    broken = encode(
        Started(), *text, Finished(candidate=0, finish=Finish(reason="stop")), failed, Ended(complete=False)
    )

    assert cut_off[-1]["error"]["status"] == "UNAVAILABLE"
    assert broken[-1]["error"] == {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED"}
    for chunks in (cut_off, broken):
        assert len(chunks) == 2
        assert "finishReason" not in json.dumps(chunks)


SPEAKABLE = st.lists(
    st.tuples(CONTENTS, st.integers(0, 1)).map(lambda row: Grown(row[0][0], row[0][1], row[1], 0)), max_size=5
)


@given(PARTS, PLACES, SCHEDULES)
def test_any_legal_stream_becomes_chunks_that_google_allows(
    grown: list[Grown], places: list[int], schedule: list[int]
) -> None:
    grown = [part for part in grown if not isinstance(part.value, Media)]  # its base64 is not always canonical
    encoder = Encoder(reply())
    frames = [out for event in stream(grown, places, schedule) for out in encoder.feed(event)]

    for out in frames:
        assert b"\n" not in (out.data or b"")
        check_response(out.data or b"")
    last = json.loads(frames[-1].data or b"")
    assert last["usageMetadata"]["totalTokenCount"] == 3
    assert all("finishReason" not in json.loads(out.data or b"").get("candidates", [{}])[0] for out in frames[:-1])


@given(SPEAKABLE, PLACES, SCHEDULES)
def test_reading_what_was_encoded_gives_the_same_answer(
    grown: list[Grown], places: list[int], schedule: list[int]
) -> None:
    events = stream(grown, places, schedule)
    encoder, decoder = Encoder(reply()), Decoder(counter())

    again = [event for one in events for out in encoder.feed(one) for event in decoder.feed(out)] + decoder.close()

    check_order(again)
    assert fold(again).complete is bool(grown)
    assert spoken(fold(again).response) == spoken(fold(events).response)


def spoken(response: ChatResponse) -> list[Any]:
    """What Gemini's wire can say of an answer: foreign parts, cites and seals, and the seams of thoughts, are gone."""
    candidates = normal_response(response).candidates
    return [
        [candidate.index, _spoken(tuple(part for message in candidate.messages for part in message.parts))]
        for candidate in candidates
    ]


def _spoken(values: tuple[AnyPart, ...]) -> list[Any]:
    said: list[Any] = []
    for part in values:
        match part:
            case Text() | Refusal():
                said.append(["text", part.text])
            case Reasoning():
                said.append(["thought", "".join(part.text).replace("\n", "")])
            case ToolCall():
                said.append(["call", part.name])
            case _ if getattr(part, "dialect", "gemini") == "gemini":
                said.append([type(part).__name__, msgspec.to_builtins(part)])
    return _joined(said)


def _joined(said: list[Any]) -> list[Any]:
    joined: list[Any] = []
    for kind, value in said:
        if joined and kind in ("text", "thought") and joined[-1][0] == kind:
            joined[-1][1] += value
        elif value or kind not in ("text", "thought"):
            joined.append([kind, value])
    return joined


@given(CHUNKS)
def test_a_stream_of_geminis_own_is_written_back_to_the_same_meaning(chunks: list[Any]) -> None:
    events = decode(*chunks)
    encoder, decoder = Encoder(reply()), Decoder(counter())

    again = [event for one in events for out in encoder.feed(one) for event in decoder.feed(out)] + decoder.close()

    before = msgspec.structs.replace(fold(events).response, model="asked")
    assert normal_response(fold(again).response, anonymous=True) == normal_response(before, anonymous=True)
    assert encoder.losses == []


@pytest.mark.parametrize(("encoder", "cutter"), [(SseEncoder, SseDecoder), (JsonArrayEncoder, JsonArrayDecoder)])
def test_both_framings_carry_the_same_stream(encoder: Any, cutter: Any) -> None:
    events = decode(chunk({"text": "a"}), chunk({"functionCall": {"name": "f"}}, finish="STOP"))
    writer, wire = Encoder(reply()), encoder()
    body = b"".join(wire.encode(out) for event in events for out in writer.feed(event)) + wire.close()

    reader, decoder = cutter(), Decoder(counter())
    again = [event for out in [*reader.feed(body), *reader.close()] for event in decoder.feed(out)] + decoder.close()

    assert normal_parts(parts(fold(again))) == normal_parts(parts(fold(events)))
    assert fold(again).complete
