"""Anthropic Messages, natively. Source: docs.claude.com/en/api/messages (2026-11)."""

from typing import Any

from setu._json import Raw
from setu.conformance.natives import exact
from setu.conformance.natives.record import Asking, Json, Lanes, Native, cut, frame, get, read_options, write_options
from setu.conformance.natives.values import (
    Answer,
    Call,
    Choice,
    Item,
    Result,
    Say,
    Show,
    Story,
    Think,
    Tokens,
    Tool,
    Turn,
)
from setu.framing.frame import Frame

OPTIONS = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "stop": "stop_sequences",
    "user": "metadata.user_id",
}
WORDS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
MEANINGS = {word: meaning for meaning, word in WORDS.items()} | {"stop_sequence": "stop"}
CHOICES = {"auto": "auto", "required": "any", "none": "none"}

# Requests ------------------------------------------------------------------------------------------------------------


def ask(story: Story) -> Json:
    body: Json = {"model": story.model, "max_tokens": 64, "messages": [_message(turn) for turn in story.turns]}
    if story.system:
        body["system"] = [{"type": "text", "text": text} for text in story.system]
    if story.tools:
        body["tools"] = [{"name": tool.name, "input_schema": tool.schema} for tool in story.tools]
    if story.tools and (story.choice or story.parallel is not None):
        choice = story.choice or "auto"
        chosen = {"type": CHOICES[choice]} if choice in CHOICES else {"type": "tool", "name": choice}
        single = story.parallel is False and choice != "none"
        body["tool_choice"] = chosen | ({"disable_parallel_tool_use": True} if single else {})
    if story.schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": story.schema}}
    write_options(body, story, OPTIONS)
    if story.effort is not None:
        body |= {"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 8192}
        for name in ("temperature", "top_p", "top_k"):  # no sampling while thinking
            body.pop(name, None)
    return body | ({"stream": True} if story.stream else {})


def _message(turn: Turn) -> Json:
    blocks = [_block(item) for item in turn.items]
    blocks.sort(key=lambda block: block["type"] != "tool_result")
    lone = len(blocks) == 1 and blocks[0]["type"] == "text"
    return {"role": turn.role, "content": blocks[0]["text"] if lone else blocks}


def _block(item: Item) -> Json:
    match item:
        case Say():
            return {"type": "text", "text": item.text}
        case Show():
            source = {"type": "base64", "media_type": item.mime, "data": item.data}
            return {"type": item.kind, "source": source}
        case Think():
            return {"type": "thinking", "thinking": item.text, "signature": item.seal or ""}
        case Call():
            return {"type": "tool_use", "id": item.id, "name": item.name, "input": Raw(item.arguments.encode())}
        case Result():
            content = [_block(inner) for inner in item.content]
            failed = {"is_error": True} if item.failed else {}
            return {"type": "tool_result", "tool_use_id": item.id, "content": content} | failed


def read(body: Json) -> Story:
    names: dict[str, str] = {}
    turns = [Turn(message["role"], _read_content(message["content"], names)) for message in body["messages"]]
    choice = body.get("tool_choice") or {}
    meant = {word: name for name, word in CHOICES.items()}
    system = _read_content(body.get("system") or [], names)
    return Story(
        model=body.get("model", ""),
        system=tuple(item.text for item in system if isinstance(item, Say)),
        turns=tuple(turns),
        tools=tuple(Tool(tool["name"], exact.plain(tool["input_schema"])) for tool in body.get("tools") or ()),
        choice=choice.get("name") or meant.get(choice.get("type", "")),
        parallel=False if choice.get("disable_parallel_tool_use") else None,
        schema=exact.plain(get(body, "output_config.format.schema") or get(body, "output_format.schema")),
        effort=_effort(body),
        options=read_options(body, OPTIONS),
        stream=body.get("stream") is True,
    )


def _effort(body: Json) -> str | None:
    effort = get(body, "output_config.effort")
    thinks = get(body, "thinking.type") in ("enabled", "adaptive")
    return effort if isinstance(effort, str) else "on" if thinks else None


def _read_content(content: Any, names: dict[str, str]) -> tuple[Item, ...]:
    if isinstance(content, str):
        return (Say(content),)
    return tuple(_read_block(block, names) for block in content)


def _read_block(block: Json, names: dict[str, str]) -> Item:
    match block["type"]:
        case "text":
            return Say(block["text"])
        case "image" | "document" as kind:
            source = block["source"]
            return Show(kind, source["media_type"], source["data"])
        case "thinking":
            return Think(block["thinking"], block["signature"])
        case "redacted_thinking":
            return Think("", block["data"])
        case "tool_use":
            names[block["id"]] = block["name"]
            return Call(block["id"], block["name"], exact.dump(block["input"]))
        case "tool_result":
            content = _read_content(block.get("content") or [], names)
            name = names.get(block["tool_use_id"], "")
            return Result(block["tool_use_id"], name, content, bool(block.get("is_error")))  # type: ignore[arg-type]  # results hold text and media
    raise ValueError(f"no block of a message: {block['type']!r}")


# Answers -------------------------------------------------------------------------------------------------------------


def plain(answer: Answer) -> Json:
    choice = answer.choices[0]
    return {
        **_head(answer),
        "content": [_block(item) for item in choice.items],
        "stop_reason": choice.word or WORDS.get(choice.finish or ""),
        "usage": _usage(answer.tokens),
    }


def _head(answer: Answer) -> Json:
    return {
        "id": f"msg_{answer.id}",
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _usage(counts: Tokens) -> Json:
    cached = counts.cached or 0
    return {
        "input_tokens": (counts.input or 0) - cached,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": counts.output,
    }


def lanes(answer: Answer, size: int) -> Lanes:
    choice = answer.choices[0]
    usage = _usage(answer.tokens)
    start = _event({"type": "message_start", "message": {**_head(answer), "usage": {**usage, "output_tokens": 1}}})
    lane = tuple(_event(event) for index, item in enumerate(choice.items) for event in _block_events(index, item, size))
    delta = {"stop_reason": choice.word or WORDS.get(choice.finish or ""), "stop_sequence": None}
    end = {"type": "message_delta", "delta": delta, "usage": {"output_tokens": usage["output_tokens"]}}
    return Lanes((start,), (lane,), (_event(end), _event({"type": "message_stop"})))


def _event(data: Json) -> Frame:
    return frame(data, data["type"])


def _block_events(index: int, item: Item, size: int) -> list[Json]:
    match item:
        case Say():
            block: Json = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": piece} for piece in cut(item.text, size)]
        case Think():
            block = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in cut(item.text, size)]
            deltas.append({"type": "signature_delta", "signature": item.seal or ""})
        case Call():
            block = {"type": "tool_use", "id": item.id, "name": item.name, "input": {}}
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in cut(item.arguments, size)]
        case _:
            raise TypeError(f"no part of an answer: {item!r}")
    start = {"type": "content_block_start", "index": index, "content_block": block}
    rows = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    return [start, *rows, {"type": "content_block_stop", "index": index}]


def hear(document: Json) -> Answer:
    usage = document.get("usage") or {}
    read_, written = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
    total = usage.get("input_tokens")
    return Answer(
        id=document["id"],
        model=document["model"],
        choices=(
            Choice(
                items=_read_content(document["content"], {}),
                finish=MEANINGS.get(document["stop_reason"] or ""),
                word=document["stop_reason"],
            ),
        ),
        tokens=Tokens(
            input=None if total is None else total + (read_ or 0) + (written or 0),
            output=usage.get("output_tokens"),
            cached=read_,
        ),
    )


def echo(request: Json, answer: Json) -> Json:
    return {**request, "messages": [*request["messages"], {"role": "assistant", "content": answer["content"]}]}


def answered(request: Json, results: tuple[Result, ...]) -> Json:
    """Add the results of the calls that were echoed."""
    return {**request, "messages": [*request["messages"], _message(Turn("user", results))]}


# What is wrong or indifferent ----------------------------------------------------------------------------------------

ILLEGAL = {
    "no messages": lambda body: {**body, "messages": []},
    "messages missing": lambda body: {name: value for name, value in body.items() if name != "messages"},
    "no max_tokens": lambda body: {name: value for name, value in body.items() if name != "max_tokens"},
    "unknown role": lambda body: {**body, "messages": [*body["messages"], {"role": "wizard", "content": "hi"}]},
    "content is a number": lambda body: {**body, "messages": [*body["messages"], {"role": "user", "content": 5}]},
    "a message is text": lambda body: {**body, "messages": [*body["messages"], "hi"]},
    "temperature out of range": lambda body: {**body, "temperature": 1.5},
    "tools is text": lambda body: {**body, "tools": "none"},
    "max_tokens is text": lambda body: {**body, "max_tokens": "many"},
    "orphan result": lambda body: {
        **body,
        "messages": [*body["messages"], _message(Turn("user", (Result("toolu_nobody", "f", (Say("x"),)),)))],
    },
}


def _fragments(event: Json) -> list[tuple[int, int, str | None, str | None, str]]:
    block, delta = event.get("content_block") or {}, event.get("delta") or {}
    if block.get("type") == "tool_use":
        return [(0, event["index"], block["id"], block["name"], "")]
    if delta.get("type") == "input_json_delta":
        return [(0, event["index"], None, None, delta["partial_json"])]
    return []


def _finishes(event: Json) -> list[tuple[int, str]]:
    word = (event.get("delta") or {}).get("stop_reason") if event.get("type") == "message_delta" else None
    return [(0, word)] if word is not None else []


NATIVE = Native(
    name="anthropic",
    read=read,
    turns=lambda body: list(body["messages"]),
    plain=plain,
    lanes=lanes,
    words=WORDS,
    others=("stop_sequence", "pause_turn", "model_context_window_exceeded", "brand_new"),
    ids=r"[a-zA-Z0-9_-]{1,64}",
    names=r"[a-zA-Z0-9_-]{1,64}",
    options=OPTIONS,
    limits={"temperature": (0, 1), "top_p": (0, 1)},
    thinks=True,
    seals_thoughts=True,
    counts=frozenset({"input", "output", "cached"}),
    separate=True,
    alternates=True,
    forbids_blank=True,
    noise=(_event({"type": "ping"}), _event({"type": "brand_new_event", "value": 1}), Frame(comment=b" keep-alive")),
    fault=_event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    asking=Asking(
        path=lambda model, stream: ("/v1/messages", ""),  # noqa: ARG005 - the body says both
        ask=ask,
        hear=hear,
        echo=echo,
        answered=answered,
        words=("stop_sequence", "pause_turn", "model_context_window_exceeded"),
        nullable=("container", "inference_geo"),
        illegal=ILLEGAL,
        fragments=_fragments,
        finishes=_finishes,
        ends=lambda sent: sent.event == "message_stop",
        partial=lambda document: {0: "".join(block.get("text", "") for block in document["content"])},
        stamps=lambda event: {},  # noqa: ARG005 - one event alone has them
    ),
)
