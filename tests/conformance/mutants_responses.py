"""Answers towards Responses clients: good ones, and spoilt ones for each check."""

from typing import Any

from setu.http import Exchange
from tests.conformance.build import ERROR, but, exchange, sse

RESPONSES = "/v1/responses"
ASK_RESPONSES: dict[str, Any] = {"model": "gpt-5", "input": "hi"}
_TEXT: dict[str, Any] = {"type": "output_text", "text": "hello", "annotations": [], "logprobs": []}
_MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "status": "completed",
    "role": "assistant",
    "content": [_TEXT],
}
_CALL: dict[str, Any] = {
    "id": "fc_1",
    "type": "function_call",
    "status": "completed",
    "call_id": "call_1",
    "name": "weather",
}
_WHOLE_CALL = _CALL | {"arguments": '{"city":"Rome"}'}
_HEAD: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_790_000_000,
    "status": "in_progress",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "model": "gpt-5",
    "output": [],
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "usage": None,
}
RESPONSE = _HEAD | {
    "status": "completed",
    "output": [_MESSAGE, _WHOLE_CALL],
    "usage": {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 15,
    },
}
_IN_TEXT: dict[str, Any] = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
_IN_CALL: dict[str, Any] = {"item_id": "fc_1", "output_index": 1}
_TOLD: list[tuple[str, dict[str, Any]]] = [
    ("response.created", {"response": _HEAD}),
    ("response.in_progress", {"response": _HEAD}),
    ("response.output_item.added", {"output_index": 0, "item": _MESSAGE | {"content": []}}),
    ("response.content_part.added", _IN_TEXT | {"part": _TEXT | {"text": ""}}),
    ("response.output_text.delta", _IN_TEXT | {"delta": "hel", "logprobs": []}),
    ("response.output_text.delta", _IN_TEXT | {"delta": "lo", "logprobs": []}),
    ("response.output_text.done", _IN_TEXT | {"text": "hello", "logprobs": []}),
    ("response.content_part.done", _IN_TEXT | {"part": _TEXT}),
    ("response.output_item.done", {"output_index": 0, "item": _MESSAGE}),
    ("response.output_item.added", {"output_index": 1, "item": _CALL | {"arguments": ""}}),
    ("response.function_call_arguments.delta", _IN_CALL | {"delta": '{"city":"Rome"}'}),
    ("response.function_call_arguments.done", _IN_CALL | {"arguments": '{"city":"Rome"}'}),
    ("response.output_item.done", {"output_index": 1, "item": _WHOLE_CALL}),
    ("response.completed", {"response": RESPONSE}),
]
EVENTS = [{"type": kind, "sequence_number": number} | members for number, (kind, members) in enumerate(_TOLD)]
FLAT_ERROR = {"type": "error", "sequence_number": 5, "code": "server_error", "message": "gone", "param": None}
NESTED_ERROR = {"type": "error", "sequence_number": 5, "error": {"type": "server_error", "message": "gone"}}


def response(answer: Any = RESPONSE, **how: Any) -> Exchange:
    return exchange(RESPONSES, ASK_RESPONSES, answer, **how)


def response_stream(events: list[Any], *, named: bool = True, done: bool = False, **how: Any) -> Exchange:
    body = sse(*events, done=done, named=named)
    return exchange(RESPONSES, ASK_RESPONSES | {"stream": True}, body, **how)


def _spoilt(path: str, value: Any = ...) -> Exchange:
    return response(but(RESPONSE, path, value))


def _streamed(path: str, value: Any = ...) -> Exchange:
    return response_stream(but(EVENTS, path, value))


def _numbered(events: list[dict[str, Any]]) -> Exchange:
    return response_stream([event | {"sequence_number": number} for number, event in enumerate(events)])


_FAILED = {"type": "response.failed", "sequence_number": 6} | {
    "response": _HEAD | {"status": "failed", "error": {"code": "server_error", "message": "gone"}}
}

_NAMED = sse(*EVENTS, done=False, named=True)

GOOD_RESPONSES: dict[str, Exchange] = {
    "response": response(),
    "response stream": response_stream(EVENTS),
    "response error": response(ERROR, status=400),
    "response stream with a flat error": response_stream([*EVENTS[:5], FLAT_ERROR, _FAILED]),
    "response stream with a nested error": response_stream([*EVENTS[:5], NESTED_ERROR, _FAILED]),
}

RESPONSES_CLIENT: dict[str, dict[str, Exchange]] = {
    "RSP-001": {
        "no_error": _spoilt("error"),
        "no_usage": _spoilt("usage"),
        "role_on_call": _spoilt("output.1.role", "assistant"),
        "text_content": _spoilt("output.0.content", "hello"),
        "total_wrong": _spoilt("usage.total_tokens", 16),
        "created_without_tools": _streamed("0.response.tools"),
    },
    "RSP-002": {
        "gap": _streamed("6.sequence_number", 7),
        "constant": _streamed("1.sequence_number", 0),
        "missing": _streamed("0.sequence_number"),
    },
    "RSP-003": {
        "no_part_added": _numbered([*EVENTS[:3], *EVENTS[4:]]),
        "no_item_done": _numbered([*EVENTS[:12], EVENTS[13]]),
        "text_after_part": _numbered([*EVENTS[:8], EVENTS[5], *EVENTS[8:]]),
        "bare_created": response_stream([_HEAD | {"type": "response.created", "sequence_number": 0}, *EVENTS[1:]]),
        "no_created": _numbered(EVENTS[1:]),
    },
    "RSP-004": {
        "text_twice": _numbered([*EVENTS[:6], EVENTS[5] | {"delta": "hello"}, *EVENTS[6:]]),
        "other_output": _streamed("13.response.output", [_MESSAGE | {"content": []}, _WHOLE_CALL]),
        "item_left_out": _streamed("13.response.output", [_MESSAGE]),
    },
    "RSP-005": {
        "none": response_stream(EVENTS[:13]),
        "twice": _numbered([*EVENTS, EVENTS[13]]),
        "not_last": _numbered([*EVENTS, EVENTS[1]]),
        "other_status": _streamed("13.response.status", "incomplete"),
    },
    "RSP-006": {
        "no_event_field": response_stream(EVENTS, named=False),
        "other_name": exchange(
            RESPONSES, ASK_RESPONSES | {"stream": True}, _NAMED.replace(b"event: response.created", b"event: created")
        ),
    },
    "RSP-007": {"done_mark": response_stream(EVENTS, done=True)},
    "RSP-008": {"mute": response_stream([*EVENTS[:5], but(FLAT_ERROR, "message"), _FAILED])},
}
