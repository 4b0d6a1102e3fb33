"""Chunks to events: the oddities of real streams."""

import json
from typing import Any

import pytest

from setu.chat.events import (
    CiteAdded,
    Ended,
    Event,
    Failed,
    Finished,
    MediaDelta,
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
from setu.chat.parts import AnyPart, Inline, Media, Reasoning, Refusal, Text, ToolCall, Url
from setu.chat.response import Finish
from setu.chat.seals import Extra, Seal
from setu.errors import ErrorKind
from setu.framing.frame import Frame
from tests.dialects.openai_chat.wire import UPSTREAM, chunk, decode


def tool(index: int | None = 0, identity: Any = None, name: Any = None, arguments: Any = None) -> dict[str, Any]:
    wire: dict[str, Any] = {"id": identity, "function": {"name": name, "arguments": arguments}}
    return {"tool_calls": [wire if index is None else wire | {"index": index}]}


def parts(events: list[Event], candidate: int = 0) -> list[AnyPart]:
    found = [each for each in fold(events).response.candidates if each.index == candidate]
    return [part for message in found[0].messages for part in message.parts]


def finishes(events: list[Event]) -> list[tuple[int, str]]:
    return [(event.candidate, event.finish.reason) for event in events if isinstance(event, Finished)]


def failure(events: list[Event]) -> Failed:
    (found,) = [event for event in events if isinstance(event, Failed)]
    return found


def test_a_plain_stream_is_a_row_of_events() -> None:
    first = chunk(
        {"role": "assistant", "content": ""}, system_fingerprint="fp", service_tier="default", obfuscation="x"
    )
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    events = decode(
        first,
        chunk({"content": "a"}),
        chunk({"content": "b"}),
        chunk(finish="stop"),
        chunk() | {"choices": [], "usage": usage},
    )

    assert [type(event) for event in events] == [
        Started, PartStarted, TextDelta, TextDelta, UsageSeen, PartEnded, Finished, Ended
    ]  # fmt: skip
    assert events[0] == Started(
        id="c1", model="gpt", created=7, service_tier="default",
        extra=Extra(dialect="openai_chat", members={"system_fingerprint": b'"fp"'}),
    )  # fmt: skip
    assert events[-2:] == [Finished(candidate=0, finish=Finish(reason="stop", native="stop")), Ended(complete=True)]


def test_azures_first_chunk_names_nobody() -> None:
    """B-STR-22."""
    first = {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": [{"a": 1}]}
    events = decode(first, chunk({"content": "a"}), chunk() | {"choices": [{"index": 0, "finish_reason": "stop"}]})

    assert isinstance(events[0], Started)
    assert (events[0].id, events[0].created) == ("c1", 7)
    assert events[0].extra is not None
    assert events[0].extra.members["prompt_filter_results"] == b'[{"a":1}]'
    assert fold(events).complete


@pytest.mark.parametrize(
    ("chunks", "done", "complete"),
    [
        ([chunk({"content": "a"}), chunk(finish="stop")], False, True),
        ([chunk({"content": "a"})], True, True),
        ([chunk({"content": "a"})], False, False),
        ([chunk({"content": "a"}), chunk({"content": "b"}, index=1), chunk(finish="stop")], False, False),
        ([], True, False),
        ([], False, False),
        ([chunk() | {"choices": []}], True, False),
    ],
)
def test_a_stream_is_complete_only_if_it_says_so(chunks: list[dict[str, Any]], done: bool, complete: bool) -> None:
    """B-SSE-14, B-SSE-18, B-STR-21."""
    assert decode(*chunks, done=done)[-1] == Ended(complete=complete)


def test_usage_counts_once_wherever_it_stands() -> None:
    """B-STR-18, B-STR-20."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    everywhere = decode(chunk({"content": "a"}, usage=usage), chunk(finish="stop", usage=usage))
    in_choice = decode(chunk({"content": "a"}, "stop", choice={"usage": usage}))
    in_groq = decode(chunk({"content": "a"}, "stop", x_groq={"usage": usage}))
    alone = decode({"choices": [], "usage": usage})

    for events in (everywhere, in_choice, in_groq, alone):
        assert [event.usage.output for event in events if isinstance(event, UsageSeen)] == [2]
        assert isinstance(events[0], Started)


def test_thinking_of_every_spelling_is_read_once() -> None:
    """B-THK-13, B-THK-14."""
    details = [{"type": "reasoning.text", "text": "d", "index": 0, "format": "unknown"}]
    for delta in ({"reasoning": "d"}, {"reasoning_content": "d"}, {"reasoning": "d", "reasoning_content": "d"},
                  {"reasoning_content": {"text": "d"}}, {"reasoning": "d", "reasoning_details": details},
                  {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "d"}]}]},
                  {"content": [{"type": "thinking", "thinking": "d"}]}):  # fmt: skip
        found = parts(decode(chunk(delta)))
        assert [part.text for part in found if isinstance(part, Reasoning)] == [("d",)]


def test_a_signature_after_the_words_seals_them() -> None:
    """B-THK-08."""
    form = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
    events = decode(
        chunk({"reasoning_details": [form | {"text": "a"}]}), chunk({"reasoning_details": [form | {"text": "b"}]}),
        chunk({"reasoning_details": [form | {"signature": "s"}]}), chunk({"content": "x"}),
    )  # fmt: skip
    whole = decode(
        chunk({"reasoning_content": "ab"}), chunk({"reasoning_details": [form | {"text": "ab", "signature": "s"}]})
    )

    for found in (parts(events)[0], parts(whole)[0]):
        assert isinstance(found, Reasoning)
        assert found.text == ("ab",)
        assert found.seal == Seal(issuer="anthropic", kind="signature", data="s")


def test_details_alone_may_sign_summarise_or_encrypt() -> None:
    events = decode(
        chunk({"reasoning_details": [{"type": "reasoning.summary", "summary": "s", "index": 0}]}),
        chunk(
            {
                "reasoning_details": [
                    {"type": "reasoning.encrypted", "data": "e", "id": "rs", "format": "openai-responses-v1"}
                ]
            }
        ),
        chunk(
            {"reasoning_details": [{"type": "reasoning.text", "signature": "g"}, {"type": "reasoning.encrypted"}, 3]}
        ),
    )
    summary, encrypted, signed = parts(events)

    assert summary == Reasoning(summary=("s",))
    assert isinstance(encrypted, Reasoning)
    assert encrypted.redacted
    assert encrypted.seal == Seal(issuer="openai_responses", kind="encrypted", data="e")
    assert signed.seal == Seal(issuer="openai_chat", kind="signature", data="g")


def test_words_thinking_and_refusal_follow_each_other() -> None:
    """B-STR-27: content and calls in one delta are both kept."""
    both = {"content": "x"} | tool(0, "a", "f", "{}")
    events = decode(
        chunk({"reasoning": "r"}),
        chunk({"content": "t"}),
        chunk({"reasoning": "r2"}),
        chunk({"refusal": "no"}),
        chunk(both),
    )

    assert [type(part) for part in parts(events)] == [Reasoning, Text, Reasoning, Refusal, Text, ToolCall]
    assert [type(event) for event in events[:5]] == [Started, PartStarted, ReasoningDelta, PartEnded, PartStarted]


def test_signatures_of_google_seal_calls_and_text() -> None:
    """B-THK-01, B-THK-04."""
    content = {"extra_content": {"google": {"thought_signature": "s"}}}
    called = tool(0, "a", "f", "{}")
    called["tool_calls"][0] |= content
    seal = Seal(issuer="gemini", kind="signature", data="s")

    assert parts(decode(chunk(called)))[0].seal == seal
    assert parts(decode(chunk({"content": "x"}), chunk(content))) == [Text(text="x", seal=seal)]
    assert any(isinstance(event, SealAdded) for event in decode(chunk(content)))


def test_audio_and_images_are_media() -> None:
    picture = {"image_url": {"url": "data:image/png;base64,AAAA"}}
    events = decode(
        chunk({"audio": {"id": "au", "transcript": "h"}}), chunk({"audio": {"data": "AAAA"}}), chunk({"audio": {"expires_at": 3}}),
        chunk({"images": [picture, {"image_url": {"url": "https://x.test"}}, {}, 3]}), chunk({"content": [picture]}),
    )  # fmt: skip

    assert parts(events) == [
        Media(kind="audio", source=Inline(b64="AAAA", mime="audio/wav"), id="au", transcript="h"),
        Media(kind="image", source=Inline(b64="AAAA", mime="image/png")),
        Media(kind="image", source=Url(url="https://x.test")),
        Media(kind="image", source=Inline(b64="AAAA", mime="image/png")),
    ]
    assert sum(isinstance(event, MediaDelta) for event in events) == 4


def test_citations_count_from_the_start_of_their_text() -> None:
    cite = {
        "type": "url_citation",
        "url_citation": {"url": "https://x.test", "title": "t", "start_index": 3, "end_index": 4},
    }
    events = decode(
        chunk({"content": "abc"}), chunk({"reasoning": "r"}), chunk({"content": "d"}), chunk({"annotations": [cite, 3]})
    )

    (added,) = [event for event in events if isinstance(event, CiteAdded)]
    assert (added.cite.start, added.cite.end) == (0, 1)


def test_token_entries_ride_on_their_text() -> None:
    entry = {"token": "a", "logprob": -1.0, "bytes": None, "top_logprobs": []}
    events = decode(
        chunk({"content": "a"}, choice={"logprobs": {"content": [entry]}}),
        chunk({"content": "b"}, choice={"logprobs": -0.5}),
    )

    assert [event.logprobs for event in events if isinstance(event, TextDelta)] == [
        (json.dumps(entry, separators=(",", ":")).encode(),),
        None,
    ]


def test_members_of_a_choice_and_late_members_are_kept() -> None:
    events = decode(
        chunk({"content": "a"}, p="noise"), chunk({"content": "b"}, citations=["c"]), chunk({"content": "d"}, citations=["c"]),
        chunk(finish="stop", choice={"content_filter_results": {"hate": 1}, "native_finish_reason": "end_turn"}),
    )  # fmt: skip

    assert [event.extra and event.extra.members for event in events if isinstance(event, Noted)] == [
        {"citations": b'["c"]'}
    ]
    (finished,) = [event for event in events if isinstance(event, Finished)]
    assert finished.finish == Finish(reason="stop", native="end_turn")
    assert finished.extra == Extra(dialect="openai_chat", members={"content_filter_results": b'{"hate":1}'})


def test_perplexity_repeats_the_whole_message_beside_the_delta() -> None:
    events = decode(
        *(chunk({"content": text}, choice={"message": {"content": whole}}) for text, whole in (("a", "a"), ("b", "ab")))
    )

    assert parts(events) == [Text(text="ab")]


def test_a_host_may_send_the_message_as_its_only_chunk() -> None:
    whole = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}

    assert parts(decode(whole, done=False)) == [Text(text="hi")]


@pytest.mark.parametrize(
    ("data", "status", "message"),
    [
        (b'{"error":{"message":"m","code":429},"choices":[]}', 429, "m"),
        (b'{"error":"m"}', 502, "m"),
        (b'{"error":{"http_status_code":422,"message":"m"}}', 422, "m"),
        (b'[{"error":{"code":503,"message":"m"}}]', 503, "m"),
        (b'{"object":"error","message":"m","code":400}', 400, "m"),
        (b'{"choices":[{"index":0,"delta":{},"finish_reason":"error","error":"m"}]}', 502, "m"),
        (
            b"{broken",
            502,
            "the upstream's stream is not valid JSON: JSON is malformed: object keys must be strings at byte 1",
        ),
        (b"3", 502, "the upstream sent no chunk"),
    ],
)
def test_an_error_in_the_stream_ends_it(data: bytes, status: int, message: str) -> None:
    """B-SSE-13, B-SSE-14, B-ERR-12, B-ERR-13."""
    events = decode(chunk({"content": "a"}), data, chunk({"content": "b"}), chunk(finish="stop"))

    found = failure(events)
    assert (found.error.status, found.error.message) == (status, message)
    assert parts(events) == [Text(text="a")]
    assert events[-1] == Ended(complete=False)
    assert finishes(events) == []


def test_an_error_event_needs_no_error_member() -> None:
    decoder = UPSTREAM.decoder(counter())
    events = decoder.feed(Frame(event="error", data=b'{"message":"m","status_code":500}'))

    assert failure(events).error.kind is ErrorKind.SERVER
    assert decoder.feed(Frame(data=b"[DONE]")) == []
    assert decoder.close() == [Ended(complete=False)]


def test_comments_blanks_and_cut_tails_are_no_chunks() -> None:
    """B-SSE-01, B-SSE-03."""
    decoder = UPSTREAM.decoder(counter())

    assert decoder.feed(Frame(comment=b"OPENROUTER PROCESSING")) == [Ping()]
    for quiet in (
        Frame(data=b""),
        Frame(data=b": keepalive"),
        Frame(event="keepalive"),
        Frame(data=b'{"choi', terminated=False),
    ):
        assert decoder.feed(quiet) == []
    assert decoder.close() == [Ended(complete=False)]


def test_several_chunks_under_one_field_are_all_read() -> None:
    """B-SSE-10."""
    data = json.dumps(chunk({"content": "a"})).encode() + b"\n" + json.dumps(chunk(finish="stop")).encode()

    assert parts(decode(data)) == [Text(text="a")]
    assert failure(decode(data[:-3] + b"\n{")).error.status == 502


def test_a_pair_of_surrogates_may_be_cut_in_two() -> None:
    events = decode(b'{"choices":[{"delta":{"content":"\\ud83d"}}]}', b'{"choices":[{"delta":{"content":"\\ude00"}}]}')

    assert [event.text for event in events if isinstance(event, TextDelta)] == ["\ud83d", "\ude00"]
