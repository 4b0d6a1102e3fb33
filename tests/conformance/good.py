"""Exchanges that every check which applies to them must pass."""

from setu.http import Ending, Exchange
from tests.conformance.build import (
    ASK,
    ASK_FREE_STREAM,
    ASK_GEMINI,
    ASK_MESSAGES,
    ASK_MESSAGES_TOOLS,
    ASK_STREAM,
    ASK_TOOLS,
    ASK_TOOLS_STREAM,
    ASK_USAGE,
    CALL,
    CALL_CHUNKS,
    CALLING,
    CHAT,
    CHUNKS,
    COMPLETION,
    ERROR,
    FREE_CHUNKS,
    GEMINI_CHUNKS,
    GEMINI_ERROR,
    GEMINI_STREAM,
    GENERATE,
    MESSAGE_CALLING,
    MESSAGE_ERROR,
    MESSAGE_EVENTS,
    MESSAGES,
    OVERLOADED,
    USAGE_CHUNK,
    but,
    chat,
    chat_stream,
    chunk,
    exchange,
    gemini,
    gemini_stream,
    message,
    message_stream,
    silence,
    sse,
)
from tests.conformance.mutants_embeddings import GOOD_EMBEDDINGS
from tests.conformance.mutants_responses import GOOD_RESPONSES
from tests.conformance.spoilt import (
    ANTHROPIC_TURNS,
    BROKEN_MESSAGE,
    FAILED_MESSAGE,
    GEMINI_TURNS,
    HTML,
    MODELS,
    OPENAI_TURNS,
    PAUSED,
    sent,
)

GOOD: dict[str, Exchange] = {
    **GOOD_EMBEDDINGS,
    "plain": chat(),
    "plain, all options": chat(
        asked=ASK | {"n": 1, "stop": ["END"]}, headers={"date": "Mon, 21 Sep 2026 14:13:20 GMT"}
    ),
    "refused": chat(
        but(COMPLETION, "choices.0.message", {"role": "assistant", "content": None, "refusal": "no"}), drop=()
    ),
    "calls": chat(CALLING, ASK_TOOLS | {"tool_choice": "required"}),
    "one named call": chat(
        but(but(CALLING, "choices.0.message.tool_calls", [CALL]), "choices.0.finish_reason", "stop"),
        ASK_TOOLS
        | {"parallel_tool_calls": False, "tool_choice": {"type": "function", "function": {"name": "weather"}}},
    ),
    "no call": chat(asked=ASK_TOOLS | {"tool_choice": "none"}),
    "cut call": chat(
        but(
            but(CALLING, "choices.0.message.tool_calls", [but(CALL, "function.arguments", '{"ci')]),
            "choices.0.finish_reason",
            "length",
        ),
        ASK_TOOLS,
    ),
    "stream": chat_stream(CHUNKS),
    "stream with usage": chat_stream([*CHUNKS, USAGE_CHUNK], ASK_USAGE),
    "stream of calls": chat_stream(CALL_CHUNKS, ASK_TOOLS_STREAM),
    "stream of a call with free text": chat_stream(FREE_CHUNKS, ASK_FREE_STREAM),
    "two choices": chat_stream(
        [
            chunk({"role": "assistant"}, index=1),
            chunk({"role": "assistant"}),
            chunk({"content": "a"}),
            chunk({}, "stop", index=1),
            chunk({}, "stop"),
        ],
        ASK_STREAM | {"n": 2},
    ),
    "closed after the end": chat_stream(CHUNKS, end=Ending.CLOSED_BY_CLIENT),
    "nothing said on caching": chat_stream(CHUNKS, drop=("cache-control",)),
    "comments": exchange(CHAT, ASK_STREAM, b": hold on\n\n" + sse(*CHUNKS)),
    "error": chat(ERROR, status=400),
    "failed stream": chat_stream([*CHUNKS[:2], ERROR], done=False, upstream=(FAILED_MESSAGE,)),
    "truncated stream": chat_stream([*CHUNKS[:2], ERROR], done=False, upstream=(BROKEN_MESSAGE,)),
    "cut stream": chat_stream(CHUNKS[:2], done=False, end=Ending.TRUNCATED, upstream=(BROKEN_MESSAGE,)),
    "mapped error": chat(
        but(ERROR, "error.message", "busy"),
        status=429,
        headers={"retry-after": "7"},
        upstream=(message(OVERLOADED, status=429, headers={"retry-after": "7"}),),
    ),
    "wrapped error": chat(
        ERROR, status=502, upstream=(exchange(MESSAGES, ASK_MESSAGES, b"<html>", status=502, headers=HTML),)
    ),
    "nothing in a stream's place": chat(
        ERROR, ASK_STREAM, status=502, upstream=(exchange(MESSAGES, ASK_MESSAGES | {"stream": True}, b""),)
    ),
    "unreachable": chat(ERROR, status=502, upstream=(silence(),)),
    "paused": chat_stream(
        CHUNKS, arrivals=((0, 400), (390, 300)), upstream=(message_stream(MESSAGE_EVENTS, arrivals=PAUSED),)
    ),
    "key": chat(sent={"authorization": "Bearer sk-0123456789abcdef"}),
    "models": exchange("/v1/models", None, MODELS, method="GET"),
    "message": message(),
    "message with a call": message(MESSAGE_CALLING, ASK_MESSAGES_TOOLS),
    "message stream": message_stream(MESSAGE_EVENTS),
    "message error": message(MESSAGE_ERROR, status=400),
    "message stream error": FAILED_MESSAGE,
    "gemini": gemini(),
    "gemini stream": gemini_stream(GEMINI_CHUNKS),
    "gemini array": exchange(GEMINI_STREAM, ASK_GEMINI, GEMINI_CHUNKS),
    "gemini error": gemini(GEMINI_ERROR, status=400),
    "gemini stream error": gemini_stream([GEMINI_CHUNKS[0], GEMINI_ERROR]),
    "gemini blocked": gemini(
        {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 1, "totalTokenCount": 1}}
        | {"modelVersion": "m", "responseId": "r"}
    ),
    **GOOD_RESPONSES,
    "sent to anthropic": sent(ANTHROPIC_TURNS),
    "sent to gemini": sent(GEMINI_TURNS, GENERATE),
    "sent to openai": sent(OPENAI_TURNS, CHAT),
    "unknown member passed on": chat(asked=ASK | {"brand_new": 1}, upstream=(chat(asked=ASK | {"brand_new": 1}),)),
}
