"""Interactions to put on file."""

from typing import Any

import msgspec

from setu.cassette.model import Interaction, Recording
from setu.http import Arrival, Ending, Exchange, Headers, Request

SSE = {"content-type": "text/event-stream; charset=utf-8"}
JSON = {"content-type": "application/json"}

ANTHROPIC_STREAM = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":3}}}\n\n'
    b'event: ping\ndata: {"type":"ping"}\n\n'
    b": keep-alive\n\n"
    b'event: something_new\ndata: {"type":"something_new","n":1.0}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
CHAT_STREAM = b'data: {"choices":[{"delta":{"content":"h\xc3\xa9"}}]}\n\ndata: [DONE]\n\n'
GEMINI_STREAM = b'data: {"candidates": [{"content": {}}]}\r\n\r\ndata: {"candidates": []}\r\n\r\n'


def request(
    body: Any = None,
    *,
    path: str = "/v1/messages",
    origin: str = "https://api.anthropic.com",
    headers: dict[str, str] | None = None,
    query: str = "",
    method: str = "POST",
) -> Request:
    """Return a request; a body that is not bytes is written as compact JSON."""
    value = {"model": "m", "messages": [{"role": "user", "content": "hello"}]} if body is None else body
    return Request(
        method=method,
        origin=origin,
        path=path,
        query=query,
        headers=Headers.of(JSON if headers is None else headers),
        body=value if isinstance(value, bytes) else msgspec.json.encode(value),
    )


def interaction(
    body: bytes = b'{"ok":true}',
    *,
    asked: Request | None = None,
    headers: dict[str, str] | None = None,
    status: int = 200,
    end: Ending = Ending.COMPLETE,
    arrivals: tuple[tuple[int, int], ...] = (),
    recording: Recording | None = None,
) -> Interaction:
    """Return an interaction; `arrivals` are (ms, size)."""
    exchange = Exchange(
        request=asked or request(),
        status=status,
        headers=Headers.of(headers if headers is not None else SSE if b"data:" in body else JSON),
        body=body,
        end=end,
        arrivals=tuple(Arrival(ms, size) for ms, size in arrivals),
    )
    return Interaction(exchange=exchange, recording=recording or Recording())


def talk(*texts: str, **options: Any) -> Request:
    """Return a request whose conversation is these texts, user first."""
    roles = ("user", "assistant")
    messages = [{"role": roles[index % 2], "content": text} for index, text in enumerate(texts)]
    return request({"model": "m", "messages": messages, **options})
