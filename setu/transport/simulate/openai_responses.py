"""OpenAI's Responses API, from the provider's side.

Written to platform.openai.com/docs/api-reference/responses and responses-streaming (2026-11), not to Setu's codecs: a
bug in these must not hide behind the same bug here.
"""

from collections.abc import Iterator
from typing import Any

from setu import _json
from setu.http import Headers
from setu.transport.simulate.answer import Answer, Ask, Call, Tool, answer, arguments_text, count, groups, slices
from setu.transport.simulate.dice import Dice, digest
from setu.transport.simulate.openai_responses_rules import check
from setu.transport.simulate.refused import RefusedError
from setu.transport.simulate.wire import BROKEN_MODEL, WRONG_KEY, Query, Reply, document, parse

Json = dict[str, Any]

_ANY_OBJECT: Json = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
_RESULTS = ("function_call_output", "custom_tool_call_output")


def respond(query: Query) -> Reply:
    """Answer a request, or refuse it in OpenAI's error envelope."""
    seed = digest(query.body.hex())
    try:
        _authenticate(query.key)
        body = _body(query.body)
        check(body)
        _known(body["model"])
        return _response(body, query.created)
    except RefusedError as refused:
        error = {"message": refused.message, "type": refused.type, "param": refused.param, "code": refused.code}
        return document({"error": error}, _headers(seed), refused.status)


def _body(raw: bytes) -> Json:
    try:
        body = parse(raw)
    except _json.JsonError:
        body = None
    if not isinstance(body, dict):
        raise RefusedError("We could not parse the JSON body of your request.")
    return body


def _authenticate(key: str) -> None:
    if key == WRONG_KEY:
        raise RefusedError("Incorrect API key provided: invalid.", status=401, code="invalid_api_key")


def _known(model: str) -> None:
    if model.rpartition("/")[2].startswith(BROKEN_MODEL):
        message = f"The requested model '{model}' does not exist."
        raise RefusedError(message, param="model", code="model_not_found")


def _headers(seed: bytes) -> dict[str, str]:
    return {
        "x-request-id": "req_" + Dice(seed, "request").hexadecimal(32),
        "openai-version": "2020-10-01",
        "openai-processing-ms": str(Dice(seed, "time").between(40, 900)),
    }


def _response(body: Json, created: int) -> Reply:
    asked = {key: value for key, value in body.items() if key not in ("stream", "stream_options")}
    seed = digest(asked)
    made = answer(_ask(body, seed))
    items = _items(body, made)
    head = _head(body, created, seed)
    done = head | _ending(made) | {"output": items, "usage": _usage(body, made), "service_tier": "default"}
    if body.get("stream"):
        fields = Headers.of({"content-type": "text/event-stream; charset=utf-8", **_headers(seed)})
        events = enumerate(_events(head, items, done, Dice(made.seed, "stream")))
        return Reply(headers=fields, pieces=tuple(_event(number, *event) for number, event in events))
    return document(done, _headers(seed))


def _ask(body: Json, seed: bytes) -> Ask:
    items = _input(body)
    texts = [_text(item) for item in items if item.get("role") == "user"]
    tools, force = _callable(body)
    return Ask(
        seed=seed,
        text=texts[-1] if texts else "",
        answered=bool(items) and items[-1].get("type") in _RESULTS,
        tools=tools,
        force=force,
        parallel=body.get("parallel_tool_calls") is not False,
        cap=body.get("max_output_tokens"),
        schema=_schema((body.get("text") or {}).get("format")),
        thinks=(body.get("reasoning") or {}).get("effort") not in (None, "none"),
    )


def _input(body: Json) -> list[Json]:
    given = body.get("input") or []
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


def _text(item: Json) -> str:
    content = item.get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def _schema(form: Json | None) -> Any:
    match form:
        case {"type": "json_object"}:
            return _ANY_OBJECT
        case {"type": "json_schema", "schema": schema}:
            return schema
        case _:
            return None


def _callable(body: Json) -> tuple[tuple[Tool, ...], bool]:
    """Return the tools the model may call now and whether it must call one."""
    tools = tuple(_tool(tool) for tool in body.get("tools") or () if tool["type"] in ("function", "custom"))
    choice = body.get("tool_choice")
    if choice == "none":
        return (), False
    if isinstance(choice, dict) and choice["type"] == "allowed_tools":
        named = choice.get("tools") or ()
        names = [tool.get("name") for tool in named if isinstance(tool, dict)]
        return tuple(tool for tool in tools if tool.name in names), choice.get("mode") == "required"
    if isinstance(choice, dict):
        return tuple(tool for tool in tools if tool.name == choice.get("name")), True
    return tools, choice == "required"


def _tool(tool: Json) -> Tool:
    if tool["type"] == "custom":
        return Tool(name=tool["name"])
    return Tool(name=tool["name"], schema=tool.get("parameters") or {"type": "object", "properties": {}})


def _head(body: Json, created: int, seed: bytes) -> Json:
    text = body.get("text") or {}
    reasoning = body.get("reasoning") or {}
    tools = [tool | {"strict": tool.get("strict", True)} if tool["type"] == "function" else tool
             for tool in body.get("tools") or ()]  # fmt: skip
    return {
        "id": "resp_" + Dice(seed, "id").hexadecimal(48),
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": None,
        "metadata": body.get("metadata") or {},
        "model": body["model"],
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
        "store": body.get("store") is not False,
        "temperature": body.get("temperature", 1.0),
        "text": {"format": text.get("format") or {"type": "text"}, "verbosity": text.get("verbosity") or "medium"},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": tools,
        "top_logprobs": body.get("top_logprobs") or 0,
        "top_p": body.get("top_p", 1.0),
        "truncation": body.get("truncation") or "disabled",
        "usage": None,
        "user": body.get("user"),
    }


def _ending(made: Answer) -> Json:
    if made.end == "length":
        return {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    return {"status": "completed"}


def _usage(body: Json, made: Answer) -> Json:
    prompt = 3 + count([body.get("input"), body.get("instructions"), body.get("tools")])
    thought = len(made.thinking)
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": thought + made.tokens,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": prompt + thought + made.tokens,
    }


def _items(body: Json, made: Answer) -> list[Json]:
    items: list[Json] = []
    if made.thinking:
        items.append(_reasoning(body, made))
    if made.pieces or not made.calls:
        text = {"type": "output_text", "annotations": [], "logprobs": [], "text": made.text}
        message = {"id": "msg_" + Dice(made.seed, "message").hexadecimal(48), "type": "message"}
        items.append(message | {"status": "completed", "content": [text], "role": "assistant"})
    items += map(_call, made.calls)
    if made.end == "length" and items[-1]["type"] != "reasoning":
        items[-1]["status"] = "incomplete"
    return items


def _reasoning(body: Json, made: Answer) -> Json:
    """A model's own words of thinking are never shown, a summary only where it is asked for."""
    shown = (body.get("reasoning") or {}).get("summary") is not None
    summary = [{"type": "summary_text", "text": made.thought}] if shown else []
    item: Json = {"id": "rs_" + Dice(made.seed, "reasoning").hexadecimal(48), "type": "reasoning", "summary": summary}
    if "reasoning.encrypted_content" in (body.get("include") or ()):
        item["encrypted_content"] = "gAAAA" + Dice(made.seed, "sealed").token(40)
    return item


def _call(call: Call) -> Json:
    dice = Dice(call.seed)
    shared = {"status": "completed", "call_id": "call_" + dice.token(24), "name": call.name}
    if isinstance(call.arguments, str):
        return {"id": "ctc_" + dice.hexadecimal(48), "type": "custom_tool_call", "input": call.arguments} | shared
    item = {"id": "fc_" + dice.hexadecimal(48), "type": "function_call", "arguments": arguments_text(call)}
    return item | shared


def _event(number: int, kind: str, members: Json) -> bytes:
    data = _json.encode({"type": kind, "sequence_number": number} | members)
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"


def _events(head: Json, items: list[Json], done: Json, dice: Dice) -> Iterator[tuple[str, Json]]:
    """Yield the stream's events: each item from added to done, in the documented order."""
    yield "response.created", {"response": head}
    yield "response.in_progress", {"response": head}
    for index, item in enumerate(items):
        place = {"output_index": index, "item_id": item["id"]}
        yield "response.output_item.added", {"output_index": index, "item": _begun(item)}
        for kind, members in _growth(item, dice):
            yield kind, place | members
        yield "response.output_item.done", {"output_index": index, "item": item}
    yield f"response.{done['status']}", {"response": done}


def _begun(item: Json) -> Json:
    begun = item | ({"status": "in_progress"} if "status" in item else {})
    for key, empty in (("content", []), ("summary", []), ("arguments", ""), ("input", "")):
        if key in begun:
            begun[key] = empty
    return begun


def _growth(item: Json, dice: Dice) -> Iterator[tuple[str, Json]]:
    match item["type"]:
        case "message":
            place = {"content_index": 0}
            part = item["content"][0]
            yield "response.content_part.added", place | {"part": part | {"text": ""}}
            for piece in groups(tuple(part["text"]), dice, 9):
                noise = dice.token(dice.between(1, 12))
                yield "response.output_text.delta", place | {"delta": piece, "logprobs": [], "obfuscation": noise}
            yield "response.output_text.done", place | {"text": part["text"], "logprobs": []}
            yield "response.content_part.done", place | {"part": part}
        case "reasoning":
            for index, part in enumerate(item["summary"]):
                place = {"summary_index": index}
                yield "response.reasoning_summary_part.added", place | {"part": part | {"text": ""}}
                for piece in groups(tuple(part["text"]), dice, 9):
                    yield "response.reasoning_summary_text.delta", place | {"delta": piece}
                yield "response.reasoning_summary_text.done", place | {"text": part["text"]}
                yield "response.reasoning_summary_part.done", place | {"part": part}
        case "custom_tool_call":
            for piece in slices(item["input"], dice):
                yield "response.custom_tool_call_input.delta", {"delta": piece}
            yield "response.custom_tool_call_input.done", {"input": item["input"]}
        case _:
            for piece in slices(item["arguments"], dice):
                yield "response.function_call_arguments.delta", {"delta": piece}
            yield "response.function_call_arguments.done", {"arguments": item["arguments"]}
