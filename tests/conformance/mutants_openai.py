"""Spoilt answers towards OpenAI clients, and spoilt transport: for each check at least one mutant."""

from setu.http import Ending, Exchange
from tests.conformance.build import (
    ASK,
    ASK_FREE_STREAM,
    ASK_STREAM,
    ASK_TOOLS,
    ASK_TOOLS_STREAM,
    ASK_USAGE,
    CALL_CHUNKS,
    CALLING,
    CHAT,
    CHUNKS,
    COMPLETION,
    CREATED,
    ERROR,
    FREE_CHUNKS,
    MESSAGE_EVENTS,
    USAGE_CHUNK,
    but,
    call_delta,
    chat,
    chat_stream,
    chunk,
    exchange,
    free_delta,
    message,
    message_stream,
    sse,
)
from tests.conformance.spoilt import ARGUMENTS, MODELS, PAUSED, spoilt, spoilt_calls, spoilt_chunks

_BROKEN_CHARACTER = sse(*CHUNKS).replace(b"hel", b"he\xc3")

TRANSPORT: dict[str, dict[str, Exchange]] = {
    "TRN-001": {
        "plain_as_text": chat(headers={"content-type": "text/plain"}),
        "plain_as_stream": exchange(CHAT, ASK, sse(*CHUNKS)),
    },
    "TRN-002": {"stream_as_json": chat_stream(CHUNKS, headers={"content-type": "application/json"})},
    "TRN-003": {
        "byte_order_mark": exchange(CHAT, ASK, b"\xef\xbb\xbf{}"),
        "latin_1": exchange(CHAT, ASK, b'{"a": "\xe9"}'),
    },
    "TRN-008": {"no_request_id": chat(drop=("x-request-id",))},
    "TRN-010": {
        "cookie_passed_on": chat(headers={"set-cookie": "a=b"}, upstream=(message(headers={"set-cookie": "a=b"}),)),
        "proxy_header": chat(headers={"proxy-connection": "keep-alive"}),
    },
    "AUTH-004": {
        "key_in_body": chat(
            but(ERROR, "error.message", "bad key sk-0123456789abcdef"),
            status=401,
            sent={"authorization": "Bearer sk-0123456789abcdef"},
        ),
        "key_in_header": chat(headers={"x-echo": "k-0123456789abcdef"}, sent={"x-api-key": "k-0123456789abcdef"}),
    },
    "MOD-001": {"bare_list": exchange("/v1/models", None, MODELS["data"], method="GET")},
    "MOD-002": {"no_owner": exchange("/v1/models", None, but(MODELS, "data.0.owned_by"), method="GET")},
    "MOD-003": {"twice": exchange("/v1/models", None, MODELS | {"data": [MODELS["data"][0]] * 2}, method="GET")},
    "SSE-001": {
        "two_objects_in_one": chat_stream([*CHUNKS[:3], "{}{}", CHUNKS[3]]),
        "line_without_field": exchange(CHAT, ASK_STREAM, b"error: x\n\n" + sse(*CHUNKS)),
        "event_without_data": exchange(CHAT, ASK_STREAM, b"event: keepalive\n\n" + sse(*CHUNKS)),
        "empty_stream": exchange(CHAT, ASK_STREAM, b""),
    },
    "SSE-002": {
        "lost_done": chat_stream(CHUNKS, done=False),
        "done_twice": chat_stream([*CHUNKS, "[DONE]"]),
        "done_first": chat_stream([*CHUNKS[:3], "[DONE]", CHUNKS[3]], done=False),
        "done_with_suffix": chat_stream([*CHUNKS, "[DONE] "], done=False),
        "done_after_a_cut": chat_stream(CHUNKS[:2], end=Ending.TRUNCATED),
    },
    "SSE-003": {
        "split_character": exchange(CHAT, ASK_STREAM, _BROKEN_CHARACTER),
        "replaced_character": chat_stream(
            but(CHUNKS, "1.choices.0.delta.content", "\N{REPLACEMENT CHARACTER}"),
            upstream=(message_stream(MESSAGE_EVENTS),),
        ),
    },
    "SSE-004": {"named_events": exchange(CHAT, ASK_STREAM, b"event: chunk\n" + sse(*CHUNKS))},
    "SSE-005": {
        "bare_error": exchange(
            CHAT, ASK_STREAM, sse(CHUNKS[0], done=False) + b'event: error\ndata: {"message": "x"}\n\n'
        ),
        "error_field": exchange(CHAT, ASK_STREAM, sse(*CHUNKS) + b'error: {"message": "x"}\n\n'),
    },
    "SSE-006": {
        "content_length": chat_stream(CHUNKS, headers={"content-length": "9"}),
        "cacheable": chat_stream(CHUNKS, headers={"cache-control": "public, max-age=60"}),
    },
    "SSE-007": {
        "buffered": chat_stream(
            CHUNKS, arrivals=((400, 700),), upstream=(message_stream(MESSAGE_EVENTS, arrivals=PAUSED),)
        )
    },
    "SSE-008": {
        "chunk_after_done": chat_stream([*CHUNKS, "[DONE]", CHUNKS[1]], done=False),
        "reset_after_done": chat_stream(CHUNKS, end=Ending.RESET),
    },
    "SSE-009": {"no_last_blank_line": exchange(CHAT, ASK_STREAM, sse(*CHUNKS)[:-1])},
}

ANSWERS: dict[str, dict[str, Exchange]] = {
    "CHAT-001": {
        "no_id": spoilt("id"),
        "empty_id": spoilt("id", ""),
        "no_model": spoilt("model"),
        "not_an_object": exchange(CHAT, ASK, b"[]", headers={"content-type": "application/json"}),
    },
    "CHAT-002": {
        "chunk_object": spoilt("object", "chat.completion.chunk"),
        "underscore": spoilt("object", "chat_completion"),
    },
    "CHAT-003": {
        "milliseconds": spoilt("created", CREATED * 1000),
        "float": spoilt("created", CREATED + 0.5),
        "text": spoilt("created", str(CREATED)),
        "another_day": chat(headers={"date": "Mon, 14 Sep 2026 14:13:20 GMT"}),
    },
    "CHAT-004": {
        "no_choices": spoilt("choices", []),
        "index_from_one": spoilt("choices.0.index", 1),
        "same_index": spoilt("choices", [COMPLETION["choices"][0]] * 2),
    },
    "CHAT-005": {"one_of_two": chat(asked=ASK | {"n": 2})},
    "CHAT-006": {"role_model": spoilt("choices.0.message.role", "model"), "no_role": spoilt("choices.0.message.role")},
    "CHAT-007": {"content_blocks": spoilt("choices.0.message.content", [{"type": "text", "text": "hello"}])},
    "CHAT-008": {
        "end_turn": spoilt("choices.0.finish_reason", "end_turn"),
        "null_finish": spoilt("choices.0.finish_reason", None),
        "upper_case": spoilt("choices.0.finish_reason", "STOP"),
    },
    "CHAT-009": {"no_refusal": spoilt("choices.0.message.refusal"), "no_logprobs": spoilt("choices.0.logprobs")},
    "CHAT-010": {"empty_success": spoilt("choices.0.message.content", None)},
    "CHAT-011": {"another_model": spoilt("model", "claude-5"), "no_name": spoilt("model", "")},
    "CHAT-014": {"stop_in_text": chat(asked=ASK | {"stop": "ell"})},
    "CHAT-017": {
        "usage_metadata": spoilt("usageMetadata", {}),
        "stop_reason": spoilt("stop_reason", "end_turn"),
        "finish_reason_camel": spoilt("choices.0.finishReason", "STOP"),
    },
    "CHAT-018": {
        "empty_calls": spoilt("choices.0.message.tool_calls", []),
        "null_calls": spoilt("choices.0.message.tool_calls", None),
    },
    "USG-001": {
        "no_usage": spoilt("usage"),
        "text_count": spoilt("usage.prompt_tokens", "10"),
        "native_names": spoilt("usage", {"input_tokens": 1, "output_tokens": 2}),
        "stream_without_total": chat_stream([*CHUNKS, but(USAGE_CHUNK, "usage.total_tokens")], ASK_USAGE),
    },
    "USG-002": {
        "off_by_one": spoilt("usage.total_tokens", 16),
        "stream_off_by_one": chat_stream([*CHUNKS, but(USAGE_CHUNK, "usage.total_tokens", 14)], ASK_USAGE),
    },
    "USG-003": {
        "no_prompt": spoilt("usage", {"prompt_tokens": 0, "completion_tokens": 5, "total_tokens": 5}),
        "negative": spoilt("usage", {"prompt_tokens": 10, "completion_tokens": -5, "total_tokens": 5}),
    },
    "USG-004": {
        "cached_above_prompt": spoilt("usage.prompt_tokens_details.cached_tokens", 11),
        "reasoning_above_completion": spoilt("usage.completion_tokens_details.reasoning_tokens", 6),
    },
}

STREAMS: dict[str, dict[str, Exchange]] = {
    "STR-001": {
        "no_choices_member": spoilt_chunks("1.choices"),
        "unknown_finish": spoilt_chunks("3.choices.0.finish_reason", "eos"),
        "empty_role": spoilt_chunks("0.choices.0.delta.role", ""),
        "no_chunk": exchange(CHAT, ASK_STREAM, b": nothing\n\n"),
    },
    "STR-002": {"plain_object": spoilt_chunks("1.object", "chat.completion")},
    "STR-003": {
        "id_changes": spoilt_chunks("2.id", "chatcmpl-2"),
        "no_id": chat_stream([c | {"id": ""} for c in CHUNKS]),
    },
    "STR-004": {
        "created_changes": spoilt_chunks("2.created", CREATED + 1),
        "milliseconds": chat_stream([c | {"created": CREATED * 1000} for c in CHUNKS]),
    },
    "STR-005": {
        "model_changes": spoilt_chunks("2.model", "gpt-5-mini"),
        "another_model": chat_stream([c | {"model": "claude-5"} for c in CHUNKS]),
    },
    "STR-006": {
        "no_role": spoilt_chunks("0.choices.0.delta.role"),
        "no_role_of_second": chat_stream([*CHUNKS, chunk({"content": "x"}, "stop", index=1)], ASK_STREAM | {"n": 2}),
    },
    "STR-007": {"role_in_every_delta": spoilt_chunks("2.choices.0.delta.role", "assistant")},
    "STR-008": {
        "no_index": spoilt_chunks("1.choices.0.index"),
        "index_beyond_n": spoilt_chunks("1.choices.0.index", 1),
    },
    "STR-009": {
        "finish_missing": chat_stream(CHUNKS[:3]),
        "finish_twice": chat_stream([*CHUNKS, CHUNKS[3]]),
        "delta_after_finish": chat_stream([CHUNKS[0], CHUNKS[3], CHUNKS[1]]),
        "no_choice": chat_stream([USAGE_CHUNK], ASK_USAGE),
    },
    "STR-010": {"finish_key_missing": spoilt_chunks("1.choices.0.finish_reason")},
    "STR-012": {
        "no_usage_chunk": chat_stream(CHUNKS, ASK_USAGE),
        "usage_with_choices": spoilt_chunks("3.usage", USAGE_CHUNK["usage"], CHUNKS, ASK_USAGE),
        "usage_not_last": chat_stream([*CHUNKS[:3], USAGE_CHUNK, CHUNKS[3]], ASK_USAGE),
    },
    "STR-013": {"usage_key_missing": chat_stream([but(CHUNKS[0], "usage"), *CHUNKS[1:], USAGE_CHUNK], ASK_USAGE)},
    "STR-014": {
        "unasked_usage": chat_stream([*CHUNKS, USAGE_CHUNK]),
        "empty_chunk": chat_stream([chunk({}, choices=[]), *CHUNKS]),
    },
    "STR-016": {"null_delta": spoilt_chunks("3.choices.0.delta", None), "no_delta": spoilt_chunks("3.choices.0.delta")},
    "STR-017": {"message_in_chunk": spoilt_chunks("1.choices.0.message", {"role": "assistant"})},
}

CALLS: dict[str, dict[str, Exchange]] = {
    "TOOL-001": {"no_call": chat(asked=ASK_TOOLS | {"tool_choice": "required"})},
    "TOOL-002": {
        "no_call_id": spoilt("choices.0.message.tool_calls.0.id", ..., CALLING, ASK_TOOLS),
        "object_arguments": spoilt(ARGUMENTS, {"city": "Rome"}, CALLING, ASK_TOOLS),
        "type_tool": spoilt("choices.0.message.tool_calls.0.type", "tool", CALLING, ASK_TOOLS),
        "no_name": spoilt("choices.0.message.tool_calls.0.function.name", "", CALLING, ASK_TOOLS),
        "streamed_object_arguments": spoilt_calls("2.choices.0.delta.tool_calls.0.function.arguments", {}),
        "stream_without_id": spoilt_calls("1.choices.0.delta.tool_calls.0.id"),
    },
    "TOOL-003": {
        "broken_arguments": spoilt(ARGUMENTS, '{"city"', CALLING, ASK_TOOLS),
        "empty_arguments": spoilt(ARGUMENTS, "", CALLING, ASK_TOOLS),
        "array_arguments": spoilt(ARGUMENTS, "[]", CALLING, ASK_TOOLS),
    },
    "TOOL-004": {"unknown_tool": spoilt("choices.0.message.tool_calls.0.function.name", "wether", CALLING, ASK_TOOLS)},
    "TOOL-005": {"same_id": spoilt("choices.0.message.tool_calls.1.id", "call_1", CALLING, ASK_TOOLS)},
    "TOOL-006": {
        "another_tool": chat(
            CALLING, ASK_TOOLS | {"tool_choice": {"type": "function", "function": {"name": "weather"}}}
        )
    },
    "TOOL-007": {"called_anyway": chat(CALLING, ASK_TOOLS | {"tool_choice": "none"})},
    "TOOL-010": {"no_fragment_index": spoilt_calls("2.choices.0.delta.tool_calls.0.index")},
    "TOOL-011": {
        "name_repeated": spoilt_calls("2.choices.0.delta.tool_calls.0.function.name", "weather"),
        "empty_id_later": spoilt_calls("2.choices.0.delta.tool_calls.0.id", ""),
        "name_of_free_text_repeated": chat_stream(
            [*FREE_CHUNKS[:2], chunk(free_delta("SELECT 1", id="call_1", name="query")), FREE_CHUNKS[4]],
            ASK_FREE_STREAM,
        ),
        "name_too_late": spoilt_calls("1.choices.0.delta.tool_calls.0.function.name"),
    },
    "TOOL-012": {
        "arguments_doubled": chat_stream(
            [*CALL_CHUNKS[:1], chunk(call_delta(0, "{}", id="call_1", name="weather")), *CALL_CHUNKS[2:]],
            ASK_TOOLS_STREAM,
        ),
        "fragment_lost": chat_stream([*CALL_CHUNKS[:2], *CALL_CHUNKS[3:]], ASK_TOOLS_STREAM),
    },
    "TOOL-013": {
        "stop_after_call": spoilt("choices.0.finish_reason", "stop", CALLING, ASK_TOOLS),
        "stop_after_streamed_call": spoilt_calls("5.choices.0.finish_reason", "stop"),
    },
    "TOOL-014": {
        "index_from_one": chat_stream(
            [CALL_CHUNKS[0], chunk(call_delta(1, "{}", id="a", name="clock")), CALL_CHUNKS[5]], ASK_TOOLS_STREAM
        ),
        "index_skipped": spoilt_calls("4.choices.0.delta.tool_calls.0.index", 2),
    },
    "TOOL-015": {"parallel_anyway": chat(CALLING, ASK_TOOLS | {"parallel_tool_calls": False})},
}
