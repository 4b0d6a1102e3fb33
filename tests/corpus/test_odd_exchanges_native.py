"""What Responses, Anthropic, Gemini, Bedrock and Cohere hosts did that breaks a naive reader: the README's odd ones."""

import json
from typing import Any

import pytest

from setu.chat.parts import HostedCall, HostedResult, Opaque, Reasoning, Text
from setu.errors import ErrorKind
from setu.framing.kinds import of_media_type
from tests.corpus.odd import calls, chunks, error_of, heard, odd, parts, read, told, written
from tests.corpus.reader import needs_corpus
from tests.dialects.anthropic.oracle import need_order as need_anthropic_order

pytestmark = [pytest.mark.corpus, needs_corpus]


# Responses -------------------------------------------------------------------------------------------------------------


@odd("openai.responses", "genai-669600301f")
def test_an_error_event_before_a_failed_response_is_one_error(recorded: dict[str, Any]) -> None:
    assert [one["type"] for one in chunks(recorded)][-2:] == ["error", "response.failed"]

    found = heard(recorded)

    assert not found.complete
    assert found.error is not None
    assert (found.error.status, found.error.code) == (500, "server_error")
    data = told(recorded)
    assert [b'"error"' in one for one in data].count(True) == 1
    assert set(json.loads(data[-1])) == {"error"}


@odd("openai.responses", "pydantic-ai-d5534bb169")
def test_a_responses_stream_without_event_lines_is_read_by_its_types(recorded: dict[str, Any]) -> None:
    assert "event:" not in recorded["response_body"]
    said = "".join(one["delta"] for one in chunks(recorded) if one["type"] == "response.output_text.delta")

    found = heard(recorded)

    assert found.complete
    assert [part.text for part in parts(found.response) if isinstance(part, Text)] == [said]
    assert told(recorded)[-1] == b"[DONE]"
    assert b"[DONE]" not in told(recorded, "openai_responses")


@odd("openai.responses", "chatlas-07d9003012")
def test_a_keepalive_event_says_nothing(recorded: dict[str, Any]) -> None:
    assert any(one["type"] == "keepalive" for one in chunks(recorded))
    said = "".join(one["delta"] for one in chunks(recorded) if one["type"] == "response.output_text.delta")

    found = heard(recorded)

    assert found.complete
    assert [part.text for part in parts(found.response) if isinstance(part, Text)] == [said]
    events = [json.loads(one) for one in told(recorded, "openai_responses")]
    assert {event["type"] for event in events} <= {one["type"] for one in chunks(recorded)} - {"keepalive"}
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


@odd("openai.responses", "pydantic-ai-64a4210912")
def test_a_queued_answer_is_unfinished_and_says_nothing(recorded: dict[str, Any]) -> None:
    response = read(recorded)

    assert parts(response) == []
    assert response.candidates[0].finish is None
    assert response.usage is None
    again = written(response, "openai_responses")
    assert (again["output"], again["status"], again["background"]) == ([], "queued", True)


# Anthropic -------------------------------------------------------------------------------------------------------------


@odd("anthropic.messages", "pydantic-ai-786614e21a")
def test_a_turn_paused_after_ten_searches_keeps_all_of_them_and_the_last_usage(recorded: dict[str, Any]) -> None:
    (start,) = [one["message"]["usage"] for one in chunks(recorded) if one["type"] == "message_start"]
    (last,) = [one["usage"] for one in chunks(recorded) if one["type"] == "message_delta"]
    assert start["input_tokens"] != last["input_tokens"]

    found = heard(recorded)

    made = [part.call_id for part in parts(found.response) if isinstance(part, HostedCall)]
    given = [part.call_id for part in parts(found.response) if isinstance(part, HostedResult)]
    assert given == made[:10]
    assert len(made) == 11  # the eleventh is what the pause waits for
    finish, usage = found.response.candidates[0].finish, found.response.usage
    assert finish is not None
    assert usage is not None
    assert (finish.reason, finish.native) == ("pause", "pause_turn")
    assert usage.input == last["input_tokens"]
    need_anthropic_order([json.loads(one) for one in told(recorded, "anthropic")])


@odd("anthropic.messages", "pydantic-ai-a86f8c809e")
def test_a_compaction_comes_back_whole_and_its_context_management_with_it(recorded: dict[str, Any]) -> None:
    (delta,) = [one["delta"] for one in chunks(recorded) if one.get("delta", {}).get("type") == "compaction_delta"]

    found = heard(recorded)

    (block,) = [part for part in parts(found.response) if isinstance(part, Opaque)]
    assert block.kind == "compaction"
    assert json.loads(block.raw)["content"] == delta["content"]
    usage = found.response.usage
    assert usage is not None
    assert usage.raw is not None
    assert "iterations" in json.loads(usage.raw)
    again = [json.loads(one) for one in told(recorded, "anthropic")]
    (opened,) = [one["content_block"] for one in again if one.get("content_block", {}).get("type") == "compaction"]
    assert opened["content"] == delta["content"]
    (end,) = [one for one in again if one["type"] == "message_delta"]
    assert end["context_management"] == {"applied_edits": []}


@odd("anthropic.messages", "genai-72b015680e")
def test_a_stream_without_a_block_is_an_empty_answer_that_names_its_stop_sequence(recorded: dict[str, Any]) -> None:
    assert not any(one["type"] == "content_block_start" for one in chunks(recorded))
    (end,) = [one["delta"] for one in chunks(recorded) if one["type"] == "message_delta"]

    found = heard(recorded)

    assert found.complete
    assert parts(found.response) == []
    finish = found.response.candidates[0].finish
    assert finish is not None
    assert (finish.native, finish.stop_sequence) == ("stop_sequence", end["stop_sequence"])
    chat = [json.loads(one) for one in told(recorded)[:-1]]
    assert [choice["finish_reason"] for one in chat for choice in one["choices"] if choice["finish_reason"]] == ["stop"]


@odd("anthropic.messages", "pydantic-ai-d75a6d9516")
def test_redacted_thinking_is_kept_and_never_shown(recorded: dict[str, Any]) -> None:
    (block,) = [one for one in json.loads(recorded["response_body"])["content"] if one["type"] == "redacted_thinking"]

    response = read(recorded)

    thought = parts(response)[0]
    assert isinstance(thought, Reasoning)
    assert thought.redacted
    assert thought.seal is not None
    assert (thought.seal.kind, thought.seal.data) == ("redacted", block["data"])
    assert written(response, "anthropic")["content"][0] == block
    assert block["data"] not in (written(response)["choices"][0]["message"]["content"] or "")


@odd("anthropic.messages", "openllmetry-4686181ccb")
def test_status_529_is_an_overload(recorded: dict[str, Any]) -> None:
    info = error_of(recorded)

    assert (info.status, info.kind, info.type) == (529, ErrorKind.OVERLOADED, "overloaded_error")


# Gemini ----------------------------------------------------------------------------------------------------------------


@odd("gemini.generate", "pydantic-ai-78d2a8a890")
def test_an_answer_without_candidates_is_a_filtered_one(recorded: dict[str, Any]) -> None:
    assert "candidates" not in json.loads(recorded["response_body"])

    response = read(recorded)

    (candidate,) = response.candidates
    assert candidate.finish is not None
    assert (candidate.finish.reason, candidate.finish.native) == ("content_filter", "MODEL_ARMOR")
    assert parts(response) == []
    assert written(response)["choices"][0]["finish_reason"] == "content_filter"
    assert "candidates" not in written(response, "gemini")


@odd("gemini.generate", "pydantic-ai-c9812b556a")
def test_a_candidate_without_content_is_a_filtered_one(recorded: dict[str, Any]) -> None:
    assert "content" not in json.loads(recorded["response_body"])["candidates"][0]

    response = read(recorded)

    (candidate,) = response.candidates
    assert candidate.finish is not None
    assert (candidate.finish.reason, candidate.finish.native) == ("content_filter", "MODEL_ARMOR")
    assert written(response)["choices"][0]["message"]["content"] in (None, "")
    assert written(response, "anthropic")["stop_reason"] == "refusal"


@odd("gemini.generate", "pydantic-ai-02b4fde025")
def test_a_call_of_a_tool_that_nobody_declared_is_an_error_that_still_shows_it(recorded: dict[str, Any]) -> None:
    wire = json.loads(recorded["response_body"])["candidates"][0]

    response = read(recorded)

    (candidate,) = response.candidates
    assert candidate.finish is not None
    assert (candidate.finish.reason, candidate.finish.native) == ("error", "UNEXPECTED_TOOL_CALL")
    (call,) = calls(response)
    assert call.name == wire["content"]["parts"][0]["functionCall"]["name"]
    assert call.call_id


@odd("gemini.generate", "opentelemetry-python-contrib-03374e312d")
def test_enums_as_numbers_mean_their_words(recorded: dict[str, Any]) -> None:
    wire = json.loads(recorded["response_body"])["candidates"][0]
    assert wire["finishReason"] == 1

    response = read(recorded)

    (candidate,) = response.candidates
    assert candidate.finish is not None
    assert (candidate.finish.reason, candidate.finish.native) == ("tool_calls", "STOP")
    sent = [part["functionCall"]["args"] for part in wire["content"]["parts"] if "functionCall" in part]
    assert [json.loads(call.arguments) for call in calls(response)] == sent
    assert len({call.call_id for call in calls(response)}) == len(sent) == 2


@odd("gemini.stream", "llm-gemini-e34cbb2bba")
def test_a_stream_that_is_one_json_array_is_a_stream(recorded: dict[str, Any]) -> None:
    pieces = [
        part
        for one in json.loads(recorded["response_body"])
        for candidate in one.get("candidates", [])
        for part in candidate["content"].get("parts", [])
    ]

    found = heard(recorded)

    assert found.complete
    said = "".join(part["text"] for part in pieces if "text" in part and not part.get("thought"))
    assert "".join(part.text for part in parts(found.response) if isinstance(part, Text)) == said
    assert told(recorded)[-1] == b"[DONE]"


@odd("gemini.stream", "pydantic-ai-03d0e0c377")
def test_a_signature_on_an_empty_last_text_seals_the_text_before_it(recorded: dict[str, Any]) -> None:
    assert "\r\n\r\n" in recorded["response_body"]
    (sealed,) = [
        part["thoughtSignature"]
        for one in chunks(recorded)
        for candidate in one["candidates"]
        for part in candidate["content"]["parts"]
        if part.get("text") == "" and "thoughtSignature" in part
    ]

    found = heard(recorded)

    last = parts(found.response)[-1]
    assert isinstance(last, Text)
    assert last.text
    assert last.seal is not None
    assert (last.seal.issuer, last.seal.data) == ("gemini", sealed)
    assert any(sealed.encode() in one for one in told(recorded, "gemini"))


# Bedrock and Cohere ----------------------------------------------------------------------------------------------------


@odd("bedrock.converse_stream", "openllmetry-53fda0878b")
def test_a_guardrail_that_steps_in_is_a_filter_and_its_trace_is_kept(recorded: dict[str, Any]) -> None:
    found = heard(recorded)

    assert found.complete
    finish = found.response.candidates[0].finish
    assert finish is not None
    assert (finish.reason, finish.native) == ("content_filter", "guardrail_intervened")
    assert found.response.extra is not None
    assert "guardrail" in json.loads(found.response.extra.members["trace"])
    chat = [json.loads(one) for one in told(recorded)[:-1]]
    words = [choice["finish_reason"] for one in chat for choice in one["choices"] if choice["finish_reason"]]
    assert words == ["content_filter"]


@odd("cohere.v1", "openllmetry-9e94e3dcb1")
def test_a_stream_of_an_api_that_is_not_spoken_is_cut_into_lines_and_never_called_whole(
    recorded: dict[str, Any],
) -> None:
    """Cohere's v1 has no dialect here; whoever points one at it hears an error, not an empty answer."""
    assert of_media_type(recorded["response_headers"]["content-type"]) == "ndjson"

    found = heard(recorded)

    assert not found.complete
    data = told(recorded)
    assert b"[DONE]" not in data
    assert set(json.loads(data[-1])) == {"error"}
