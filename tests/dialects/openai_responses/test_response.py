"""Answers: what hosts send, and what a client is shown."""

import json
from typing import Any

import pytest

from setu.chat.parts import HostedCall, Inline, Media, Opaque, Reasoning, Refusal, Text, ToolCall
from setu.chat.request import FunctionTool, Message
from setu.chat.response import Candidate, ChatResponse, Finish, FinishReason, Usage
from setu.chat.seals import Cite, Seal
from setu.errors import ErrorKind, ProviderError, RemoteDialectError
from tests.dialects.openai_responses.oracle import need_response
from tests.dialects.openai_responses.wire import CLIENT, answer, call, message, parse, read, reply, shown


def said(*parts: Any, reason: FinishReason = "stop", **members: Any) -> ChatResponse:
    candidate = Candidate(messages=(Message(role="assistant", parts=parts),), finish=Finish(reason=reason))
    return ChatResponse(candidates=(candidate,), **members)


def test_each_item_is_a_message_and_usage_is_read_whole() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "s"}]}

    response = read(answer(thought, message("a", "b", phase="commentary"), call(id="fc_1")))

    first, second, third = response.candidates[0].messages
    assert first.parts == (Reasoning(id="rs_1", summary=("s",)),)
    assert (second.id, second.phase, second.parts) == ("msg_1", "commentary", (Text(text="a"), Text(text="b")))
    assert third.parts == (ToolCall(id="fc_1", call_id="call_1", name="f", arguments="{}"),)
    assert response.candidates[0].finish == Finish(reason="tool_calls", native="completed")
    usage = response.usage
    assert usage is not None
    assert (usage.input, usage.output, usage.cache_read, usage.reasoning, usage.total) == (3, 2, 1, 1, 5)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter"),
        ({"status": "cancelled"}, "error"),
        ({"status": "complete"}, "stop"),
    ],
)
def test_a_status_says_why_it_ended(members: dict[str, Any], reason: str) -> None:
    """B-FIN-10."""
    finish = read(answer(message("a"), **members)).candidates[0].finish

    assert finish is not None
    assert finish.reason == reason


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_an_answer_without_an_end_keeps_its_status(status: str) -> None:
    response = read(answer(status=status, usage=None, background=True))
    again = shown(response)

    assert response.candidates[0].finish is None
    assert response.pending == status
    assert (again["id"], again["status"], again["background"]) == ("resp_9", status, True)
    assert (again["output"], again["usage"], again["incomplete_details"]) == ([], None, None)
    need_response(json.dumps(again).encode())


def test_a_failed_answer_and_an_error_in_its_place_are_errors() -> None:
    with pytest.raises(ProviderError) as failed:
        read(answer(status="failed", error={"code": "rate_limit_exceeded", "message": "slow down"}))
    with pytest.raises(ProviderError) as instead:
        read({"error": {"message": "no", "code": 400}})
    with pytest.raises(RemoteDialectError):
        read({"id": "x"})

    assert (failed.value.info().kind, failed.value.info().message) == (ErrorKind.RATE_LIMIT, "slow down")
    assert instead.value.info().status == 400


def test_runs_of_hosted_tools_and_unknown_items_come_back_as_they_were() -> None:
    """B-RSP-10."""
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q", "sources": [{"type": "api", "name": "n"}]}}  # fmt: skip
    strange = {"type": "program", "id": "p_1", "code": "x"}

    response = read(answer(search, strange))

    hosted, opaque = (m.parts[0] for m in response.candidates[0].messages)
    assert isinstance(hosted, HostedCall)
    assert isinstance(opaque, Opaque)
    assert shown(response)["output"] == [search, strange]


def test_a_generated_picture_is_media_both_ways() -> None:
    item = {
        "type": "image_generation_call",
        "id": "ig_1",
        "status": "completed",
        "result": "AAAA",
        "output_format": "webp",
    }

    response = read(answer(item))

    (part,) = response.candidates[0].messages[0].parts
    assert isinstance(part, Media)
    assert part.source == Inline(b64="AAAA", mime="image/webp")
    assert shown(response)["output"] == [item]


def test_an_answer_of_another_api_has_every_member_that_is_required() -> None:
    """B-RSP-04."""
    seal = Seal(issuer="anthropic", kind="signature", data="s")
    response = said(Reasoning(text=("hm",), seal=seal), Text(text="a"), Text(text="b"), id="chatcmpl-1", created=3)

    rendered = CLIENT.render_response(response, reply())
    body = json.loads(rendered.body)

    need_response(rendered.body)
    assert (body["id"], body["created_at"], body["model"], body["usage"]) == ("resp_r", 3, "asked", None)
    assert body["output"][0] == {
        "id": "rs_r_0", "type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}],
    }  # fmt: skip
    assert [part["text"] for part in body["output"][1]["content"]] == ["a", "b"]
    assert [(loss.pointer, loss.severity) for loss in rendered.losses] == [("/output/0/seal", "info")]


@pytest.mark.parametrize(
    ("reason", "status", "detail"),
    [
        ("stop", "completed", None),
        ("pause", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("context_length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
        ("refusal", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_a_finish_is_a_status_and_the_last_item_has_it(reason: FinishReason, status: str, detail: Any) -> None:
    body = shown(said(Text(text="a"), reason=reason))

    assert (body["status"], body["incomplete_details"], body["output"][0]["status"]) == (status, detail, status)


def test_a_refusal_in_words_is_complete() -> None:
    body = shown(said(Refusal(text="no"), reason="refusal"))

    assert body["status"] == "completed"
    assert body["output"][0]["content"] == [{"type": "refusal", "refusal": "no"}]


def test_a_blocked_prompt_is_an_incomplete_answer_without_output() -> None:
    """B-FIN-04."""
    body = shown(ChatResponse(feedback=b'{"blockReason":"SAFETY"}'))

    assert (body["status"], body["incomplete_details"], body["output"]) == (
        "incomplete",
        {"reason": "content_filter"},
        [],
    )


def test_an_answer_repeats_the_request() -> None:
    asked = parse(
        instructions="Be brief.", temperature=0.5, max_output_tokens=99, metadata={"a": "b"}, parallel_tool_calls=False,
        tools=[{"type": "function", "name": "f", "parameters": {}}], tool_choice="required", store=True,
        reasoning={"effort": "low", "context": "all_turns"}, max_tool_calls=2, text={"format": {"type": "json_object"}},
    )  # fmt: skip

    body = shown(said(Text(text="a")), asked=asked)

    assert {key: body[key] for key in ("instructions", "temperature", "max_output_tokens", "metadata", "store")} == {
        "instructions": "Be brief.", "temperature": 0.5, "max_output_tokens": 99, "metadata": {"a": "b"}, "store": True,
    }  # fmt: skip
    assert (body["parallel_tool_calls"], body["tool_choice"], body["tools"][0]["name"]) == (False, "required", "f")
    assert body["reasoning"] == {"effort": "low", "summary": None, "context": "all_turns"}
    assert (body["max_tool_calls"], body["text"]) == (2, {"format": {"type": "json_object"}})


def test_a_call_learns_its_namespace_from_the_tools_that_were_declared() -> None:
    asked = parse(
        tools=[{"type": "namespace", "name": "crm", "description": "d", "tools": [{"type": "function", "name": "f"}]}]
    )
    assert isinstance(asked.tools[0], FunctionTool)

    body = shown(said(ToolCall(call_id="c", name="f", arguments=""), reason="tool_calls"), asked=asked)

    assert body["output"][0] | {"id": ""} == {
        "id": "", "type": "function_call", "status": "completed", "call_id": "c", "name": "f", "arguments": "{}",
        "namespace": "crm",
    }  # fmt: skip


def test_ids_are_unique_and_the_same_each_time() -> None:
    response = said(Text(text="a"), ToolCall(call_id="c", name="f", arguments="{}"), Text(text="b"))

    ids = [item["id"] for item in shown(response)["output"]]

    assert ids == ["msg_r_0", "fc_r_1", "msg_r_2"]
    assert [item["id"] for item in shown(response)["output"]] == ids


def test_citations_keep_their_address_and_what_has_none_is_lost() -> None:
    cites = (
        Cite(kind="web", dialect="anthropic", url="https://x.test", title="t"),
        Cite(kind="char_location", dialect="anthropic"),
    )

    rendered = CLIENT.render_response(said(Text(text="a", cites=cites)), reply())

    (annotation,) = json.loads(rendered.body)["output"][0]["content"][0]["annotations"]
    assert annotation == {
        "type": "url_citation",
        "url": "https://x.test",
        "title": "t",
        "start_index": 0,
        "end_index": 0,
    }
    assert [loss.pointer for loss in rendered.losses] == ["/output/0/content/0/annotations"]


def test_counts_are_never_larger_than_their_whole_and_never_invented() -> None:
    usage = Usage(output=4, total=10, cache_read=20, reasoning=9)

    assert shown(said(Text(text="a"), usage=usage))["usage"] == {
        "input_tokens": 6, "input_tokens_details": {"cached_tokens": 6, "cache_write_tokens": 0},
        "output_tokens": 4, "output_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 10,
    }  # fmt: skip
    assert shown(said(Text(text="a"), usage=Usage()))["usage"] is None


def test_a_second_candidate_is_lost_and_said_so() -> None:
    two = ChatResponse(candidates=tuple(Candidate(index=i, messages=(), finish=Finish(reason="stop")) for i in (0, 1)))

    assert [loss.pointer for loss in CLIENT.render_response(two, reply()).losses] == ["/candidates/1"]
