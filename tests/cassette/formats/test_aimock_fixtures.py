"""Recordings become fixtures that say the same, and what cannot be said is named."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setu.cassette.formats import aimock_fixtures
from setu.cassette.formats.aimock_fixtures import unfit, write
from setu.cassette.model import Recording, Timing
from setu.http import Ending
from tests.cassette.formats.reading import read
from tests.cassette.samples import JSON, interaction, request
from tests.cassettes.bundled import bundled
from tests.clients.upstreams import ANSWER

CHAT = "/v1/chat/completions"


def fixtures(*interactions):
    return json.loads(write(interactions))["fixtures"]


def chat(said, *messages, **asked):
    """Return a plain OpenAI chat in which the model says something, or calls something."""
    message = {"role": "assistant", "content": None} | (said if isinstance(said, dict) else {"content": said})
    body = {"id": "chatcmpl-1", "model": "m-1", "created": 7, "choices": [{"index": 0, "message": message}]}
    found = interaction(json.dumps(body).encode(), asked=request({"model": "m", "messages": messages, **asked}))
    found.exchange.request.path = CHAT
    return msgspec.structs.replace(found, exchange=msgspec.structs.replace(found.exchange, headers=JSON))


def elsewhere():
    asked = request({"a": 1})
    asked.path = "/v1/files"
    return asked


def user(text):
    return {"role": "user", "content": text}


@pytest.mark.parametrize(
    "api", ["openai", "openai_responses", "anthropic", "gemini", "cohere", "bedrock", "groq", "mistral", "ollama"]
)
@pytest.mark.parametrize("scenario", ["text", "text-stream"])
def test_what_the_model_said_is_the_fixture_of_every_api(api, scenario):
    found = bundled(api, scenario)

    if unfit(found):
        pytest.fail(unfit(found))
    [fixture] = fixtures(found)

    assert fixture["response"]["content"] == ANSWER
    assert fixture["match"]["userMessage"] == "Name the three primary colours of light."
    assert fixture["match"]["turnIndex"] == 0
    assert fixture["match"]["hasToolResult"] is False
    assert min(fixture["response"]["usage"].values()) > 0


def test_tool_calls_keep_their_ids_and_arguments_and_a_result_its_turn():
    [called] = fixtures(bundled("anthropic", "parallel-tools-stream"))
    [told] = fixtures(bundled("openai", "tool-result"))

    calls = called["response"]["toolCalls"]
    assert len(calls) > 1
    assert all(call["id"] and json.loads(call["arguments"]) for call in calls)
    assert (told["match"]["turnIndex"], told["match"]["hasToolResult"]) == (1, True)


def test_a_call_before_a_text_is_kept_in_blocks():
    first = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
    answer = {"id": "msg", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use"}
    body = json.dumps(answer | {"content": [first, {"type": "text", "text": "then"}], "usage": {}}).encode()
    asked = request({"model": "m", "max_tokens": 9, "messages": [user("go")]})

    [fixture] = fixtures(interaction(body, asked=asked, headers=JSON))

    assert [block["type"] for block in fixture["response"]["blocks"]] == ["toolCall", "text"]
    assert fixture["response"]["content"] == "then"


def test_an_error_keeps_status_words_and_when_to_come_back():
    [fixture] = fixtures(bundled("openai", "error-429"))

    assert fixture["response"]["status"] == 429
    assert fixture["response"]["error"]["message"]
    assert fixture["response"]["retryAfter"] > 0


def test_times_are_kept_as_aimock_counts_them():
    timed = Recording(timing=Timing(ttfb_ms=400, events_ms=(0, 50, 50, 90)))
    found = msgspec.structs.replace(bundled("openai", "text-stream"), recording=timed)

    [fixture] = fixtures(found)

    assert fixture["recordedTimings"] == {"ttftMs": 400, "interChunkDelaysMs": [50, 0, 40], "totalDurationMs": 490}


def test_plain_and_streamed_are_one_fixture_and_answers_that_differ_come_in_turn():
    both = fixtures(bundled("openai", "text"), bundled("openai", "text-stream"))
    turns = fixtures(chat("one", user("go")), chat("two", user("go")), chat("one", user("go")))

    assert len(both) == 1
    assert "sequenceIndex" not in both[0]["match"]
    assert [(each["match"]["sequenceIndex"], each["response"]["content"]) for each in turns] == [
        (0, "one"), (1, "two"), (2, "one"),
    ]  # fmt: skip


def test_what_a_shorter_text_would_answer_too_comes_before_it():
    found = fixtures(chat("1", user("hello")), chat("2", user("hello there")))

    assert [each["response"]["content"] for each in found] == ["2", "1"]


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (interaction(asked=elsewhere()), "neither a chat"),
        (chat("", user("x")), "an answer without text or tool call"),
        (chat("hi"), "cannot be read|without a user's text"),
        (chat({"tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{"}}]}, user("x")), "not JSON"),
    ],
)  # fmt: skip
def test_what_no_fixture_says_is_left_out_with_a_reason(found, reason):
    assert any(words in unfit(found) for words in reason.split("|"))
    assert fixtures(found) == []


def test_a_recording_that_broke_off_is_left_out():
    whole = bundled("openai", "text-stream")
    broken = msgspec.structs.replace(whole, exchange=msgspec.structs.replace(whole.exchange, end=Ending.TRUNCATED))

    assert "broke off" in unfit(broken)
    assert fixtures(broken) == []


@settings(max_examples=40)
@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_what_is_written_reads_as_what_was_said(asked, said):
    plain, _ = read(write([chat(said, user(asked))]), "aimock")

    [choice] = json.loads(plain.exchange.body)["choices"]
    assert choice["message"]["content"] == said
    assert json.loads(plain.exchange.request.body)["messages"] == [user(asked)]


def test_what_is_lost_is_named():
    assert "event boundaries" in aimock_fixtures.LOSES
