"""Short forms for the tests: requests as Converse bodies that AWS's own model accepts, streams as messages."""

import json
from typing import Any

from setu.chat.events import Event
from setu.chat.fold import Folded, fold
from setu.chat.ids import counter
from setu.chat.parts import AnyPart, Text, ToolCall, ToolResult
from setu.chat.request import ChatRequest, FunctionTool, Message
from setu.dialects.bedrock.decoder import Decoder
from setu.dialects.bedrock.request import render_request
from setu.dialects.record import Facts, Loss, Target
from setu.framing.eventstream import EventStreamDecoder, EventStreamEncoder
from setu.framing.frame import Frame
from tests.dialects.bedrock.oracle import request_problems

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "us.amazon.nova-lite-v1:0"
LLAMA = "us.meta.llama3-3-70b-instruct-v1:0"
OLD = "anthropic.claude-3-haiku-20240307-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3"

WEATHER = FunctionTool(name="get_weather", schema=b'{"type":"object","properties":{"city":{"type":"string"}}}')


def user(*parts: AnyPart | str) -> Message:
    return Message(role="user", parts=tuple(Text(text=part) if isinstance(part, str) else part for part in parts))


def assistant(*parts: AnyPart | str) -> Message:
    return Message(role="assistant", parts=tuple(Text(text=part) if isinstance(part, str) else part for part in parts))


def call(call_id: str, arguments: str = "{}", name: str = "get_weather") -> ToolCall:
    return ToolCall(call_id=call_id, name=name, arguments=arguments)


def result(call_id: str, *content: AnyPart | str, **fields: Any) -> ToolResult:
    parts = tuple(Text(text=part) if isinstance(part, str) else part for part in content)
    return ToolResult(call_id=call_id, name="get_weather", content=parts, **fields)


def rendered(
    *messages: Message, model: str = CLAUDE, facts: Facts | None = None, media: Any = None, **fields: Any
) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Return the body, which AWS's service model must accept, and the losses."""
    request = ChatRequest(model="m", messages=messages or (user("Hi."),), **fields)
    target = Target(model=model, facts=facts or Facts(), media=media or {})
    made = render_request(request, target)
    assert request_problems(made.body) == []
    return json.loads(made.body), made.losses


def body(*messages: Message, **fields: Any) -> dict[str, Any]:
    return rendered(*messages, **fields)[0]


def stream(*events: tuple[str, Any]) -> bytes:
    encoder = EventStreamEncoder()
    return b"".join(encoder.encode(Frame(event=name, data=json.dumps(data).encode())) for name, data in events)


def decoded(*chunks: bytes) -> list[Event]:
    framing, decoder = EventStreamDecoder(), Decoder(counter())
    frames = [frame for chunk in chunks for frame in framing.feed(chunk)] + framing.close()
    return [event for frame in frames for event in decoder.feed(frame)] + decoder.close()


def folded(*events: tuple[str, Any]) -> Folded:
    return fold(decoded(stream(*events)))


START = ("messageStart", {"role": "assistant"})
METADATA = ("metadata", {"metrics": {"latencyMs": 9}, "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}})


def stop(word: str = "end_turn") -> tuple[str, Any]:
    return "messageStop", {"stopReason": word}


def delta(value: Any, index: int = 0) -> tuple[str, Any]:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": value}


def ended(index: int = 0) -> tuple[str, Any]:
    return "contentBlockStop", {"contentBlockIndex": index}


def opened(start: Any, index: int = 0) -> tuple[str, Any]:
    return "contentBlockStart", {"contentBlockIndex": index, "start": start}
