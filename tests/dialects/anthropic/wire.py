"""Short ways to say what a test reads and writes."""

import json
from typing import Any

from setu.chat.events import Ended, Event, Started
from setu.chat.ids import counter
from setu.chat.parts import AnyPart, Text
from setu.chat.request import ChatRequest, Message
from setu.dialects.anthropic.codec import DIALECT
from setu.dialects.record import Facts, Loss, Reply, Route, Target
from setu.framing.frame import Frame

CLIENT = DIALECT.client["chat"]
UPSTREAM = DIALECT.upstream["chat"]
ROUTE = Route(dialect="anthropic", operation="chat")
HELLO = {"role": "user", "content": "Hello"}


def parse(messages: Any = (HELLO,), **members: Any) -> ChatRequest:
    """Parse a request; model, max_tokens and a message are there unless said otherwise (`...` leaves one out)."""
    body = {"model": "claude", "max_tokens": 100, "messages": messages} | members
    kept = {key: value for key, value in body.items() if value is not ...}
    request: ChatRequest = CLIENT.parse_request(json.dumps(kept).encode(), ROUTE)
    return request


def parts_of(content: Any) -> tuple[AnyPart, ...]:
    """Parse one user message's content."""
    return parse([{"role": "user", "content": content}]).messages[0].parts


def user(*parts: AnyPart | str) -> Message:
    return Message(role="user", parts=as_parts(parts))


def assistant(*parts: AnyPart | str) -> Message:
    return Message(role="assistant", parts=as_parts(parts))


def as_parts(parts: tuple[AnyPart | str, ...]) -> tuple[AnyPart, ...]:
    return tuple(Text(text=part) if isinstance(part, str) else part for part in parts)


def render(request: ChatRequest, **facts: Any) -> tuple[dict[str, Any], tuple[Loss, ...]]:
    """Render for a model with these facts: the body and the losses."""
    media = facts.pop("media", {})
    rendered = UPSTREAM.render_request(request, Target(model="claude", facts=Facts(**facts), media=media))
    return json.loads(rendered.body), rendered.losses


def sent(*messages: Message, **members: Any) -> dict[str, Any]:
    """Render a conversation that loses nothing."""
    body, losses = render(ChatRequest(model="m", messages=messages or (user("Hello"),), **members))
    assert losses == ()
    return body


def reply(**members: Any) -> Reply:
    given: dict[str, Any] = {"model": "claude", "id": "msg_1", "created": 1, "mint": counter()}
    return Reply(**(given | members))


def decode(*events: Any, close: bool = True) -> list[Event]:
    """Decode events given as dicts (or bytes, as they are)."""
    decoder = UPSTREAM.decoder(counter())
    frames = [Frame(data=event if isinstance(event, bytes) else json.dumps(event).encode()) for event in events]
    decoded = [out for frame in frames for out in decoder.feed(frame)]
    return decoded + (decoder.close() if close else [])


def encode(*events: Event, whole: bool = True, **members: Any) -> list[dict[str, Any]]:
    """Encode events, with start and end added unless they are not wanted; give the data of each frame."""
    encoder = CLIENT.encoder(reply(**members))
    around = ([Started(id="msg_1")], [Ended(complete=True)]) if whole else ([], [])
    frames = [frame for event in [*around[0], *events, *around[1]] for frame in encoder.feed(event)]
    return [json.loads(frame.data or b"null") for frame in frames]


START = {
    "type": "message_start",
    "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": []},
}
STOP = {"type": "message_stop"}


def ended(word: str | None = "end_turn", **usage: int) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": word, "stop_sequence": None}, "usage": usage}


def block(
    index: int, content_block: dict[str, Any], *deltas: dict[str, Any], stop: bool = True
) -> list[dict[str, Any]]:
    """Return the events of one block."""
    events: list[dict[str, Any]] = [
        {"type": "content_block_start", "index": index, "content_block": content_block},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
    ]
    return events + ([{"type": "content_block_stop", "index": index}] if stop else [])
