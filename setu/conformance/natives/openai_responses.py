"""OpenAI Responses, natively. Source: platform.openai.com/docs/api-reference/responses (2026-11)."""

from typing import Any

from setu.conformance.natives import exact
from setu.conformance.natives.openai_wrongs import RESPONSES_ILLEGAL, RESPONSES_NULLABLE
from setu.conformance.natives.record import (
    Asking,
    Json,
    Lanes,
    Native,
    cut,
    filled,
    frame,
    get,
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
    texts,
)
from setu.framing.frame import Frame

OPTIONS = {
    "max_tokens": "max_output_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "user": "user",
    "verbosity": "text.verbosity",
    "cache_key": "prompt_cache_key",
    "top_logprobs": "top_logprobs",
}
WORDS = {
    "stop": "completed",
    "length": "max_output_tokens",
    "tool_calls": "completed",
    "content_filter": "content_filter",
}
_TERMINAL = frozenset({"response.completed", "response.incomplete"})
"""How an answer ends; `response.failed` is an error."""

# Requests ------------------------------------------------------------------------------------------------------------


def ask(story: Story) -> Json:
    body: Json = {"model": story.model, "input": [item for turn in story.turns for item in _items(turn)]}
    if story.system:
        body["instructions"] = story.system[0]
        body["input"] = [{"role": "system", "content": text} for text in story.system[1:]] + body["input"]
    if story.tools:
        body["tools"] = [
            {"type": "function", "name": tool.name, "parameters": tool.schema, "strict": None} for tool in story.tools
        ]
        named = story.choice not in (None, "auto", "required", "none")
        choice: Any = {"type": "function", "name": story.choice} if named else story.choice
        body |= filled(tool_choice=choice, parallel_tool_calls=story.parallel)
    write_options(body, story, OPTIONS)
    if story.schema is not None:
        form = {"type": "json_schema", "name": "answer", "schema": story.schema}
        body["text"] = {**body.get("text", {}), "format": form}
    if story.effort is not None:
        body["reasoning"] = {"effort": story.effort}
    return body | ({"stream": True} if story.stream else {})


def _items(turn: Turn) -> list[Json]:
    if turn.role == "assistant":
        return [_output(item) for item in turn.items if not isinstance(item, Think)]
    items: list[Json] = [
        {"type": "function_call_output", "call_id": item.id, "output": "\n".join(texts(item.content))}
        for item in turn.items
        if isinstance(item, Result)
    ]
    content = [_part(item) for item in turn.items if isinstance(item, (Say, Show))]
    return [*items, *([{"type": "message", "role": "user", "content": content}] if content else [])]


def _output(item: Item) -> Json:
    if isinstance(item, Say):
        return {"role": "assistant", "content": item.text}
    if isinstance(item, Call):
        return {"type": "function_call", "call_id": item.id, "name": item.name, "arguments": item.arguments}
    raise TypeError(f"no item of an assistant: {item!r}")


def _part(item: Say | Show) -> Json:
    if isinstance(item, Say):
        return {"type": "input_text", "text": item.text}
    url = f"data:{item.mime};base64,{item.data}"
    if item.kind == "image":
        return {"type": "input_image", "detail": "auto", "image_url": url}
    return {"type": "input_file", "filename": "a.pdf", "file_data": url}


def read(body: Json) -> Story:
    """Neighbouring items of the assistant are one turn, as are neighbouring results and the words after them."""
    system: list[str] = [body["instructions"]] if body.get("instructions") else []
    turns: list[Turn] = []
    names: dict[str, str] = {}
    given = body["input"]
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        role, items = _read_item(item, names)
        if role in ("system", "developer"):
            system += texts(items)
        elif turns and turns[-1].role == role and (role == "assistant" or isinstance(turns[-1].items[0], Result)):
            turns[-1] = Turn(role, (*turns[-1].items, *items))
        else:
            turns.append(Turn(role, items))
    choice = body.get("tool_choice")
    return Story(
        model=body.get("model", ""),
        system=tuple(system),
        turns=tuple(turns),
        tools=tuple(Tool(tool["name"], exact.plain(tool.get("parameters"))) for tool in body.get("tools") or ()),
        choice=choice.get("name") if isinstance(choice, dict) else choice,
        parallel=body.get("parallel_tool_calls"),
        schema=exact.plain(get(body, "text.format.schema")),
        effort=get(body, "reasoning.effort"),
        options=read_options(body, OPTIONS),
        stream=body.get("stream") is True,
    )


def _read_item(item: Json, names: dict[str, str]) -> tuple[str, tuple[Item, ...]]:
    match item.get("type", "message"):
        case "function_call":
            names[item["call_id"]] = item["name"]
            return "assistant", (Call(item["call_id"], item["name"], item["arguments"]),)
        case "function_call_output":
            content = _read_content(item["output"])
            return "user", (Result(item["call_id"], names.get(item["call_id"], ""), content),)  # type: ignore[arg-type]  # outputs hold text and media
        case "reasoning":
            said = "".join(part["text"] for part in (*item.get("content", ()), *item["summary"]))
            return "assistant", (Think(said, item.get("encrypted_content")),)
        case "message":
            return item["role"], _read_content(item["content"])
    raise ValueError(f"no item of an input: {item['type']!r}")


def _read_content(content: Any) -> tuple[Item, ...]:
    if isinstance(content, str):
        return (Say(content),)
    return tuple(_read_part(part) for part in content)


def _read_part(part: Json) -> Item:
    match part["type"]:
        case "input_text" | "output_text":
            return Say(part["text"])
        case "refusal":
            return Say(part["refusal"])
        case "input_image":
            return _data_url("image", part["image_url"])
        case "input_file":
            return _data_url("document", part["file_data"])
    raise ValueError(f"no part of an item: {part['type']!r}")


def _data_url(kind: str, url: str) -> Show:
    lead, _, data = url.partition(",")
    return Show(kind, lead.removeprefix("data:").removesuffix(";base64"), data)


# Answers -------------------------------------------------------------------------------------------------------------


def plain(answer: Answer) -> Json:
    choice = answer.choices[0]
    output = [_done(index, item) for index, item in enumerate(choice.items)]
    return {**_response(answer, *_status(choice)), "output": output, "usage": _usage(answer.tokens)}


def _status(choice: Choice) -> tuple[str, str | None]:
    word = choice.word or WORDS.get(choice.finish or "", "completed")
    if word in ("completed", "failed", "cancelled"):
        return word, None
    return "incomplete", word


def _response(answer: Answer, status: str, reason: str | None) -> Json:
    return {
        "id": f"resp_{answer.id}",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": None,
        "max_output_tokens": None,
        "model": answer.model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None,
        "user": None,
        "metadata": {},
    }


def _usage(counts: Tokens) -> Json:
    return {
        "input_tokens": counts.input,
        "input_tokens_details": {"cached_tokens": counts.cached or 0},
        "output_tokens": counts.output,
        "output_tokens_details": {"reasoning_tokens": counts.reasoning or 0},
        "total_tokens": (counts.input or 0) + (counts.output or 0),
    }


def _done(index: int, item: Item) -> Json:
    match item:
        case Say():
            content = [{"type": "output_text", "text": item.text, "annotations": [], "logprobs": []}]
            return {
                "type": "message",
                "id": f"msg_{index}",
                "status": "completed",
                "role": "assistant",
                "content": content,
            }
        case Think():
            summary = [{"type": "summary_text", "text": item.text}]
            return {"type": "reasoning", "id": f"rs_{index}", "summary": summary} | filled(encrypted_content=item.seal)
        case Call():
            made = {"call_id": item.id, "name": item.name, "arguments": item.arguments}
            return {"type": "function_call", "id": f"fc_{index}", "status": "completed", **made}
    raise TypeError(f"no part of an answer: {item!r}")


def lanes(answer: Answer, size: int) -> Lanes:
    choice = answer.choices[0]
    status, _ = _status(choice)
    started = _response(answer, "in_progress", None)
    events: list[Json] = [{"type": kind, "response": started} for kind in ("response.created", "response.in_progress")]
    for index, item in enumerate(choice.items):
        events += _item_events(index, item, size)
    kind = {"completed": "response.completed", "incomplete": "response.incomplete"}.get(status, "response.failed")
    events.append({"type": kind, "response": plain(answer)})
    sent = tuple(frame({**event, "sequence_number": n}, event["type"]) for n, event in enumerate(events))
    return Lanes(sent[:2], (sent[2:-1],), sent[-1:])


def _item_events(index: int, item: Item, size: int) -> list[Json]:
    done = _done(index, item)
    place = {"output_index": index, "item_id": done["id"]}
    match item:
        case Say():
            part = done["content"][0]
            at = {**place, "content_index": 0}
            opening: Json = {**done, "status": "in_progress", "content": []}
            empty = {"type": "response.content_part.added", **at, "part": {**part, "text": ""}}
            deltas: list[Json] = [
                {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
                for piece in cut(item.text, size)
            ]
            said = {"type": "response.output_text.done", **at, "text": item.text, "logprobs": []}
            inner: list[Json] = [empty, *deltas, said, {"type": "response.content_part.done", **at, "part": part}]
        case Think():
            at = {**place, "summary_index": 0}
            opening = {**done, "summary": []}
            part = done["summary"][0]
            deltas = [{"type": "response.reasoning_summary_text.delta", **at, "delta": p} for p in cut(item.text, size)]
            inner = [
                {"type": "response.reasoning_summary_part.added", **at, "part": {**part, "text": ""}},
                *deltas,
                {"type": "response.reasoning_summary_text.done", **at, "text": item.text},
                {"type": "response.reasoning_summary_part.done", **at, "part": part},
            ]
        case Call():
            opening = {**done, "status": "in_progress", "arguments": ""}
            kind = "response.function_call_arguments"
            deltas = [{"type": f"{kind}.delta", **place, "delta": piece} for piece in cut(item.arguments, size)]
            inner = [*deltas, {"type": f"{kind}.done", **place, "arguments": item.arguments, "name": item.name}]
        case _:
            raise TypeError(f"no part of an answer: {item!r}")
    first = {"type": "response.output_item.added", "output_index": index, "item": opening}
    return [first, *inner, {"type": "response.output_item.done", "output_index": index, "item": done}]


def hear(document: Json) -> Answer:
    reason = get(document, "incomplete_details.reason")
    word = reason or document["status"]
    names: dict[str, str] = {}
    items = tuple(item for out in document["output"] for item in _read_item(out, names)[1])
    called = any(isinstance(item, Call) for item in items)
    meaning = {"max_output_tokens": "length", "content_filter": "content_filter", "completed": "stop"}.get(word)
    finish = "tool_calls" if meaning == "stop" and called else meaning
    usage = document.get("usage") or {}
    return Answer(
        id=document["id"],
        model=document["model"],
        choices=(Choice(items=items, finish=finish, word=word),),
        tokens=tokens(
            usage,
            "input_tokens",
            "output_tokens",
            "input_tokens_details.cached_tokens",
            "output_tokens_details.reasoning_tokens",
        ),
    )


def echo(request: Json, answer: Json) -> Json:
    return {**request, "input": [*request["input"], *answer["output"]]}


def answered(request: Json, results: tuple[Result, ...]) -> Json:
    """Add the results of the calls that were echoed."""
    return {**request, "input": [*request["input"], *_items(Turn("user", results))]}


# What is wrong or indifferent ----------------------------------------------------------------------------------------


def _fragments(event: Json) -> list[tuple[int, int, str | None, str | None, str]]:
    item = event.get("item") or {}
    if event["type"] == "response.output_item.added" and item.get("type") == "function_call":
        return [(0, event["output_index"], item["call_id"], item["name"], "")]
    if event["type"] == "response.function_call_arguments.delta":
        return [(0, event["output_index"], None, None, event["delta"])]
    return []


def _finishes(event: Json) -> list[tuple[int, str]]:
    return [(0, event["response"]["status"])] if event.get("type") in _TERMINAL else []


def _stamps(event: Json) -> Json:
    response = event.get("response") or {}
    return {name: response[name] for name in ("id", "created_at", "model") if name in response}


def _partial(document: Json) -> dict[int, str]:
    return {0: "".join(texts(tuple(i for out in document.get("output", ()) for i in _read_item(out, {})[1])))}


NATIVE = Native(
    name="openai_responses",
    read=read,
    turns=lambda body: list(body["input"]),
    plain=plain,
    lanes=lanes,
    words=WORDS,
    others=("incomplete", "failed", "cancelled", "brand_new"),
    ids=r"[\x21-\x7e]{1,64}",
    names=r"[a-zA-Z0-9_-]{1,64}",
    options=OPTIONS,
    limits={"max_tokens": (16, 10**9), "temperature": (0, 2), "top_p": (0, 1)},
    thinks=True,
    seals_thoughts=True,
    counts=frozenset({"input", "output", "cached", "reasoning"}),
    noise=(Frame(comment=b" keep-alive"), frame({"type": "keepalive", "sequence_number": 3}, "keepalive")),
    fault=frame(
        {
            "type": "error",
            "code": "server_error",
            "message": "the model fell over",
            "param": None,
            "sequence_number": 9,
        },
        "error",
    ),
    asking=Asking(
        path=lambda model, stream: ("/v1/responses", ""),  # noqa: ARG005 - the body says both
        ask=ask,
        hear=hear,
        echo=echo,
        answered=answered,
        words=("failed",),
        nullable=RESPONSES_NULLABLE,
        illegal=RESPONSES_ILLEGAL,
        fragments=_fragments,
        finishes=_finishes,
        ends=lambda sent: sent.event in _TERMINAL,
        partial=_partial,
        stamps=_stamps,
    ),
)
