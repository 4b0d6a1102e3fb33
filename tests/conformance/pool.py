"""The pool of seeded defects: at least two per dialect, side and mode."""

from typing import Any

import msgspec

from setu import _json
from setu.chat.parts import Text, ToolCall
from setu.conformance.mutants.codecs import (
    Change,
    Json,
    asked,
    body,
    complete_anyway,
    decoded,
    each,
    frames,
    in_calls,
    in_choices,
    in_deltas,
    in_parts,
    parsed,
    payloads,
    sent,
    with_members,
    without,
)
from setu.framing.frame import Frame
from tests.conformance.defects import (
    Defect,
    finishes,
    length_is_stop,
    lose_arguments,
    lose_usage,
    lose_whitespace,
    swallow_errors,
    swapped_results,
    usage_off_by_one,
)

# Frames and bodies of chat ---------------------------------------------------------------------------------------------


def in_message(change: Any) -> Any:
    return in_choices(lambda choice: {**choice, "message": change(choice.get("message") or {})})


def mojibake(value: Any) -> Any:
    """Every non-ASCII character decoded from half its bytes."""
    if isinstance(value, str):
        return "".join(char if char.isascii() else "\ufffd" for char in value)
    if isinstance(value, dict):
        return {name: mojibake(inner) for name, inner in value.items()}
    return [mojibake(inner) for inner in value] if isinstance(value, list) else value


def fresh_ids() -> Change:
    count = [0]

    def change(chunk: Json) -> Json:
        count[0] += 1
        return {**chunk, "id": f"chatcmpl-{count[0]}"}

    return payloads(change)


def no_done(made: list[Frame]) -> list[Frame]:
    return [frame for frame in made if frame.data != b"[DONE]"]


def parsed_arguments(call: Json) -> Json:
    return {**call, "function": {**call.get("function", {}), "arguments": {"city": "Paris"}}}


def bumped_total(made: Json) -> Json:
    if not made.get("usage"):
        return made
    return {**made, "usage": {**made["usage"], "total_tokens": made["usage"]["total_tokens"] + 1}}


CHAT_CLIENT_STREAM: dict[str, tuple[Change, tuple[str, ...]]] = {
    "wrong-index": (payloads(in_choices(lambda c: {**c, "index": 7})), ("STR-008",)),
    "missing-role": (payloads(in_deltas(without("role"))), ("STR-006",)),
    "lost-done": (frames(no_done), ("SSE-002",)),
    "finish-on-every-chunk": (payloads(in_choices(with_members(finish_reason="stop"))), ("STR-009",)),
    "id-per-chunk": (fresh_ids(), ("STR-003",)),
    "split-utf-8": (payloads(mojibake), ("SSE-003",)),
    "arguments-object": (payloads(in_calls(parsed_arguments)), ("TOOL-002", "STR-001")),
    "tool-index-zero": (payloads(in_calls(with_members(index=0))), ("TOOL-011", "TOOL-014", "TOOL-020", "TOOL-012")),
    "wrong-object": (payloads(with_members(object="chat_completion.chunk")), ("STR-002",)),
    "null-delta": (payloads(in_choices(with_members(delta=None))), ("STR-016",)),
    "stop-for-tool-calls": (payloads(in_choices(lambda c: {**c, "finish_reason": "stop"} if c["finish_reason"] == "tool_calls" else c)), ("TOOL-013",)),
    "created-moves": (payloads(lambda c: {**c, "created": 1_700_000_000 + len(str(c))}), ("STR-004",)),
    "usage-unasked": (payloads(lambda c: {**c, "choices": []} if '"stop"' in str(c).replace("'", '"') else c), ("STR-009", "STR-014")),
}  # fmt: skip

CHAT_CLIENT_PLAIN: dict[str, tuple[Change, tuple[str, ...]]] = {
    "native-finish": (body(in_choices(lambda c: {**c, "finish_reason": "end_turn"})), ("CHAT-008",)),
    "total-off-by-one": (body(bumped_total), ("USG-002",)),
    "created-in-ms": (body(lambda m: {**m, "created": m["created"] * 1000}), ("CHAT-003",)),
    "content-list": (body(in_message(lambda m: {**m, "content": [{"type": "text", "text": m.get("content") or ""}]})), ("CHAT-007",)),
    "no-object": (body(without("object")), ("CHAT-001",)),
    "role-model": (body(in_message(with_members(role="model"))), ("CHAT-006",)),
    "native-keys": (body(with_members(stop_reason="end_turn")), ("CHAT-017",)),
    "system-lost": (asked(lambda r: msgspec.structs.replace(r, messages=tuple(m for m in r.messages if m.role != "system"))), ("SCN-001",)),
    "results-swapped": (asked(swapped_results), ("SCN-001",)),
}  # fmt: skip

CHAT_UPSTREAM_STREAM: dict[str, tuple[Change, tuple[str, ...]]] = {
    "truncation-is-success": (each(complete_anyway), ("ERR-009",)),
    "error-swallowed": (each(swallow_errors), ("ERR-008", "ERR-009", "ERR-007")),
    "length-is-stop": (each(length_is_stop), ("SCN-002", "STR-011")),
    "usage-lost": (each(lose_usage), ("ANT-014", "SCN-002", "USG-006")),
    "whitespace-lost": (each(lose_whitespace), ("STR-011", "SCN-002")),
}

CHAT_UPSTREAM_PLAIN: dict[str, tuple[Change, tuple[str, ...]]] = {
    "tools-dropped": (sent(without("tools")), ("SCN-001",)),
    "length-is-stop": (parsed(finishes("length", "stop")), ("SCN-002",)),
    "native-key-leaks": (sent(with_members(stop_sequences=["END"])), ("XLT-03",)),
    "max-tokens-dropped": (sent(without("max_tokens", "max_completion_tokens")), ("SCN-001",)),
}

# Frames and bodies of Anthropic ------------------------------------------------------------------------------------------


def no_event(kind: str) -> Change:
    return payloads(lambda event: None if event["type"] == kind else event)


def misnamed(made: list[Frame]) -> list[Frame]:
    return [Frame(data=frame.data, event="message") for frame in made]


def started_twice(made: list[Frame]) -> list[Frame]:
    return [twice for frame in made for twice in ([frame, frame] if frame.event == "message_start" else [frame])]


def in_blocks(change: Any) -> Any:
    return lambda message: {**message, "content": [change(block) for block in message.get("content", [])]}


ANTHROPIC_CLIENT_STREAM: dict[str, tuple[Change, tuple[str, ...]]] = {
    "index-always-zero": (payloads(lambda e: {**e, "index": 0} if "index" in e else e), ("ANT-009",)),
    "no-message-stop": (no_event("message_stop"), ("ANT-011",)),
    "event-is-not-type": (frames(misnamed), ("ANT-012",)),
    "delta-before-start": (no_event("content_block_start"), ("ANT-009", "ANT-010")),
    "two-starts": (frames(started_twice), ("ANT-008",)),
}  # fmt: skip

ANTHROPIC_CLIENT_PLAIN: dict[str, tuple[Change, tuple[str, ...]]] = {
    "foreign-stop-reason": (body(with_members(stop_reason="stop")), ("ANT-003",)),
    "no-usage": (body(without("usage")), ("ANT-001", "ANT-005")),
    "input-string": (body(in_blocks(lambda b: {**b, "input": _json.encode(b["input"]).decode()} if "input" in b else b)), ("ANT-002",)),
    "end-turn-with-calls": (body(lambda m: {**m, "stop_reason": "end_turn"}), ("ANT-004",)),
    "system-lost": (asked(lambda r: msgspec.structs.replace(r, system=())), ("SCN-001",)),
}  # fmt: skip

ANTHROPIC_UPSTREAM_STREAM: dict[str, tuple[Change, tuple[str, ...]]] = {
    "truncation-is-success": (each(complete_anyway), ("ERR-009",)),
    "error-swallowed": (each(swallow_errors), ("ERR-008", "ERR-009", "ERR-007")),
    "usage-off-by-one": (each(usage_off_by_one), ("SCN-002", "USG-006")),
    "arguments-cut": (each(lose_arguments), ("TOOL-012",)),
    "length-is-stop": (each(length_is_stop), ("SCN-002", "STR-011")),
    "events-lost": (decoded(lambda events: events[:1]), ("STR-011", "STR-009", "ERR-009", "SCN-002")),
}

ANTHROPIC_UPSTREAM_PLAIN: dict[str, tuple[Change, tuple[str, ...]]] = {
    "no-max-tokens": (sent(without("max_tokens")), ("XLT-17",)),
    "stop-not-renamed": (sent(lambda m: {("stop" if n == "stop_sequences" else n): v for n, v in m.items()}), ("XLT-03",)),
    "length-is-stop": (parsed(finishes("length", "stop")), ("SCN-002", "STR-011")),
    "text-lost-beside-calls": (parsed(in_parts(lambda p: None if isinstance(p, Text) else p)), ("SCN-002",)),
    "cached-tokens-lost": (parsed(lambda r: msgspec.structs.replace(r, usage=msgspec.structs.replace(r.usage, input=(r.usage.input or 0) - (r.usage.cache_read or 0)) if r.usage else None)), ("SCN-002", "USG-004", "USG-006")),
}  # fmt: skip

# Frames and bodies of Gemini ---------------------------------------------------------------------------------------------


def in_candidates(change: Any) -> Any:
    return lambda m: {**m, "candidates": [change(c) for c in m["candidates"]]} if "candidates" in m else m


def in_gemini_parts(change: Any) -> Any:
    return in_candidates(
        lambda c: (
            {**c, "content": {**c["content"], "parts": [change(p) for p in c["content"].get("parts", [])]}}
            if "content" in c
            else c
        )
    )


def stringly(part: Json) -> Json:
    if "functionCall" not in part:
        return part
    return {
        **part,
        "functionCall": {**part["functionCall"], "args": _json.encode(part["functionCall"].get("args", {})).decode()},
    }


def bumped_gemini(made: Json) -> Json:
    usage = made.get("usageMetadata")
    return (
        {**made, "usageMetadata": {**usage, "totalTokenCount": usage.get("totalTokenCount", 0) + 1}} if usage else made
    )


GEMINI_CLIENT_STREAM: dict[str, tuple[Change, tuple[str, ...]]] = {
    "no-finish": (payloads(in_candidates(without("finishReason"))), ("GEM-006", "GEM-005")),
    "finish-on-every-chunk": (payloads(in_candidates(with_members(finishReason="STOP"))), ("GEM-006",)),
    "args-string": (payloads(in_gemini_parts(stringly)), ("GEM-004",)),
    "usage-lost": (payloads(without("usageMetadata")), ("GEM-008",)),
}

GEMINI_CLIENT_PLAIN: dict[str, tuple[Change, tuple[str, ...]]] = {
    "role-assistant": (body(in_candidates(lambda c: {**c, "content": {**c.get("content", {}), "role": "assistant"}})), ("GEM-002",)),
    "total-off-by-one": (body(bumped_gemini), ("GEM-007",)),
    "foreign-finish": (body(in_candidates(with_members(finishReason="stop"))), ("GEM-005",)),
}  # fmt: skip

GEMINI_UPSTREAM_STREAM: dict[str, tuple[Change, tuple[str, ...]]] = {
    "truncation-is-success": (each(complete_anyway), ("ERR-009",)),
    "usage-off-by-one": (each(usage_off_by_one), ("SCN-002", "USG-006")),
    "length-is-stop": (each(length_is_stop), ("SCN-002", "STR-011")),
    "whitespace-lost": (each(lose_whitespace), ("STR-011", "SCN-002")),
    "calls-lost": (decoded(lambda events: [e for e in events if not isinstance(getattr(e, "value", None), ToolCall)]), ("TOOL-020", "TOOL-013", "SCN-002", "STR-011", "XLT-30")),
}  # fmt: skip

GEMINI_UPSTREAM_PLAIN: dict[str, tuple[Change, tuple[str, ...]]] = {
    "role-assistant": (sent(lambda m: {**m, "contents": [{**c, "role": "assistant" if c.get("role") == "model" else c.get("role")} for c in m["contents"]]}), ("XLT-02",)),
    "result-dropped": (sent(lambda m: {**m, "contents": [{**c, "parts": [p for i, p in enumerate(c["parts"]) if not (i and "functionResponse" in p)]} for c in m["contents"]]}), ("XLT-08",)),
    "only-last-system": (sent(lambda m: {**m, "systemInstruction": {"parts": m["systemInstruction"]["parts"][-1:]}} if len(m.get("systemInstruction", {}).get("parts", [])) > 1 else m), ("SCN-001",)),
    "length-is-stop": (parsed(finishes("length", "stop")), ("SCN-002",)),
    "chat-key-leaks": (sent(with_members(max_tokens=5)), ("XLT-03",)),
}  # fmt: skip

# The dialects of stage two --------------------------------------------------------------------------------------------


def of_type(kind: str, change: Any) -> Change:
    return payloads(lambda event: change(event) if event.get("type") == kind else event)


def renumbered(event: Json) -> Json:
    return {**event, "sequence_number": event["sequence_number"] * 2} if "sequence_number" in event else event


RESPONSES_CLIENT_STREAM: dict[str, tuple[Change, tuple[str, ...]]] = {
    "no-terminal-event": (of_type("response.completed", lambda _: None), ("RSP-005", "SCN-002", "ERR-009")),
    "numbers-with-gaps": (payloads(renumbered), ("RSP-002",)),
    "event-is-not-type": (frames(misnamed), ("RSP-006",)),
    "done-text-differs": (of_type("response.output_text.done", lambda e: {**e, "text": e["text"] + "!"}), ("RSP-004",)),
}  # fmt: skip

RESPONSES_CLIENT_PLAIN: dict[str, tuple[Change, tuple[str, ...]]] = {
    "foreign-object": (body(with_members(object="chat.completion")), ("RSP-001",)),
    "no-output": (body(without("output")), ("RSP-001",)),
}

RESPONSES_UPSTREAM_STREAM: dict[str, tuple[Change, tuple[str, ...]]] = {
    "truncation-is-success": (each(complete_anyway), ("ERR-009", "SCN-002")),
    "whitespace-lost": (each(lose_whitespace), ("STR-011", "SCN-002", "RSP-004")),
}

RESPONSES_UPSTREAM_PLAIN: dict[str, tuple[Change, tuple[str, ...]]] = {
    "tools-dropped": (sent(without("tools")), ("SCN-001", "XLT-07")),
    "chat-key-leaks": (sent(with_members(max_tokens=5)), ("XLT-03", "XLT-02")),
}

UPSTREAM_ONLY_STREAM: dict[str, tuple[Change, tuple[str, ...]]] = {
    "truncation-is-success": (each(complete_anyway), ("ERR-009", "SCN-002")),
    "usage-off-by-one": (each(usage_off_by_one), ("SCN-002", "USG-006")),
    "arguments-cut": (each(lose_arguments), ("TOOL-012", "TOOL-020", "SCN-002")),
}

UPSTREAM_ONLY_PLAIN: dict[str, tuple[Change, tuple[str, ...]]] = {
    "chat-key-leaks": (sent(with_members(max_completion_tokens=5)), ("XLT-03", "XLT-02")),
    "length-is-stop": (parsed(finishes("length", "stop")), ("SCN-002", "STR-011")),
    "text-lost-beside-calls": (parsed(in_parts(lambda p: None if isinstance(p, Text) else p)), ("SCN-002", "STR-011")),
}

_TABLES = (
    ("openai_chat", "client", "stream", CHAT_CLIENT_STREAM),
    ("openai_chat", "client", "plain", CHAT_CLIENT_PLAIN),
    ("openai_chat", "upstream", "stream", CHAT_UPSTREAM_STREAM),
    ("openai_chat", "upstream", "plain", CHAT_UPSTREAM_PLAIN),
    ("anthropic", "client", "stream", ANTHROPIC_CLIENT_STREAM),
    ("anthropic", "client", "plain", ANTHROPIC_CLIENT_PLAIN),
    ("anthropic", "upstream", "stream", ANTHROPIC_UPSTREAM_STREAM),
    ("anthropic", "upstream", "plain", ANTHROPIC_UPSTREAM_PLAIN),
    ("gemini", "client", "stream", GEMINI_CLIENT_STREAM),
    ("gemini", "client", "plain", GEMINI_CLIENT_PLAIN),
    ("gemini", "upstream", "stream", GEMINI_UPSTREAM_STREAM),
    ("gemini", "upstream", "plain", GEMINI_UPSTREAM_PLAIN),
    ("openai_responses", "client", "stream", RESPONSES_CLIENT_STREAM),
    ("openai_responses", "client", "plain", RESPONSES_CLIENT_PLAIN),
    ("openai_responses", "upstream", "stream", RESPONSES_UPSTREAM_STREAM),
    ("openai_responses", "upstream", "plain", RESPONSES_UPSTREAM_PLAIN),
    ("bedrock", "upstream", "stream", UPSTREAM_ONLY_STREAM),
    ("bedrock", "upstream", "plain", UPSTREAM_ONLY_PLAIN),
    ("cohere", "upstream", "stream", UPSTREAM_ONLY_STREAM),
    ("cohere", "upstream", "plain", UPSTREAM_ONLY_PLAIN),
    ("ollama", "upstream", "stream", UPSTREAM_ONLY_STREAM),
    ("ollama", "upstream", "plain", UPSTREAM_ONLY_PLAIN),
)

POOL = tuple(
    Defect(f"{dialect}-{side}-{mode}-{name}", dialect, side, mode, frozenset(checks), change)
    for dialect, side, mode, table in _TABLES
    for name, (change, checks) in table.items()
)

PROVIDER = {
    ("openai_chat", "client"): "anthropic",
    ("openai_chat", "upstream"): "openai",
    ("anthropic", "client"): "openai",
    ("anthropic", "upstream"): "anthropic",
    ("gemini", "client"): "openai",
    ("gemini", "upstream"): "gemini",
    ("openai_responses", "client"): "anthropic",
    ("openai_responses", "upstream"): "openai",
    ("bedrock", "upstream"): "bedrock",
    ("cohere", "upstream"): "cohere",
    ("ollama", "upstream"): "ollama",
}
"""The provider whose run exercises a dialect on a side."""
