"""The key `mock`: 003's answers, word by word, and nobody is asked."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from anthropic.types import Message
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion

from setu.cassette.script import script
from setu.http import Headers, Request, Response
from setu.transport.legacy import MockKeys
from setu.transport.play import Playlist
from tests.transport.virtual import VirtualClock, read_timed

ORIGIN = "http://simulated.invalid"
MOCK_OPENAI = {"authorization": "Bearer mock"}
MOCK_ANTHROPIC = {"x-api-key": "mock", "anthropic-version": "2023-06-01"}
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"


def body(content: Any = "Say hello.", **extra: Any) -> dict[str, Any]:
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": content}], **extra}


def ask(
    path: str, fields: Mapping[str, str], asked: Any, origin: str = ORIGIN
) -> tuple[Response, list[tuple[float, bytes]], int]:
    """Return the answer, its body in time, and how many requests went on."""

    async def scenario() -> tuple[Response, list[tuple[float, bytes]], int]:
        clock = VirtualClock()
        live = Playlist([script(200, Headers.of({"content-type": "application/json"}), b'{"live":true}')], clock)
        request = Request(
            method="POST", origin=origin, path=path, headers=Headers.of(fields), body=json.dumps(asked).encode()
        )
        response = await MockKeys(live, ORIGIN, clock).send(request)
        timed = await read_timed(response, clock)
        return response, timed, len(live.received)

    return asyncio.run(scenario())


def events(timed: list[tuple[float, bytes]]) -> list[Any]:
    lines = b"".join(piece for _, piece in timed).decode().split("\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


def test_openais_mock_answers_with_the_last_content() -> None:
    response, timed, asked = ask(CHAT, MOCK_OPENAI, body())
    answer = ChatCompletion.model_validate_json(timed[0][1])

    assert (response.status, asked) == (200, 0)
    assert answer.choices[0].message.content == "OpenAI Mock: Say hello."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "gpt-4o-mini"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (10, 20, 30)


def test_anthropics_mock_answers_with_the_last_content() -> None:
    _, timed, asked = ask(
        MESSAGES, MOCK_ANTHROPIC, body([{"type": "text", "text": "Say "}, {"type": "text", "text": "hi."}])
    )
    answer = Message.model_validate_json(timed[0][1])

    assert asked == 0
    assert [block.text for block in answer.content if block.type == "text"] == ["Anthropic Mock: Say hi."]
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (15, 25)


def test_openais_stream_comes_word_by_word_every_fifty_milliseconds() -> None:
    _, timed, _ = ask(CHAT, MOCK_OPENAI, body(stream=True, stream_options={"include_usage": True}))
    chunks = events(timed)
    words = [chunk["choices"][0]["delta"].get("content") for chunk in chunks if chunk["choices"]]
    times = [at for at, piece in timed if b'"delta":{"content"' in piece]

    assert words == ["", "OpenAI", " Mock:", " Say", " hello.", None]
    assert times == pytest.approx([0.05, 0.1, 0.15, 0.2])
    assert chunks[-1]["usage"]["total_tokens"] == 30
    assert timed[-1][1] == b"data: [DONE]\n\n"


def test_a_stream_tells_its_usage_only_when_asked() -> None:
    _, timed, _ = ask(CHAT, MOCK_OPENAI, body(stream=True))

    assert [chunk for chunk in events(timed) if "usage" in chunk] == []


def test_anthropics_stream_is_a_whole_message() -> None:
    _, timed, _ = ask(MESSAGES, MOCK_ANTHROPIC, body(stream=True))
    found = events(timed)

    assert [event["type"] for event in found if event["type"] != "content_block_delta"] == [
        "message_start", "content_block_start", "content_block_stop", "message_delta", "message_stop",
    ]  # fmt: skip
    text = "".join(event["delta"]["text"] for event in found if event["type"] == "content_block_delta")
    assert text == "Anthropic Mock: Say hello."
    assert found[-2]["usage"] == {"output_tokens": 25}


@pytest.mark.parametrize("fields", [{"authorization": "Bearer sk-real"}, MOCK_OPENAI, {}])
def test_what_goes_to_any_other_origin_goes_on(fields: Mapping[str, str]) -> None:
    _, timed, asked = ask(CHAT, fields, body(), "https://api.example")

    assert (asked, timed[0][1]) == (1, b'{"live":true}')


@pytest.mark.parametrize(
    ("path", "asked"), [("/v1/embeddings", {"model": "m", "input": "a"}), (CHAT, {"model": "m"}), (CHAT, [])]
)
def test_what_003_did_not_have_is_simulated(path: str, asked: Any) -> None:
    response, _, went_on = ask(path, MOCK_OPENAI, asked)

    assert response.status in (200, 400, 404)
    assert went_on == 0


@given(st.text(max_size=40))
def test_a_stream_adds_up_to_what_a_plain_answer_says(text: str) -> None:
    _, timed, _ = ask(CHAT, MOCK_OPENAI, body(text, stream=True))
    streamed = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in events(timed))

    assert streamed == f"OpenAI Mock: {text}"
