"""Streams of chunks for the tests, and what they amount to."""

import json
from typing import Any

from hypothesis import strategies as st

from setu.chat.events import (
    Ended,
    Event,
    Failed,
    Finished,
    Foreign,
    PartEnded,
    PartStarted,
    Ping,
    Started,
)
from setu.chat.fold import Folded, fold
from setu.chat.ids import counter
from setu.chat.parts import AnyPart
from setu.dialects.gemini.decoder import Decoder
from setu.dialects.record import Reply
from setu.framing.frame import Frame


def chunk(*parts: Any, finish: Any = None, index: int | None = None, **members: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}}
    if finish is not None:
        candidate["finishReason"] = finish
    if index is not None:
        candidate["index"] = index
    return {"candidates": [candidate]} | members


def frame(value: Any) -> Frame:
    return Frame(data=json.dumps(value, separators=(",", ":")).encode())


def decode(*chunks: Any) -> list[Event]:
    decoder = Decoder(counter())
    events = [event for value in chunks for event in decoder.feed(value if isinstance(value, Frame) else frame(value))]
    return [*events, *decoder.close()]


def folded(*chunks: Any) -> Folded:
    events = decode(*chunks)
    check_order(events)
    return fold(events)


def check_order(events: list[Event]) -> None:
    """The rules every decoder keeps: one start, parts closed, one ending each, Ended last."""
    said = [event for event in events if not isinstance(event, (Ping, Failed, Foreign, Ended))]
    assert not said or isinstance(said[0], Started)
    assert sum(isinstance(event, Started) for event in events) <= 1
    assert [isinstance(event, Ended) for event in events] == [False] * (len(events) - 1) + [True]
    started = [event.part for event in events if isinstance(event, PartStarted)]
    ended = [event.part for event in events if isinstance(event, PartEnded)]
    assert sorted(started) == sorted(ended)
    finished = [event.candidate for event in events if isinstance(event, Finished)]
    assert len(finished) == len(set(finished))


def parts(result: Folded, candidate: int = 0) -> tuple[AnyPart, ...]:
    return result.response.candidates[candidate].messages[0].parts


PIECE = st.one_of(
    st.builds(lambda text: {"text": text}, st.text("ab é", max_size=4)),
    st.builds(lambda text: {"text": text, "thought": True}, st.text("ab", max_size=4)),
    st.builds(lambda text: {"text": text, "thoughtSignature": "c2ln"}, st.text("ab", max_size=2)),
    st.just({"functionCall": {"name": "f", "args": {"a": 1.5}}, "thoughtSignature": "c2ln"}),
    st.just({"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
    st.just({"executableCode": {"language": "PYTHON", "code": "1"}}),
    st.just({"codeExecutionResult": {"outcome": "OUTCOME_OK"}}),
    st.just({"novelty": 1}),
)
CHUNKS = st.lists(
    st.builds(lambda pieces, index: chunk(*pieces, index=index), st.lists(PIECE, max_size=3), st.integers(0, 1)),
    max_size=6,
).map(lambda chunks: [*chunks, chunk(finish="STOP", index=0), chunk(finish="MAX_TOKENS", index=1)])


def reply(**fields: Any) -> Reply:
    return Reply(model="asked", id="r1", created=0, mint=counter(), **fields)
