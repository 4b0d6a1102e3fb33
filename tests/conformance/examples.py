"""Examples by check: exchanges that its judge minds, alone, in pairs and in sets."""

from setu.http import Exchange
from tests.conformance.build import (
    ASK_MESSAGES_TOOLS,
    ASK_TOOLS,
    ASK_TOOLS_STREAM,
    ASK_USAGE,
    CALL_CHUNKS,
    CALLING,
    CHUNKS,
    CREATED,
    GEMINI_CHUNKS,
    MESSAGE,
    MESSAGE_CALLING,
    MESSAGE_EVENTS,
    TOOL_USE,
    USAGE_CHUNK,
    chat,
    chat_stream,
    gemini,
    gemini_stream,
    message,
    message_stream,
)
from tests.conformance.good import GOOD
from tests.conformance.mutants_embeddings import EMBEDDINGS
from tests.conformance.mutants_gateway import FAILURES, UPSTREAM
from tests.conformance.mutants_native import ANTHROPIC, GOOGLE
from tests.conformance.mutants_openai import ANSWERS, CALLS, STREAMS, TRANSPORT
from tests.conformance.mutants_responses import RESPONSES_CLIENT
from tests.conformance.spoilt import ANTHROPIC_TURNS, ARGUMENTS, sent, spoilt, spoilt_chunks

MUTANTS: dict[str, dict[str, Exchange]] = (
    TRANSPORT | ANSWERS | STREAMS | CALLS | FAILURES | ANTHROPIC | GOOGLE | EMBEDDINGS | RESPONSES_CLIENT | UPSTREAM
)

_STREAMED_CALLS = chat_stream(CALL_CHUNKS, ASK_TOOLS_STREAM)
_WITH_USAGE = chat_stream([*CHUNKS, USAGE_CHUNK], ASK_USAGE)

GOOD_PAIRS: dict[str, tuple[Exchange, Exchange]] = {
    "text": (_WITH_USAGE, chat()),
    "calls": (_STREAMED_CALLS, chat(CALLING, ASK_TOOLS)),
    "messages": (
        message_stream(MESSAGE_EVENTS),
        message(MESSAGE_CALLING | {"content": [MESSAGE["content"][0], TOOL_USE]}, ASK_MESSAGES_TOOLS),
    ),
    "gemini": (gemini_stream(GEMINI_CHUNKS), gemini()),
    "replay": (chat(), chat()),
}

PAIR_MUTANTS: dict[str, dict[str, tuple[Exchange, Exchange]]] = {
    "STR-011": {
        "text_lost": (chat_stream([CHUNKS[0], CHUNKS[1], CHUNKS[3]]), chat()),
        "finish_differs": (spoilt_chunks("3.choices.0.finish_reason", "length"), chat()),
        "gemini_text_lost": (gemini_stream(GEMINI_CHUNKS[1:]), gemini()),
    },
    "TOOL-020": {
        "call_lost": (chat_stream([*CALL_CHUNKS[:4], CALL_CHUNKS[5]], ASK_TOOLS_STREAM), chat(CALLING, ASK_TOOLS)),
        "arguments_differ": (_STREAMED_CALLS, spoilt(ARGUMENTS, '{"city": "Oslo"}', CALLING, ASK_TOOLS)),
        "tool_input_lost": (
            message_stream([*MESSAGE_EVENTS[:6], *MESSAGE_EVENTS[8:]]),
            message(MESSAGE_CALLING, ASK_MESSAGES_TOOLS),
        ),
    },
    "USG-006": {
        "count_differs": (
            _WITH_USAGE,
            spoilt("usage", {"prompt_tokens": 10, "completion_tokens": 6, "total_tokens": 16}),
        )
    },
    "PRX-003": {"byte_differs": (chat(), spoilt("id", "chatcmpl-2")), "status_differs": (chat(), chat(status=201))},
}

GOOD_SETS: dict[str, tuple[Exchange, ...]] = {
    "ids differ": (chat(), spoilt("id", "chatcmpl-2"), GOOD["error"]),
    "one script twice": (sent(ANTHROPIC_TURNS), sent(ANTHROPIC_TURNS)),
}
SET_MUTANTS: dict[str, dict[str, tuple[Exchange, ...]]] = {
    "CHAT-012": {"id_twice": (chat(), spoilt("created", CREATED + 1)), "stream_id_twice": (chat(), chat_stream(CHUNKS))}
}
