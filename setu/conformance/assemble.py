"""Put a client's stream together as the JSON body it amounts to, so that a scenario can point into it.

Naive on purpose and apart from every decoder under test: text is appended, the last finish stays, nothing is
repaired.
"""

from typing import Any

from setu import _json
from setu.framing.jsonarray import JsonArrayDecoder
from setu.framing.sse import SseDecoder
from setu.http import Exchange


def events(exchange: Exchange) -> list[Any]:
    """Return the JSON of each data frame; text that is not JSON (`[DONE]`) stays text."""
    kind = exchange.headers.get("content-type") or ""
    decoder = SseDecoder() if "event-stream" in kind else JsonArrayDecoder()
    frames = (*decoder.feed(exchange.body), *decoder.close())
    return [_parsed(frame.data) for frame in frames if frame.data]


def document(exchange: Exchange, dialect: str) -> Any:
    """Return the JSON body, of a stream the one it assembles to; None when there is none."""
    kind = exchange.headers.get("content-type") or ""
    if "event-stream" in kind:
        return _ASSEMBLERS[dialect]([event for event in events(exchange) if isinstance(event, dict)])
    parsed = _parsed(exchange.body)
    if dialect == "gemini" and isinstance(parsed, list):
        return _gemini([event for event in parsed if isinstance(event, dict)])
    return parsed


def _parsed(data: bytes) -> Any:
    try:
        return _json.decode(data)
    except _json.JsonError:
        return data.decode("utf-8", "replace")


def _chat(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for name, value in chunk.items():
            if name == "choices":
                for part in value:
                    _chat_choice(choices.setdefault(part.get("index", 0), {"message": {}}), part)
            elif value is not None or name not in whole:
                whole[name] = value
    whole["choices"] = [choices[index] for index in sorted(choices)]
    return whole


def _chat_choice(choice: dict[str, Any], part: dict[str, Any]) -> None:
    message = choice["message"]
    for name, value in (part.get("delta") or {}).items():
        if name == "tool_calls":
            calls = message.setdefault("tool_calls", [])
            for call in value or []:
                _chat_call(calls, call)
        elif isinstance(value, str) and name in {"content", "refusal", "reasoning_content", "reasoning"}:
            message[name] = (message.get(name) or "") + value
        elif isinstance(value, list):
            message[name] = [*(message.get(name) or []), *value]
        elif value is not None or name not in message:
            message[name] = value
    for name, value in part.items():
        if name != "delta" and (value is not None or name not in choice):
            choice[name] = value


def _chat_call(calls: list[dict[str, Any]], part: dict[str, Any]) -> None:
    index = part.get("index", 0)
    while len(calls) <= index:
        calls.append({"function": {"arguments": ""}})
    call = calls[index]
    function = part.get("function") or {}
    for name, value in part.items():
        if name not in {"index", "function"} and value:
            call[name] = value
    if function.get("name"):
        call["function"]["name"] = function["name"]
    arguments = function.get("arguments")
    call["function"]["arguments"] += arguments if isinstance(arguments, str) else ""


def _anthropic(events: list[dict[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    for event in events:
        match event.get("type"):
            case "message_start":
                message = dict(event.get("message") or {})
            case "content_block_start":
                blocks[event.get("index", 0)] = dict(event.get("content_block") or {})
            case "content_block_delta":
                _anthropic_delta(blocks.setdefault(event.get("index", 0), {}), event.get("delta") or {})
            case "message_delta":
                message |= event.get("delta") or {}
                message["usage"] = {**(message.get("usage") or {}), **(event.get("usage") or {})}
            case "error":
                message["error"] = event.get("error")
            case _:
                pass
    for block in blocks.values():
        if "partial_json" in block:
            block["input"] = _parsed(block.pop("partial_json").encode() or b"{}")
    message["content"] = [blocks[index] for index in sorted(blocks)]
    return message


def _anthropic_delta(block: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        if name == "type":
            continue
        if name == "citation":
            block["citations"] = [*(block.get("citations") or []), value]
        elif isinstance(value, str):
            block[name] = block.get(name, "") + value
        else:
            block[name] = value


def _gemini(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    candidates: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for name, value in chunk.items():
            if name == "candidates":
                for part in value:
                    _gemini_candidate(candidates.setdefault(part.get("index", 0), {}), part)
            else:
                whole[name] = value
    if candidates:
        whole["candidates"] = [candidates[index] for index in sorted(candidates)]
    return whole


def _gemini_candidate(candidate: dict[str, Any], part: dict[str, Any]) -> None:
    content = part.get("content") or {}
    merged = candidate.setdefault("content", {"parts": []})
    if content.get("role"):
        merged["role"] = content["role"]
    for piece in content.get("parts") or []:
        last = merged["parts"][-1] if merged["parts"] else None
        plain = set(piece) <= {"text", "thought"} and "text" in piece
        if plain and last is not None and set(last) == set(piece) and last.get("thought") == piece.get("thought"):
            merged["parts"][-1] = {**last, "text": last["text"] + piece["text"]}
        else:
            merged["parts"].append(piece)
    candidate |= {name: value for name, value in part.items() if name != "content"}


_ASSEMBLERS = {"openai_chat": _chat, "anthropic": _anthropic, "gemini": _gemini}
