"""Spoilt answers towards Anthropic and Gemini clients: for each check at least one mutant."""

from setu.http import Exchange
from tests.conformance.build import (
    ASK_GEMINI,
    ASK_MESSAGES,
    CHUNKS,
    EMPTY_MESSAGE,
    ERROR,
    GEMINI_CALL,
    GEMINI_CHUNKS,
    GEMINI_ERROR,
    GEMINI_STREAM,
    GENERATE,
    MESSAGE,
    MESSAGE_CALLING,
    MESSAGE_DELTA,
    MESSAGE_ERROR,
    MESSAGE_EVENTS,
    MESSAGE_START,
    MESSAGE_STOP,
    MESSAGES,
    OVERLOADED,
    TOOL_USE,
    but,
    delta,
    dump,
    exchange,
    gemini,
    gemini_stream,
    message,
    message_stream,
    sse,
    start,
    stop,
)
from tests.conformance.spoilt import spoilt_events, spoilt_gemini, spoilt_message

_THINKING = start(0, {"type": "thinking", "thinking": "", "signature": ""})

ANTHROPIC: dict[str, dict[str, Exchange]] = {
    "ANT-001": {
        "no_stop_sequence": spoilt_message("stop_sequence"),
        "no_usage": spoilt_message("usage"),
        "role_model": spoilt_message("role", "model"),
        "text_content": spoilt_message("content", "hello"),
    },
    "ANT-002": {
        "text_input": spoilt_message("content.0.input", "{}", MESSAGE_CALLING),
        "no_text": spoilt_message("content.0.text"),
        "no_signature": spoilt_message("content.0", {"type": "thinking", "thinking": "x"}),
        "block_without_type": spoilt_message("content.0.type"),
    },
    "ANT-003": {
        "stop": spoilt_message("stop_reason", "stop"),
        "null": spoilt_message("stop_reason", None),
        "streamed_stop": spoilt_events("9.delta.stop_reason", "stop"),
    },
    "ANT-004": {
        "end_turn_after_call": spoilt_message("stop_reason", "end_turn", MESSAGE_CALLING),
        "streamed_end_turn": spoilt_events("9.delta.stop_reason", "end_turn"),
    },
    "ANT-005": {
        "no_output_tokens": spoilt_message("usage.output_tokens"),
        "no_prompt": spoilt_message("usage.input_tokens", 0),
        "negative": spoilt_message("usage.output_tokens", -1),
    },
    "ANT-006": {
        "openai_envelope": message(ERROR, status=400),
        "no_message": message(but(MESSAGE_ERROR, "error.message"), status=400),
    },
    "ANT-007": {
        "invalid_as_500": message(MESSAGE_ERROR, status=500),
        "unknown_type": message(but(MESSAGE_ERROR, "error.type", "rate_limited"), status=429),
        "api_error_as_400": message(but(MESSAGE_ERROR, "error.type", "api_error"), status=400),
    },
    "ANT-008": {
        "start_twice": message_stream([MESSAGE_START, *MESSAGE_EVENTS]),
        "no_start": message_stream(MESSAGE_EVENTS[1:]),
        "start_without_usage": spoilt_events("0.message.usage"),
        "start_with_content": spoilt_events("0.message", EMPTY_MESSAGE | {"content": MESSAGE["content"]}),
    },
    "ANT-009": {
        "delta_before_start": message_stream([*MESSAGE_EVENTS[:2], *MESSAGE_EVENTS[3:]]),
        "index_repeated": spoilt_events("5.index", 0),
        "index_skipped": message_stream(
            [*MESSAGE_EVENTS[:5], start(2, TOOL_USE | {"input": {}}), stop(2), *MESSAGE_EVENTS[9:]]
        ),
        "block_not_closed": message_stream([*MESSAGE_EVENTS[:8], *MESSAGE_EVENTS[9:]]),
        "blocks_overlap": message_stream([*MESSAGE_EVENTS[:4], *MESSAGE_EVENTS[5:]]),
        "stopped_twice": message_stream([*MESSAGE_EVENTS[:9], stop(1), *MESSAGE_EVENTS[9:]]),
    },
    "ANT-010": {
        "thinking_in_text": spoilt_events("3", delta(0, type="thinking_delta", thinking="x")),
        "text_in_tool": spoilt_events("6", delta(1, type="text_delta", text="x")),
        "text_in_thinking": spoilt_events("2", _THINKING),
    },
    "ANT-011": {
        "no_stop": message_stream(MESSAGE_EVENTS[:-1]),
        "stop_before_delta": message_stream([*MESSAGE_EVENTS[:9], MESSAGE_STOP, MESSAGE_DELTA]),
        "no_message_delta": message_stream([*MESSAGE_EVENTS[:9], MESSAGE_STOP]),
        "ping_after_stop": message_stream([*MESSAGE_EVENTS, {"type": "ping"}]),
        "block_after_delta": message_stream([*MESSAGE_EVENTS[:5], MESSAGE_DELTA, *MESSAGE_EVENTS[5:]]),
    },
    "ANT-012": {
        "no_event_names": exchange(MESSAGES, ASK_MESSAGES | {"stream": True}, sse(*MESSAGE_EVENTS, done=False)),
        "wrong_event_name": exchange(
            MESSAGES,
            ASK_MESSAGES | {"stream": True},
            sse(*MESSAGE_EVENTS, done=False, named=True).replace(b"event: ping", b"event: message"),
        ),
    },
    "ANT-013": {
        "fragment_lost": message_stream([*MESSAGE_EVENTS[:6], *MESSAGE_EVENTS[7:]]),
        "input_at_start": spoilt_events("5.content_block.input", {"city": "Rome"}),
    },
    "ANT-014": {
        "no_output_tokens": spoilt_events("9.usage"),
        "no_input_tokens": spoilt_events("0.message.usage", {"output_tokens": 1}),
    },
    "ANT-015": {
        "stop_after_error": message_stream([*MESSAGE_EVENTS[:4], OVERLOADED, MESSAGE_STOP]),
        "openai_error": message_stream([*MESSAGE_EVENTS[:4], ERROR | {"type": "ping"}]),
    },
    "ANT-016": {
        "done": exchange(MESSAGES, ASK_MESSAGES | {"stream": True}, sse(*MESSAGE_EVENTS, named=True)),
        "openai_chunk": exchange(MESSAGES, ASK_MESSAGES | {"stream": True}, sse(CHUNKS[1], done=False)),
    },
    "ANT-017": {"openai_id": spoilt_message("content.0.id", "call_1", MESSAGE_CALLING)},
    "ANT-018": {"unknown_tool": spoilt_message("content.0.name", "wether", MESSAGE_CALLING)},
    "ANT-019": {"same_id": spoilt_message("content", [TOOL_USE, TOOL_USE], MESSAGE_CALLING)},
}

GOOGLE: dict[str, dict[str, Exchange]] = {
    "GEM-001": {
        "no_candidates": spoilt_gemini("candidates"),
        "text_parts": spoilt_gemini("candidates.0.content.parts", "hello"),
        "text_count": spoilt_gemini("usageMetadata.totalTokenCount", "17"),
        "nothing": exchange(GENERATE, ASK_GEMINI, b""),
    },
    "GEM-002": {"role_assistant": spoilt_gemini("candidates.0.content.role", "assistant")},
    "GEM-003": {
        "two_things": spoilt_gemini("candidates.0.content.parts.0", {"text": "a"} | GEMINI_CALL),
        "nothing_in_it": spoilt_gemini("candidates.0.content.parts.0", {"type": "text"}),
    },
    "GEM-004": {
        "text_args": spoilt_gemini("candidates.0.content.parts.1.functionCall.args", "{}"),
        "no_name": spoilt_gemini("candidates.0.content.parts.1.functionCall.name"),
    },
    "GEM-005": {
        "lower_case": spoilt_gemini("candidates.0.finishReason", "stop"),
        "number": spoilt_gemini("candidates.0.finishReason", 1),
        "no_finish": spoilt_gemini("candidates.0.finishReason"),
    },
    "GEM-006": {
        "never_finishes": gemini_stream(GEMINI_CHUNKS[:1]),
        "finish_in_every_chunk": gemini_stream(but(GEMINI_CHUNKS, "0.candidates.0.finishReason", "STOP")),
        "text_after_finish": gemini_stream([GEMINI_CHUNKS[1], GEMINI_CHUNKS[0]]),
    },
    "GEM-007": {
        "thoughts_left_out": spoilt_gemini("usageMetadata.totalTokenCount", 15),
        "negative": spoilt_gemini("usageMetadata.candidatesTokenCount", -1),
    },
    "GEM-008": {
        "no_usage": spoilt_gemini("usageMetadata"),
        "no_usage_in_stream": gemini_stream([but(c, "usageMetadata") for c in GEMINI_CHUNKS]),
    },
    "GEM-009": {"openai_envelope": gemini(ERROR, status=400), "array": gemini([GEMINI_ERROR], status=400)},
    "GEM-010": {
        "other_code": gemini(but(GEMINI_ERROR, "error.code", 500), status=400),
        "other_status": gemini(but(GEMINI_ERROR, "error.status", "INTERNAL"), status=400),
        "unknown_status": gemini(but(GEMINI_ERROR, "error.status", "BAD"), status=400),
    },
    "GEM-011": {
        "done": exchange(GEMINI_STREAM, ASK_GEMINI, sse(*GEMINI_CHUNKS), query="alt=sse"),
        "empty": gemini_stream([]),
    },
    "GEM-012": {
        "array_for_sse": exchange(GEMINI_STREAM, ASK_GEMINI, GEMINI_CHUNKS, query="alt=sse"),
        "sse_for_array": exchange(GEMINI_STREAM, ASK_GEMINI, sse(*GEMINI_CHUNKS, done=False)),
        "array_not_closed": exchange(
            GEMINI_STREAM, ASK_GEMINI, dump(GEMINI_CHUNKS)[:-1], headers={"content-type": "application/json"}
        ),
    },
    "GEM-013": {
        "finish_and_error": gemini_stream([*GEMINI_CHUNKS, GEMINI_ERROR]),
        "openai_error": gemini_stream([GEMINI_CHUNKS[0], ERROR]),
    },
    "GEM-014": {
        "snake_case": spoilt_gemini("candidates.0.finish_reason", "STOP"),
        "snake_part": spoilt_gemini("candidates.0.content.parts.0.thought_signature", "x"),
    },
    "GEM-015": {"unknown_function": spoilt_gemini("candidates.0.content.parts.1.functionCall.name", "wether")},
    "GEM-016": {"anonymous": spoilt_gemini("modelVersion")},
}
