"""What examples share: histories with tool calls, upstreams that fail, and good answers with one member changed."""

from typing import Any

from setu.http import Ending, Exchange
from tests.conformance.build import (
    ASK,
    ASK_GEMINI,
    ASK_MESSAGES,
    ASK_MESSAGES_TOOLS,
    ASK_STREAM,
    ASK_TOOLS,
    ASK_TOOLS_STREAM,
    CALL,
    CALL_CHUNKS,
    CHUNKS,
    COMPLETION,
    ERROR,
    GEMINI,
    GEMINI_CALL,
    MESSAGE,
    MESSAGE_EVENTS,
    MESSAGES,
    OVERLOADED,
    TOOL_USE,
    USER,
    but,
    chat,
    chat_stream,
    exchange,
    gemini,
    message,
    message_stream,
)

HTML = {"content-type": "text/html"}
MODELS: dict[str, Any] = {"object": "list", "data": [{"id": "a", "object": "model", "created": 1, "owned_by": "x"}]}
BROKEN_MESSAGE = message_stream(MESSAGE_EVENTS[:4], end=Ending.TRUNCATED)
FAILED_MESSAGE = message_stream([*MESSAGE_EVENTS[:4], OVERLOADED])
PAUSED = ((0, 700), (400, 300))


def upstream_message(body: Any, **how: Any) -> Exchange:
    """Return what a gateway sent to Anthropic, and a good answer."""
    return message(asked=body, **how)


def sent(body: Any, path: str = MESSAGES) -> Exchange:
    """Return a client's chat exchange whose gateway sent this body upstream."""
    return chat(upstream=(exchange(path, body, COMPLETION),))


CALLED = {"role": "assistant", "content": [TOOL_USE]}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "20"}
TEXT = {"type": "text", "text": "and then?"}
ANTHROPIC_TURNS = ASK_MESSAGES | {"messages": [USER, CALLED, {"role": "user", "content": [RESULT, TEXT]}]}
GEMINI_RESULT = {"functionResponse": {"name": "weather", "response": {"result": 20}}}
GEMINI_TURNS = ASK_GEMINI | {
    "contents": [
        *ASK_GEMINI["contents"],
        {"role": "model", "parts": [GEMINI_CALL]},
        {"role": "user", "parts": [GEMINI_RESULT]},
    ]
}
TOOL_MESSAGE = {"role": "tool", "tool_call_id": "call_1", "content": "20"}
OPENAI_TURNS = ASK_TOOLS | {
    "messages": [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}, TOOL_MESSAGE]
}

ARGUMENTS = "choices.0.message.tool_calls.0.function.arguments"


def spoilt(path: str, value: Any = ..., base: Any = COMPLETION, asked: Any = ASK) -> Exchange:
    return chat(but(base, path, value), asked)


def spoilt_chunks(path: str, value: Any = ..., base: list[Any] = CHUNKS, asked: Any = ASK_STREAM) -> Exchange:
    return chat_stream(but(base, path, value), asked)


def spoilt_calls(path: str, value: Any = ...) -> Exchange:
    return spoilt_chunks(path, value, CALL_CHUNKS, ASK_TOOLS_STREAM)


def spoilt_message(path: str, value: Any = ..., base: Any = MESSAGE) -> Exchange:
    return message(but(base, path, value), ASK_MESSAGES_TOOLS)


def spoilt_events(path: str, value: Any = ...) -> Exchange:
    return message_stream(but(MESSAGE_EVENTS, path, value))


def spoilt_gemini(path: str, value: Any = ...) -> Exchange:
    return gemini(but(GEMINI, path, value))


def spoilt_error(path: str, value: Any = ..., **how: Any) -> Exchange:
    return chat(but(ERROR, path, value), status=400, **how)
