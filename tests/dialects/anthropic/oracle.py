"""What Anthropic's own SDK thinks of a body: its request types as a closed JSON Schema, its answers as strict models."""

import json
from functools import cache
from typing import Any

import pydantic
from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming

from setu.framing.frame import Frame
from tests.dialects.closed import Closed

_SAMPLERS = {"temperature": {"type": "number"}, "top_p": {"type": "number"}, "top_k": {"type": "integer"}}
"""Still taken by models before Opus 4.7, but gone from the types of SDK 2.11."""


@cache
def _requests(stream: bool) -> Closed:
    return Closed(MessageCreateParamsStreaming if stream else MessageCreateParamsNonStreaming, besides=_SAMPLERS)


@cache
def _events() -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(RawMessageStreamEvent)


def request_problems(body: bytes) -> list[str]:
    """Return what is wrong with a request, nothing if the SDK could have sent it."""
    return _requests(bool(json.loads(body).get("stream"))).problems(body)


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
