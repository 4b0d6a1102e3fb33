"""Put a client's stream together as the JSON body it amounts to, so that a scenario can point into it.

Naive on purpose and apart from every decoder under test: text is appended, the last finish stays, nothing is
repaired.
"""

from collections.abc import Callable
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
                for part in _objects(value):
                    _chat_choice(choices.setdefault(_index(part), {"message": {}}), part)
            elif value is not None or name not in whole:
                whole[name] = value
    whole["choices"] = [choices[index] for index in sorted(choices)]
    return whole


def _chat_choice(choice: dict[str, Any], part: dict[str, Any]) -> None:
    message = choice["message"]
    for name, value in _object(part.get("delta")).items():
        before = message.get(name)
        if name == "tool_calls":
            calls = message.setdefault("tool_calls", [])
            for call in _objects(value):
                _chat_call(calls, call)
        elif isinstance(value, str) and name in {"content", "refusal", "reasoning_content", "reasoning"}:
            message[name] = (before if isinstance(before, str) else "") + value
        elif isinstance(value, list):
            message[name] = [*(before if isinstance(before, list) else ()), *value]
        elif value is not None or name not in message:
            message[name] = value
    for name, value in part.items():
        if name not in {"delta", "message"} and (value is not None or name not in choice):
            choice[name] = value


def _chat_call(calls: list[dict[str, Any]], part: dict[str, Any]) -> None:
    index = _index(part)
    while len(calls) <= index:
        calls.append({"function": {"arguments": ""}})
    call = calls[index]
    function = _object(part.get("function"))
    for name, value in part.items():
        if name not in {"index", "function"} and value:
            call[name] = value
    if function.get("name"):
        call["function"]["name"] = function["name"]
    arguments = function.get("arguments")
    call["function"]["arguments"] += arguments if isinstance(arguments, str) else ""


def _anthropic(events: list[dict[str, Any]], parse: Callable[[bytes], Any] = _parsed) -> dict[str, Any]:
    message: dict[str, Any] = {}
    blocks: dict[int, dict[str, Any]] = {}
    for event in events:
        match event.get("type"):
            case "message_start":
                message = dict(_object(event.get("message")))
            case "content_block_start":
                blocks[_index(event)] = dict(_object(event.get("content_block")))
            case "content_block_delta":
                _anthropic_delta(blocks.setdefault(_index(event), {}), _object(event.get("delta")))
            case "message_delta":
                message |= _object(event.get("delta"))
                message["usage"] = {**_object(message.get("usage")), **_object(event.get("usage"))}
            case "error":
                message["error"] = event.get("error")
            case _:
                pass
    for block in blocks.values():
        if isinstance(block.get("partial_json"), str):
            block["input"] = parse(block.pop("partial_json").encode() or b"{}")
    message["content"] = [blocks[index] for index in sorted(blocks)]
    return message


def _anthropic_delta(block: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        before = block.get(name)
        if name == "type":
            continue
        if name == "citation":
            cited = block.get("citations")
            block["citations"] = [*(cited if isinstance(cited, list) else ()), value]
        elif isinstance(value, str):
            block[name] = (before if isinstance(before, str) else "") + value
        else:
            block[name] = value


def _gemini(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    candidates: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for name, value in chunk.items():
            if name == "candidates":
                for part in _objects(value):
                    _gemini_candidate(candidates.setdefault(_index(part), {}), part)
            else:
                whole[name] = value
    if candidates:
        whole["candidates"] = [candidates[index] for index in sorted(candidates)]
    return whole


def _gemini_candidate(candidate: dict[str, Any], part: dict[str, Any]) -> None:
    content = _object(part.get("content"))
    merged = candidate.setdefault("content", {"parts": []})
    if content.get("role"):
        merged["role"] = content["role"]
    for piece in _objects(content.get("parts")):
        last = merged["parts"][-1] if merged["parts"] else None
        plain = set(piece) <= {"text", "thought"} and isinstance(piece.get("text"), str)
        if plain and last is not None and set(last) == set(piece) and last.get("thought") == piece.get("thought"):
            merged["parts"][-1] = {**last, "text": f"{last['text']}{piece['text']}"}
        else:
            merged["parts"].append(piece)
    candidate |= {name: value for name, value in part.items() if name != "content"}


def _object(value: Any) -> dict[str, Any]:
    """Return an object, an empty one for anything else: what is under test may send anything."""
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _index(value: dict[str, Any]) -> int:
    index = value.get("index", 0)
    return index if isinstance(index, int) and 0 <= index < 1000 else 0


def _responses(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the object of the last event that has one, its output replaced by what the deltas amount to."""
    whole: dict[str, Any] = {}
    items: dict[int, dict[str, Any]] = {}
    for event in events:
        if isinstance(event.get("response"), dict):
            whole = event["response"]
        if event.get("type") == "error":
            whole = {**whole, "error": event.get("error") or event}
        item = items.get(event.get("output_index", -1))
        match str(event.get("type")):
            case "response.output_item.added":
                items[event["output_index"]] = dict(event.get("item") or {})
            case "response.output_item.done" if item is not None:
                grown = {key: item[key] for key in ("arguments", "input", "content", "summary") if item.get(key)}
                items[event["output_index"]] = {**(event.get("item") or {}), **grown}
            case "response.content_part.added" if item is not None:
                item.setdefault("content", []).append(dict(event.get("part") or {}))
            case "response.reasoning_summary_part.added" if item is not None:
                item.setdefault("summary", []).append(dict(event.get("part") or {}))
            case kind if item is not None and kind.endswith(".delta"):
                _responses_delta(item, kind, event)
            case "response.output_text.annotation.added" if item is not None:
                item["content"][event["content_index"]].setdefault("annotations", []).append(event.get("annotation"))
    return {**whole, "output": [items[index] for index in sorted(items)]} if items else whole


def _responses_delta(item: dict[str, Any], kind: str, event: dict[str, Any]) -> None:
    text = event.get("delta") or ""
    if kind == "response.function_call_arguments.delta":
        item["arguments"] = item.get("arguments", "") + text
    elif kind == "response.custom_tool_call_input.delta":
        item["input"] = item.get("input", "") + text
    elif kind == "response.reasoning_summary_text.delta":
        part = item["summary"][event["summary_index"]]
        part["text"] = part.get("text", "") + text
    elif isinstance(event.get("content_index"), int):
        part = item["content"][event["content_index"]]
        name = "refusal" if kind == "response.refusal.delta" else "text"
        part[name] = part.get(name, "") + text


_ASSEMBLERS = {"openai_responses": _responses, "openai_chat": _chat, "anthropic": _anthropic, "gemini": _gemini}


def assembled(dialect: str, found: list[Any], arguments: Callable[[bytes], Any]) -> dict[str, Any]:
    """Return the JSON body that a stream's events amount to; `arguments` reads a call's, where they are an object."""
    own = [event for event in found if isinstance(event, dict)]
    return _anthropic(own, arguments) if dialect == "anthropic" else _ASSEMBLERS[dialect](own)
