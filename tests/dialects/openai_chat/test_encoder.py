"""Events to chunks: what a strict client relies on."""

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Ended,
    Event,
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
from setu.chat.parts import AnyPart, HostedCall, Inline, Media, Reasoning, Refusal, Text, ToolCall, Url
from setu.chat.response import Finish, FinishReason, Usage
from setu.chat.seals import Cite, Extra, Seal
from setu.errors import ErrorInfo, ErrorKind
from tests.dialects.openai_chat.wire import CLIENT, deltas, encode, reply

START = Started(id="msg_1", model="claude", created=9)
STOP = Finished(candidate=0, finish=Finish(reason="stop"))
DONE = Ended(complete=True)
ROLE = {"role": "assistant", "content": "", "refusal": None}


def part(value: AnyPart, *inside: Event, number: int = 0, candidate: int = 0) -> list[Event]:
    return [PartStarted(part=number, value=value, candidate=candidate), *inside, PartEnded(part=number)]


def words(text: str, number: int = 0, candidate: int = 0) -> list[Event]:
    return part(Text(text=""), TextDelta(part=number, text=text), number=number, candidate=candidate)


def losses(*events: Event) -> list[str]:
    encoder = CLIENT.encoder(reply())
    for event in events:
        encoder.feed(event)
    return [loss.pointer for loss in encoder.losses]


def test_a_whole_stream_is_what_openai_sends() -> None:
    out = encode([START, *words("hi"), STOP, UsageSeen(usage=Usage(input=1, output=2)), DONE], stream_usage=True)

    head = {"id": "msg_1", "object": "chat.completion.chunk", "created": 9, "model": "claude"}
    choices = [
        {"index": 0, "delta": ROLE, "logprobs": None, "finish_reason": None},
        {"index": 0, "delta": {"content": "hi"}, "logprobs": None, "finish_reason": None},
        {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"},
    ]
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert out == [
        *(head | {"choices": [choice], "usage": None} for choice in choices),
        head | {"choices": [], "usage": usage},
        b"[DONE]",
    ]


def test_usage_is_sent_only_when_asked_for_and_known() -> None:
    """B-STR-17."""
    unasked = encode([START, *words("a"), STOP, UsageSeen(usage=Usage(input=1)), DONE])
    unknown = encode([START, *words("a"), STOP, DONE], stream_usage=True)

    assert not any("usage" in item for item in unasked if isinstance(item, dict))
    assert all(item["choices"] for item in unknown if isinstance(item, dict))


def test_what_the_upstream_left_out_comes_from_the_reply() -> None:
    """B-STR-29."""
    first = encode([Started(), *words("a")])[0]

    assert (first["id"], first["model"], first["created"]) == ("chatcmpl-r", "asked", 5)


def test_the_role_comes_once_a_choice() -> None:
    """B-STR-01, B-STR-02, B-STR-03."""
    events = [START, *words("a"), *words("b", 1, candidate=1), *words("c", 2)]
    out = [(item["choices"][0]["index"], item["choices"][0]["delta"]) for item in encode(events)]

    assert out == [(0, ROLE), (0, {"content": "a"}), (1, ROLE), (1, {"content": "b"}), (0, {"content": "c"})]


def test_choices_do_not_wait_for_each_other() -> None:
    events: list[Event] = [
        START,
        PartStarted(part=0, value=Text(text="")),
        PartStarted(part=1, value=Text(text=""), candidate=1),
        TextDelta(part=1, text="b"),
    ]

    assert deltas(events)[-1] == {"content": "b"}


def test_calls_take_the_form_of_openai() -> None:
    """B-STR-05, B-STR-10, B-STR-11."""
    events: list[Event] = [
        START,
        *part(
            ToolCall(call_id="a", name="f", arguments=""),
            ArgumentsDelta(part=0, text='{"x"'),
            ArgumentsDelta(part=0, text=":1}"),
        ),
        *part(ToolCall(call_id="b", name="g", arguments="{}"), number=1),
    ]

    assert deltas(events) == [
        {"role": "assistant", "content": None, "refusal": None},
        {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"x"'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]},
        {"tool_calls": [{"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
    ]


def test_a_call_without_arguments_ends_as_json_and_a_custom_one_stays_empty() -> None:
    """B-STR-09."""
    bare = deltas([START, *part(ToolCall(call_id="a", name="f", arguments=""))])
    custom = deltas(
        [START, *part(ToolCall(call_id="a", name="c", arguments="", kind="custom"), ArgumentsDelta(part=0, text="x"))]
    )

    assert bare[-1] == {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}
    assert custom[1:] == [
        {"tool_calls": [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "c", "input": ""}}]},
        {"tool_calls": [{"index": 0, "custom": {"input": "x"}}]},
    ]


def test_overlapping_calls_need_not_wait() -> None:
    events: list[Event] = [
        START, PartStarted(part=0, value=ToolCall(call_id="a", name="f", arguments="")),
        PartStarted(part=1, value=ToolCall(call_id="b", name="g", arguments="")), ArgumentsDelta(part=1, text="{"),
    ]  # fmt: skip

    assert deltas(events)[-1] == {"tool_calls": [{"index": 1, "function": {"arguments": "{"}}]}


def test_overlapping_words_wait_for_their_turn() -> None:
    events: list[Event] = [
        START, PartStarted(part=0, value=Text(text="")), PartStarted(part=1, value=Text(text="")),
        TextDelta(part=1, text="b"), TextDelta(part=0, text="a"), STOP, DONE,
    ]  # fmt: skip

    assert [delta.get("content") for delta in deltas(events)] == ["", "a", "b", None]


@pytest.mark.parametrize(
    "reason", ["stop", "length", "tool_calls", "content_filter", "refusal", "pause", "context_length", "error"]
)
def test_one_finish_chunk_with_a_legal_word(reason: FinishReason) -> None:
    """B-STR-16, B-FIN-08, B-FIN-09."""
    finished = Finished(candidate=0, finish=Finish(reason=reason, native="end_turn"))
    out = [item for item in encode([START, *words("a"), finished, finished, DONE]) if isinstance(item, dict)]

    choices = [item["choices"][0] for item in out]
    assert [choice["finish_reason"] for choice in choices[:-1]] == [None, None]
    assert choices[-1]["delta"] == {}
    assert choices[-1]["finish_reason"] in {"stop", "length", "content_filter"}
    assert choices[-1]["native_finish_reason"] == "end_turn"


def test_a_stop_after_a_call_is_tool_calls() -> None:
    """B-STR-14."""
    out = encode([START, *part(ToolCall(call_id="a", name="f", arguments="{}")), STOP])

    assert out[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_thinking_streams_as_one_spelling_and_its_seal_closes_it() -> None:
    """B-THK-08, B-THK-13."""
    thought = part(
        Reasoning(), ReasoningDelta(part=0, text="a"), ReasoningDelta(part=0, text="b", section=1),
        SealAdded(part=0, data="s", issuer="anthropic"), SealAdded(part=0, data="t", issuer="anthropic", append=True),
    )  # fmt: skip

    assert deltas([START, *thought]) == [
        ROLE, {"reasoning_content": "a"}, {"reasoning_content": "\n\nb"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "a\n\nb", "signature": "st", "format": "anthropic-claude-v1", "index": 0}]},
    ]  # fmt: skip
    assert deltas([START, *thought], include_thoughts=False) == [ROLE]


def test_a_thought_after_another_is_a_paragraph_of_its_own() -> None:
    """B-THK-16: the stream says what the whole answer says."""
    events: list[Event] = [
        START,
        PartStarted(part=0, value=Reasoning()), ReasoningDelta(part=0, text="a"), PartEnded(part=0),
        PartStarted(part=1, value=Reasoning()), ReasoningDelta(part=1, text="b"), PartEnded(part=1),
    ]  # fmt: skip

    assert deltas(events) == [ROLE, {"reasoning_content": "a"}, {"reasoning_content": "\n\nb"}]


def test_redacted_thinking_and_summaries_are_details() -> None:
    """B-THK-09."""
    redacted = Reasoning(redacted=True, seal=Seal(issuer="anthropic", kind="redacted", data="r"))
    summed = part(
        Reasoning(id="rs"),
        ReasoningDelta(part=1, text="s", summary=True),
        SealAdded(part=1, data="e", issuer="openai_responses", kind="encrypted"),
        number=1,
    )
    out = deltas([START, *part(redacted), *summed])

    assert out[1] == {
        "reasoning_details": [{"type": "reasoning.encrypted", "data": "r", "format": "anthropic-claude-v1", "index": 0}]
    }
    assert [detail["type"] for detail in out[-1]["reasoning_details"]] == ["reasoning.summary", "reasoning.encrypted"]
    assert [detail["index"] for detail in out[-1]["reasoning_details"]] == [1, 2]


def test_skeletons_with_content_are_said_in_full() -> None:
    seal = Seal(issuer="gemini", kind="signature", data="s")
    cite = Cite(kind="url_citation", dialect="gemini", url="https://x.test", start=0, end=1)
    out = deltas([
        START, *part(Reasoning(text=("r",), summary=("s",))), *part(Text(text="t", cites=(cite,), seal=seal), number=1),
        *part(Refusal(text="n"), number=2), *part(ToolCall(call_id="a", name="f", arguments="{}", seal=seal), number=3),
    ])  # fmt: skip

    assert out[1:4] == [{"reasoning_content": "r"}, {"reasoning_content": "\n\ns"}, {"content": "t"}]
    assert out[4]["annotations"][0]["url_citation"]["end_index"] == 1
    assert out[5] == {"extra_content": {"google": {"thought_signature": "s"}}}
    assert out[6] == {"refusal": "n"}
    assert out[7]["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "s"}}


def test_late_seals_of_google_find_their_part() -> None:
    """B-THK-04."""
    text = part(Text(text=""), TextDelta(part=0, text="x"), SealAdded(part=0, data="s", issuer="gemini"))
    call = part(ToolCall(call_id="a", name="f", arguments="{}"), SealAdded(part=1, data="s", issuer="gemini"), number=1)
    out = deltas([START, *text, *call])

    assert {"extra_content": {"google": {"thought_signature": "s"}}} in out
    assert out[-1]["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "s"}}


def test_citations_of_a_later_text_count_from_the_start_of_the_whole() -> None:
    cite = CiteAdded(part=1, cite=Cite(kind="url_citation", dialect="x", url="https://x.test", start=0, end=1))
    out = deltas([START, *words("abc"), *part(Text(text=""), TextDelta(part=1, text="d"), cite, number=1)])

    assert out[-1]["annotations"][0]["url_citation"]["start_index"] == 3


def test_media_stream_as_audio_or_whole_images() -> None:
    audio = part(
        Media(kind="audio", source=Inline(b64="", mime="audio/wav"), id="au"),
        MediaDelta(part=0, data="AAAA"),
        MediaDelta(part=0, data="BBBB", transcript="h"),
    )
    image = part(
        Media(kind="image", source=Inline(b64="AA", mime="image/png")), MediaDelta(part=1, data="BB"), number=1
    )
    out = deltas([START, *audio, *image, *part(Media(kind="image", source=Url(url="https://x.test")), number=2)])

    assert out[1:] == [
        {"audio": {"id": "au", "data": "AAAA"}},
        {"audio": {"data": "BBBB", "transcript": "h"}},
        {"images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AABB"}}]},
        {"images": [{"type": "image_url", "image_url": {"url": "https://x.test"}}]},
    ]


def test_what_chat_cannot_stream_is_a_loss() -> None:
    hosted = part(
        HostedCall(call_id="h", tool="web_search", dialect="anthropic"),
        ArgumentsDelta(part=0, text="{}"),
        PartStatus(part=0, state="done"),
    )
    film = part(Media(kind="video", source=Url(url="https://x.test")), number=1)
    cite = part(Text(text=""), CiteAdded(part=2, cite=Cite(kind="char_location", dialect="anthropic")), number=2)
    seal = part(
        ToolCall(call_id="a", name="f", arguments="{}"), SealAdded(part=3, data="s", issuer="anthropic"), number=3
    )

    assert losses(START, *hosted, *film, *cite, *seal) == ["/parts/0", "/parts/1", "/parts/2", "/parts/3"]
    assert deltas([START, *hosted]) == [ROLE]


def test_token_entries_ride_on_their_chunk() -> None:
    entry = {"token": "a", "logprob": -1.0, "bytes": None, "top_logprobs": []}
    delta = TextDelta(part=0, text="a", logprobs=(json.dumps(entry).encode(),))

    assert encode([START, *part(Text(text=""), delta)])[1]["choices"][0]["logprobs"] == {
        "content": [entry],
        "refusal": None,
    }


def test_own_members_ride_on_the_next_chunk() -> None:
    def own(**members: bytes) -> Extra:
        return Extra(dialect="openai_chat", members=members)

    start = Started(id="c", service_tier="flex", extra=own(system_fingerprint=b'"fp"', citations=b'["a"]'))
    finished = Finished(candidate=0, finish=Finish(reason="stop"), extra=own(content_filter_results=b"{}"))
    role, said, done, _ = encode(
        [start, Noted(service_tier="odd"), *words("a"), Noted(extra=own(late=b"1")), finished, DONE]
    )

    assert (role["citations"], role["system_fingerprint"], role["service_tier"]) == (["a"], "fp", "flex")
    assert "citations" not in said
    assert (done["late"], done["choices"][0]["content_filter_results"]) == (1, {})
    for item in (role, said, done):
        ChatCompletionChunk.model_validate_json(json.dumps(item), strict=True)


def test_a_failure_is_the_last_frame() -> None:
    """B-SSE-16, B-SSE-17: no finish, no [DONE]."""
    error = ErrorInfo(kind=ErrorKind.OVERLOADED, status=529, message="busy", type="overloaded_error")
    out = encode([START, *words("a"), Failed(error=error), STOP, Ended(complete=False)])

    assert out[-1] == {"error": {"message": "busy", "type": "server_error", "param": None, "code": "overloaded"}}
    assert len(out) == 3


def test_a_stream_cut_off_ends_in_an_error() -> None:
    """B-SSE-18."""
    out = encode([START, *words("a"), Ended(complete=False)])

    assert out[-1]["error"]["code"] == "upstream_truncated"


def test_a_blocked_prompt_still_has_a_choice() -> None:
    """B-FIN-04."""
    blocked = encode([START, Noted(feedback=b'{"blockReason":"SAFETY"}'), DONE])
    empty = encode([START, DONE])

    assert [item["choices"][0]["finish_reason"] for item in blocked[:-1]] == [None, "content_filter"]
    assert empty[-2]["choices"][0]["finish_reason"] == "stop"
    assert empty[-1] == b"[DONE]"


def test_a_choice_without_a_finish_gets_one() -> None:
    assert encode([START, *words("a"), DONE])[-2]["choices"][0]["finish_reason"] == "stop"


def test_pings_are_comments_and_foreign_events_stay_at_home() -> None:
    """B-SSE-04."""
    own = Foreign(dialect="openai_chat", event=None, raw=b'{"a":1}')

    assert encode([START, Ping(), own, Foreign(dialect="anthropic", event="x", raw=b"{}")]) == [b"ping", {"a": 1}]


def test_a_part_nobody_opened_is_ignored() -> None:
    stray: list[Event] = [TextDelta(part=9, text="x"), PartEnded(part=9)]

    assert encode([START, *stray]) == []


def test_half_a_surrogate_pair_goes_out_as_an_escape() -> None:
    encoder = CLIENT.encoder(reply())
    frames: list[Any] = [frame for event in [START, *words("\ud83d")] for frame in encoder.feed(event)]

    assert b'{"content":"\\ud83d"}' in frames[-1].data
