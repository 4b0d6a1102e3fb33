"""Whole answers: read liberally, written so that Google's own types take them."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.chat.ids import counter
from setu.chat.normal import normal_response
from setu.chat.parts import (
    AnyPart,
    HostedCall,
    HostedResult,
    Inline,
    Media,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
)
from setu.chat.response import Candidate, ChatResponse, Finish
from setu.chat.seals import Extra, Seal
from setu.dialects.gemini.finish import REASONS
from setu.dialects.gemini.response import parse_response, render_response
from setu.dialects.record import Reply
from setu.errors import DialectError, ErrorKind, ProviderError, RemoteDialectError
from tests.dialects.gemini.answers import answer, candidate, parse, render, reply
from tests.documents import DOCUMENTS, Document


def parts_of(value: Any) -> tuple[AnyPart, ...]:
    (message,) = parse(value).candidates[0].messages
    return message.parts


def finish_of(value: Any) -> Finish | None:
    return parse(value).candidates[0].finish


def test_the_head_of_an_answer_is_read() -> None:
    response = parse(
        candidate({"text": "a"})
        | {
            "responseId": "r",
            "modelVersion": "gemini-x",
            "createTime": "2026-05-27T16:53:45.443719Z",
            "modelStatus": {"a": 1},
        }
    )

    assert (response.id, response.model, response.created) == ("r", "gemini-x", 1779900825)
    assert response.extra == Extra(dialect="gemini", members={"modelStatus": b'{"a":1}'})


def test_thoughts_texts_calls_and_pictures_are_told_apart_and_stay_in_order() -> None:  # B-STR-27
    assert parts_of(
        candidate(
            {"text": "hm", "thought": True},
            {"text": "a"},
            {"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "c2ln"},
            {"text": "b"},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        )
    ) == (
        Reasoning(text=("hm",)),
        Text(text="a"),
        ToolCall(
            call_id="call_1",
            name="f",
            arguments='{"x":1}',
            seal=Seal(issuer="gemini", kind="signature", data="c2ln"),
        ),
        Text(text="b"),
        Media(kind="image", source=Inline(b64="AAAA", mime="image/png")),
    )


def test_a_code_run_is_a_hosted_call_and_its_result() -> None:
    call, result = parts_of(
        candidate(
            {"executableCode": {"language": "PYTHON", "code": "1"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
        )
    )

    assert isinstance(call, HostedCall)
    assert isinstance(result, HostedResult)
    assert (call.tool, result.is_error) == ("code_execution", False)
    assert call.call_id == result.call_id == "call_1"


def test_geminis_own_ids_stay_and_a_repeated_one_is_replaced() -> None:  # B-STR-06
    calls = [
        {"functionCall": {"name": "f", "id": "x"}},
        {"functionCall": {"name": "f", "id": "x"}},
        {"functionCall": {"name": "f"}},
    ]

    assert [part.call_id for part in parts_of(candidate(*calls)) if isinstance(part, ToolCall)] == [
        "x",
        "call_1",
        "call_2",
    ]


@pytest.mark.parametrize("word", [*sorted(REASONS), "SOMETHING_NEW"])
def test_every_ending_is_read_and_written_back(word: Any) -> None:  # B-FIN-01, B-FIN-03
    finish = finish_of({"candidates": [{"finishReason": word}]})

    assert finish == Finish(reason=REASONS.get(word, "error"), native=word)
    written = render(parse({"candidates": [{"finishReason": word}]}))["candidates"][0]["finishReason"]
    assert written == (word if word in REASONS else "OTHER")


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("STOP", "tool_calls"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
    ],
)
def test_a_call_turns_a_stop_into_tool_calls_and_nothing_else(word: Any, reason: Any) -> None:  # B-FIN-11
    finish = finish_of(candidate({"functionCall": {"name": "f"}}, finishReason=word))

    assert finish == Finish(reason=reason, native=word)


@pytest.mark.parametrize(("number", "word"), [(1, "STOP"), (2, "MAX_TOKENS"), (3, "SAFETY"), (99, "99")])
def test_an_ending_may_be_a_number(number: Any, word: Any) -> None:
    finish = finish_of({"candidates": [{"finishReason": number}]})

    assert finish is not None
    assert finish.native == word


def test_a_blocked_prompt_is_a_filtered_candidate_with_its_feedback() -> None:  # B-FIN-04
    body = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 5}}

    response = parse(body)

    assert response.candidates == (Candidate(messages=(), finish=Finish(reason="content_filter", native="SAFETY")),)
    assert response.feedback == b'{"blockReason":"SAFETY"}'
    assert response.usage is not None
    written = render(response)
    assert "candidates" not in written
    assert written["promptFeedback"] == {"blockReason": "SAFETY"}


def test_an_answer_that_thought_away_its_budget_is_a_candidate_with_length() -> None:  # B-FIN-05
    response = parse({"candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}]})

    assert response.candidates[0].messages == ()
    assert response.candidates[0].finish == Finish(reason="length", native="MAX_TOKENS")


def test_an_answer_without_candidates_ended_in_an_error() -> None:
    response = parse({"usageMetadata": {"promptTokenCount": 5}})

    assert response.candidates == (Candidate(messages=(), finish=Finish(reason="error")),)


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[]", b"hello", b"{", b"\xff", b'{"candidates":{}}'])
def test_what_is_no_answer_is_the_upstreams_fault(body: Any) -> None:
    with pytest.raises(RemoteDialectError):
        parse_response(body, counter())


def test_an_error_in_a_200_is_an_error() -> None:
    with pytest.raises(ProviderError) as caught:
        parse({"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}})

    assert caught.value.info().kind is ErrorKind.RATE_LIMIT


def test_an_array_of_chunks_is_one_answer() -> None:
    response = parse([candidate({"text": "a"}, finishReason=None), candidate({"text": "b"})])

    assert response.candidates[0].messages[0].parts == (Text(text="ab"),)


def test_a_candidates_other_members_go_back() -> None:
    response = parse(candidate({"text": "a"}, safetyRatings=[], avgLogprobs=-0.10, finishMessage="m"))

    written = render(response)["candidates"][0]

    assert (written["safetyRatings"], written["avgLogprobs"], written["finishMessage"]) == ([], -0.10, "m")


def test_an_answer_of_another_dialect_is_written_in_geminis_terms() -> None:
    response = answer(
        Reasoning(text=("hm",), seal=Seal(issuer="anthropic", kind="signature", data="x")),
        Text(text="a"),
        ToolCall(call_id="toolu_1", name="f", arguments='{"n":1.10}'),
        Refusal(text="no"),
        reason="tool_calls",
        extra=Extra(dialect="anthropic", members={"container": b"{}"}),
    )

    rendered = render_response(response, reply())

    (written,) = json.loads(rendered.body)["candidates"]
    assert written == {
        "content": {
            "role": "model",
            "parts": [
                {"text": "hm", "thought": True},
                {"text": "a"},
                {"functionCall": {"id": "toolu_1", "name": "f", "args": {"n": 1.10}}},
                {"text": "no"},
            ],
        },
        "index": 0,
        "finishReason": "STOP",
    }
    assert b'{"n":1.10}' in rendered.body
    assert [loss.pointer for loss in rendered.losses] == ["/candidates/0/content/0", "/container"]


def test_thoughts_are_left_out_for_who_did_not_ask() -> None:
    written = render(answer(Reasoning(text=("hm",)), Text(text="a")), include_thoughts=False)

    assert written["candidates"][0]["content"]["parts"] == [{"text": "a"}]


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("stop", "STOP"),
        ("length", "MAX_TOKENS"),
        ("tool_calls", "STOP"),
        ("content_filter", "SAFETY"),
        ("refusal", "SAFETY"),
        ("pause", "STOP"),
        ("context_length", "MAX_TOKENS"),
        ("error", "OTHER"),
    ],
)
def test_no_foreign_word_for_an_ending_leaks(reason: Any, word: Any) -> None:  # B-FIN-09
    finish = Finish(reason=reason, native="end_turn")
    response = ChatResponse(candidates=(Candidate(messages=(), finish=finish),))

    assert render(response)["candidates"][0]["finishReason"] == word


def test_the_head_is_filled_in_from_the_request() -> None:
    written = render(answer(Text(text="a"), created=0))

    assert (written["modelVersion"], written["responseId"]) == ("asked", "r1")
    assert written["createTime"] == "1970-01-01T00:00:00Z"


def test_a_lone_surrogate_does_not_cost_the_answer() -> None:
    written = render(answer(Text(text="a\ud800b")))

    assert written["candidates"][0]["content"]["parts"] == [{"text": "a?b"}]


@given(DOCUMENTS)
def test_any_document_is_an_answer_or_an_error(document: Document) -> None:
    data = document.data.strip()
    for body in (data, b'{"candidates":[' + data + b"]}", b'{"candidates":[{"content":{"parts":[' + data + b"]}}]}"):
        with contextlib.suppress(ProviderError, DialectError):
            parse_response(body, counter())


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(
        st.sampled_from(["candidates", "content", "parts", "text", "thought", "finishReason", "index", "logprobsResult",
                         "groundingMetadata", "groundingSupports", "segment", "usageMetadata", "promptFeedback", "error",
                         "functionCall", "name", "args", "chosenCandidates", "groundingChunkIndices", "blockReason"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(ODD, ODD)
def test_an_odd_answer_is_read_and_written_to_the_same_meaning(first: Any, second: Any) -> None:
    body = {
        "candidates": [{"content": {"parts": [first, {"text": "a"}]}, "finishReason": "STOP", "logprobsResult": second}]
    }
    response = parse(body | {"usageMetadata": second})

    again = parse_response(
        render_response(response, Reply(model="m", id="i", created=0, mint=counter())).body, counter()
    )

    assert normal_response(again, anonymous=True).candidates == normal_response(response, anonymous=True).candidates


@given(ODD)
def test_an_odd_candidate_never_crashes(value: Any) -> None:
    for body in (
        value,
        {"candidates": value},
        {"candidates": [value]},
        {"candidates": [{"groundingMetadata": value, "content": {"parts": [{"text": "a"}]}}]},
    ):
        with contextlib.suppress(ProviderError, RemoteDialectError):
            parse(body)
