"""OpenAI Chat Completions, natively. Source: platform.openai.com/docs/api-reference/chat (2026-11)."""

from typing import Any

from setu.conformance.natives import exact
from setu.conformance.natives.openai_wrongs import CHAT_ILLEGAL, CHAT_NULLABLE
from setu.conformance.natives.record import (
    Asking,
    Json,
    Lanes,
    Native,
    cut,
    filled,
    frame,
    read_options,
    tokens,
    write_options,
)
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
    "max_tokens": "max_completion_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "stop": "stop",
    "seed": "seed",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "logprobs": "logprobs",
    "top_logprobs": "top_logprobs",
    "user": "user",
    "n": "n",
    "verbosity": "verbosity",
    "cache_key": "prompt_cache_key",
}
WORDS = {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "content_filter": "content_filter"}
MEANINGS = {word: meaning for meaning, word in WORDS.items()}

# Requests ------------------------------------------------------------------------------------------------------------


def ask(story: Story) -> Json:
    body: Json = {"model": story.model, "messages": [{"role": "system", "content": text} for text in story.system]}
    for turn in story.turns:
        body["messages"] += _assistant(turn) if turn.role == "assistant" else _user(turn)
    if story.tools:
        body["tools"] = [
            {"type": "function", "function": {"name": tool.name, "parameters": tool.schema}} for tool in story.tools
        ]
        choice = story.choice
        named = choice not in (None, "auto", "required", "none")
        body |= filled(tool_choice={"type": "function", "function": {"name": choice}} if named else choice)
        body |= filled(parallel_tool_calls=story.parallel)
    if story.schema is not None:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": story.schema}}
    body |= filled(reasoning_effort=story.effort)
    write_options(body, story, OPTIONS)
    if story.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def _user(turn: Turn) -> list[Json]:
    messages: list[Json] = [
        {"role": "tool", "tool_call_id": item.id, "content": "\n".join(texts(item.content))}
        for item in turn.items
        if isinstance(item, Result)
    ]
    parts = [_part(item) for item in turn.items if isinstance(item, (Say, Show))]
    lone = len(parts) == 1 and parts[0]["type"] == "text"
    if parts:
        messages.append({"role": "user", "content": parts[0]["text"] if lone else parts})
    return messages


def _part(item: Say | Show) -> Json:
    if isinstance(item, Say):
        return {"type": "text", "text": item.text}
    url = f"data:{item.mime};base64,{item.data}"
    if item.kind == "image":
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "file", "file": {"filename": "a.pdf", "file_data": url}}


def _assistant(turn: Turn) -> list[Json]:
    said = texts(turn.items)
    message: Json = {"role": "assistant", "content": "".join(said) if said else None}
    made = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in calls(turn.items)
    ]
    return [message | ({"tool_calls": made} if made else {})]


def read(body: Json) -> Story:
    system: list[str] = []
    turns: list[Turn] = []
    names: dict[str, str] = {}
    for message in body["messages"]:
        items = tuple(_read_content(message.get("content")))
        match message["role"]:
            case "system" | "developer":
                system += texts(items)
            case "tool":
                call = message["tool_call_id"]
                turns.append(Turn("user", (Result(call, names.get(call, ""), items),)))  # type: ignore[arg-type]  # tool content is text and images
            case "assistant":
                made = _read_calls(message)
                names |= {call.id: call.name for call in made}
                turns.append(Turn("assistant", (*_thoughts(message), *items, *made)))
            case role:
                turns.append(Turn(role, items))
    return Story(
        model=body.get("model", ""),
        system=tuple(system),
        turns=tuple(turns),
        tools=tuple(
            Tool(tool["function"]["name"], exact.plain(tool["function"].get("parameters")))
            for tool in body.get("tools") or ()
        ),
        choice=_read_choice(body.get("tool_choice")),
        parallel=body.get("parallel_tool_calls"),
        schema=exact.plain(((body.get("response_format") or {}).get("json_schema") or {}).get("schema")),
        effort=body.get("reasoning_effort") or (body.get("reasoning") or {}).get("effort"),  # OpenRouter's form
        options=read_options(body, {**OPTIONS, "max_tokens": "max_tokens"} if "max_tokens" in body else OPTIONS)
        | read_options(body, {"top_k": "top_k"}),
        stream=body.get("stream") is True,
    )


def _thoughts(message: Json) -> list[Item]:
    details = message.get("reasoning_details") or ()
    sealed = [Think(d.get("text") or "", d.get("signature") or d.get("data")) for d in details]
    text = message.get("reasoning_content") or message.get("reasoning")
    return [*sealed] or ([Think(text)] if text else [])


def _read_content(content: Any) -> list[Item]:
    if content is None:
        return []
    if isinstance(content, str):
        return [Say(content)]
    return [_read_part(part) for part in content]


def _read_part(part: Json) -> Item:
    match part["type"]:
        case "text":
            return Say(part["text"])
        case "image_url":
            return _data_url("image", part["image_url"]["url"])
        case "file":
            return _data_url("document", part["file"]["file_data"])
        case "document_url":  # Mistral's
            return _data_url("document", part["document_url"])
        case "thinking":
            return Think("".join(text["text"] for text in part["thinking"]))
    raise ValueError(f"no part of a chat message: {part['type']!r}")


def _data_url(kind: str, url: str) -> Show:
    lead, _, data = url.partition(",")
    return Show(kind, lead.removeprefix("data:").removesuffix(";base64"), data)


def _read_calls(message: Json) -> list[Call]:
    return [
        Call(
            call["id"],
            call["function"]["name"],
            call["function"]["arguments"],
            (((call.get("extra_content") or {}).get("google")) or {}).get("thought_signature"),
        )
        for call in message.get("tool_calls") or ()
    ]


def _read_choice(choice: Any) -> str | None:
    if isinstance(choice, dict):
        name = choice["function"]["name"] if "function" in choice else None
        return str(name) if name else None
    return choice if isinstance(choice, str) else None


# Answers -------------------------------------------------------------------------------------------------------------


def plain(answer: Answer) -> Json:
    return {
        **_head(answer, "chat.completion"),
        "choices": [
            {
                "index": index,
                "message": _message(choice),
                "logprobs": None,
                "finish_reason": choice.word or WORDS.get(choice.finish or ""),
            }
            for index, choice in enumerate(answer.choices)
        ],
        "usage": _usage(answer.tokens),
    }


def _head(answer: Answer, kind: str) -> Json:
    return {"id": f"chatcmpl-{answer.id}", "object": kind, "created": 1_790_000_000, "model": answer.model}


def _message(choice: Choice) -> Json:
    said = texts(choice.items)
    thought = "".join(item.text for item in choice.items if isinstance(item, Think))
    made = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in calls(choice.items)
    ]
    message: Json = {"role": "assistant", "content": "".join(said) if said else None, "refusal": None}
    return message | filled(reasoning_content=thought or None, tool_calls=made or None)


def _usage(counts: Tokens) -> Json:
    return {
        "prompt_tokens": counts.input,
        "completion_tokens": counts.output,
        "total_tokens": (counts.input or 0) + (counts.output or 0),
        "prompt_tokens_details": {"cached_tokens": counts.cached or 0},
        "completion_tokens_details": {"reasoning_tokens": counts.reasoning or 0},
    }


def lanes(answer: Answer, size: int) -> Lanes:
    head = _head(answer, "chat.completion.chunk")

    def chunk(index: int, delta: Json, finish: str | None = None) -> Frame:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return frame({**head, "choices": [choice], "usage": None})

    rows: list[tuple[Frame, ...]] = []
    first: list[Frame] = []
    last: list[Frame] = []
    for index, choice in enumerate(answer.choices):
        first.append(chunk(index, {"role": "assistant", "content": "", "refusal": None}))
        rows += [tuple(chunk(index, delta) for delta in row) for row in _rows(choice, size)]
        last.append(chunk(index, {}, choice.word or WORDS.get(choice.finish or "")))
    usage = frame({**head, "choices": [], "usage": _usage(answer.tokens)})
    return Lanes(tuple(first), tuple(rows), (*last, usage, frame(b"[DONE]")))


def _rows(choice: Choice, size: int) -> list[list[Json]]:
    """Return the deltas of a choice: its text in one row, each call in its own.

    Whoever thinks does so before all else: thinking is one string here, and what came of it after a call would be
    another paragraph of it. Such a choice is one row.
    """
    spoken: list[Json] = []
    rows: list[list[Json]] = [spoken]
    for item in choice.items:
        match item:
            case Say():
                spoken += [{"content": piece} for piece in cut(item.text, size)]
            case Think():
                spoken += [{"reasoning_content": piece} for piece in cut(item.text, size)]
            case Call():
                number = len(rows) - 1
                opening = {
                    "index": number,
                    "id": item.id,
                    "type": "function",
                    "function": {"name": item.name, "arguments": ""},
                }
                pieces: list[Json] = [
                    {"index": number, "function": {"arguments": piece}} for piece in cut(item.arguments, size)
                ]
                rows.append([{"tool_calls": [fragment]} for fragment in (opening, *pieces)])
            case _:
                raise TypeError(f"no part of an answer: {item!r}")
    thinks = any(isinstance(item, Think) for item in choice.items)
    return [[delta for row in rows for delta in row]] if thinks else rows


def hear(document: Json) -> Answer:
    usage = document.get("usage") or {}
    return Answer(
        id=document["id"],
        model=document["model"],
        choices=tuple(
            Choice(
                items=(
                    *_heard(choice["message"]),
                    *_read_calls(choice["message"]),
                ),
                finish=MEANINGS.get(choice["finish_reason"]),
                word=choice["finish_reason"],
            )
            for choice in sorted(document["choices"], key=lambda choice: int(choice["index"]))
        ),
        tokens=tokens(
            usage,
            "prompt_tokens",
            "completion_tokens",
            "prompt_tokens_details.cached_tokens",
            "completion_tokens_details.reasoning_tokens",
        ),
    )


def _heard(message: Json) -> list[Item]:
    thought = message.get("reasoning_content")
    said = (message.get("content") or "") + (message.get("refusal") or "")
    return [*([Think(thought)] if thought else []), *([Say(said)] if said else [])]


def echo(request: Json, answer: Json) -> Json:
    return {**request, "messages": [*request["messages"], answer["choices"][0]["message"]]}


def answered(request: Json, results: tuple[Result, ...]) -> Json:
    """Add the results of the calls that were echoed."""
    return {**request, "messages": [*request["messages"], *_user(Turn("user", results))]}


# What is wrong or indifferent ----------------------------------------------------------------------------------------


def _empties(request: Json) -> Json:
    messages = [
        {**message, "tool_calls": []} if message["role"] == "assistant" and "tool_calls" not in message else message
        for message in request["messages"]
    ]
    return {**request, "messages": messages}


def _fragments(chunk: Json) -> list[tuple[int, int, str | None, str | None, str]]:
    return [
        (
            choice["index"],
            call["index"],
            call.get("id"),
            call.get("function", {}).get("name"),
            call.get("function", {}).get("arguments", ""),
        )
        for choice in chunk.get("choices", ())
        for call in choice["delta"].get("tool_calls") or ()
    ]


def _finishes(chunk: Json) -> list[tuple[int, str]]:
    return [(c["index"], c["finish_reason"]) for c in chunk.get("choices", ()) if c["finish_reason"] is not None]


NATIVE = Native(
    name="openai_chat",
    read=read,
    turns=lambda body: list(body["messages"]),
    plain=plain,
    lanes=lanes,
    words=WORDS,
    others=("function_call", "eos", "end_turn", "STOP", "max_tokens", "brand_new"),
    ids=r"[\x21-\x7e]{1,40}",
    names=r"[a-zA-Z0-9_-]{1,64}",
    options=OPTIONS,
    limits={"temperature": (0, 2), "top_p": (0, 1)},
    choices=3,
    thinks=True,
    counts=frozenset({"input", "output", "cached", "reasoning"}),
    noise=(
        Frame(comment=b" OPENROUTER PROCESSING"),
        frame({"id": "", "object": "", "created": 0, "model": "", "choices": []}),  # Azure's odd first chunk
    ),
    fault=frame({"error": {"message": "the model fell over", "type": "server_error", "param": None, "code": None}}),
    asking=Asking(
        path=lambda model, stream: ("/v1/chat/completions", ""),  # noqa: ARG005 - the body says both
        ask=ask,
        hear=hear,
        echo=echo,
        answered=answered,
        nullable=CHAT_NULLABLE,
        empties=_empties,
        illegal=CHAT_ILLEGAL,
        fragments=_fragments,
        finishes=_finishes,
        ends=lambda sent: sent.data == b"[DONE]",
        partial=lambda document: {c["index"]: c["message"].get("content") or "" for c in document["choices"]},
        stamps=lambda chunk: {name: chunk.get(name) for name in ("id", "created", "model", "object")},
    ),
)
