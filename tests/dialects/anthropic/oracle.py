"""What Anthropic's own SDK thinks of a body: its request types as a closed JSON Schema, its answers as strict models."""

import json
from functools import cache
from typing import Any

import jsonschema_rs
import pydantic
from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming

from setu.framing.frame import Frame

_SAMPLERS = {"temperature": {"type": "number"}, "top_p": {"type": "number"}, "top_k": {"type": "integer"}}
"""Still taken by models before Opus 4.7, but gone from the types of SDK 2.11."""


@cache
def _requests(stream: bool) -> Any:
    kind = MessageCreateParamsStreaming if stream else MessageCreateParamsNonStreaming
    schema = pydantic.TypeAdapter(kind).json_schema()
    _close(schema)
    schema["properties"] |= _SAMPLERS
    return jsonschema_rs.validator_for(schema)


def _close(schema: Any) -> None:
    """Forbid unknown members on every object that lists its own."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for value in schema.values():
            _close(value)
    elif isinstance(schema, list):
        for value in schema:
            _close(value)


@cache
def _events() -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(RawMessageStreamEvent)


def request_problems(body: bytes) -> list[str]:
    """Return what is wrong with a request, nothing if the SDK could have sent it."""
    members = json.loads(body)
    validator = _requests(bool(members.get("stream")))
    return [f"{error.instance_path}: {error.message[:200]}" for error in validator.iter_errors(members)]


def need_message(body: bytes) -> Message:
    """Read an answer as the SDK would if it were strict."""
    return Message.model_validate_json(body, strict=True)


def need_events(frames: list[Frame]) -> list[dict[str, Any]]:
    """Check that frames are a stream the SDK reads, and return their data.

    `ping` and `error` are no members of the SDK's union; it handles both before it builds an event.
    """
    events = []
    for frame in frames:
        event = json.loads(frame.data or b"null")
        assert frame.event == event["type"]
        if frame.event not in ("ping", "error"):
            _events().validate_json(frame.data or b"", strict=True)
        events.append(event)
    return events


def need_order(events: list[dict[str, Any]]) -> None:
    """Check the protocol: one start, blocks one after the other with contiguous indexes, one delta, one stop."""
    kinds = [event["type"] for event in events if event["type"] != "ping"]
    if not kinds or kinds == ["error"]:
        return
    assert kinds[0] == "message_start"
    assert kinds.count("message_start") == 1
    complete = kinds[-1] == "message_stop"
    assert complete or kinds[-1] == "error"
    assert kinds.count("message_delta") == kinds.count("message_stop") == int(complete)
    _need_blocks(events, complete=complete)


def _need_blocks(events: list[dict[str, Any]], *, complete: bool) -> None:
    index, is_open = -1, False
    for event in events:
        match event["type"]:
            case "content_block_start":
                assert not is_open
                index, is_open = index + 1, True
                assert event["index"] == index
            case "content_block_delta":
                assert is_open
                assert event["index"] == index
            case "content_block_stop":
                assert is_open
                assert event["index"] == index
                is_open = False
            case "message_delta":
                assert not is_open
    assert not (complete and is_open)
