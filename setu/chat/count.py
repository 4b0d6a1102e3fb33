"""Counting a prompt's tokens: what a host answered, or what can be said without one."""

from collections.abc import Iterator

import msgspec

from setu._json import Json
from setu.chat.parts import (
    AnyPart,
    Blocks,
    HostedCall,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Plain,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from setu.chat.request import ChatRequest, CustomTool, FunctionTool, HostedTool

BYTES_A_TOKEN = 4
"""UTF-8 bytes of text that make a token: OpenAI's and Google's own rule of thumb for English (help pages, 2026-11)."""

TOKENS_A_MESSAGE = 4
"""What the marks around a message, a system prompt or a tool come to (OpenAI cookbook, counting tokens: 3 or 4)."""

TOKENS_A_MEDIUM = 1_000
"""An image, a page or a sound, of which nobody looks at the inside here: hosts charge from 85 to about 1,600."""


class TokenCount(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of a prompt; `cached` are those among them that a cache holds, `details` Gemini's list by modality."""

    total: int
    cached: int | None = None
    details: Json | None = None


def estimate(request: ChatRequest) -> TokenCount:
    """Guess the size of a prompt: its bytes, its messages, its media, by the three constants above.

    Right to within about a third for English; for a host that cannot count, and marked as an estimate.
    """
    parts = [*request.system, *(part for message in request.messages for part in message.parts)]
    pieces = [piece for part in parts for piece in _said(part)]
    size = sum(len(piece) for piece in pieces if piece is not None)
    size += sum(_tool_size(tool) for tool in request.tools)
    media = sum(piece is None for piece in pieces)
    marks = len(request.messages) + len(request.tools) + bool(request.system)
    return TokenCount(
        total=-(-size // BYTES_A_TOKEN) + marks * TOKENS_A_MESSAGE + media * TOKENS_A_MEDIUM,
    )


def _said(part: AnyPart) -> Iterator[bytes | None]:
    """Yield what a part makes the model read; None is a medium."""
    match part:
        case Text() | Refusal():
            yield _utf8(part.text)
        case Reasoning():
            yield from map(_utf8, part.text or part.summary)
        case ToolCall():
            yield _utf8(part.name + part.arguments)
        case ToolResult():
            for inner in part.content:
                yield from _said(inner)
        case Media():
            yield from _medium(part)
        case HostedCall():
            yield part.arguments or b""
        case HostedResult():
            yield part.content
        case Opaque():
            yield part.raw


def _medium(part: Media) -> Iterator[bytes | None]:
    match part.source:
        case Plain():
            yield _utf8(part.source.text)
        case Blocks():
            for inner in part.source.parts:
                yield from _said(inner)
        case Inline() | _:
            yield None


def _tool_size(tool: FunctionTool | CustomTool | HostedTool) -> int:
    if isinstance(tool, HostedTool):
        return len(tool.config)
    definition = tool.schema if isinstance(tool, FunctionTool) else tool.grammar
    return len(_utf8(tool.name + (tool.description or ""))) + len(definition or b"")


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
