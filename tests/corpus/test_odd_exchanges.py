"""What chat hosts did that breaks a naive reader: one test for each odd exchange of the corpus's README."""

import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from setu.chat.parts import Media, Reasoning, Text
from setu.errors import ErrorKind, ProviderError
from setu.framing.kinds import of_media_type
from tests.corpus import test_odd_exchanges_native
from tests.corpus.odd import SHOWN, calls, chunks, error_of, heard, listed, odd, parts, read, told, written
from tests.corpus.reader import needs_corpus

pytestmark = [pytest.mark.corpus, needs_corpus]


def test_every_odd_exchange_has_a_test() -> None:
    assert test_odd_exchanges_native.__name__  # its tests have named theirs, too

    assert listed() == SHOWN
    assert len(SHOWN) >= 40


def _ends_in_error(data: list[bytes]) -> dict[str, Any]:
    """Return the error that a chat client hears last; nobody says that the answer is whole."""
    assert b"[DONE]" not in data
    last: dict[str, Any] = json.loads(data[-1])
    assert set(last) == {"error"}
    return dict(last["error"])


def _typed(data: list[bytes]) -> list[ChatCompletionChunk]:
    """Return the chunks of a stream that ended well, as OpenAI's SDK reads them."""
    assert data[-1] == b"[DONE]"
    return [ChatCompletionChunk.model_validate_json(one, strict=True) for one in data[:-1]]


# Errors in a success ---------------------------------------------------------------------------------------------------


@odd("openai.chat", "genai-9d48f4038e")
def test_an_error_behind_blank_lines_in_a_200_is_an_error(recorded: dict[str, Any]) -> None:
    with pytest.raises(ProviderError) as caught:
        read(recorded)

    assert caught.value.info().status == 400
    assert caught.value.info().kind is ErrorKind.INVALID_REQUEST


@odd("openai.chat", "genai-e12d47e841")
def test_a_chunk_without_choices_that_holds_an_error_ends_the_stream(recorded: dict[str, Any]) -> None:
    found = heard(recorded)

    assert not found.complete
    assert found.error is not None
    assert (found.error.status, found.error.kind) == (400, ErrorKind.INVALID_REQUEST)
    assert _ends_in_error(told(recorded))["message"] == chunks(recorded)[-1]["error"]["message"]


@odd("openai.chat", "genai-f56ea90366")
def test_a_stream_of_nothing_but_an_error_with_an_id_is_an_error(recorded: dict[str, Any]) -> None:
    found = heard(recorded)

    assert found.response.candidates == ()
    assert found.error is not None
    assert (found.error.status, found.error.code) == (400, "invalid_parameter_error")
    assert _ends_in_error(told(recorded))["type"] == "invalid_request_error"


@odd("openai.chat", "pydantic-ai-4869421e4d")
def test_thinking_that_ends_in_an_error_event_keeps_the_thinking_and_fails(recorded: dict[str, Any]) -> None:
    found = heard(recorded)

    thought = "".join(
        choice["delta"].get("reasoning") or "" for one in chunks(recorded) for choice in one.get("choices", [])
    )
    assert [part.text for part in parts(found.response) if isinstance(part, Reasoning)] == [(thought,)]
    assert found.response.candidates[0].finish is None
    assert found.error is not None
    assert (found.error.status, found.error.code) == (400, "tool_use_failed")
    assert b"failed_generation" in (found.error.raw or b"")
    assert _ends_in_error(told(recorded))["code"] == "tool_use_failed"


@odd("openai.chat", "genai-0eaa27d045")
def test_nothing_is_heard_after_an_error_in_the_middle_of_a_sound(recorded: dict[str, Any]) -> None:
    found = heard(recorded)

    (sound,) = parts(found.response)
    assert isinstance(sound, Media)
    assert sound.transcript
    assert not found.complete
    assert found.error is not None
    assert found.error.kind is ErrorKind.INVALID_REQUEST
    assert not any(b"expires_at" in one for one in told(recorded))
    assert _ends_in_error(told(recorded))["message"] == found.error.message


@odd("openai.chat", "genai-d8c1088cde")
def test_a_finish_reason_that_says_error_is_an_error_in_spite_of_done(recorded: dict[str, Any]) -> None:
    assert recorded["response_body"].rstrip().endswith("[DONE]")

    found = heard(recorded)

    assert not found.complete
    assert found.error is not None
    assert found.error.status == 502
    assert _ends_in_error(told(recorded))["message"]


@odd("hf.inference", "huggingface.js-5c3c0b5bde")
def test_data_without_a_space_and_an_error_that_is_a_string_are_heard(recorded: dict[str, Any]) -> None:
    assert recorded["response_body"].startswith("data:{")

    found = heard(recorded)

    assert found.error is not None
    assert found.error.status == 502
    assert found.error.message == chunks(recorded)[0]["error"]


@odd("openai.chat", "genai-e2135ec804")
def test_an_errors_own_http_status_code_is_the_errors_status(recorded: dict[str, Any]) -> None:
    found = heard(recorded)

    assert found.error is not None
    assert (found.error.status, found.error.kind) == (422, ErrorKind.INVALID_REQUEST)
    assert not found.complete


@odd("ollama.chat", "genai-2b75b9c106")
def test_a_success_whose_only_line_is_an_error_is_an_error(recorded: dict[str, Any]) -> None:
    found = heard(recorded)

    assert found.error is not None
    assert found.error.kind is ErrorKind.BAD_GATEWAY
    assert _ends_in_error(told(recorded))["message"] == found.error.message
    with pytest.raises(ProviderError):
        read(recorded)


# Chunks unlike OpenAI's ------------------------------------------------------------------------------------------------


@odd("openai.chat", "dd-trace-py-a377dd5975")
def test_azures_empty_first_chunk_and_a_choice_without_a_delta_change_nothing(recorded: dict[str, Any]) -> None:
    assert "delta" not in chunks(recorded)[1]["choices"][0]
    said = "".join(
        choice.get("delta", {}).get("content") or "" for one in chunks(recorded) for choice in one["choices"]
    )

    found = heard(recorded)

    assert found.complete
    assert [part.text for part in parts(found.response) if isinstance(part, Text)] == [said]
    assert (found.response.id, found.response.model) == (chunks(recorded)[1]["id"], chunks(recorded)[1]["model"])
    assert {chunk.id for chunk in _typed(told(recorded))} == {found.response.id}


@odd("openai.chat", "genai-9f3b0a05fe")
def test_a_cumulative_message_beside_the_delta_is_not_said_twice(recorded: dict[str, Any]) -> None:
    whole = chunks(recorded)[-1]["choices"][0]["message"]["content"]

    found = heard(recorded)

    assert found.complete  # without [DONE]: the finish has been said
    assert [part.text for part in parts(found.response) if isinstance(part, Text)] == [whole]
    assert found.response.usage is not None
    assert found.response.usage.output == chunks(recorded)[-1]["usage"]["completion_tokens"]
    typed = _typed(told(recorded))
    assert "".join(choice.delta.content or "" for chunk in typed for choice in chunk.choices) == whole
    assert sum(chunk.usage is not None for chunk in typed) == 1


@odd("openai.chat", "pydantic-ai-0366354b9e")
def test_content_that_flips_between_a_list_and_a_string_is_thinking_and_text(recorded: dict[str, Any]) -> None:
    deltas = [choice["delta"].get("content") for one in chunks(recorded) for choice in one["choices"]]
    thought = "".join(
        piece["text"]
        for delta in deltas
        if isinstance(delta, list)
        for part in delta
        if part["type"] == "thinking"
        for piece in part["thinking"]
    )
    said = "".join(delta for delta in deltas if isinstance(delta, str))

    found = heard(recorded)

    assert found.complete
    reasoning, text = parts(found.response)
    assert isinstance(reasoning, Reasoning)
    assert isinstance(text, Text)
    assert ("".join(reasoning.text), text.text) == (thought, said)


@odd("openai.chat", "pydantic-ai-1b8f804c7f")
def test_comments_are_silent_and_a_finish_reason_sent_twice_is_one_finish(recorded: dict[str, Any]) -> None:
    assert recorded["response_body"].count(": OPENROUTER PROCESSING") >= 24
    assert [choice["finish_reason"] for one in chunks(recorded) for choice in one["choices"]].count("stop") == 2

    typed = _typed(told(recorded))

    assert [choice.finish_reason for chunk in typed for choice in chunk.choices].count("stop") == 1
    (usage,) = [chunk.usage for chunk in typed if chunk.usage is not None]
    assert usage.total_tokens == chunks(recorded)[-1]["usage"]["total_tokens"]


@odd("openai.chat", "dd-trace-py-f8c6352982")
def test_a_stream_labelled_as_json_is_read_as_the_stream_it_is(recorded: dict[str, Any]) -> None:
    assert of_media_type(recorded["response_headers"]["content-type"]) is None

    found = heard(recorded)

    assert found.complete
    assert found.response.candidates[0].finish is not None
    assert found.response.candidates[0].finish.reason == "stop"
    assert len(_typed(told(recorded))) >= len(chunks(recorded)) - 1


# Tool calls ------------------------------------------------------------------------------------------------------------


@odd("openai.chat", "genai-5417dd6494")
def test_an_empty_id_in_a_later_delta_does_not_overwrite_the_calls_id(recorded: dict[str, Any]) -> None:
    deltas = [call for one in chunks(recorded) for c in one["choices"] for call in c["delta"].get("tool_calls") or []]
    assert deltas[1]["id"] == ""

    (call,) = calls(heard(recorded).response)

    assert call.call_id == deltas[0]["id"]
    assert json.loads(call.arguments) == json.loads("".join(delta["function"]["arguments"] for delta in deltas))
    ids = {call.id for chunk in _typed(told(recorded)) for c in chunk.choices for call in c.delta.tool_calls or ()}
    assert ids <= {deltas[0]["id"], None}


@odd("openai.chat", "genai-167447cda3")
def test_a_call_without_an_id_gets_one_and_the_missing_finish_is_said(recorded: dict[str, Any]) -> None:
    assert not any(choice["finish_reason"] for one in chunks(recorded) for choice in one["choices"])

    found = heard(recorded)

    (call,) = calls(found.response)
    assert call.call_id
    assert found.complete
    typed = _typed(told(recorded))
    assert [c.finish_reason for chunk in typed for c in chunk.choices if c.finish_reason] == ["tool_calls"]
    (named,) = [call for chunk in typed for c in chunk.choices for call in c.delta.tool_calls or () if call.id]
    assert named.id


@odd("openai.chat", "genai-bbb41267db", "genai-643f21ed38")
def test_broken_arguments_reach_the_client_as_they_are(recorded: dict[str, Any]) -> None:
    """Null ids and names of later deltas belong to the call; who repairs a model's words invents a call."""
    raw = [call for one in chunks(recorded) for c in one["choices"] for call in c["delta"].get("tool_calls") or []]
    wanted = ["".join(call["function"].get("arguments") or "" for call in raw if call["index"] == at) for at in (0, 1)]

    found = heard(recorded)

    assert [call.arguments for call in calls(found.response)] == wanted
    assert [call.call_id for call in calls(found.response)] == [call["id"] for call in raw if call["id"]]
    with pytest.raises(ValueError, match=r"(?i)expecting|unterminated|delimiter"):
        json.loads(wanted[1])
    heard_by = json.loads(b"".join(told(recorded, "gemini")[-1:]) or b"{}")
    assert "error" not in heard_by


@odd("openai.chat", "chatlas-89a319027c")
def test_arguments_that_are_an_empty_string_are_an_empty_object_for_the_others(recorded: dict[str, Any]) -> None:
    found = heard(recorded)

    (call,) = calls(found.response)
    assert call.arguments == ""
    assert found.response.usage is not None
    assert found.response.usage.total == chunks(recorded)[-1]["usage"]["total_tokens"]
    (block,) = [part for part in written(found.response, "anthropic")["content"] if part["type"] == "tool_use"]
    assert block["input"] == {}
    (answered,) = written(found.response)["choices"][0]["message"]["tool_calls"]
    assert answered["function"]["arguments"] == "{}"


@odd("openai.chat", "pydantic-ai-d0dd47665f")
def test_an_empty_finish_reason_beside_calls_means_calls_and_zero_members_mean_nothing(
    recorded: dict[str, Any],
) -> None:
    choice = json.loads(recorded["response_body"])["choices"][0]
    assert choice["finish_reason"] == ""

    response = read(recorded)

    assert response.id is None
    finish = response.candidates[0].finish
    assert finish is not None
    assert finish.reason == "tool_calls"
    assert [call.call_id for call in calls(response)] == [call["id"] for call in choice["message"]["tool_calls"]]
    assert not any(isinstance(part, Media) for part in parts(response))
    answer = written(response)
    assert (answer["id"], answer["choices"][0]["finish_reason"]) == ("id-1", "tool_calls")


@odd("openai.chat", "pydantic-ai-81534f046f")
def test_an_empty_call_id_is_replaced_and_googles_signature_is_kept(recorded: dict[str, Any]) -> None:
    response = read(recorded)

    (call,) = calls(response)
    assert call.call_id
    (seal,) = [part.seal for part in parts(response) if part.seal is not None]
    assert seal.issuer == "gemini"
    assert seal.data in recorded["response_body"]


@odd("openai.chat", "dd-trace-py-c9267e54b7")
def test_a_call_of_a_custom_tool_is_a_call_with_free_text(recorded: dict[str, Any]) -> None:
    wire = json.loads(recorded["response_body"])["choices"][0]["message"]["tool_calls"][0]
    assert "function" not in wire

    (call,) = calls(read(recorded))

    assert (call.kind, call.call_id) == ("custom", wire["id"])
    assert (call.name, call.arguments) == (wire["custom"]["name"], wire["custom"]["input"])
    (answered,) = written(read(recorded))["choices"][0]["message"]["tool_calls"]
    assert answered == wire


# Error bodies ----------------------------------------------------------------------------------------------------------


@odd("openai.chat", "genai-3a39408af5", "genai-1f7b1231e7")
def test_a_page_of_html_is_an_error_of_its_status_in_one_line(recorded: dict[str, Any]) -> None:
    info = error_of(recorded)

    kinds = {401: ErrorKind.AUTHENTICATION, 502: ErrorKind.BAD_GATEWAY}
    assert (info.status, info.kind) == (recorded["status"], kinds[recorded["status"]])
    assert "<" not in info.message
    assert len(info.message) < 200


@odd("openai.chat", "genai-26f1a0e77e", "crewAI-5a8be95bb0")
def test_an_error_that_is_plain_text_is_its_own_message(recorded: dict[str, Any]) -> None:
    info = error_of(recorded)

    kinds = {521: ErrorKind.SERVER, 503: ErrorKind.UNAVAILABLE}
    assert (info.status, info.kind) == (recorded["status"], kinds[recorded["status"]])
    assert info.message == recorded["response_body"]


@odd("openai.chat", "genai-3652453392")
def test_a_list_of_details_is_an_invalid_request_that_tells_them(recorded: dict[str, Any]) -> None:
    info = error_of(recorded)

    assert (info.status, info.kind) == (422, ErrorKind.INVALID_REQUEST)
    for detail in json.loads(recorded["response_body"])["detail"]:
        assert detail["msg"].partition("'")[0] in info.message
