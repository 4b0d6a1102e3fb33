"""What OpenAI's own SDK thinks of a body: its request types as a closed JSON Schema, answers and events as strict models."""

import json
from functools import cache
from typing import Any, get_args

import pydantic
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_create_params import (
    ResponseCreateParamsNonStreaming,
    ResponseCreateParamsStreaming,
)

from setu.framing.frame import Frame
from tests.dialects.closed import Closed


@cache
def _requests(stream: bool) -> Closed:
    return Closed(ResponseCreateParamsStreaming if stream else ResponseCreateParamsNonStreaming)


@cache
def _events() -> dict[str, type[pydantic.BaseModel]]:
    """Return the SDK's event classes by type: its union as a whole tells nobody what is wrong."""
    union = get_args(ResponseStreamEvent)[0]
    return {get_args(kind.model_fields["type"].annotation)[0]: kind for kind in get_args(union)}


def request_problems(body: bytes) -> list[str]:
    """Return what is wrong with a request, nothing if the SDK could have sent it."""
    return _requests(bool(json.loads(body).get("stream"))).problems(body)


def need_response(body: bytes) -> Response:
    """Read an answer as the SDK would if it were strict."""
    return Response.model_validate_json(body, strict=True)


def need_event(body: bytes) -> Any:
    """Read one event as the SDK would if it were strict."""
    return _events()[json.loads(body)["type"]].model_validate_json(body, strict=True)


def need_events(frames: list[Frame]) -> list[dict[str, Any]]:
    """Check that frames are a stream the SDK reads, numbered without a gap, and return their data."""
    events: list[dict[str, Any]] = []
    for frame in frames:
        if frame.data is None:
            continue
        event = json.loads(frame.data)
        assert frame.event == event["type"]
        assert event["sequence_number"] == len(events)
        need_event(frame.data)
        events.append(event)
    return events


def need_order(events: list[dict[str, Any]]) -> None:
    """Check the protocol: created first, each item and part from added to done, one terminal event, last."""
    kinds = [event["type"] for event in events]
    if not kinds:
        return
    terminal = {"response.completed", "response.incomplete", "response.failed"}
    assert sum(kind in terminal for kind in kinds) == 1
    assert kinds[-1] in terminal
    if kinds[:1] != ["error"]:
        assert kinds[:2] == ["response.created", "response.in_progress"]
    output = events[-1]["response"]["output"]
    if kinds[-1] == "response.failed":
        return
    added = [event["output_index"] for event in events if event["type"] == "response.output_item.added"]
    assert added == list(range(len(output)))
    done = {event["output_index"]: event["item"] for event in events if event["type"] == "response.output_item.done"}
    assert [done[index] for index in range(len(output))] == output
    _need_nesting(events)


_PAIRS = {
    "response.output_item.added": "response.output_item.done",
    "response.content_part.added": "response.content_part.done",
    "response.reasoning_summary_part.added": "response.reasoning_summary_part.done",
}


def _need_nesting(events: list[dict[str, Any]]) -> None:
    """Check that deltas stand inside their part, parts inside their item, and that they add up."""
    opened: dict[tuple[Any, ...], str] = {}
    for event in events:
        kind = event["type"]
        place = (event.get("output_index"), event.get("content_index"), event.get("summary_index"))
        if kind in _PAIRS:
            assert (*place, _PAIRS[kind]) not in opened
            opened[(*place, _PAIRS[kind])] = ""
        elif kind in _PAIRS.values():
            opened.pop((*place, kind))
        elif kind.endswith(".delta"):
            assert (event["output_index"], None, None, "response.output_item.done") in opened
            opened[(*place, kind)] = opened.get((*place, kind), "") + event["delta"]
        elif kind.endswith(".done"):
            text = next(event[key] for key in ("text", "refusal", "arguments", "input") if key in event)
            assert opened.pop((*place, kind.replace(".done", ".delta")), "") == text
    assert opened == {}
