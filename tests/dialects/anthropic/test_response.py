"""Answers in one piece, both ways."""

import json

import pytest

from setu.chat.ids import counter
from setu.chat.parts import HostedCall, Inline, Media, Opaque, Reasoning, Refusal, Text, ToolCall
from setu.chat.request import Message
from setu.chat.response import Candidate, ChatResponse, Finish, Usage
from setu.chat.seals import Cite, Extra, Seal
from setu.errors import ErrorKind, ProviderError, RemoteDialectError
from tests.dialects.anthropic.oracle import need_message
from tests.dialects.anthropic.wire import CLIENT, UPSTREAM, reply

MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [],
    "stop_reason": "end_turn",
}


def read(**members):
    return UPSTREAM.parse_response(json.dumps(MESSAGE | members).encode(), counter())


def parts_of(*content):
    return read(content=list(content)).candidates[0].messages[0].parts


def written(*parts, finish="stop", **members):
    candidate = Candidate(messages=(Message(role="assistant", parts=parts),), finish=Finish(reason=finish))
    rendered = CLIENT.render_response(ChatResponse(id="r1", candidates=(candidate,), **members), reply())
    need_message(rendered.body)
    return json.loads(rendered.body), rendered.losses


def test_an_answer_is_one_candidate_with_one_message() -> None:
    response = read(
        content=[{"type": "text", "text": "Hi", "citations": None}], usage={"input_tokens": 3, "output_tokens": 2}
    )

    assert (response.id, response.model) == ("msg_1", "claude")
    assert response.candidates == (
        Candidate(
            messages=(Message(role="assistant", parts=(Text(text="Hi"),)),),
            finish=Finish(reason="stop", native="end_turn"),
        ),
    )


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("tool_use", "tool_calls"),
        ("pause_turn", "pause"),
        ("refusal", "refusal"),
        ("model_context_window_exceeded", "context_length"),
        ("of_tomorrow", "stop"),
    ],
)
def test_every_stop_reason_has_a_meaning(word, reason):  # P26, B-FIN-08
    finish = read(stop_reason=word).candidates[0].finish

    assert (finish.reason, finish.native) == (reason, word)


def test_a_call_outweighs_a_plain_stop_and_a_cut_outweighs_the_call():  # B-FIN-11
    call = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}

    assert read(content=[call]).candidates[0].finish.reason == "tool_calls"
    assert read(content=[call], stop_reason="max_tokens").candidates[0].finish.reason == "length"


def test_input_includes_what_came_from_the_cache_and_went_into_it():  # B-USG-01
    usage = read(
        usage={
            "input_tokens": 3,
            "cache_creation_input_tokens": 12304,
            "cache_read_input_tokens": 5,
            "cache_creation": {"ephemeral_1h_input_tokens": 4, "ephemeral_5m_input_tokens": 12300},
            "output_tokens": 9,
            "output_tokens_details": {"thinking_tokens": 7},
            "server_tool_use": {"web_search_requests": 2},
        }
    ).usage

    assert (usage.input, usage.output) == (12312, 9)
    assert (usage.cache_read, usage.cache_write, usage.cache_write_1h) == (5, 12304, 4)
    assert (usage.reasoning, usage.hosted) == (7, {"web_search_requests": 2})


def test_what_is_not_reported_is_not_zero() -> None:
    usage = read(usage={"output_tokens": 1}).usage

    assert (usage.input, usage.cache_read, usage.reasoning, usage.total) == (None, None, None, None)


def test_citations_keep_the_sources_own_words() -> None:
    cite = {"type": "char_location", "cited_text": "q", "document_title": "T", "start_char_index": 1}

    (text,) = parts_of({"type": "text", "text": "x", "citations": [cite, 7]})

    assert text.cites[0] == Cite(
        kind="char_location", dialect="anthropic", title="T", quoted="q", raw=json.dumps(cite).encode()
    )
    assert text.cites[1].raw == b"7"


def test_odd_blocks_survive() -> None:
    parts = parts_of(
        {"type": "tool_use", "name": "f"},
        {"type": "of_tomorrow", "x": 1},
        {"type": "image", "source": {"type": "base64"}},
        "no object",
        {"type": "text"},
        {"type": "thinking", "thinking": "hm"},
    )

    assert parts[0] == ToolCall(call_id="toolu_1", name="f", arguments="{}")
    assert [part.kind for part in parts if isinstance(part, Opaque)] == ["of_tomorrow", "image"]
    assert parts[3:] == (Text(text=""), Reasoning(text=("hm",)))


def test_late_members_are_kept_and_null_says_nothing() -> None:
    response = read(container={"id": "c"}, context_management=None)

    assert response.extra == Extra(dialect="anthropic", members={"container": b'{"id": "c"}'})


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
        b'{"error":{"type":"overloaded_error","message":"Overloaded"}}',
    ],
)
def test_an_error_under_a_200_is_an_error(body):  # B-ERR-08
    with pytest.raises(ProviderError) as caught:
        UPSTREAM.parse_response(body, counter())

    assert (caught.value.info().status, caught.value.info().kind) == (529, ErrorKind.OVERLOADED)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'"x"'])
def test_no_answer_is_the_upstreams_fault(body) -> None:
    with pytest.raises(RemoteDialectError):
        UPSTREAM.parse_response(body, counter())


def test_a_broken_character_does_not_cost_the_answer() -> None:
    body = json.dumps(MESSAGE | {"content": [{"type": "text", "text": "?"}]}).encode().replace(b"?", b"\xff")

    response = UPSTREAM.parse_response(body, counter())

    assert response.candidates[0].messages[0].parts == (Text(text="\ufffd"),)


def test_an_answer_of_any_dialect_has_anthropics_full_shape():  # B-USG-02, B-USG-07
    body, losses = written(
        Text(text="Hi"), usage=Usage(input=100, output=5, cache_read=60, cache_write=30, reasoning=2)
    )

    assert losses == ()
    assert (body["id"], body["model"], body["type"], body["role"]) == ("r1", "claude", "message", "assistant")
    assert (body["stop_reason"], body["stop_sequence"]) == ("end_turn", None)
    assert body["usage"] == {
        "input_tokens": 10,
        "cache_creation_input_tokens": 30,
        "cache_read_input_tokens": 60,
        "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"thinking_tokens": 2},
    }


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("tool_calls", "tool_use"),
        ("content_filter", "refusal"),
        ("refusal", "refusal"),
        ("pause", "pause_turn"),
        ("context_length", "model_context_window_exceeded"),
        ("error", "refusal"),
    ],
)
def test_every_finish_has_a_word(reason, word):  # B-FIN-09
    assert written(finish=reason)[0]["stop_reason"] == word


def test_a_call_is_never_reported_as_a_plain_stop():  # B-STR-30
    assert written(ToolCall(call_id="t1", name="f", arguments=""))[0]["stop_reason"] == "tool_use"


def test_a_foreign_native_word_never_leaks():  # B-FIN-09
    candidate = Candidate(
        messages=(), finish=Finish(reason="stop", native="STOP", stop_sequence="END", detail=b'{"x":1}')
    )

    body = json.loads(CLIENT.render_response(ChatResponse(candidates=(candidate,)), reply()).body)

    assert (body["stop_reason"], body["stop_sequence"]) == ("stop_sequence", "END")
    assert "stop_details" not in body


def test_every_part_has_its_block() -> None:
    signed = Reasoning(text=("hm",), seal=Seal(issuer="anthropic", kind="signature", data="s"))
    hosted = HostedCall(
        call_id="s1", tool="server_tool_use", dialect="anthropic", name="web_search", arguments=b'{"q":1}'
    )

    body, losses = written(
        signed,
        Reasoning(summary=("a", "b")),
        Text(text="t"),
        Refusal(text="no"),
        ToolCall(call_id="call_1", name="f", arguments='{"n":1}'),
        hosted,
    )

    assert body["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "thinking", "thinking": "a\n\nb", "signature": ""},
        {"type": "text", "text": "t"},
        {"type": "text", "text": "no"},
        {"type": "tool_use", "id": "toolu_setu_call_1", "name": "f", "input": {"n": 1}},
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"q": 1}},
    ]
    assert losses == ()


def test_what_anthropic_cannot_say_is_noted() -> None:
    image = Media(kind="image", source=Inline(b64="", mime="image/png"))
    audio = Media(kind="audio", source=Inline(b64="", mime="audio/wav"), transcript="spoken")
    foreign = HostedCall(call_id="h", tool="web_search_call", dialect="openai_responses")
    cited = Text(text="t", cites=(Cite(kind="url_citation", dialect="openai_chat"),), logprobs=(b"{}",))

    body, losses = written(image, audio, foreign, cited, ToolCall(call_id="t", name="f", arguments='{"n":'))

    assert [block["type"] for block in body["content"]] == ["text", "text", "tool_use"]
    assert body["content"][0]["text"] == "spoken"
    assert [loss.pointer for loss in losses] == [f"/content/{index}" for index in (0, 1, 2, 3, 3, 4)]
    assert {loss.phase for loss in losses} == {"response"}


def test_of_several_candidates_the_first_is_told_and_the_rest_noted():  # B-PRM-07
    one, other = (
        Candidate(index=index, messages=(Message(role="assistant", parts=(Text(text=str(index)),)),))
        for index in (0, 1)
    )

    rendered = CLIENT.render_response(ChatResponse(candidates=(one, other)), reply())

    assert [block["text"] for block in json.loads(rendered.body)["content"]] == ["0"]
    assert [loss.pointer for loss in rendered.losses] == ["/candidates/1"]


def test_no_candidate_at_all_is_an_empty_message() -> None:
    rendered = CLIENT.render_response(ChatResponse(), reply())

    message = need_message(rendered.body)
    assert (message.id, message.content, message.stop_reason) == ("msg_1", [], "end_turn")


def test_thinking_is_left_out_for_a_client_that_does_not_want_it() -> None:
    candidate = Candidate(messages=(Message(role="assistant", parts=(Reasoning(text=("hm",)), Text(text="t"))),))

    rendered = CLIENT.render_response(ChatResponse(candidates=(candidate,)), reply(include_thoughts=False))

    assert [block["type"] for block in json.loads(rendered.body)["content"]] == ["text"]


def test_a_lone_surrogate_does_not_cost_the_answer() -> None:
    assert written(Text(text="a\ud800b"))[0]["content"][0]["text"] == "a\ufffdb"


def test_arguments_of_any_number_stay_to_the_letter():  # P12
    candidate = Candidate(
        messages=(Message(role="assistant", parts=(ToolCall(call_id="t", name="f", arguments='{"n": 1.10}'),)),)
    )

    assert b'"input":{"n": 1.10}' in CLIENT.render_response(ChatResponse(candidates=(candidate,)), reply()).body


def test_what_anthropics_usage_says_beyond_the_model_comes_back() -> None:
    usage = {
        "input_tokens": 1,
        "output_tokens": 1,
        "service_tier": "priority",
        "inference_geo": "eu",
        "server_tool_use": {"web_search_requests": 2},
    }

    again = json.loads(CLIENT.render_response(read(usage=usage), reply()).body)["usage"]

    assert (again["service_tier"], again["inference_geo"]) == ("priority", "eu")
    assert again["server_tool_use"] == {"web_search_requests": 2, "web_fetch_requests": 0}


def test_the_details_of_a_refusal_come_back() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": None}

    again = CLIENT.render_response(read(stop_reason="refusal", stop_details=details), reply())

    assert json.loads(again.body)["stop_details"] == details
