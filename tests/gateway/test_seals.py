"""A Gemini signature that the client's format cannot carry comes back by itself."""

import json

import pytest

from tests.gateway.wire import HOME
from tests.live import Live, Upstream, asked, reply

SIGNATURE = "c2lnbmF0dXJlLW9mLXRoZS1jYWxs"
CALL = {
    "candidates": [
        {
            "content": {"role": "model", "parts": [{"functionCall": {"name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": SIGNATURE}]},
            "finishReason": "STOP", "index": 0,
        }
    ],
    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1, "totalTokenCount": 4},
}  # fmt: skip
TOOL = {
    "name": "weather",
    "description": "d",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


@pytest.mark.parametrize("stream", [False, True])
def test_a_signature_learned_in_one_call_is_given_back_in_the_next(
    live: Live, upstream: Upstream, stream: bool
) -> None:
    upstream.answer = reply(json.dumps(CALL).encode()) if not stream else reply(b"data: " + json.dumps(CALL).encode() + b"\n\n", "200 OK", "text/event-stream")  # fmt: skip
    tools = [{"type": "function", "function": TOOL}]
    first = live.ask(*asked("ge/gemini-3-pro-preview", stream=stream, tools=tools))
    if stream:
        events = [json.loads(line[6:]) for line in first.body.decode().splitlines() if line.startswith("data: {")]
        call = next(
            call for event in events for choice in event["choices"] for call in choice["delta"].get("tool_calls") or ()
        )
        call_id = call["id"]
    else:
        call_id = first.json["choices"][0]["message"]["tool_calls"][0]["id"]
    # The client keeps only what OpenAI's format documents.
    made = {"id": call_id, "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "tool_calls": [made]},
        {"role": "tool", "tool_call_id": call_id, "content": "rain"},
    ]
    live.ask(*asked("ge/gemini-3-pro-preview", tools=tools, messages=history))

    sent = json.loads(upstream.sent[1].body)
    parts = [part for content in sent["contents"] for part in content["parts"] if "functionCall" in part]
    assert [part.get("thoughtSignature") for part in parts] == [SIGNATURE]


def test_a_call_that_nobody_sealed_gets_no_strangers_seal(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(json.dumps(CALL).encode())
    made = {"id": "call_of_another_host", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": None, "tool_calls": [made]},
        {"role": "tool", "tool_call_id": made["id"], "content": "rain"},
    ]

    live.ask(*asked("ge/gemini-2.5-pro", tools=[{"type": "function", "function": TOOL}], messages=history))

    assert SIGNATURE not in upstream.sent[0].body.decode()
    assert HOME["ge"] == "gemini"
