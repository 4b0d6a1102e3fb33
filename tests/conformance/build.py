"""A tiny builder of exchanges: good answers of each dialect, and what it takes to spoil them."""

import copy
import json
from typing import Any

from setu.http import Arrival, Ending, Exchange, Headers, Request

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
GENERATE = "/v1beta/models/gemini-2.5-flash:generateContent"
GEMINI_STREAM = "/v1beta/models/gemini-2.5-flash:streamGenerateContent"

JSON_HEADERS = {"content-type": "application/json", "x-request-id": "req_1"}
SSE_HEADERS = {"content-type": "text/event-stream", "x-request-id": "req_1", "cache-control": "no-cache"}

CREATED = 1_790_000_000


def exchange(
    path: str,
    asked: Any,
    body: bytes | dict[str, Any] | list[Any],
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    drop: tuple[str, ...] = (),
    method: str = "POST",
    query: str = "",
    sent: dict[str, str] | None = None,
    end: Ending = Ending.COMPLETE,
    arrivals: tuple[tuple[int, int], ...] = (),
    upstream: tuple[Exchange, ...] = (),
) -> Exchange:
    raw = body if isinstance(body, bytes) else dump(body)
    shown = dict(JSON_HEADERS if not isinstance(body, bytes) else SSE_HEADERS) | (headers or {})
    return Exchange(
        request=Request(
            method=method,
            path=path,
            query=query,
            headers=Headers.of(sent or {}),
            body=b"" if asked is None else dump(asked),
        ),
        status=status,
        headers=Headers.of({name: value for name, value in shown.items() if name not in drop}),
        body=raw,
        end=end,
        arrivals=tuple(Arrival(*arrival) for arrival in arrivals),
        upstream=upstream,
    )


def dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def but(document: Any, path: str, value: Any = ...) -> Any:
    """Return a copy with the member at a dotted path set, or removed when no value is given."""
    changed = copy.deepcopy(document)
    *way, last = path.split(".")
    place = changed
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    key: Any = int(last) if isinstance(place, list) else last
    if value is ...:
        del place[key]
    else:
        place[key] = value
    return changed


def sse(*events: Any, done: bool = True, named: bool = False) -> bytes:
    """Frame events; `named` writes each event's type as Anthropic does."""
    blocks = []
    for event in events:
        text = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
        name = f"event: {event['type']}\n" if named and isinstance(event, dict) else ""
        blocks.append(f"{name}data: {text}\n\n")
    return "".join(blocks + (["data: [DONE]\n\n"] if done else [])).encode()


USER = {"role": "user", "content": "hi"}
ASK: dict[str, Any] = {"model": "gpt-5", "messages": [USER]}
ASK_STREAM = ASK | {"stream": True}
ASK_USAGE = ASK_STREAM | {"stream_options": {"include_usage": True}}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in ("weather", "clock")
]
ASK_TOOLS = ASK | {"tools": TOOLS}
ASK_TOOLS_STREAM = ASK_TOOLS | {"stream": True}

USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}

COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": CREATED,
    "model": "gpt-5-2026-01-01",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "hello", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": USAGE,
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
OTHER_CALL = {"id": "call_2", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
CALLING = but(
    but(
        COMPLETION,
        "choices.0.message",
        {"role": "assistant", "content": None, "refusal": None, "tool_calls": [CALL, OTHER_CALL]},
    ),
    "choices.0.finish_reason",
    "tool_calls",
)


def chunk(delta: Any, finish: str | None = None, *, index: int = 0, **others: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": "gpt-5-2026-01-01",
        "choices": [{"index": index, "delta": delta, "finish_reason": finish}],
        "usage": None,
    } | others


USAGE_CHUNK = chunk({}, choices=[], usage=USAGE)
CHUNKS = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "hel"}),
    chunk({"content": "lo"}),
    chunk({}, "stop"),
]


def call_delta(index: int, arguments: str, **first: str) -> dict[str, Any]:
    """Return a fragment of a tool call; the first one has `id` and `name`."""
    function = {"arguments": arguments} | ({"name": first["name"]} if first else {})
    head = {"id": first["id"], "type": "function"} if first else {}
    return {"tool_calls": [{"index": index, **head, "function": function}]}


def free_delta(text: str, **first: str) -> dict[str, Any]:
    """Return a fragment of a call of a tool with free text; the first one has `id` and `name`."""
    head = {"id": first["id"], "type": "custom"} if first else {}
    return {
        "tool_calls": [{"index": 0, **head, "custom": {"input": text} | ({"name": first["name"]} if first else {})}]
    }


ASK_FREE_STREAM = ASK_STREAM | {"tools": [{"type": "custom", "custom": {"name": "query"}}]}
FREE_CHUNKS = [
    chunk({"role": "assistant", "content": None}),
    chunk(free_delta("", id="call_1", name="query")),
    chunk(free_delta("SELECT ")),
    chunk(free_delta("1")),
    chunk({}, "tool_calls"),
]

CALL_CHUNKS = [
    chunk({"role": "assistant", "content": None}),
    chunk(call_delta(0, "", id="call_1", name="weather")),
    chunk(call_delta(0, '{"city":')),
    chunk(call_delta(0, ' "Rome"}')),
    chunk(call_delta(1, "{}", id="call_2", name="clock")),
    chunk({}, "tool_calls"),
]

ERROR = {"error": {"message": "wrong", "type": "invalid_request_error", "param": None, "code": None}}

ASK_MESSAGES: dict[str, Any] = {"model": "claude-5", "max_tokens": 100, "messages": [USER]}
ASK_MESSAGES_TOOLS = ASK_MESSAGES | {"tools": [{"name": "weather", "input_schema": {"type": "object"}}]}
MESSAGE_USAGE = {"input_tokens": 10, "output_tokens": 5}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-5",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": MESSAGE_USAGE,
}
TOOL_USE = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rome"}}
MESSAGE_CALLING = but(but(MESSAGE, "content.0", TOOL_USE), "stop_reason", "tool_use")

EMPTY_MESSAGE = MESSAGE | {"content": [], "stop_reason": None}


def start(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, **fields: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


MESSAGE_START = {"type": "message_start", "message": EMPTY_MESSAGE}
MESSAGE_DELTA = {
    "type": "message_delta",
    "delta": {"stop_reason": "tool_use", "stop_sequence": None},
    "usage": {"output_tokens": 5},
}
MESSAGE_STOP = {"type": "message_stop"}
MESSAGE_EVENTS = [
    MESSAGE_START,
    {"type": "ping"},
    start(0, {"type": "text", "text": ""}),
    delta(0, type="text_delta", text="hello"),
    stop(0),
    start(1, TOOL_USE | {"input": {}}),
    delta(1, type="input_json_delta", partial_json='{"city":'),
    delta(1, type="input_json_delta", partial_json=' "Rome"}'),
    stop(1),
    MESSAGE_DELTA,
    MESSAGE_STOP,
]
MESSAGE_ERROR = {"type": "error", "error": {"type": "invalid_request_error", "message": "wrong"}}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}

ASK_GEMINI: dict[str, Any] = {
    "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
    "tools": [{"functionDeclarations": [{"name": "weather"}]}],
}


def candidate(*parts: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "content": {"role": "model", "parts": list(parts)}} | (
        {"finishReason": finish} if finish else {}
    )


GEMINI_USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 2, "totalTokenCount": 17}
GEMINI_CALL = {"functionCall": {"name": "weather", "args": {"city": "Rome"}}}
NAMED = {"modelVersion": "gemini-2.5-flash", "responseId": "r1"}
GEMINI: dict[str, Any] = {
    "candidates": [candidate({"text": "hello"}, GEMINI_CALL, finish="STOP")],
    "usageMetadata": GEMINI_USAGE,
} | NAMED
GEMINI_CHUNKS = [
    {"candidates": [candidate({"text": "hel"})], "usageMetadata": {"promptTokenCount": 10, "totalTokenCount": 10}}
    | NAMED,
    {"candidates": [candidate({"text": "lo"}, GEMINI_CALL, finish="STOP")], "usageMetadata": GEMINI_USAGE} | NAMED,
]
GEMINI_ERROR = {"error": {"code": 400, "message": "wrong", "status": "INVALID_ARGUMENT"}}


def chat(answer: Any = COMPLETION, asked: Any = ASK, **how: Any) -> Exchange:
    return exchange(CHAT, asked, answer, **how)


def chat_stream(chunks: list[Any], asked: Any = ASK_STREAM, *, done: bool = True, **how: Any) -> Exchange:
    return exchange(CHAT, asked, sse(*chunks, done=done), **how)


def message(answer: Any = MESSAGE, asked: Any = ASK_MESSAGES, **how: Any) -> Exchange:
    return exchange(MESSAGES, asked, answer, **how)


def message_stream(events: list[Any], asked: Any = ASK_MESSAGES_TOOLS, **how: Any) -> Exchange:
    return exchange(MESSAGES, asked | {"stream": True}, sse(*events, done=False, named=True), **how)


def gemini(answer: Any = GEMINI, asked: Any = ASK_GEMINI, **how: Any) -> Exchange:
    return exchange(GENERATE, asked, answer, **how)


def gemini_stream(chunks: list[Any], asked: Any = ASK_GEMINI, **how: Any) -> Exchange:
    return exchange(GEMINI_STREAM, asked, sse(*chunks, done=False), query="alt=sse", **how)


def silence(path: str = MESSAGES, asked: Any = ASK_MESSAGES) -> Exchange:
    """Return an upstream that never answered."""
    return exchange(path, asked, b"", status=0, headers={}, end=Ending.ERROR)
