import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.chat.events import Ended, Failed, Foreign, Ping, Started
from setu.chat.fold import Folded, fold
from setu.chat.ids import counter
from setu.chat.parts import Reasoning, Text, ToolCall
from setu.dialects.cohere.decoder import Decoder
from setu.framing.frame import Frame
from setu.framing.ndjson import NdjsonDecoder
from setu.framing.sse import SseDecoder
from tests.dialects.chats import JSON

START = {"type": "message-start", "id": "i-1", "delta": {"message": {"role": "assistant", "content": []}}}
USAGE = {"billed_units": {"input_tokens": 2, "output_tokens": 3}, "tokens": {"input_tokens": 50, "output_tokens": 4}}


def end(word: str = "COMPLETE", **members: Any) -> dict[str, Any]:
    return {"type": "message-end", "delta": {"finish_reason": word, "usage": USAGE, **members}}


def content(kind: str, *pieces: str, index: int = 0) -> list[dict[str, Any]]:
    return [
        {"type": "content-start", "index": index, "delta": {"message": {"content": {"type": kind, kind: ""}}}},
        *({"type": "content-delta", "index": index, "delta": {"message": {"content": {kind: p}}}} for p in pieces),
        {"type": "content-end", "index": index},
    ]


def call(identity: str | None, *pieces: str, index: int = 0) -> list[dict[str, Any]]:
    opened = {"id": identity, "type": "function", "function": {"name": "weather", "arguments": ""}}
    return [
        {"type": "tool-call-start", "index": index, "delta": {"message": {"tool_calls": opened}}},
        *(
            {"type": "tool-call-delta", "delta": {"message": {"tool_calls": {"function": {"arguments": p}}}}}
            for p in pieces
        ),
        {"type": "tool-call-end", "index": index},
    ]


def decoded(*events: Any) -> list[Any]:
    decoder = Decoder(counter())
    frames = [Frame(data=json.dumps(event).encode(), event=event.get("type")) for event in events]
    return [out for frame in frames for out in decoder.feed(frame)] + decoder.close()


def folded(*events: Any) -> Folded:
    return fold(decoded(*events))


def parts(*events: Any) -> Any:
    return folded(*events).response.candidates[0].messages[0].parts


def finish(*events: Any) -> Any:
    return folded(*events).response.candidates[0].finish


def test_thinking_text_and_calls_become_parts_in_their_order() -> None:
    made = parts(START, *content("thinking", "I ", "see."), *content("text", "Hel", "lo", index=1), end())

    assert made == (Reasoning(text=("I see.",)), Text(text="Hello"))


def test_a_plan_is_thinking_and_calls_follow_it() -> None:
    plan = [{"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}} for piece in ("I will", " look.")]
    made = parts(START, *plan, *call("a", '{"ci', 'ty":1}'), *call("b", "{}", index=1), end("TOOL_CALL"))

    assert made == (
        Reasoning(text=("I will look.",)),
        ToolCall(call_id="a", name="weather", arguments='{"city":1}'),
        ToolCall(call_id="b", name="weather", arguments="{}"),
    )


@pytest.mark.parametrize("identity", [None, "", "a"])
def test_an_id_that_is_missing_or_repeated_is_made_afresh(identity) -> None:
    made = parts(START, *call("a"), *call(identity, index=1), end("TOOL_CALL"))

    assert made[0].call_id == "a"
    assert made[1].call_id not in ("", "a")


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("TOOL_CALL", "stop"),  # B-FIN-07: only if calls exist
        ("ERROR_TOXIC", "content_filter"),
        ("TIMEOUT", "error"),
        ("BRAND_NEW", "error"),
    ],
)
def test_a_finish_word_means(word, reason) -> None:
    ended = finish(START, *content("text", "x"), end(word))

    assert (ended.reason, ended.native) == (reason, word)


@pytest.mark.parametrize(
    ("word", "reason"), [("TOOL_CALL", "tool_calls"), ("COMPLETE", "tool_calls"), ("MAX_TOKENS", "length")]
)
def test_calls_decide_what_a_good_end_is(word, reason) -> None:
    assert finish(START, *call("a", "{}"), end(word)).reason == reason


def test_usage_counts_what_the_model_read_not_what_is_billed() -> None:
    usage = folded(START, *content("text", "x"), end(usage={**USAGE, "cached_tokens": 40})).response.usage

    assert usage is not None
    assert (usage.input, usage.output, usage.cache_read) == (50, 4, 40)


def test_a_citation_belongs_to_the_text_it_came_in() -> None:
    document = {"id": "d", "title": "Sky", "url": "https://example.com/sky"}
    source = {"type": "document", "id": "d", "document": document}
    cite = {"start": 0, "end": 5, "text": "Green", "sources": [source], "type": "TEXT_CONTENT"}
    opened, delta, closed = content("text", "Green.")
    started = {"type": "citation-start", "index": 0, "delta": {"message": {"citations": cite}}}
    (text,) = parts(START, opened, delta, started, {"type": "citation-end", "index": 0}, closed, end())

    (found,) = text.cites
    assert (found.start, found.end, found.quoted, found.source) == (0, 5, "Green", "d")
    assert (found.url, found.title) == ("https://example.com/sky", "Sky")


def test_a_citation_of_thinking_is_nobody_s() -> None:
    cite = {"start": 0, "end": 1, "text": "I", "sources": [], "type": "THINKING_CONTENT"}
    started = {"type": "citation-start", "index": 0, "delta": {"message": {"citations": cite}}}

    assert any(isinstance(event, Foreign) for event in decoded(START, *content("text", "x"), started, end()))


def test_log_probabilities_of_text_are_kept_and_those_of_thinking_are_not() -> None:
    def scored(kind: str, piece: str) -> dict[str, Any]:
        delta = {"message": {"content": {kind: piece}}}
        entry = {"text": piece, "token_ids": [7], "logprobs": [-0.5]}
        return {"type": "content-delta", "index": 0, "delta": delta, "logprobs": entry}

    made = parts(START, scored("thinking", "Hm"), scored("text", "Hi"), end())

    assert [json.loads(entry) for entry in made[1].logprobs] == [
        {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}
    ]


def test_an_error_in_the_last_event_fails_the_stream() -> None:
    events = decoded(START, *content("text", "x"), end("ERROR", error="No valid response", error_type="X"))

    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert (failed.error.message, failed.error.type) == ("No valid response", "X")
    assert events[-1] == Ended(complete=False)


@pytest.mark.parametrize("body", [{"message": "too many"}, {"id": "1", "message": "too many"}])
def test_an_error_in_place_of_an_event_fails_the_stream(body) -> None:
    found = folded(body)

    assert found.error is not None
    assert found.error.message == "too many"


def test_a_stream_without_its_end_is_not_complete() -> None:
    assert not folded(START, *content("text", "x")).complete


def test_an_event_of_the_future_is_foreign_and_harms_nothing() -> None:
    events = decoded(START, {"type": "debug", "prompt": "x"}, *content("text", "x"), end())

    assert [event.event for event in events if isinstance(event, Foreign)] == ["debug"]
    assert fold(events).complete


def test_a_comment_is_a_sign_of_life() -> None:
    assert Decoder(counter()).feed(Frame(comment=b"ping")) == [Ping()]


def test_broken_json_fails_but_a_cut_tail_only_ends() -> None:
    assert isinstance(Decoder(counter()).feed(Frame(data=b'{"type":'))[0], Failed)
    assert Decoder(counter()).feed(Frame(data=b'{"type":', terminated=False)) == []


def test_lines_of_json_read_like_server_sent_events() -> None:
    events = [START, *content("text", "Hel", "lo"), end()]
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    decoder = Decoder(counter())
    frames = NdjsonDecoder()
    out = [event for frame in (*frames.feed(lines), *frames.close()) for event in decoder.feed(frame)]

    assert fold([*out, *decoder.close()]).response == folded(*events).response


EVENTS = st.lists(
    st.one_of(
        st.sampled_from([START, *content("text", "a"), *content("thinking", "b"), *call("c", "{}"), end()]),
        st.dictionaries(
            st.sampled_from(["type", "delta", "index", "message", "id", "error", "logprobs"]),
            st.one_of(JSON, st.sampled_from([event["type"] for event in call("a", "{}")])),
        ),
    ),
    max_size=8,
)


@given(EVENTS)
@settings(max_examples=100, deadline=None)
def test_whatever_comes_the_events_are_legal(events) -> None:
    out = decoded(*events)
    fold(out)

    assert isinstance(out[-1], Ended)
    assert sum(isinstance(event, Started) for event in out) <= 1


@given(EVENTS, st.lists(st.integers(0, 2000), max_size=6))
@settings(max_examples=60, deadline=None)
def test_any_cutting_gives_the_same_events(events, places) -> None:
    data = b"".join(b"event: e\ndata: " + json.dumps(event).encode() + b"\n\n" for event in events)
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    cut = [data[edges[i] : edges[i + 1]] for i in range(len(edges) - 1)]

    assert _read([data]) == _read(cut)


def _read(chunks: list[bytes]) -> list[Any]:
    frames, decoder = SseDecoder(), Decoder(counter())
    out = [event for chunk in chunks for frame in frames.feed(chunk) for event in decoder.feed(frame)]
    return out + [event for frame in frames.close() for event in decoder.feed(frame)] + decoder.close()
