"""Cohere's chat (API v2), natively; nobody's client speaks it. Source: docs.cohere.com/reference/chat (2026-11)."""

from typing import Any

from setu.conformance.natives import exact
from setu.conformance.natives.record import Json, Lanes, Native, cut, filled, frame, read_options
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
    calls,
    texts,
)
from setu.framing.frame import Frame

OPTIONS = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "p",
    "top_k": "k",
    "stop": "stop_sequences",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "logprobs": "logprobs",
}
WORDS = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL", "content_filter": "ERROR_TOXIC"}
CHOICES = {"REQUIRED": "required", "NONE": "none"}

# Requests ------------------------------------------------------------------------------------------------------------


def read(body: Json) -> Story:
    system: list[str] = []
    turns: list[Turn] = []
    names: dict[str, str] = {}
    for message in body["messages"]:
        items = tuple(_read_content(message.get("content")))
        match message["role"]:
            case "system":
                system += texts(items)
            case "tool":
                call = message["tool_call_id"]
                said = tuple(item for item in items if isinstance(item, (Say, Show)))
                turns.append(Turn("user", (Result(call, names.get(call, ""), said),)))
            case "assistant":
                made = [_read_call(call) for call in message.get("tool_calls") or ()]
                names |= {call.id: call.name for call in made}
                plan = [Think(message["tool_plan"])] if message.get("tool_plan") else []
                turns.append(Turn("assistant", (*plan, *items, *made)))
            case role:
                turns.append(Turn(role, items))
    tools = tuple(
        Tool(tool["function"]["name"], exact.plain(tool["function"]["parameters"])) for tool in body.get("tools") or ()
    )
    choice = CHOICES.get(body.get("tool_choice") or "")
    return Story(
        model=body["model"],
        system=tuple(system),
        turns=tuple(turns),
        tools=tools,
        choice=choice,
        schema=exact.plain((body.get("response_format") or {}).get("json_schema")),
        effort="on" if (body.get("thinking") or {}).get("type") == "enabled" else None,
        options=read_options(body, OPTIONS),
        stream=body.get("stream") is True,
    )


def _read_content(content: Any) -> list[Item]:
    if isinstance(content, str):
        return [Say(content)] if content else []
    return [_read_part(part) for part in content or ()]


def _read_part(part: Json) -> Item:
    match part["type"]:
        case "text":
            return Say(part["text"])
        case "thinking":
            return Think(part["thinking"])
        case "image_url":
            lead, _, data = part["image_url"]["url"].partition(",")
            return Show("image", lead.removeprefix("data:").removesuffix(";base64"), data)
    raise ValueError(f"no part of a message: {part['type']!r}")


def _read_call(call: Json) -> Call:
    return Call(call["id"], call["function"]["name"], call["function"]["arguments"])


# Answers -------------------------------------------------------------------------------------------------------------


def plain(answer: Answer) -> Json:
    (choice,) = answer.choices
    content = [_block(item) for item in choice.items if isinstance(item, (Say, Think))]
    made = [_call(call, call.arguments) for call in calls(choice.items)]
    message = {"role": "assistant"} | filled(content=content or None, tool_calls=made or None)
    return {"id": answer.id, "message": message, "finish_reason": _word(choice), "usage": _usage(answer.tokens)}


def _word(choice: Choice) -> str | None:
    return choice.word or WORDS.get(choice.finish or "")


def _block(item: Say | Think) -> Json:
    kind = "text" if isinstance(item, Say) else "thinking"
    return {"type": kind, kind: item.text}


def _call(call: Call, arguments: str) -> Json:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _usage(counts: Tokens) -> Json:
    """Return usage; what is billed is less than what was read."""
    billed = {"input_tokens": 1, "output_tokens": 1}
    tokens = {"input_tokens": counts.input, "output_tokens": counts.output}
    return {"billed_units": billed, "tokens": tokens, "cached_tokens": counts.cached or 0}


def lanes(answer: Answer, size: int) -> Lanes:
    """Cohere streams one thing after the other: there is one lane."""
    (choice,) = answer.choices
    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    head = _event("message-start", id=answer.id, delta={"message": empty})
    row: list[Frame] = []
    for index, item in enumerate(choice.items):
        row += _call_events(item, index, size) if isinstance(item, Call) else _content_events(item, index, size)
    delta = {"finish_reason": _word(choice), "usage": _usage(answer.tokens)}
    return Lanes((head,), (tuple(row),), (_event("message-end", delta=delta), frame(b"[DONE]")))


def _event(kind: str, **members: Any) -> Frame:
    return frame({"type": kind, **members}, kind)


def _content_events(item: Item, index: int, size: int) -> list[Frame]:
    assert isinstance(item, (Say, Think))
    kind = "text" if isinstance(item, Say) else "thinking"
    pieces = [{"message": {"content": {kind: piece}}} for piece in cut(item.text, size)]
    return [
        _event("content-start", index=index, delta={"message": {"content": {"type": kind, kind: ""}}}),
        *(_event("content-delta", index=index, delta=delta) for delta in pieces),
        _event("content-end", index=index),
    ]


def _call_events(call: Call, index: int, size: int) -> list[Frame]:
    pieces = [{"message": {"tool_calls": {"function": {"arguments": piece}}}} for piece in cut(call.arguments, size)]
    return [
        _event("tool-call-start", index=index, delta={"message": {"tool_calls": _call(call, "")}}),
        *(_event("tool-call-delta", index=index, delta=delta) for delta in pieces),
        _event("tool-call-end", index=index),
    ]


NATIVE = Native(
    name="cohere",
    read=read,
    turns=lambda body: list(body["messages"]),
    plain=plain,
    lanes=lanes,
    words=WORDS,
    others=("STOP_SEQUENCE", "ERROR", "TIMEOUT", "USER_CANCEL", "BRAND_NEW"),
    ids=r"[!-~]{1,40}",
    names=r".{1,}",
    options=OPTIONS,
    limits={"temperature": (0, 1), "top_p": (0.01, 0.99), "frequency_penalty": (0, 1), "presence_penalty": (0, 1)},
    thinks=True,
    counts=frozenset({"input", "output", "cached"}),
    separate=True,
    noise=(Frame(comment=b" keep-alive"), _event("debug", prompt="x"), _event("citation-end", index=0)),
    fault=_event("message-end", delta={"finish_reason": "ERROR", "usage": {}, "error": "internal server error"}),
)
