"""A client's stream as the document it amounts to: naive, and never in the way of a verdict."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.conformance.assemble import document, events
from setu.http import Exchange, Headers, Request
from tests.gateway.wire import CHUNKS, CONTENT, EVENTS, USAGE_CHUNK, chunk
from tests.live import sse

DIALECTS = ("openai_chat", "anthropic", "gemini")


def stream(*found: Any, kind: str = "text/event-stream") -> Exchange:
    body = sse(*found) if kind != "application/json" else json.dumps(found).encode()
    return Exchange(
        request=Request(method="POST", path="/"), status=200, headers=Headers.of({"content-type": kind}), body=body
    )


def plain(body: bytes) -> Exchange:
    return Exchange(
        request=Request(method="POST", path="/"),
        status=200,
        headers=Headers.of({"content-type": "application/json"}),
        body=body,
    )


def test_events_are_parsed_and_words_stay_words() -> None:
    assert events(stream({"a": 1}, "[DONE]")) == [{"a": 1}, "[DONE]"]
    assert events(stream({"a": 1}, {"b": 2}, kind="application/json")) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_plain_body_is_itself(dialect: str) -> None:
    assert document(plain(b'{"a":[1]}'), dialect) == {"a": [1]}
    assert document(plain(b"<html>"), dialect) == "<html>"


def test_chunks_of_chat_make_a_completion() -> None:
    calls = [
        chunk(
            {"tool_calls": [{"index": 1, "id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}}]}
        ),
        chunk(
            {
                "tool_calls": [
                    {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a"'}}
                ]
            }
        ),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}),
    ]

    made = document(stream(*CHUNKS[:3], *calls, CHUNKS[3], USAGE_CHUNK, "[DONE]"), "openai_chat")

    (choice,) = made["choices"]
    assert (choice["message"]["role"], choice["message"]["content"], choice["finish_reason"]) == (
        "assistant",
        "Hello",
        "stop",
    )
    assert choice["message"]["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}},
    ]
    assert made["usage"]["total_tokens"] == 4


def test_events_of_anthropic_make_a_message() -> None:
    tool = (
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
        },
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"a"'}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": ":1}"}},
    )

    made = document(stream(*EVENTS[:4], *tool, *EVENTS[4:]), "anthropic")

    assert made["content"] == [
        {"type": "text", "text": "Hello"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
    ]
    assert (made["stop_reason"], made["usage"]) == ("end_turn", {"input_tokens": 3, "output_tokens": 1})


@pytest.mark.parametrize("kind", ["text/event-stream", "application/json"])
def test_chunks_of_gemini_make_an_answer_in_both_framings(kind: str) -> None:
    first = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Oh "}]}, "index": 0}]}
    thought = {"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}]}, "index": 0}]}

    made = document(stream(thought, first, json.loads(CONTENT), kind=kind), "gemini")

    (candidate,) = made["candidates"]
    assert candidate["content"] == {"role": "model", "parts": [{"text": "hm", "thought": True}, {"text": "Oh Hello"}]}
    assert (candidate["finishReason"], made["usageMetadata"]["totalTokenCount"]) == ("STOP", 4)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["", "x", "message_start", "content_block_delta", "content_block_start", "message_delta"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["choices", "delta", "index", "tool_calls", "function", "arguments", "name", "content", "type", "message", "content_block",
             "partial_json", "usage", "candidates", "parts", "text", "thought", "citation", "citations", "error", "model"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize("dialect", DIALECTS)
@given(found=st.lists(VALUES, max_size=4))
def test_no_stream_is_too_broken_to_look_at(dialect: str, found: list[Any]) -> None:
    # A gateway under test may send anything; the verdict on it must not be a crash of the judge's clerk.
    document(stream(*[one if isinstance(one, dict) else json.dumps(one) for one in found]), dialect)
    document(plain(json.dumps(found).encode()), dialect)
