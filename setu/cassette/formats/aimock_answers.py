"""What an aimock fixture says as OpenAI's chat, embedding and error answers."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from setu._json import encode
from setu.cassette.model import Timing

_SHAPES = ("content", "toolCalls", "blocks", "embedding", "error")
# Fixtures that carry more than text have these beside `content`.
_OTHERS = ("audio", "image", "images", "video", "transcription", "json")
_ID = "chatcmpl-aimock"


class Answer(NamedTuple):
    """A whole answer; `headers` besides its content type."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class _Said(NamedTuple):
    """What the model says: texts and tool calls in their order."""

    blocks: list[str | dict[str, Any]]
    reasoning: str
    finish: str


def is_known(response: Mapping[str, Any]) -> bool:
    """Say whether a chat, embedding or error answer can be made of a fixture's response."""
    return any(name in response for name in _SHAPES) and not any(name in response for name in _OTHERS)


def completion(response: Mapping[str, Any], model: str) -> Answer:
    """Return a `chat.completion`; a member that the fixture does not know is left out."""
    said = _said(response)
    calls = [block for block in said.blocks if not isinstance(block, str)]
    texts = [block for block in said.blocks if isinstance(block, str)]
    message: dict[str, Any] = {"role": response.get("role", "assistant"), "content": "".join(texts) if texts else None}
    if said.reasoning:
        message["reasoning_content"] = said.reasoning
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "finish_reason": said.finish}
    body = {**_envelope(response, model, "chat.completion"), "choices": [choice]}
    if "usage" in response:
        body["usage"] = _usage(response["usage"])
    return Answer(200, encode(body))


def chunks(response: Mapping[str, Any], model: str, size: int) -> list[bytes]:
    """Return the events of a stream, texts cut into `size` characters as aimock does."""
    said = _said(response)
    envelope = _envelope(response, model, "chat.completion.chunk")
    deltas = [{"role": response.get("role", "assistant"), "content": ""}, *_deltas(said, max(size, 1))]
    found = [{**envelope, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    found.append({**envelope, "choices": [{"index": 0, "delta": {}, "finish_reason": said.finish}]})
    if "usage" in response:
        found.append({**envelope, "choices": [], "usage": _usage(response["usage"])})
    return [b"data: " + encode(chunk) + b"\n\n" for chunk in found] + [b"data: [DONE]\n\n"]


def embedding(response: Mapping[str, Any], model: str) -> Answer:
    row = {"object": "embedding", "index": 0, "embedding": response["embedding"]}
    return Answer(200, encode({"object": "list", "data": [row], "model": model}))


def error(response: Mapping[str, Any]) -> Answer:
    """Return an error; aimock sends `retry-after: 1` with a 429 that names no other."""
    said = response["error"]
    status = int(response.get("status", 500))
    body = {
        "message": said["message"],
        "type": said.get("type", "server_error"),
        "param": said.get("param"),
        "code": said.get("code"),
    }
    headers = (("retry-after", str(response.get("retryAfter", 1))),) if status == 429 else ()
    return Answer(status, encode({"error": body}), headers)


def pace(fixture: Mapping[str, Any], count: int) -> Timing | None:
    """Return when each event comes: as recorded on average, or at the fixture's pace; None without either.

    aimock counts the frames of the wire, which the collapsed fixture no longer has: the recorded span is kept, and
    divided evenly.
    """
    recorded = fixture.get("recordedTimings")
    if recorded:
        first = recorded["ttftMs"]
        step = max(recorded["totalDurationMs"] - first, 0) / max(count - 1, 1)
    elif "latency" in fixture:
        first = step = fixture["latency"]
    elif fixture.get("streamingProfile", {}).get("tps"):
        first, step = fixture["streamingProfile"].get("ttft", 0), 1000 / fixture["streamingProfile"]["tps"]
    else:
        return None
    return Timing(ttfb_ms=round(first / 5) * 5, events_ms=tuple(round(step * at / 5) * 5 for at in range(count)))


def _said(response: Mapping[str, Any]) -> _Said:
    blocks: list[str | dict[str, Any]] = []
    for block in response.get("blocks") or _unordered(response):
        if block["type"] == "text":
            blocks.append(block["text"])
        else:
            number = sum(1 for known in blocks if not isinstance(known, str)) + 1
            function = {"name": block["name"], "arguments": _text(block["arguments"])}
            blocks.append({"id": block.get("id") or f"call_aimock_{number}", "type": "function", "function": function})
    called = any(not isinstance(block, str) for block in blocks)
    finish = response.get("finishReason") or ("tool_calls" if called else "stop")
    return _Said(blocks, response.get("reasoning") or "", finish)


def _unordered(response: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield text, then tool calls: the order that a fixture without `blocks` stands for."""
    if response.get("content") is not None:
        yield {"type": "text", "text": _text(response["content"])}
    for call in response.get("toolCalls") or ():
        yield {"type": "toolCall", **call}


def _deltas(said: _Said, size: int) -> Iterator[dict[str, Any]]:
    for piece in _cut(said.reasoning, size):
        yield {"reasoning_content": piece}
    index = -1
    for block in said.blocks:
        if isinstance(block, str):
            yield from ({"content": piece} for piece in _cut(block, size))
            continue
        index += 1
        function = block["function"]
        opened = {"index": index, "id": block["id"], "type": "function"}
        yield {"tool_calls": [{**opened, "function": {"name": function["name"], "arguments": ""}}]}
        for piece in _cut(function["arguments"], size):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _cut(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(0, len(text), size))


def _envelope(response: Mapping[str, Any], model: str, kind: str) -> dict[str, Any]:
    envelope = {
        "id": response.get("id", _ID),
        "object": kind,
        "created": response.get("created", 0),
        "model": response.get("model", model),
    }
    fingerprint = response.get("systemFingerprint")
    return envelope | ({"system_fingerprint": fingerprint} if fingerprint else {})


def _usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return the counts under OpenAI's names; a fixture may have those of the provider it was made for."""
    asked = usage.get("prompt_tokens", usage.get("input_tokens", usage.get("promptTokenCount", 0)))
    said = usage.get("completion_tokens", usage.get("output_tokens", usage.get("candidatesTokenCount", 0)))
    total = usage.get("total_tokens", usage.get("totalTokenCount", asked + said))
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": total}


def _text(value: Any) -> str:
    """Return text; aimock writes objects (structured output, arguments) as the JSON they stand for."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
