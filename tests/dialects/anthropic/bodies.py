"""Legal Anthropic bodies, and requests that may have come from any dialect."""

import json
from typing import Any

from hypothesis import strategies as st

from setu.chat.parts import (
    HostedCall,
    Inline,
    Media,
    Opaque,
    Plain,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Url,
)
from setu.chat.request import ChatRequest, FunctionTool, Message, Options, Output, Thinking, ToolChoice
from setu.chat.seals import CacheMark, Cite, Extra, Seal

WORDS = st.text(st.sampled_from('abé \n\U0001f600{}"'), min_size=1, max_size=8).filter(str.strip)
IDS = st.sampled_from(["toolu_1", "toolu_2", "call.with/odd chars", "x" * 90])
NUMBERS = st.one_of(st.integers(-(10**30), 10**30), st.floats(allow_nan=False, allow_infinity=False))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(WORDS, JSON, max_size=3)

_CACHE = st.sampled_from(
    [{}, {"cache_control": {"type": "ephemeral"}}, {"cache_control": {"type": "ephemeral", "ttl": "1h"}}]
)


def _with(block: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return block | more


_TEXT = st.builds(lambda text, cache: _with({"type": "text", "text": text}, cache), WORDS, _CACHE)
_PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgoAAAANSUhEUg=="}
_IMAGE = st.builds(
    lambda source, cache: _with({"type": "image", "source": source}, cache),
    st.sampled_from([_PNG, {"type": "url", "url": "https://example.com/a.png"}, {"type": "file", "file_id": "file_1"}]),
    _CACHE,
)
_DOCUMENT = st.builds(
    lambda source, title, cited: {
        "type": "document",
        "source": source,
        "title": title,
        "citations": {"enabled": cited},
    },
    st.sampled_from(
        [
            {"type": "text", "media_type": "text/plain", "data": "words"},
            {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"},
            {"type": "content", "content": [{"type": "text", "text": "chunk"}]},
        ]
    ),
    WORDS,
    st.booleans(),
)
_UNKNOWN = st.builds(lambda value: {"type": "container_upload", "file_id": "f", "of_tomorrow": value}, JSON)
_USER = st.one_of(_TEXT, _IMAGE, _DOCUMENT, _UNKNOWN)
_THINKING = st.one_of(
    st.builds(lambda text, seal: {"type": "thinking", "thinking": text, "signature": seal}, WORDS, WORDS),
    st.builds(lambda seal: {"type": "redacted_thinking", "data": seal}, WORDS),
)
_CALL = st.builds(
    lambda number, value: {"type": "tool_use", "id": f"toolu_{number}", "name": "look_up", "input": value},
    st.integers(0, 10**6),
    OBJECTS,
)
_HOSTED = st.builds(
    lambda value, result: [
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": value},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": result},
    ],
    OBJECTS,
    st.lists(OBJECTS, max_size=2),
)


def _exchange(user: list[Any], said: list[Any], calls: list[Any], hosted: list[Any], answers: list[Any]) -> list[Any]:
    """One round: the user asks, the assistant thinks, talks and calls, and each call is answered in the next turn."""
    calls = list({call["id"]: call for call in calls}.values())
    results = [
        {"type": "tool_result", "tool_use_id": call["id"], "content": content, "is_error": False}
        for call, content in zip(calls, answers * 3, strict=False)
    ]
    turns = [{"role": "user", "content": user}, {"role": "assistant", "content": [*said, *hosted, *calls]}]
    return [*turns, {"role": "user", "content": [*results, {"type": "text", "text": "and now?"}]}]


CONVERSATIONS = st.builds(
    _exchange,
    st.lists(_USER, min_size=1, max_size=3),
    st.lists(st.one_of(_THINKING, _TEXT), min_size=1, max_size=3),
    st.lists(_CALL, max_size=3),
    st.one_of(st.just([]), _HOSTED),
    st.lists(st.lists(st.one_of(_TEXT, _IMAGE), min_size=1, max_size=2), min_size=1, max_size=2),
)
_TOOL = st.builds(
    lambda schema, more: {"name": "look_up", "description": "d", "input_schema": {"type": "object"} | schema} | more,
    OBJECTS,
    st.sampled_from([{}, {"strict": True}, {"defer_loading": True}, {"eager_input_streaming": True}]),
)
_SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 1),
        "top_k": st.integers(0, 100),
        "stop_sequences": st.lists(WORDS, min_size=1, max_size=2),
        "metadata": st.just({"user_id": "u"}),
        "service_tier": st.sampled_from(["auto", "standard_only"]),
        "container": st.just("container_1"),
        "stream": st.just(True),
        "system": st.lists(_TEXT, min_size=1, max_size=2),
        "output_config": st.sampled_from(
            [{"effort": "high"}, {"format": {"type": "json_schema", "schema": {"type": "object"}}}]
        ),
    },
)


def _body(messages: list[Any], tool: Any, choice: Any, settings: dict[str, Any]) -> bytes:
    members = {"model": "claude", "max_tokens": 100, "messages": messages, "tools": [tool], "tool_choice": choice}
    return json.dumps(members | settings, ensure_ascii=False).encode()


BODIES = st.builds(
    _body,
    CONVERSATIONS,
    _TOOL,
    st.sampled_from(
        [
            {"type": "auto"},
            {"type": "any"},
            {"type": "tool", "name": "look_up"},
            {"type": "none"},
            {"type": "auto", "disable_parallel_tool_use": True},
        ]
    ),
    _SETTINGS,
)
"""Requests of a client of Anthropic, in the spelling that Setu writes: they come back as they were."""

_ANSWER_BLOCKS = st.lists(
    st.one_of(_TEXT.map(lambda block: {"type": "text", "text": block["text"]}), _THINKING, _CALL), max_size=4
)
ANSWERS = st.builds(
    lambda content, word, usage: {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": content,
        "stop_reason": "tool_use" if word == "end_turn" and any(b["type"] == "tool_use" for b in content) else word,
        "stop_sequence": None,
        "usage": usage,
    },
    _ANSWER_BLOCKS,
    st.sampled_from(["end_turn", "max_tokens", "refusal", "pause_turn", "model_context_window_exceeded"]),
    st.fixed_dictionaries(
        {"input_tokens": st.integers(0, 10**6), "output_tokens": st.integers(0, 10**6)},
        optional={
            "cache_read_input_tokens": st.integers(0, 10**6),
            "cache_creation_input_tokens": st.integers(0, 10**6),
            "output_tokens_details": st.builds(lambda n: {"thinking_tokens": n}, st.integers(0, 100)),
        },
    ),
)
"""Whole answers of Anthropic."""

_MARKS = {
    "cache": st.one_of(st.none(), st.builds(CacheMark, ttl=st.sampled_from([None, "5m", "30d"]))),
    "extra": st.one_of(st.none(), st.just(Extra(dialect="openai_chat", members={"annotations": b"[]"}))),
}
_LOOSE = st.text(st.sampled_from("ab \n"), max_size=4)
_SEALS = st.one_of(
    st.none(),
    st.builds(lambda issuer: Seal(issuer=issuer, kind="signature", data="s"), st.sampled_from(["anthropic", "gemini"])),
)
_ARGUMENTS = st.one_of(OBJECTS.map(json.dumps), st.sampled_from(["", " ", "{", "[1]", '{"a":', "1e999"]))
_PARTS = st.one_of(
    st.builds(Text, text=_LOOSE, cites=st.sampled_from([(), (Cite(kind="url_citation", dialect="x"),)]), **_MARKS),
    st.builds(Refusal, text=_LOOSE),
    st.builds(Reasoning, text=st.lists(_LOOSE, max_size=2).map(tuple), seal=_SEALS),
    st.builds(ToolCall, call_id=IDS, name=st.just("f"), arguments=_ARGUMENTS, seal=_SEALS, **_MARKS),
    st.builds(HostedCall, call_id=IDS, tool=st.just("web_search_call"), dialect=st.just("openai_responses")),
    st.builds(Opaque, dialect=st.just("gemini"), kind=st.just("x"), raw=st.just(b"{}")),
)
_MEDIA = st.builds(
    Media,
    kind=st.sampled_from(["image", "document"]),
    source=st.sampled_from(
        [
            Inline(b64="/9j/4AAQSkZJRgABAQ==", mime="image/jpg"),
            Inline(b64="JVBERi0xLjQK", mime="application/pdf"),
            Url(url="https://example.com/x"),
            Plain(text="notes"),
        ]
    ),
    name=st.sampled_from([None, "a.pdf"]),
    detail=st.sampled_from([None, "low"]),
)
_RESULTS = st.builds(
    ToolResult,
    call_id=IDS,
    name=st.just("f"),
    content=st.lists(st.one_of(st.builds(Text, text=_LOOSE), _MEDIA), max_size=2).map(tuple),
)
_MESSAGES = st.one_of(
    st.builds(lambda parts: Message(role="assistant", parts=tuple(parts)), st.lists(_PARTS, max_size=3)),
    st.builds(lambda parts: Message(role="user", parts=tuple(parts)), st.lists(_PARTS | _MEDIA, max_size=3)),
    st.builds(lambda parts: Message(role="tool", parts=tuple(parts)), st.lists(_RESULTS, max_size=2)),
    st.builds(
        lambda role, text: Message(role=role, parts=(Text(text=text),)),
        st.sampled_from(["system", "developer"]),
        _LOOSE,
    ),
)
_TOOLS = st.builds(
    FunctionTool,
    name=st.just("f"),
    description=st.sampled_from([None, "d"]),
    schema=st.sampled_from([None, b'{"type":"object","properties":{"n":{"const":1.10}}}']),
    strict=st.sampled_from([None, True, False]),
)
_OPTIONS = st.builds(
    Options,
    max_tokens=st.sampled_from([None, 1, 1500, 10**6]),
    temperature=st.sampled_from([None, 0.0, 0.5, 2.0]),
    top_p=st.sampled_from([None, 0.5, 1.0]),
    top_k=st.sampled_from([None, 5]),
    stop=st.sampled_from([None, ("\n",), ("END", " ")]),
    n=st.sampled_from([None, 1]),
    seed=st.sampled_from([None, 1]),
    user=st.sampled_from([None, "u"]),
    service_tier=st.sampled_from([None, "auto", "flex", "priority"]),
)
_THINKS = st.builds(
    Thinking,
    mode=st.sampled_from([None, "on", "off", "adaptive"]),
    effort=st.sampled_from([None, "none", "minimal", "high", "max", "ultra"]),
    budget=st.sampled_from([None, -1, 100, 5000]),
    show=st.sampled_from([None, "none", "summary", "full"]),
)
REQUESTS = st.builds(
    ChatRequest,
    model=st.just("m"),
    messages=st.lists(_MESSAGES, max_size=6).map(
        lambda messages: (*messages, Message(role="user", parts=(Text(text="go"),)))
    ),
    tools=st.lists(_TOOLS, max_size=1).map(tuple),
    tool_choice=st.sampled_from([None, ToolChoice(mode="auto"), ToolChoice(mode="required"), ToolChoice(mode="none")]),
    parallel=st.sampled_from([None, True, False]),
    output=st.sampled_from([None, Output(kind="text"), Output(kind="schema", schema=b'{"type":"object"}')]),
    thinking=st.none() | _THINKS,
    options=_OPTIONS,
    stream=st.booleans(),
)
"""Requests as any dialect's parser may leave them."""
