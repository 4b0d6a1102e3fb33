"""Whole answers: read liberally, written strictly."""

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from setu.chat.parts import AnyPart, HostedCall, Inline, Media, Reasoning, Refusal, Text, ToolCall, Url
from setu.chat.request import Message
from setu.chat.response import Candidate, ChatResponse, Finish, FinishReason, Usage
from setu.chat.seals import Cite, Extra, Seal
from setu.dialects.openai_chat.words import FINISH_OUT
from setu.errors import ErrorKind, ProviderError, RemoteDialectError
from tests.dialects.openai_chat.wire import CLIENT, answer, call, read, reply, shown


def parts(message: dict[str, Any], **choice: Any) -> tuple[AnyPart, ...]:
    return read(answer(message, **choice)).candidates[0].messages[0].parts


def said(*content: AnyPart, finish: FinishReason = "stop", **members: Any) -> ChatResponse:
    message = Message(role="assistant", parts=content)
    return ChatResponse(candidates=(Candidate(messages=(message,), finish=Finish(reason=finish)),), **members)


def choice(response: ChatResponse, **members: Any) -> dict[str, Any]:
    body = CLIENT.render_response(response, reply(**members)).body
    ChatCompletion.model_validate_json(body, strict=True)
    found: dict[str, Any] = json.loads(body)["choices"][0]
    return found


def losses(response: ChatResponse) -> list[str]:
    return [loss.pointer for loss in CLIENT.render_response(response, reply()).losses]


def test_an_answer_is_read_in_reading_order() -> None:
    found = parts({
        "content": "text", "refusal": "no", "reasoning": "why", "tool_calls": [call("a")],
        "audio": {"id": "au", "data": "AAAA", "expires_at": 9, "transcript": "hi"},
        "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,BBBB"}}],
    })  # fmt: skip

    assert found == (
        Reasoning(text=("why",)),
        Text(text="text"),
        Refusal(text="no"),
        Media(kind="audio", source=Inline(b64="AAAA", mime="audio/wav"), id="au", transcript="hi",
              extra=Extra(dialect="openai_chat", members={"expires_at": b"9"})),
        Media(kind="image", source=Inline(b64="BBBB", mime="image/png")),
        ToolCall(call_id="a", name="f", arguments="{}"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"content": None}, ()),
        ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "a"}], "closed": True}, {"type": "text", "text": "b"}]},
         (Reasoning(text=("a",)), Text(text="b"))),
        ({"content": {"a": 1}}, (Text(text='{"a": 1}'),)),
        ({"content": "x", "reasoning_content": "r", "reasoning": "r"}, (Reasoning(text=("r",)), Text(text="x"))),
        ({"function_call": {"name": "f", "arguments": "{}"}}, (ToolCall(call_id="call_1", name="f", arguments="{}"),)),
        ({"tool_calls": [{"id": "", "function": {"name": "f", "arguments": {"a": 1}}}]}, (ToolCall(call_id="call_1", name="f", arguments='{"a": 1}'),)),
        ({"tool_calls": [{"id": None, "function": {"name": "f"}}]}, (ToolCall(call_id="call_1", name="f", arguments=""),)),
        ({"tool_calls": [{"id": "a", "type": "custom", "custom": {"name": "c", "input": "x"}}]}, (ToolCall(call_id="a", name="c", arguments="x", kind="custom"),)),
        ({"tool_calls": [{"id": "a", "type": "browser"}, 3]}, ()),
        ({"audio": {"id": "", "data": "", "expires_at": 0, "transcript": ""}}, ()),
        ({"content": "x", "extra_content": {"google": {"thought_signature": "s"}}}, (Text(text="x", seal=Seal(issuer="gemini", kind="signature", data="s")),)),
        ({"extra_content": {"google": {"thought_signature": "s"}}}, (Text(text="", seal=Seal(issuer="gemini", kind="signature", data="s")),)),
    ],
)  # fmt: skip
def test_a_hosts_own_form_is_read(message: dict[str, Any], expected: tuple[AnyPart, ...]) -> None:
    """B-STR-12, B-THK-13 and the exchanges that break naive adapters."""
    assert parts(message) == expected


def test_citations_are_read_and_written() -> None:
    own = {
        "type": "url_citation",
        "url_citation": {"start_index": 0, "end_index": 2, "title": "t", "url": "https://x.test"},
    }
    host = {"type": "url", "url": "https://y.test", "title": "y", "summary": "s", "site_name": "n"}
    response = read(answer({"content": "abc", "annotations": [own, host, {"type": "file"}, 3]}))

    text = response.candidates[0].messages[0].parts[0]
    assert isinstance(text, Text)
    assert [(cite.url, cite.start, cite.end, cite.quoted) for cite in text.cites] == [
        ("https://x.test", 0, 2, None), ("https://y.test", None, None, "s"), (None, None, None, None)
    ]  # fmt: skip
    written = choice(response)["message"]["annotations"]
    assert written[0] == own
    assert written[1]["url_citation"] == {
        "url": "https://y.test",
        "title": "y",
        "start_index": 0,
        "end_index": 0,
        "content": "s",
    }
    assert losses(response) == ["/candidates/0/content/0/cites"]


def test_citations_of_a_later_text_count_from_the_start_of_the_whole() -> None:
    cite = Cite(kind="url_citation", dialect="anthropic", start=0, end=2, url="https://x.test")
    written = choice(said(Text(text="abc"), Text(text="de", cites=(cite,))))["message"]["annotations"][0][
        "url_citation"
    ]

    assert (written["start_index"], written["end_index"], written["title"]) == (3, 5, "https://x.test")


def test_token_entries_belong_to_the_one_text() -> None:
    entry = {"token": "hi", "logprob": -0.5, "bytes": [104, 105], "top_logprobs": []}
    response = read(answer(logprobs={"content": [entry], "refusal": None}))

    text = response.candidates[0].messages[0].parts[0]
    assert isinstance(text, Text)
    assert text.logprobs == (json.dumps(entry).encode(),)
    assert choice(response)["logprobs"] == {"content": [entry], "refusal": None}


@pytest.mark.parametrize(
    ("logprobs", "written"),
    [
        ({"content": [{"token": "a", "logprob": -1, "top_logprobs": [{"token": "b", "bytes": "b"}], "id": 3}]},
         {"content": [{"token": "a", "logprob": -1, "bytes": None, "top_logprobs": [{"token": "b", "logprob": -9999.0, "bytes": None}]}], "refusal": None}),
        ({"content": [3]}, {"content": [{"token": "", "logprob": -9999.0, "bytes": None, "top_logprobs": []}], "refusal": None}),
        ({"content": None, "refusal": [{"token": "n", "logprob": -1.0, "top_logprobs": []}]},
         {"content": None, "refusal": [{"token": "n", "logprob": -1.0, "top_logprobs": []}]}),
        ({"content": None}, None),
        ({"tokens": ["a"], "token_logprobs": [-1]}, None),
        (3, None),
    ],
)  # fmt: skip
def test_log_probabilities_of_any_form_become_openais_or_nothing(logprobs: Any, written: Any) -> None:
    assert choice(read(answer(logprobs=logprobs)))["logprobs"] == written


@pytest.mark.parametrize(
    ("word", "calls", "reason"),
    [
        ("stop", False, "stop"), ("length", False, "length"), ("content_filter", False, "content_filter"),
        ("tool_calls", True, "tool_calls"), ("function_call", True, "tool_calls"), ("stop", True, "tool_calls"),
        ("", True, "tool_calls"), ("", False, "stop"), (None, False, "stop"), ("eos", False, "stop"),
        ("STOP", False, "stop"), ("novelty", False, "stop"), ("length", True, "length"), ("error", False, "error"),
    ],
)  # fmt: skip
def test_finish_words_of_hosts_are_understood(word: str | None, calls: bool, reason: str) -> None:
    """B-STR-14, B-FIN-06, B-FIN-09, B-FIN-11."""
    message = {"content": "x"} | ({"tool_calls": [call("a")]} if calls else {})
    finish = read(answer(message, finish_reason=word)).candidates[0].finish

    assert finish == Finish(reason=reason, native=word or None)  # type: ignore[arg-type]  # one of the reasons


@pytest.mark.parametrize("reason", FINISH_OUT)
def test_every_reason_is_written_as_one_of_openais_words(reason: FinishReason) -> None:
    """B-FIN-01, B-FIN-08."""
    assert choice(said(Text(text="x"), finish=reason))["finish_reason"] in {"stop", "length", "content_filter"}
    with_call = choice(said(ToolCall(call_id="a", name="f", arguments=""), finish=reason))
    assert with_call["finish_reason"] == {"stop": "tool_calls", "pause": "tool_calls"}.get(reason, FINISH_OUT[reason])


def test_a_foreign_finish_word_stands_beside_the_legal_one() -> None:
    """B-FIN-02."""
    blocked = Candidate(messages=(), finish=Finish(reason="error", native="MALFORMED_FUNCTION_CALL"))
    found = choice(ChatResponse(candidates=(blocked,)))

    assert (found["finish_reason"], found["native_finish_reason"]) == ("content_filter", "MALFORMED_FUNCTION_CALL")


def test_required_members_are_always_there_and_tool_calls_only_with_calls() -> None:
    plain = choice(said(Text(text="x")))
    assert plain["message"] == {"role": "assistant", "content": "x", "refusal": None}
    assert plain["logprobs"] is None
    called = choice(said(ToolCall(call_id="a", name="f", arguments="")))["message"]
    assert called["content"] is None
    assert called["tool_calls"] == [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    assert choice(said())["message"]["content"] == ""
    assert choice(said(Refusal(text="no")))["message"] == {"role": "assistant", "content": None, "refusal": "no"}


def test_a_custom_call_keeps_its_empty_input() -> None:
    written = choice(said(ToolCall(call_id="a", name="c", arguments="", kind="custom")))["message"]["tool_calls"]

    assert written == [{"id": "a", "type": "custom", "custom": {"name": "c", "input": ""}}]


def test_identity_comes_from_the_upstream_and_else_from_the_reply() -> None:
    full = shown(said(id="msg_1", model="claude", created=9))
    assert (full["id"], full["model"], full["created"]) == ("msg_1", "claude", 9)
    bare = shown(said())
    assert (bare["id"], bare["model"], bare["created"], bare["object"]) == ("chatcmpl-r", "asked", 5, "chat.completion")
    assert "usage" not in bare


def test_a_blocked_prompt_is_one_filtered_choice() -> None:
    """B-FIN-04."""
    response = ChatResponse(feedback=b'{"blockReason":"SAFETY"}', usage=Usage(input=3, output=0))

    assert choice(response)["finish_reason"] == "content_filter"
    assert choice(response)["message"]["content"] == ""
    assert losses(response) == ["/feedback"]


def test_several_candidates_keep_their_numbers() -> None:
    candidates = tuple(
        Candidate(
            index=index,
            messages=(Message(role="assistant", parts=(Text(text=str(index)),)),),
            finish=Finish(reason="stop"),
        )
        for index in range(2)
    )

    assert [(c["index"], c["message"]["content"]) for c in shown(ChatResponse(candidates=candidates))["choices"]] == [
        (0, "0"),
        (1, "1"),
    ]


def test_thinking_is_one_string_with_its_seals_beside_it() -> None:
    thought = Reasoning(text=("a", "b"), seal=Seal(issuer="anthropic", kind="signature", data="s"))
    redacted = Reasoning(redacted=True, seal=Seal(issuer="anthropic", kind="redacted", data="r"))
    message = choice(said(thought, redacted, Text(text="x")))["message"]

    assert message["reasoning_content"] == "a\n\nb"
    assert message["reasoning_details"] == [
        {"type": "reasoning.text", "text": "a\n\nb", "signature": "s", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.encrypted", "data": "r", "format": "anthropic-claude-v1", "index": 1},
    ]
    hidden = choice(said(thought, Text(text="x")), include_thoughts=False)["message"]
    assert hidden == {"role": "assistant", "content": "x", "refusal": None}


def test_summaries_and_encrypted_thinking_of_responses_are_details() -> None:
    part = Reasoning(id="rs_1", summary=("s",), seal=Seal(issuer="openai_responses", kind="encrypted", data="e"))

    assert choice(said(part))["message"]["reasoning_details"] == [
        {"type": "reasoning.summary", "summary": "s", "id": "rs_1", "format": "openai-responses-v1", "index": 0},
        {"type": "reasoning.encrypted", "data": "e", "id": "rs_1", "format": "openai-responses-v1", "index": 1},
    ]


def test_google_seals_ride_on_calls_and_on_the_message() -> None:
    """B-THK-01, B-THK-04."""
    seal = Seal(issuer="gemini", kind="signature", data="s")
    message = choice(said(Text(text="x", seal=seal), ToolCall(call_id="a", name="f", arguments="{}", seal=seal)))[
        "message"
    ]

    assert (
        message["extra_content"] == message["tool_calls"][0]["extra_content"] == {"google": {"thought_signature": "s"}}
    )
    foreign = Seal(issuer="anthropic", kind="signature", data="s")
    assert losses(said(Text(text="x", seal=foreign), ToolCall(call_id="a", name="f", arguments="{}", seal=foreign))) == [
        "/candidates/0/content/0/seal", "/candidates/0/content/1/seal"
    ]  # fmt: skip


def test_media_of_an_answer() -> None:
    spoken = Media(kind="audio", source=Inline(b64="A", mime="audio/wav"))
    drawn = Media(kind="image", source=Url(url="https://x.test/a.png"))
    filmed = Media(kind="video", source=Url(url="https://x.test/a.mp4"))
    message = choice(said(spoken, drawn, filmed))["message"]

    assert message["audio"] == {"id": "audio_1", "data": "A", "expires_at": 5, "transcript": ""}
    assert message["images"] == [{"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}]
    assert losses(said(filmed)) == ["/candidates/0/content/0"]


def test_what_has_no_place_is_lost_aloud() -> None:
    assert losses(said(HostedCall(call_id="h", tool="web_search", dialect="anthropic"))) == ["/candidates/0/content/0"]


def test_own_members_come_back_if_a_strict_client_can_read_them() -> None:
    members = {"system_fingerprint": b'"fp"', "metadata": b'{"a":1}', "moderation": b"{}", "provider": b'"p"'}
    response = said(Text(text="x"), extra=Extra(dialect="openai_chat", members=members), service_tier="on_demand")
    full = shown(response)

    assert (full["system_fingerprint"], full["provider"]) == ("fp", "p")
    assert full.keys() & {"metadata", "moderation", "service_tier"} == set()
    assert losses(response) == ["/service_tier", "/metadata", "/moderation"]
    assert losses(said(extra=Extra(dialect="gemini", members={"a": b"1"}))) == ["/a"]
    assert shown(said(service_tier="flex"))["service_tier"] == "flex"


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 1, "cache_write_tokens": 2},
          "completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 1}},
         Usage(input=9, output=3, total=12, cache_read=4, cache_write=2, reasoning=2, audio_in=1, audio_out=1)),
        ({"prompt_tokens": 9, "completion_tokens": 3, "prompt_cache_hit_tokens": 5}, Usage(input=9, output=3, cache_read=5)),
        ({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 17, "completion_tokens_details": {"reasoning_tokens": 5}},
         Usage(input=9, output=8, total=17, reasoning=5)),
        ({"prompt_tokens": 9.0, "completion_tokens": None, "total_tokens": "x"}, Usage(input=9)),
        ({"prompt_tokens": -1, "completion_tokens": True}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_counts_are_read_wherever_hosts_put_them(wire: dict[str, Any], usage: Usage | None) -> None:
    """B-USG-05, B-USG-06."""
    body = json.loads(answer()) | {"usage": wire}
    found = read(json.dumps(body).encode()).usage

    assert (found and type(found)(**{k: getattr(found, k) for k in found.__struct_fields__ if k != "raw"})) == usage


@pytest.mark.parametrize(
    ("usage", "wire"),
    [
        (Usage(input=9, output=3, total=99), {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}),
        (Usage(input=9), {"prompt_tokens": 9, "completion_tokens": 0, "total_tokens": 9}),
        (Usage(output=3, total=12), {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}),
        (Usage(total=12), {"prompt_tokens": 12, "completion_tokens": 0, "total_tokens": 12}),
        (Usage(input=9, output=3, cache_read=20, reasoning=8),
         {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12, "prompt_tokens_details": {"cached_tokens": 9}, "completion_tokens_details": {"reasoning_tokens": 3}}),
        (Usage(), None),
    ],
)  # fmt: skip
def test_written_counts_add_up(usage: Usage, wire: dict[str, Any] | None) -> None:
    assert shown(said(usage=usage)).get("usage") == wire


@pytest.mark.parametrize(
    ("data", "status", "kind"),
    [
        (b'\n\n {"error":{"message":"bad","code":400}}', 400, ErrorKind.INVALID_REQUEST),
        (b'{"error":{"message":"slow down","code":429},"choices":[]}', 429, ErrorKind.RATE_LIMIT),
        (b'{"error":"broken"}', 502, ErrorKind.BAD_GATEWAY),
        (b'{"object":"error","message":"flat","type":"invalid_request_error"}', 400, ErrorKind.INVALID_REQUEST),
        (b'{"detail":"no"}', 502, ErrorKind.BAD_GATEWAY),
    ],
)
def test_an_error_inside_a_success_is_an_error(data: bytes, status: int, kind: ErrorKind) -> None:
    """B-SSE-13, B-ERR-08."""
    with pytest.raises(ProviderError) as caught:
        read(data)

    assert (caught.value.info().status, caught.value.info().kind) == (status, kind)


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]", b"{}", b'{"id":"a"}'])
def test_a_body_without_an_answer_is_the_upstreams_fault(data: bytes) -> None:
    with pytest.raises(RemoteDialectError) as caught:
        read(data)

    assert caught.value.info().status == 502


def test_a_choice_may_lack_message_and_index() -> None:
    """Perplexity repeats the answer as a delta; a host may send nothing else."""
    response = read(b'{"choices":[{"delta":{"content":"a"}},{}]}')

    assert [candidate.index for candidate in response.candidates] == [0, 1]
    assert response.candidates[0].messages[0].parts == (Text(text="a"),)
