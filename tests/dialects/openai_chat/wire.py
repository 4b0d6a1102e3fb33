"""Short ways to speak the dialect in tests."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from setu.chat.events import Event
from setu.chat.ids import counter
from setu.chat.parts import Inline
from setu.chat.request import ChatRequest
from setu.chat.response import ChatResponse
from setu.dialects.openai_chat.codec import DIALECT
from setu.dialects.openai_chat.words import CAPABILITIES
from setu.dialects.record import Facts, Rendered, Reply, Route, Target
from setu.framing.frame import Frame

CLIENT = DIALECT.client["chat"]
UPSTREAM = DIALECT.upstream["chat"]
ROUTE = Route(dialect="openai_chat", operation="chat")
ALL = CAPABILITIES - {
    "reasoning",
    "thinking",
    "thinking_parts",
    "document_url",
    "stream_usage",
    "max_completion_tokens",
}
"""What a host takes that takes everything, in OpenAI's own spelling where there are several."""


def user(text: str = "hi") -> dict[str, Any]:
    return {"role": "user", "content": text}


def body(*messages: dict[str, Any], **members: Any) -> bytes:
    return json.dumps({"model": "m", "messages": list(messages) or [user()]} | members).encode()


def parse(*messages: dict[str, Any], **members: Any) -> ChatRequest:
    request: ChatRequest = CLIENT.parse_request(body(*messages, **members), ROUTE)
    return request


def render(
    request: ChatRequest, *capabilities: str, facts: Facts | None = None, media: Mapping[str, Inline] | None = None
) -> Rendered:
    target = Target(model="m", facts=facts or Facts(), capabilities=frozenset(capabilities), media=media or {})
    return UPSTREAM.render_request(request, target)


def rendered(request: ChatRequest, *capabilities: str, facts: Facts | None = None) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(render(request, *capabilities, facts=facts).body)
    return value


def messages(request: ChatRequest, *capabilities: str) -> list[dict[str, Any]]:
    return list(rendered(request, *capabilities)["messages"])


def call(identity: str, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


def calls(*wire_calls: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(wire_calls)} | members


def result(identity: str, content: Any = "ok", **members: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": identity, "content": content} | members


def answer(message: dict[str, Any] | None = None, **choice: Any) -> bytes:
    said = {"role": "assistant", "content": "hi"} if message is None else {"role": "assistant"} | message
    wire = {"index": 0, "message": said, "finish_reason": "stop"} | choice
    return json.dumps(
        {"id": "c1", "object": "chat.completion", "created": 7, "model": "gpt", "choices": [wire]}
    ).encode()


def read(data: bytes) -> ChatResponse:
    response: ChatResponse = UPSTREAM.parse_response(data, counter())
    return response


def reply(**members: Any) -> Reply:
    said: dict[str, Any] = {"model": "asked", "id": "chatcmpl-r", "created": 5, "mint": counter()}
    return Reply(**(said | members))


def shown(response: ChatResponse, **members: Any) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(CLIENT.render_response(response, reply(**members)).body)
    return value


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **members: Any) -> dict[str, Any]:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "gpt"}
    choice: dict[str, Any] = {"index": members.pop("index", 0), "delta": delta or {}, "finish_reason": finish}
    choice |= members.pop("choice", {})
    return head | {"choices": [choice]} | members


def decode(*chunks: dict[str, Any] | bytes, done: bool = True) -> list[Event]:
    """Decode chunks as frames; a stream ends in `[DONE]` unless told otherwise."""
    decoder = UPSTREAM.decoder(counter())
    data = [item if isinstance(item, bytes) else json.dumps(item).encode() for item in chunks]
    events = [event for item in [*data, *([b"[DONE]"] if done else [])] for event in decoder.feed(Frame(data=item))]
    return events + decoder.close()


def encode(events: Iterable[Event], **members: Any) -> list[Any]:
    """Encode events; chunks come back decoded, `[DONE]` and comments as they are."""
    encoder = CLIENT.encoder(reply(**members))
    frames = [frame for event in events for frame in encoder.feed(event)]
    return [
        frame.comment if frame.data is None else frame.data if frame.data == b"[DONE]" else json.loads(frame.data)
        for frame in frames
    ]


def deltas(events: Iterable[Event], **members: Any) -> list[dict[str, Any]]:
    return [
        item["choices"][0]["delta"]
        for item in encode(events, **members)
        if isinstance(item, dict) and item.get("choices")
    ]
