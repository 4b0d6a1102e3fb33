"""Anthropic's messages and model list, from the provider's side.

Written to platform.claude.com/docs/en/api/messages and …/build-with-claude/streaming (2026-11), not to Setu's codecs.
"""

from collections.abc import Iterator
from typing import Any

from setu import _json
from setu.dialects.record import Route
from setu.http import Headers
from setu.transport.simulate.answer import Answer, Ask, Call, Tool, answer, arguments_text, count, groups, slices
from setu.transport.simulate.anthropic_message_rules import turns
from setu.transport.simulate.anthropic_rules import check
from setu.transport.simulate.dice import Dice, digest
from setu.transport.simulate.refused import RefusedError
from setu.transport.simulate.wire import BROKEN_MODEL, WRONG_KEY, Query, Reply, document, parse

Json = dict[str, Any]

MODELS = ("claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5")
_END = {"stop": "end_turn", "sequence": "stop_sequence", "length": "max_tokens", "call": "tool_use"}


def respond(query: Query) -> Reply:
    """Answer a request, or refuse it in Anthropic's error envelope."""
    seed = digest(query.body.hex(), query.route.model or "")
    try:
        return _answer(query, seed)
    except RefusedError as refused:
        headers = _headers(seed)
        error = {"type": refused.type, "message": refused.message}
        whole = {"type": "error", "error": error, "request_id": headers["request-id"]}
        return document(whole, headers, refused.status)


def _answer(query: Query, seed: bytes) -> Reply:
    if query.key == WRONG_KEY:
        raise RefusedError("invalid x-api-key", status=401, type="authentication_error")
    vertex = query.route.operation == "chat" and query.route.model is not None
    if "anthropic-version" not in query.headers and not vertex:
        raise RefusedError("anthropic-version: header is required")
    if query.route.operation == "models":
        return document(_models(query.route.model), _headers(seed))
    body = _body(query.body)
    if vertex:
        body = _of_vertex(body, query.route)
    counts = query.route.operation == "count_tokens"
    if counts:
        _only_countable(body)
    check({**body, "max_tokens": 64_000} if counts else body)
    if body["model"].startswith(BROKEN_MODEL):
        raise RefusedError(f"model: {body['model']}", status=404, type="not_found_error")
    if counts:
        return document({"input_tokens": _usage(body, 0, 0)["input_tokens"]}, _headers(seed))
    return _message(body)


_COUNTABLE = frozenset(
    {"messages", "model", "system", "thinking", "tool_choice", "tools", "output_config", "output_format",
     "cache_control", "context_management", "mcp_servers", "speed"}
)  # fmt: skip


def _only_countable(body: Json) -> None:
    """Refuse what only an answer needs, as docs.claude.com/en/api/messages-count-tokens has no place for it."""
    for name in body.keys() - _COUNTABLE:
        raise RefusedError(f"{name}: Extra inputs are not permitted")


def _body(raw: bytes) -> Json:
    try:
        body = parse(raw)
    except _json.JsonError as error:
        raise RefusedError(f"The request body is not valid JSON: {error}") from None
    if not isinstance(body, dict):
        raise RefusedError("Input should be a valid dictionary")
    return body


def _of_vertex(body: Json, route: Route) -> Json:
    """Check what Vertex wants otherwise, and return the body as Anthropic's own API would get it."""
    if body.get("anthropic_version") != "vertex-2023-10-16":
        raise RefusedError("anthropic_version: Field required")
    if "model" in body:
        raise RefusedError("model: Extra inputs are not permitted")
    rest = {name: value for name, value in body.items() if name != "anthropic_version"}
    return {"model": route.model, **rest, "stream": bool(route.stream)}


def _headers(seed: bytes) -> dict[str, str]:
    return {
        "request-id": "req_01" + Dice(seed, "request").token(22),
        "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
    }


def _models(one: str | None) -> Json:
    if one is None:
        data = [_model(name) for name in MODELS]
        return {"data": data, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}
    if one not in MODELS:
        raise RefusedError(f"model: {one}", status=404, type="not_found_error")
    return _model(one)


def _model(name: str) -> Json:
    display = name.replace("-", " ").title().replace(" 4 5", " 4.5")
    shown = {"display_name": display, "created_at": "2025-10-01T00:00:00Z", "lifecycle": "active"}
    return {"type": "model", "id": name, **shown, "max_input_tokens": 200_000, "max_tokens": 64_000}


def _message(body: Json) -> Reply:
    seed = digest({key: value for key, value in body.items() if key != "stream"})
    made = answer(_ask(body, seed))
    message = {
        "model": body["model"],
        "id": "msg_01" + Dice(seed, "id").token(22),
        "type": "message",
        "role": "assistant",
        "content": _content(body, made),
        "stop_reason": _END[made.end],
        "stop_sequence": made.stop,
        "usage": _usage(body, len(made.thinking) + made.tokens, len(made.thinking)),
    }
    if body.get("stream"):
        fields = Headers.of({"content-type": "text/event-stream; charset=utf-8", **_headers(seed)})
        events = _events(body, message, made)
        return Reply(headers=fields, pieces=tuple(_event(event) for event in events))
    return document(message, _headers(seed))


def _ask(body: Json, seed: bytes) -> Ask:
    merged = turns(body["messages"])
    users = [blocks for role, blocks in merged if role == "user"]
    last = merged[-1] if merged else ("user", [])
    tools, force = _callable(body)
    choice = body.get("tool_choice") or {}
    form = (body.get("output_config") or {}).get("format") or body.get("output_format")
    return Ask(
        seed=seed,
        text="\n".join(block.get("text", "") for block in users[-1]) if users else "",
        answered=last[0] == "user" and any(block["type"] == "tool_result" for block in last[1]),
        tools=tools,
        force=force,
        parallel=not choice.get("disable_parallel_tool_use"),
        cap=int(body["max_tokens"]),
        stops=tuple(body.get("stop_sequences") or ()),
        schema=form["schema"] if form else None,
        thinks=(body.get("thinking") or {}).get("type") in ("enabled", "adaptive"),
    )


def _callable(body: Json) -> tuple[tuple[Tool, ...], bool]:
    """Return the client tools the model may call now and whether it must call one."""
    tools = tuple(
        Tool(name=tool["name"], schema=tool["input_schema"])
        for tool in body.get("tools") or ()
        if tool.get("type", "custom") == "custom"
    )
    choice = body.get("tool_choice") or {"type": "auto"}
    match choice["type"]:
        case "none":
            return (), False
        case "tool":
            return tuple(tool for tool in tools if tool.name == choice["name"]), True
        case kind:
            return tools, kind == "any"


def _usage(body: Json, output: int, thought: int = 0) -> Json:
    prompt = 3 + count([body.get("system"), body["messages"], body.get("tools")])
    return {
        "input_tokens": prompt,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "service_tier": "standard",
        **({"output_tokens_details": {"thinking_tokens": thought}} if thought else {}),
    }


def _content(body: Json, made: Answer) -> list[Json]:
    blocks: list[Json] = []
    if made.thinking:
        shown = "" if body["thinking"].get("display") == "omitted" else made.thought
        blocks.append({"type": "thinking", "thinking": shown, "signature": Dice(made.seed, "signature").base64(96)})
    if made.pieces:
        blocks.append({"type": "text", "text": made.text})
    return blocks + [_call(call) for call in made.calls]


def _call(call: Call) -> Json:
    return {
        "type": "tool_use",
        "id": "toolu_01" + Dice(call.seed).token(22),
        "name": call.name,
        "input": call.arguments,
    }


def _events(body: Json, message: Json, made: Answer) -> Iterator[Json]:
    """Yield the events of a stream; a ping follows the first block's start."""
    opening = message | {"content": [], "stop_reason": None, "stop_sequence": None, "usage": _usage(body, 1)}
    yield {"type": "message_start", "message": opening}
    dice = Dice(made.seed, "stream")
    calls = iter(made.calls)
    for index, block in enumerate(message["content"]):
        call = next(calls) if block["type"] == "tool_use" else None
        yield {"type": "content_block_start", "index": index, "content_block": _emptied(block)}
        if index == 0:
            yield {"type": "ping"}
        for delta in _deltas(block, made, call, dice):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    usage = {key: value for key, value in message["usage"].items() if key.endswith(("_tokens", "_details"))}
    ended = {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]}
    yield {"type": "message_delta", "delta": ended, "usage": usage}
    yield {"type": "message_stop"}


def _emptied(block: Json) -> Json:
    """Return a block as its start event shows it."""
    match block["type"]:
        case "thinking":
            return {"type": "thinking", "thinking": "", "signature": ""}
        case "text":
            return {"type": "text", "text": ""}
        case _:
            return block | {"input": {}}


def _deltas(block: Json, made: Answer, call: Call | None, dice: Dice) -> Iterator[Json]:
    if block["type"] == "thinking":
        for text in groups(made.thinking, dice, 4) if block["thinking"] else ():
            yield {"type": "thinking_delta", "thinking": text}
        yield {"type": "signature_delta", "signature": block["signature"]}
    elif call is None:
        for text in groups(made.pieces, dice, 5):
            yield {"type": "text_delta", "text": text}
    else:
        yield {"type": "input_json_delta", "partial_json": ""}
        # A call without arguments sends no JSON at all; its input is the empty object of the start event.
        for piece in slices(arguments_text(call), dice) if call.arguments else ():
            yield {"type": "input_json_delta", "partial_json": piece}


def _event(event: Json) -> bytes:
    name = str(event["type"])
    return b"event: " + name.encode() + b"\ndata: " + _json.encode(event) + b"\n\n"
