"""Short ways to speak the dialect in tests."""

import json
from collections.abc import Iterable
from typing import Any

from setu.chat.events import Event
from setu.chat.ids import counter
from setu.chat.request import ChatRequest
from setu.chat.response import ChatResponse
from setu.dialects.openai_responses.codec import DIALECT
from setu.dialects.record import Facts, Rendered, Reply, Route, Target
from setu.framing.frame import Frame

CLIENT = DIALECT.client["chat"]
UPSTREAM = DIALECT.upstream["chat"]
ROUTE = Route(dialect="openai_responses", operation="chat")
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def user(text: Any = "hi") -> dict[str, Any]:
    return {"role": "user", "content": text}


def call(identity: str = "call_1", name: str = "f", arguments: str = "{}", **members: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": identity, "name": name, "arguments": arguments} | members


def output(identity: str = "call_1", value: Any = "ok", **members: Any) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": identity, "output": value} | members


def body(*items: dict[str, Any], **members: Any) -> bytes:
    return json.dumps({"model": "m", "input": list(items) or [user()]} | members).encode()


def parse(*items: dict[str, Any], **members: Any) -> ChatRequest:
    request: ChatRequest = CLIENT.parse_request(body(*items, **members), ROUTE)
    return request


def render(request: ChatRequest, *capabilities: str, facts: Facts | None = None) -> Rendered:
    target = Target(model="m", facts=facts or Facts(), capabilities=frozenset(capabilities))
    return UPSTREAM.render_request(request, target)


def rendered(request: ChatRequest, *capabilities: str, facts: Facts | None = None) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(render(request, *capabilities, facts=facts).body)
    return value


def items(request: ChatRequest, *capabilities: str) -> list[dict[str, Any]]:
    return list(rendered(request, *capabilities)["input"])


def losses(request: ChatRequest, *capabilities: str, facts: Facts | None = None) -> list[tuple[str, str]]:
    return [(loss.pointer, loss.severity) for loss in render(request, *capabilities, facts=facts).losses]


def message(*texts: str, identity: str = "msg_1", **members: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []} for text in texts]
    return {"id": identity, "type": "message", "status": "completed", "role": "assistant", "content": content} | members


def answer(*output_items: dict[str, Any], **members: Any) -> dict[str, Any]:
    head = {"id": "resp_9", "object": "response", "created_at": 7, "status": "completed", "model": "gpt"}
    usage = {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 5,
    }
    said = {"output": list(output_items), "error": None, "incomplete_details": None, "usage": usage}
    echoed: dict[str, Any] = {
        "instructions": None,
        "metadata": {},
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
    }
    return head | said | echoed | members


def read(value: dict[str, Any] | bytes) -> ChatResponse:
    response: ChatResponse = UPSTREAM.parse_response(
        value if isinstance(value, bytes) else json.dumps(value).encode(), counter()
    )
    return response


def reply(**members: Any) -> Reply:
    said: dict[str, Any] = {"model": "asked", "id": "resp_r", "created": 5, "mint": counter()}
    return Reply(**(said | members))


def shown(response: ChatResponse, **members: Any) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(CLIENT.render_response(response, reply(**members)).body)
    return value


def frame(event: dict[str, Any] | bytes, name: str | None = None) -> Frame:
    return Frame(event=name, data=event if isinstance(event, bytes) else json.dumps(event).encode())


def decode(*events: dict[str, Any] | bytes) -> list[Event]:
    decoder = UPSTREAM.decoder(counter())
    return [found for event in events for found in decoder.feed(frame(event))] + decoder.close()


def frames(events: Iterable[Event], **members: Any) -> list[Frame]:
    encoder = CLIENT.encoder(reply(**members))
    return [sent for event in events for sent in encoder.feed(event)]


def encode(events: Iterable[Event], **members: Any) -> list[dict[str, Any]]:
    return [json.loads(sent.data) for sent in frames(events, **members) if sent.data is not None]


def kinds(events: Iterable[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]
