"""What the predecessors' users call: each endpoint, asked as they ask it."""

import json

import pytest

from tests.e2e.predecessors.serving import (
    CHAT,
    MESSAGES,
    RESPONSES,
    Started,
    connection,
    events,
    model_asked,
    said,
    text_of,
)

pytestmark = pytest.mark.slow


def test_post_v1_chat_completions(gateway: Started) -> None:
    """Every member that 000's README shows; the id is the upstream's own."""
    body = said("Explain quantum computing nonce:q1", "anthropic/claude-sonnet-4-5", max_tokens=1000, stream=False)
    answer = gateway.ask(body, fields=[("authorization", "Bearer sk-setu-your-api-key")])

    assert answer.status == 200
    assert answer.field("content-type") == "application/json"
    whole = answer.json
    assert whole["id"]
    assert "claude-sonnet-4-5" in whole["model"]
    assert whole["object"] == "chat.completion"
    assert isinstance(whole["created"], int)
    assert whole["usage"]["total_tokens"] == whole["usage"]["prompt_tokens"] + whole["usage"]["completion_tokens"]
    (choice,) = whole["choices"]
    assert choice["message"]["role"] == "assistant"
    assert "nonce:q1" in choice["message"]["content"]
    assert (choice["index"], choice["finish_reason"]) == (0, "stop")
    assert model_asked(gateway.reached()[0]) == "claude-sonnet-4-5"


def test_chat_streaming(gateway: Started) -> None:
    """Role first, then text, a finish, `[DONE]`; and the first words long before the last ones."""
    gateway.play("stall=1500ms@event=4")
    line = connection(gateway.url)
    line.request("POST", CHAT, json.dumps(said("nonce:s1 at length", "anthropic/claude-sonnet-4-5", stream=True)))
    answer = line.getresponse()
    early = answer.read1(65536)
    body = early + answer.read()
    line.close()

    assert answer.getheader("content-type", "").startswith("text/event-stream")
    assert early.startswith(b"data: {")
    assert b"[DONE]" not in early
    chunks = [json.loads(data[6:]) for data in body.decode().split("\n\n") if data.startswith("data: {")]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks if chunk["choices"]][-1] == "stop"
    assert "nonce:s1" in text_of(chunks)
    assert body.endswith(b"data: [DONE]\n\n")


def test_post_v1_messages_anthropic(gateway: Started) -> None:
    body = {"model": "openai/gpt-4o", "max_tokens": 100, "messages": [{"role": "user", "content": "nonce:m1"}]}
    for path in (MESSAGES, "/anthropic/v1/messages"):
        asked = body if path == MESSAGES else {**body, "model": "claude-sonnet-4-5"}
        answer = gateway.ask(asked, path, [("anthropic-version", "2023-06-01")])

        assert answer.status == 200, path
        assert (answer.json["type"], answer.json["role"]) == ("message", "assistant")
        assert "nonce:m1" in answer.json["content"][0]["text"]
        assert answer.json["stop_reason"] == "end_turn"
        assert answer.json["usage"]["input_tokens"] > 0
    streamed = gateway.ask({**body, "stream": True}, MESSAGES, [("anthropic-version", "2023-06-01")])
    kinds = [event["type"] for event in events(streamed)]
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
    assert b"[DONE]" not in streamed.body


def test_post_v1_responses_stream(gateway: Started) -> None:
    answer = gateway.ask({"model": "anthropic/claude-sonnet-4-5", "input": "nonce:r1", "stream": True}, RESPONSES)
    found = events(answer)

    assert answer.status == 200
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    assert [found[0]["type"], found[-1]["type"]] == ["response.created", "response.completed"]
    assert "nonce:r1" in "".join(event["delta"] for event in found if event["type"] == "response.output_text.delta")
    added = [event["output_index"] for event in found if event["type"] == "response.output_item.added"]
    assert added == [event["output_index"] for event in found if event["type"] == "response.output_item.done"] == [0]
    assert found[-1]["response"]["usage"]["output_tokens"] > 0


def test_post_v1_responses_json(gateway: Started) -> None:
    """One JSON object for `stream: false` and for no `stream` at all: 002 gave an empty stream."""
    for extra in ({}, {"stream": False}):
        answer = gateway.ask({"model": "openai/gpt-4o", "input": "nonce:r2", **extra}, RESPONSES)

        assert answer.field("content-type") == "application/json"
        assert (answer.json["object"], answer.json["status"]) == ("response", "completed")
        assert "nonce:r2" in answer.json["output"][-1]["content"][0]["text"]
        assert answer.json["usage"]["total_tokens"] > 0


def test_gemini_endpoint(gateway: Started) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "nonce:g1"}]}]}
    plain = gateway.ask(body, "/v1beta/models/anthropic/claude-sonnet-4-5:generateContent")
    streamed = gateway.ask(body, "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse")

    (candidate,) = plain.json["candidates"]
    assert "nonce:g1" in candidate["content"]["parts"][0]["text"]
    assert candidate["finishReason"] == "STOP"
    assert plain.json["usageMetadata"]["totalTokenCount"] > 0
    texts = [
        part["text"]
        for event in events(streamed)
        for part in event["candidates"][0].get("content", {}).get("parts", ())
    ]
    assert "nonce:g1" in "".join(texts)


def test_raw_passthrough_v1(gateway: Started) -> None:
    """An endpoint that the gateway does not know goes to the provider that is named, byte for byte."""
    body = b'{"model": "tts-1",  "input":"nonce:p1","voice":"alloy"}'
    answer = gateway.ask(body, "/v1/audio/speech?x=1", [("x-provider", "openai"), ("openai-organization", "org-1")])
    (exchange,) = gateway.reached()
    request = exchange.request

    assert (request.method, request.path, request.query) == ("POST", "/v1/audio/speech", "x=1")
    assert request.body == body
    assert request.headers.get("openai-organization") == "org-1"
    assert request.headers.get("authorization") == "Bearer sk-openai-0123456789abcdef"
    assert "x-provider" not in request.headers
    assert (answer.status, answer.body) == (exchange.status, exchange.body)


def test_v1_models_pricing_id(gateway: Started) -> None:
    """OpenAI's list with what 000 and 004 put beside it; prices as 000 has them, per thousand tokens, and per million."""
    listed = gateway.get("/v1/models").json
    one = gateway.get("/v1/models/anthropic/claude-sonnet-4-5").json

    assert (listed["object"], listed["total"]) == ("list", len(listed["data"]))
    assert one in listed["data"]
    assert set(one) >= {"id", "object", "created", "owned_by", "provider", "capabilities", "context_length"}
    assert one["pricing"]["input_per_1m"] == pytest.approx(one["pricing"]["input"] * 1000)
    assert one["pricing"]["input"] == pytest.approx(0.003)
    assert one["pricing"]["unit"]
    assert gateway.get("/v1/models/anthropic/nobody").status == 404


def test_tools_images_reasoning_translation(gateway: Started) -> None:
    """Each of the three goes from one dialect to another, and comes back."""
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tool = {"type": "function", "function": {"name": "weather", "parameters": parameters}}
    image = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    parts = [{"type": "text", "text": "call:weather"}, {"type": "image_url", "image_url": {"url": image}}]
    body = {"model": "anthropic/claude-sonnet-4-5", "messages": [{"role": "user", "content": parts}], "tools": [tool]}
    answer = gateway.ask({**body, "max_tokens": 4000, "reasoning_effort": "low", "tool_choice": "auto"})
    (exchange,) = gateway.reached()
    assert isinstance(exchange.request.body, bytes)
    sent = json.loads(exchange.request.body)
    (call,) = answer.json["choices"][0]["message"]["tool_calls"]

    assert sent["tools"][0]["input_schema"] == parameters
    assert sent["messages"][0]["content"][1]["source"]["media_type"] == "image/png"
    assert sent["thinking"]["type"] == "enabled"
    assert call["function"]["name"] == "weather"
    assert isinstance(json.loads(call["function"]["arguments"])["city"], str)
    assert answer.json["choices"][0]["finish_reason"] == "tool_calls"
    assert answer.json["choices"][0]["message"]["reasoning_content"]
