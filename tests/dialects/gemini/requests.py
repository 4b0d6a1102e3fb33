"""Whole requests for the tests, on the wire and as values."""

import json
from typing import Any

from setu.chat.parts import Text
from setu.chat.request import ChatRequest, Message
from setu.dialects.gemini.request import parse_request, render_request
from setu.dialects.record import Facts, Rendered, Route, Target
from tests.dialects.gemini.oracle import check_request

ROUTE = Route(dialect="gemini", operation="chat", model="gemini-2.5-flash", stream=False)
USER = {"role": "user", "parts": [{"text": "hi"}]}


def parse(**members: Any) -> ChatRequest:
    return parse_request(json.dumps({"contents": [USER]} | members).encode(), ROUTE)


def render(request: ChatRequest, model: str = "gemini-2.5-flash", **facts: Any) -> Rendered:
    rendered = render_request(request, Target(model=model, facts=Facts(**facts)))
    check_request(rendered.body)
    return rendered


def written(model: str = "gemini-2.5-flash", **fields: Any) -> dict[str, Any]:
    """The body for a request of one user message with these fields."""
    fields = {"messages": (Message(role="user", parts=(Text(text="hi"),)),)} | fields
    body: dict[str, Any] = json.loads(render(ChatRequest(model="m", **fields), model).body)
    return body
