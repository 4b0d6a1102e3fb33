"""aimock's fixtures become the chats that they stand for, and say what aimock had lost."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.model import Timing
from setu.errors import CassetteDecodeError
from setu.framing.sse import SseDecoder
from setu.http import Ending
from tests.cassette.formats.reading import found_in, read, skipped

HELLO = {"match": {"userMessage": "hello"}, "response": {"content": "Hi there"}}


def fixtures(*entries):
    return json.dumps({"fixtures": entries})


def answer(match, **response):
    return fixtures({"match": match, "response": response})


def deltas(interaction):
    """Return the deltas of a streamed chat."""
    frames = SseDecoder().feed(interaction.exchange.body)
    chunks = [json.loads(frame.data) for frame in frames if frame.data and frame.data != b"[DONE]"]
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


def asked(interaction):
    return json.loads(interaction.exchange.request.body)


def test_a_text_fixture_is_a_plain_and_a_streamed_chat():
    plain, streamed = read(fixtures(HELLO))

    assert plain.exchange.request.url == "https://api.openai.com/v1/chat/completions"
    assert asked(plain) == {"model": "unknown", "messages": [{"role": "user", "content": "hello"}]}
    assert asked(streamed) == {**asked(plain), "stream": True}
    [choice] = json.loads(plain.exchange.body)["choices"]
    assert choice["message"] == {"role": "assistant", "content": "Hi there"}
    assert choice["finish_reason"] == "stop"
    assert "".join(delta.get("content", "") for delta in deltas(streamed)) == "Hi there"
    assert streamed.exchange.body.endswith(b"data: [DONE]\n\n")
    assert [plain.recording.op, streamed.recording.op] == ["openai_chat.chat", "openai_chat.chat.stream"]


def test_both_are_reconstructed_and_say_what_is_lost():
    for found in read(fixtures(HELLO)):
        assert found.recording.provenance == "reconstructed"
        [note] = found.notes
        assert note == (
            "a#1: reconstructed from an aimock fixture, which had lost event boundaries, response headers, "
            "the rest of the conversation, the request's id, usage, the model, timing"
        )


def test_what_an_exchange_cannot_say_is_named():
    [plain, _] = read(
        fixtures(
            {
                "match": {"userMessage": "x", "turnIndex": 2, "model": "m"},
                "response": {"content": "y", "webSearches": ["q"], "id": "i", "usage": {}},
                "chaos": {"dropRate": 1},
            }
        )
    )

    assert plain.notes[0].endswith("timing; left out: turnIndex, webSearches, chaos")


def test_the_match_is_the_request():
    text = answer(
        {
            "systemMessage": ["be", "brief"],
            "userMessage": "go",
            "toolCallId": "call_9",
            "toolName": "get",
            "responseFormat": "json_object",
            "model": "gpt-x",
        },
        content={"b": 1},
    )

    [plain, _] = read(text)

    body = asked(plain)
    assert body["model"] == "gpt-x"
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "tool"]
    assert body["messages"][0]["content"] == "be\nbrief"
    assert body["messages"][3] == {"role": "tool", "tool_call_id": "call_9", "content": ""}
    assert body["tools"][0]["function"]["name"] == "get"
    assert body["response_format"] == {"type": "json_object"}
    assert json.loads(plain.exchange.body)["choices"][0]["message"]["content"] == '{"b":1}'


def test_tool_calls_have_ids_and_json_arguments():
    calls = [{"name": "a", "arguments": {"x": 1}}, {"name": "b", "arguments": "{}", "id": "call_b"}]

    plain, streamed = read(answer({"userMessage": "x"}, toolCalls=calls))

    [choice] = json.loads(plain.exchange.body)["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert [call["id"] for call in choice["message"]["tool_calls"]] == ["call_aimock_1", "call_b"]
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "a", "arguments": '{"x":1}'}
    spoken = [call for delta in deltas(streamed) for call in delta.get("tool_calls", [])]
    assert [(call["index"], call["function"]["arguments"]) for call in spoken] == [
        (0, ""),
        (0, '{"x":1}'),
        (1, ""),
        (1, "{}"),
    ]


def test_blocks_keep_their_order():
    blocks = [{"type": "toolCall", "name": "a", "arguments": "{}"}, {"type": "text", "text": "then"}]

    _, streamed = read(answer({"userMessage": "x"}, blocks=blocks))

    kinds = [name for delta in deltas(streamed) for name in delta if name != "role" and delta[name]]
    assert kinds == ["tool_calls", "tool_calls", "content"]


def test_overrides_are_said():
    usage = {"input_tokens": 3, "output_tokens": 4}

    plain, streamed = read(
        answer(
            {"userMessage": "x"}, content="y", id="i", model="m2", usage=usage, finishReason="length", reasoning="why"
        )
    )

    body = json.loads(plain.exchange.body)
    assert (body["id"], body["model"], body["choices"][0]["finish_reason"]) == ("i", "m2", "length")
    assert body["usage"] == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    assert body["choices"][0]["message"]["reasoning_content"] == "why"
    assert {"reasoning_content": "why"} in deltas(streamed)
    assert b'"usage":{"prompt_tokens":3' in streamed.exchange.body


def test_an_error_answers_both():
    for found in read(answer({"userMessage": "x"}, error={"message": "slow down"}, status=429, retryAfter=7)):
        assert found.exchange.status == 429
        assert found.exchange.headers.get("retry-after") == "7"
        assert json.loads(found.exchange.body)["error"]["message"] == "slow down"


def test_an_embedding_is_one_exchange():
    [found] = read(answer({"inputText": "x", "model": "e"}, embedding=[0.5, 1]))

    assert asked(found) == {"model": "e", "input": "x"}
    assert json.loads(found.exchange.body)["data"][0]["embedding"] == [0.5, 1]
    assert found.recording.op == "openai_chat.embed"


@pytest.mark.parametrize(
    ("more", "timing"),
    [
        (
            {"recordedTimings": {"ttftMs": 100, "interChunkDelaysMs": [1], "totalDurationMs": 400}},
            Timing(ttfb_ms=100, events_ms=(0, 100, 200, 300)),
        ),
        ({"latency": 50}, Timing(ttfb_ms=50, events_ms=(0, 50, 100, 150))),
        ({"streamingProfile": {"ttft": 20, "tps": 100}}, Timing(ttfb_ms=20, events_ms=(0, 10, 20, 30))),
        ({}, None),
    ],
    ids=["recorded", "latency", "profile", "none"],
)
def test_the_pace_of_a_fixture_is_the_stream_s(more, timing):
    _, streamed = read(fixtures({"match": {"userMessage": "x"}, "response": {"content": "y"}, **more}))

    assert streamed.recording.timing == timing


def test_a_truncated_fixture_replays_as_truncated():
    plain, streamed = read(fixtures({**HELLO, "truncateAfterChunks": 2, "chunkSize": 3}))

    assert plain.exchange.end is Ending.COMPLETE
    assert streamed.exchange.end is Ending.TRUNCATED
    assert deltas(streamed) == [{"role": "assistant", "content": ""}, {"content": "Hi "}]


@pytest.mark.parametrize(
    ("fixture", "reason"),
    [
        ({"match": {}, "response": {"content": "x"}}, "a catch-all answers no request in particular"),
        ({"match": {"userMessage": "x", "endpoint": "image"}, "response": {}}, "a fixture of image"),
        (
            {"match": {"userMessage": "x"}, "response": {"audio": "AA==", "content": "y"}},
            "an answer that is neither text, tool calls, an embedding nor an error",
        ),
        ({"match": {"userMessage": "x"}}, "a member is missing or of the wrong kind: 'response'"),
    ],
    ids=["catch-all", "image", "audio", "malformed"],
)
def test_what_is_no_chat_is_skipped_with_the_reason(fixture, reason):
    [bad] = skipped(fixtures(fixture, HELLO))

    assert bad == ("a#1", reason)


@pytest.mark.parametrize("text", ["{", '{"fixture": []}', '{"fixtures": 1}'])
def test_what_is_no_fixture_file_is_an_error(text):
    with pytest.raises(CassetteDecodeError, match="a: not aimock fixtures"):
        found_in(text, "aimock")


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60), size=st.integers(1, 9))
def test_the_stream_says_what_the_plain_answer_says(text, size):
    fixture = {"match": {"userMessage": "x"}, "response": {"content": text, "reasoning": text}, "chunkSize": size}

    plain, streamed = read(fixtures(fixture))

    [choice] = json.loads(plain.exchange.body)["choices"]
    assert choice["message"]["content"] == text
    assert "".join(delta.get("content", "") for delta in deltas(streamed)) == text
    assert "".join(delta.get("reasoning_content", "") for delta in deltas(streamed)) == text
