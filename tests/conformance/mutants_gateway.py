"""Failures told wrongly and upstream requests made wrongly: for each check at least one mutant."""

from typing import Any

from setu.http import Ending, Exchange
from tests.conformance.build import (
    ASK,
    ASK_GEMINI,
    ASK_MESSAGES,
    CHAT,
    CHUNKS,
    ERROR,
    GEMINI_CALL,
    GENERATE,
    MESSAGE_ERROR,
    MESSAGE_EVENTS,
    MESSAGES,
    OVERLOADED,
    TOOL_USE,
    USER,
    but,
    chat,
    chat_stream,
    exchange,
    message,
    message_stream,
    silence,
)
from tests.conformance.spoilt import (
    ANTHROPIC_TURNS,
    BROKEN_MESSAGE,
    CALLED,
    FAILED_MESSAGE,
    GEMINI_TURNS,
    HTML,
    OPENAI_TURNS,
    RESULT,
    TEXT,
    TOOL_MESSAGE,
    sent,
    spoilt,
    spoilt_error,
)

_RATE_LIMITED = message(OVERLOADED, status=429, headers={"retry-after": "7"})
_NOT_JSON = exchange(MESSAGES, ASK_MESSAGES, b"<html>", headers={"content-type": "text/html"})

FAILURES: dict[str, dict[str, Exchange]] = {
    "ERR-001": {
        "detail": chat({"detail": "wrong"}, status=422),
        "flat": chat({"object": "error", "message": "wrong"}, status=400),
        "text_error": spoilt_error("error", "wrong"),
        "no_type": spoilt_error("error.type"),
        "no_message": spoilt_error("error.message", ""),
        "html": exchange(CHAT, ASK, b"<html>", status=502),
    },
    "ERR-002": {
        "integer_code": spoilt_error("error.code", 429),
        "text_none": spoilt_error("error.param", "None"),
        "no_param": spoilt_error("error.param"),
    },
    "ERR-003": {
        "html": exchange(CHAT, ASK, b"<html>", status=502, headers=HTML),
        "array": exchange(CHAT, ASK, [ERROR], status=400),
        "text_type": chat(ERROR, status=400, headers={"content-type": "text/plain"}),
    },
    "ERR-004": {
        "rate_limit_as_400": chat(ERROR, status=400, upstream=(_RATE_LIMITED,)),
        "bad_request_as_502": chat(ERROR, status=502, upstream=(message(MESSAGE_ERROR, status=400),)),
        "error_in_200_as_success": chat(upstream=(chat({"error": {"message": "no", "code": 429}}),)),
    },
    "ERR-005": {
        "retry_after_lost": chat(ERROR, status=429, upstream=(_RATE_LIMITED,)),
        "retry_after_changed": chat(ERROR, status=429, headers={"retry-after": "1"}, upstream=(_RATE_LIMITED,)),
    },
    "ERR-007": {
        "error_as_stream": chat_stream([ERROR], done=False, upstream=(_RATE_LIMITED,)),
        "silence_as_success": chat(upstream=(silence(),)),
    },
    "ERR-008": {
        "error_swallowed": chat_stream(CHUNKS[:2], done=False, upstream=(FAILED_MESSAGE,)),
        "finish_after_error": chat_stream([*CHUNKS[:2], ERROR, CHUNKS[3]], done=False, upstream=(FAILED_MESSAGE,)),
        "done_after_error": chat_stream([*CHUNKS[:2], ERROR], upstream=(FAILED_MESSAGE,)),
    },
    "ERR-009": {
        "truncated_as_whole": chat_stream(CHUNKS, upstream=(BROKEN_MESSAGE,)),
        "truncated_in_silence": chat_stream(CHUNKS[:2], done=False, upstream=(BROKEN_MESSAGE,)),
        "done_after_truncation": chat_stream(CHUNKS[:2], upstream=(BROKEN_MESSAGE,)),
        "cut_plain_as_success": chat(upstream=(message(end=Ending.TRUNCATED),)),
        "closed_without_end": chat_stream(CHUNKS, upstream=(message_stream(MESSAGE_EVENTS[:4]),)),
    },
    "ERR-010": {
        "refused_as_500": chat(ERROR, status=500, upstream=(silence(),)),
        "no_envelope": exchange(CHAT, ASK, b"", status=502, upstream=(silence(),)),
    },
    "ERR-011": {
        "html_as_success": chat(upstream=(_NOT_JSON,)),
        "html_as_stream": chat_stream(
            [], upstream=(exchange(MESSAGES, ASK_MESSAGES | {"stream": True}, b"<html>", headers=HTML),)
        ),
        "html_passed_on": exchange(
            CHAT,
            ASK,
            b"<html>",
            status=502,
            headers=HTML,
            upstream=(exchange(MESSAGES, ASK_MESSAGES, b"<html>", status=502),),
        ),
    },
    "ERR-012": {
        "traceback": spoilt_error("error.message", "Traceback (most recent call last): ..."),
        "path": spoilt_error("error.message", "cannot open /home/me/key"),
        "secret": spoilt_error("error.message", "key sk-proj-0123456789abcdefghijklmn is wrong"),
        "traceback_in_stream": chat_stream(
            [CHUNKS[0], but(ERROR, "error.message", "Traceback (most recent call last): ...")], done=False
        ),
    },
    "ERR-013": {"message_lost": chat(ERROR, status=429, upstream=(_RATE_LIMITED,))},
    "ERR-014": {
        "error_under_200": chat(ERROR),
        "failed_choice": spoilt("choices.0.error", {"message": "x"}),
        "anthropic_error_under_200": message(MESSAGE_ERROR),
    },
}


def _turns(body: dict[str, Any], *turns: Any, key: str = "messages") -> dict[str, Any]:
    return body | {key: list(turns)}


UPSTREAM: dict[str, dict[str, Exchange]] = {
    "XLT-02": {
        "message_extras": sent(but(ANTHROPIC_TURNS, "messages.0.annotations", [])),
        "text_input": sent(but(ANTHROPIC_TURNS, "messages.1.content.0.input", "{}")),
        "role_model": sent(but(ANTHROPIC_TURNS, "messages.1.role", "model")),
        "unknown_top_level": sent(ASK_MESSAGES | {"brand_new": 1}),
        "role_assistant": sent(but(GEMINI_TURNS, "contents.1.role", "assistant"), GENERATE),
        "two_things_in_a_part": sent(but(GEMINI_TURNS, "contents.1.parts.0.text", "x"), GENERATE),
        "no_contents": sent(ASK_GEMINI | {"contents": []}, GENERATE),
        "text_arguments_object": sent(but(OPENAI_TURNS, "messages.1.tool_calls.0.function.arguments", {}), CHAT),
        "empty_tool_calls": sent(but(OPENAI_TURNS, "messages.1.tool_calls", []), CHAT),
        "message_says_nothing": sent(_turns(ASK, USER, {"role": "assistant"}), CHAT),
        "tool_without_type": sent(but(OPENAI_TURNS, "tools.0.type"), CHAT),
        "nested_tool_flattened": sent(but(OPENAI_TURNS, "tools.0", {"type": "function", "name": "weather"}), CHAT),
    },
    "XLT-03": {
        "stop_to_anthropic": sent(ASK_MESSAGES | {"stop": ["x"]}),
        "parameters_to_anthropic": sent(ASK_MESSAGES | {"tools": [{"name": "a", "parameters": {}}]}),
        "max_tokens_to_gemini": sent(ASK_GEMINI | {"max_tokens": 5}, GENERATE),
        "system_to_openai": sent(ASK | {"system": "x"}, CHAT),
        "cache_mark_to_openai": sent(
            _turns(ASK, {"role": "user", "content": [TEXT | {"cache_control": {"type": "ephemeral"}}]}), CHAT
        ),
    },
    "XLT-06": {
        "two_user_turns": sent(_turns(ASK_MESSAGES, USER, USER)),
        "two_model_turns": sent(_turns(GEMINI_TURNS, *[GEMINI_TURNS["contents"][1]] * 2, key="contents"), GENERATE),
    },
    "XLT-07": {
        "unanswered": sent(_turns(ASK_MESSAGES, USER, CALLED, USER)),
        "text_first": sent(but(ANTHROPIC_TURNS, "messages.2.content", [TEXT, RESULT])),
        "orphan_result": sent(_turns(ASK_MESSAGES, {"role": "user", "content": [RESULT]})),
        "same_id_twice": sent(
            _turns(
                ASK_MESSAGES,
                USER,
                {"role": "assistant", "content": [TOOL_USE, TOOL_USE]},
                {"role": "user", "content": [RESULT, RESULT]},
            )
        ),
        "unanswered_last": sent(_turns(ASK_MESSAGES, USER, CALLED)),
        "orphan_tool_message": sent(_turns(ASK, USER, TOOL_MESSAGE), CHAT),
        "user_before_tool_message": sent(_turns(OPENAI_TURNS, *OPENAI_TURNS["messages"][:2], USER, TOOL_MESSAGE), CHAT),
    },
    "XLT-08": {
        "one_of_two": sent(but(GEMINI_TURNS, "contents.1.parts", [GEMINI_CALL] * 2), GENERATE),
        "unknown_name": sent(but(GEMINI_TURNS, "contents.2.parts.0.functionResponse.name", "unknown"), GENERATE),
    },
    "XLT-13": {
        "empty_text": sent(but(ANTHROPIC_TURNS, "messages.2.content.1.text", "")),
        "empty_system": sent(ASK_MESSAGES | {"system": [{"type": "text", "text": " "}]}),
        "empty_message": sent(_turns(ASK_MESSAGES, {"role": "user", "content": []})),
    },
    "XLT-17": {"no_max_tokens": sent(but(ASK_MESSAGES, "max_tokens")), "zero": sent(ASK_MESSAGES | {"max_tokens": 0})},
}
UPSTREAM["PRX-004"] = {
    f"{check.lower().replace('-', '_')}_{name}": exchange_
    for check, spoiled in UPSTREAM.items()
    if check != "XLT-06"
    for name, exchange_ in list(spoiled.items())[:1]
}
