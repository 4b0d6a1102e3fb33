"""A recorded exchange as a conversation: who said what, in every dialect alike."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Any

import msgspec

from setu._json import JsonError, decode
from setu.cassette.match import route_of
from setu.cassette.model import Interaction
from setu.cassette.pieces import framing_of
from setu.chat.fold import fold
from setu.chat.parts import (
    AnyPart,
    HostedCall,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Reasoning,
    Ref,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Url,
)
from setu.chat.request import ChatRequest, Message
from setu.chat.response import ChatResponse
from setu.dialects.record import Dialect
from setu.dialects.registry import DIALECTS
from setu.errors import SetuError
from setu.framing.kinds import DECODERS

_SHOWN_MEDIA = 2_000_000
"""Characters of base64 up to which an image is shown and not only named."""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A part of what was said. `kind` is text, thinking, refusal, call, result, media or other; `image` a data URL."""

    kind: str
    text: str = ""
    title: str = ""
    image: str = ""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What one side said; `note` is why it stopped, or what went wrong."""

    role: str
    pieces: tuple[Piece, ...]
    note: str = ""


def turns_of(interaction: Interaction) -> list[Turn]:
    """Return the conversation of a chat; of anything else, and of what cannot be read, the bodies as they are."""
    exchange = interaction.exchange
    route = route_of(exchange.request)
    assert isinstance(exchange.request.body, bytes)
    dialect = DIALECTS.get(route.dialect) if route is not None and route.operation == "chat" else None
    if dialect is None:
        return [_plain("request", exchange.request.body), _plain("answer", exchange.body)]
    return [*_asked(dialect, interaction), *_answered(dialect, interaction)]


def _asked(dialect: Dialect, interaction: Interaction) -> Iterator[Turn]:
    request = interaction.exchange.request
    assert isinstance(request.body, bytes)
    route = route_of(request)
    codec = dialect.client.get("chat")
    if codec is None or route is None:
        yield from _by_members(request.body)
        return
    try:
        asked: ChatRequest = codec.parse_request(request.body, route)
    except SetuError as error:
        yield Turn(role="request", pieces=(_plain_piece(request.body),), note=str(error))
        return
    if asked.system:
        yield Turn(role="system", pieces=_pieces(asked.system))
    if asked.tools:
        offered = ", ".join(getattr(tool, "name", None) or type(tool).__name__ for tool in asked.tools)
        yield Turn(role="tools", pieces=(Piece(kind="other", title="offered", text=offered),))
    for message in asked.messages:
        yield _turn(message)


def _answered(dialect: Dialect, interaction: Interaction) -> Iterator[Turn]:
    exchange = interaction.exchange
    if exchange.status >= 400:
        info = dialect.errors.parse(exchange.status, exchange.headers, exchange.body)
        yield Turn(role="error", pieces=(Piece(kind="text", text=info.message),), note=f"status {exchange.status}")
        return
    codec = dialect.upstream.get("chat")
    if codec is None:
        yield _plain("answer", exchange.body)
        return
    note = ""
    try:
        framing = framing_of(exchange)
        if framing == "json":
            response: ChatResponse = codec.parse_response(exchange.body, _minter())
        else:
            frames = DECODERS[framing]()
            decoder = codec.decoder(_minter())
            heard = [event for frame in (*frames.feed(exchange.body), *frames.close()) for event in decoder.feed(frame)]
            folded = fold([*heard, *decoder.close()])
            response = folded.response
            if folded.error is not None:
                note = folded.error.message
    except SetuError as error:
        yield Turn(role="answer", pieces=(_plain_piece(exchange.body),), note=str(error))
        return
    for candidate in response.candidates:
        finish = candidate.finish
        why = (finish.native or finish.reason) if finish is not None else "no end"
        for message in candidate.messages or (Message(role="assistant", parts=()),):
            turn = _turn(message)
            yield msgspec.structs.replace(turn, note="; ".join(filter(None, (why, _used(response), note))))
    if not response.candidates:
        yield Turn(role="answer", pieces=(), note=note or "an answer without a candidate")


def _used(response: ChatResponse) -> str:
    usage = response.usage
    if usage is None:
        return ""
    words = (
        ("input", usage.input),
        ("cached", usage.cache_read),
        ("output", usage.output),
        ("thinking", usage.reasoning),
    )
    return ", ".join(f"{count} {name}" for name, count in words if count)


def _turn(message: Message) -> Turn:
    return Turn(role=message.role, pieces=_pieces(message.parts))


def _pieces(parts: Iterable[AnyPart]) -> tuple[Piece, ...]:
    return tuple(_piece(part) for part in parts)


def _piece(part: AnyPart) -> Piece:
    match part:
        case Text(text=text):
            return Piece(kind="text", text=text)
        case Refusal(text=text):
            return Piece(kind="refusal", text=text)
        case Reasoning():
            said = "\n\n".join((*part.summary, *part.text))
            return Piece(kind="thinking", text=said or "(not shown by the provider)")
        case ToolCall():
            return Piece(kind="call", title=f"{part.name} {part.call_id}", text=_pretty(part.arguments))
        case ToolResult():
            inner = "\n".join(piece.text or piece.title for piece in _pieces(part.content))
            return Piece(kind="result", title=f"{part.name or ''} {part.call_id}".strip(), text=_pretty(inner))
        case Media():
            return _media(part)
        case HostedCall() | HostedResult():
            value = part.arguments if isinstance(part, HostedCall) else part.content
            return Piece(kind="other", title=f"{part.tool} {part.call_id}", text=_pretty(_raw(value)))
        case Opaque():
            return Piece(kind="other", title=part.kind, text=_pretty(_raw(part.raw)))


def _media(part: Media) -> Piece:
    source = part.source
    title = part.name or part.kind
    match source:
        case Inline(b64=data, mime=mime):
            shown = part.kind == "image" and len(data) < _SHOWN_MEDIA and mime in _IMAGES
            return Piece(
                kind="media",
                title=title,
                text=f"{mime}, {len(data) * 3 // 4} bytes",
                image=f"data:{mime};base64,{data}" if shown else "",
            )
        case Url(url=url):
            return Piece(kind="media", title=title, text=url)
        case Ref(id=identity):
            return Piece(kind="media", title=title, text=identity)
    return Piece(kind="media", title=title, text="text" if not hasattr(source, "text") else str(source.text))


_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def _by_members(body: bytes) -> Iterator[Turn]:
    """Read the conversation of a dialect that has no clients here: messages with a role and text or blocks."""
    try:
        value = decode(body)
    except (JsonError, RecursionError):
        yield _plain("request", body)
        return
    messages = value.get("messages") if isinstance(value, dict) else None
    system = value.get("system") if isinstance(value, dict) else None
    if system:
        yield Turn(role="system", pieces=tuple(_blocks(system)))
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, Mapping):
            said = [*_blocks(message.get("content"))]
            calls = message.get("tool_calls")
            said += [Piece(kind="call", text=_pretty(json.dumps(calls)))] if calls else []
            yield Turn(role=str(message.get("role", "?")), pieces=tuple(said))


def _blocks(content: Any) -> Iterator[Piece]:
    if isinstance(content, str):
        yield Piece(kind="text", text=content)
    elif isinstance(content, list):
        for block in content:
            text = block.get("text") if isinstance(block, Mapping) else None
            if isinstance(text, str):
                yield Piece(kind="text", text=text)
            else:
                yield Piece(kind="other", text=_pretty(json.dumps(block)))


def _plain(role: str, body: bytes) -> Turn:
    return Turn(role=role, pieces=(_plain_piece(body),) if body else ())


def _plain_piece(body: bytes) -> Piece:
    return Piece(kind="other", text=_pretty(body.decode("utf-8", "backslashreplace")))


def _raw(value: object) -> str:
    return bytes(value).decode("utf-8", "replace") if isinstance(value, (bytes, msgspec.Raw)) else str(value or "")


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _minter() -> Callable[[str], str]:
    """Return what names calls that have no id: decoders ask until a name is free."""
    numbers = count(1)
    return lambda prefix: f"{prefix}{next(numbers)}"
