"""Small answers of each upstream, as its documentation writes them."""

import json
from typing import Any

from tests.live import sse

COMPLETION = json.dumps(
    {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1790000000, "model": "up-model",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello", "refusal": None}, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
    }
).encode()  # fmt: skip
MESSAGE = json.dumps(
    {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "up-model", "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 1},
    }
).encode()  # fmt: skip
CONTENT = json.dumps(
    {
        "candidates": [{"content": {"role": "model", "parts": [{"text": "Hello"}]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1, "totalTokenCount": 4}, "modelVersion": "up-model",
    }
).encode()  # fmt: skip
PLAIN = {"oa": COMPLETION, "an": MESSAGE, "ge": CONTENT}


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1790000000, "model": "up-model", "choices": [choice], **more}  # fmt: skip


USAGE_CHUNK = {**chunk({}), "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}}
CHUNKS = (
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Hel"}),
    chunk({"content": "lo"}),
    chunk({}, "stop"),
)
EVENTS: tuple[dict[str, Any], ...] = (
    {"type": "message_start", "message": {**json.loads(MESSAGE), "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 1},
    },
    {"type": "message_stop"},
)
OA_STREAM = sse(*CHUNKS, "[DONE]")
AN_STREAM = sse(*EVENTS, named=True)
GE_STREAM = b"data: " + CONTENT + b"\r\n\r\n"
STREAMS = {"oa": OA_STREAM, "an": AN_STREAM, "ge": GE_STREAM}
HOME = {"oa": "openai_chat", "an": "anthropic", "ge": "gemini"}
"""The dialect each provider speaks."""
