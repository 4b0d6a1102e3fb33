"""Whole answers for the tests, on the wire and as values."""

import json
from typing import Any

from setu.chat.ids import counter
from setu.chat.parts import (
    AnyPart,
)
from setu.chat.request import Message
from setu.chat.response import Candidate, ChatResponse, Finish, FinishReason
from setu.dialects.gemini.response import parse_response, render_response
from setu.dialects.record import Reply
from tests.dialects.gemini.oracle import check_response


def parse(value: Any) -> ChatResponse:
    return parse_response(json.dumps(value, separators=(",", ":")).encode(), counter())


def candidate(*parts: Any, **members: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, "finishReason": "STOP"} | members]}


def reply(**fields: Any) -> Reply:
    return Reply(model="asked", id="r1", created=0, mint=counter(), **fields)


def render(response: ChatResponse, **fields: Any) -> dict[str, Any]:
    rendered = render_response(response, reply(**fields))
    check_response(rendered.body)
    written: dict[str, Any] = json.loads(rendered.body)
    return written


def answer(*parts: AnyPart, reason: FinishReason = "stop", **fields: Any) -> ChatResponse:
    message = Message(role="assistant", parts=parts)
    return ChatResponse(candidates=(Candidate(messages=(message,), finish=Finish(reason=reason)),), **fields)
