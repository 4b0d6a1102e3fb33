"""OpenAI's chat completions and model list, from the provider's side.

Written to platform.openai.com/docs/api-reference/chat (2026-11), not to Setu's codecs: a bug in these must not hide
behind the same bug here.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from setu import _json
from setu.http import Headers
from setu.transport.simulate import embeddings
from setu.transport.simulate.answer import Answer, Ask, Call, Tool, answer, arguments_text, count, groups, slices
from setu.transport.simulate.completions import complete
from setu.transport.simulate.dice import Dice, digest
from setu.transport.simulate.openai_chat_rules import check
from setu.transport.simulate.openai_chat_tool_rules import allowed_name, named_choice
from setu.transport.simulate.refused import RefusedError
from setu.transport.simulate.wire import BROKEN_MODEL, WRONG_KEY, Query, Reply, document, parse

Json = dict[str, Any]

MODELS = ("gpt-5.2", "gpt-5-mini", "gpt-4.1", "gpt-4o-mini")
_BORN = 1_760_000_000
_ANY_OBJECT: Json = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
_FINISH = {"stop": "stop", "sequence": "stop", "length": "length", "call": "tool_calls"}


def respond(query: Query) -> Reply:
    """Answer a request, or refuse it in OpenAI's error envelope."""
    seed = digest(query.body.hex(), query.route.model or "")
    try:
        _authenticate(query.key)
        if query.route.operation == "models":
            return document(_models(query.route.model), _headers(seed))
        body = _body(query.body)
        if query.route.operation == "embed":
            return document(embeddings.openai(body), _headers(seed))
        if query.route.operation == "complete":
            return complete(body, query.created, _headers(seed))
        check(body)
        _known(body["model"])
        return _chat(body, query.created)
    except RefusedError as refused:
        error = {"message": refused.message, "type": refused.type, "param": refused.param, "code": refused.code}
        return document({"error": error}, _headers(seed), refused.status)


def _body(raw: bytes) -> Json:
    try:
        body = parse(raw)
    except _json.JsonError:
        body = None
    if not isinstance(body, dict):
        raise RefusedError(
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP "
            "library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
        )
    return body


def _authenticate(key: str) -> None:
    if key == WRONG_KEY:
        raise RefusedError(
            "Incorrect API key provided: invalid. You can find your API key at "
            "https://platform.openai.com/account/api-keys.",
            status=401,
            code="invalid_api_key",
        )


def _known(model: str) -> None:
    if model.rpartition("/")[2].startswith(BROKEN_MODEL):
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise RefusedError(message, status=404, code="model_not_found")


def _headers(seed: bytes) -> dict[str, str]:
    return {
        "x-request-id": "req_" + Dice(seed, "request").hexadecimal(32),
        "openai-version": "2020-10-01",
        "openai-processing-ms": str(Dice(seed, "time").between(40, 900)),
    }


def _models(one: str | None) -> Json:
    if one is None:
        return {"object": "list", "data": [_model(name) for name in MODELS]}
    if one not in MODELS:
        raise RefusedError(f"The model '{one}' does not exist", status=404, param="model", code="model_not_found")
    return _model(one)


def _model(name: str) -> Json:
    return {"id": name, "object": "model", "created": _BORN + MODELS.index(name), "owned_by": "openai"}


def _chat(body: Json, created: int) -> Reply:
    asked = {key: value for key, value in body.items() if key not in ("stream", "stream_options")}
    seed = digest(asked)
    ask = _ask(body, seed)
    answers = [answer(ask, index) for index in range(int(body.get("n") or 1))]
    shared = {
        "id": "chatcmpl-" + Dice(seed, "id").token(29),
        "created": created,
        "model": body["model"],
        "service_tier": "default",
        "system_fingerprint": "fp_" + Dice(seed, "fingerprint").hexadecimal(10),
    }
    usage = _usage(body, answers)
    if body.get("stream"):
        fields = Headers.of({"content-type": "text/event-stream; charset=utf-8", **_headers(seed)})
        return Reply(headers=fields, pieces=tuple(_stream(body, shared, answers, usage, seed)))
    choices = [_choice(body, index, made) for index, made in enumerate(answers)]
    whole = {**shared, "object": "chat.completion", "choices": choices, "usage": usage}
    return document(whole, _headers(seed))


def _ask(body: Json, seed: bytes) -> Ask:
    messages = body["messages"]
    texts = [_text(message) for message in messages if message["role"] == "user"]
    tools, force = _callable(body)
    cap = body.get("max_completion_tokens") or body.get("max_tokens")
    return Ask(
        seed=seed,
        text=texts[-1] if texts else "",
        answered=messages[-1]["role"] in ("tool", "function"),
        tools=tools,
        force=force,
        parallel=body.get("parallel_tool_calls") is not False and not body.get("functions"),
        cap=int(cap) if cap else None,
        stops=_stops(body.get("stop")),
        schema=_schema(body.get("response_format")),
        thinks=body.get("reasoning_effort") not in (None, "none"),
    )


def _text(message: Json) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)


def _stops(stop: Any) -> tuple[str, ...]:
    return (stop,) if isinstance(stop, str) else tuple(stop or ())


def _schema(form: Json | None) -> Any:
    match form:
        case {"type": "json_object"}:
            return _ANY_OBJECT
        case {"type": "json_schema", "json_schema": {"schema": schema}}:
            return schema
        case _:
            return None


def _callable(body: Json) -> tuple[tuple[Tool, ...], bool]:
    """Return the tools the model may call now and whether it must call one."""
    tools = tuple(map(_tool, body.get("tools") or body.get("functions") or ()))
    choice = body.get("tool_choice") if body.get("tools") else body.get("function_call")
    if choice == "none":
        return (), False
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        inner = choice["allowed_tools"]
        names = [allowed_name(tool, "tools") for tool in inner["tools"]]
        return tuple(tool for tool in tools if tool.name in names), inner["mode"] == "required"
    named = named_choice(choice) or (choice.get("name") if isinstance(choice, dict) else None)
    if named is not None:
        return tuple(tool for tool in tools if tool.name == named), True
    return tools, choice == "required"


def _tool(tool: Json) -> Tool:
    if tool.get("type") == "custom":
        return Tool(name=tool["custom"]["name"])
    function = tool.get("function", tool)
    return Tool(name=function["name"], schema=function.get("parameters") or {"type": "object", "properties": {}})


def _usage(body: Json, answers: list[Answer]) -> Json:
    prompt = 3 + 3 * len(body["messages"]) + count([body["messages"], body.get("tools"), body.get("functions")])
    thought = sum(len(made.thinking) for made in answers)
    completion = thought + sum(made.tokens for made in answers)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": thought,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _finish(body: Json, made: Answer) -> str:
    """A call that was forced by name ends with `stop`, as the real API has it."""
    if made.end == "call" and body.get("functions") and not body.get("tools"):
        return "function_call"
    if made.end == "call" and named_choice(body.get("tool_choice")) is not None:
        return "stop"
    return _FINISH[made.end]


def _choice(body: Json, index: int, made: Answer) -> Json:
    message: Json = {"role": "assistant", "content": made.text if made.pieces or not made.calls else None}
    if made.calls and not body.get("tools"):
        message["function_call"] = {"name": made.calls[0].name, "arguments": arguments_text(made.calls[0])}
    elif made.calls:
        message["tool_calls"] = [_call(call) for call in made.calls]
    message |= {"refusal": None, "annotations": []}
    logprobs = _logprobs(body, made.pieces, made.seed) if made.pieces else None
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": _finish(body, made)}


def _call(call: Call) -> Json:
    identity = "call_" + Dice(call.seed).token(24)
    if isinstance(call.arguments, str):
        return {"id": identity, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    function = {"name": call.name, "arguments": arguments_text(call)}
    return {"id": identity, "type": "function", "function": function}


def _logprobs(body: Json, pieces: tuple[str, ...], seed: bytes) -> Json | None:
    if not body.get("logprobs"):
        return None
    dice = Dice(seed, "logprobs")
    return {"content": [_logprob(piece, int(body.get("top_logprobs") or 0), dice) for piece in pieces], "refusal": None}


def _logprob(piece: str, top: int, dice: Dice) -> Json:
    first = -dice.between(1, 400) / 1000
    ranked = [(piece, first), *((f" other{rank}", first - rank) for rank in range(1, top))]
    return {**_scored(piece, first), "top_logprobs": [_scored(token, score) for token, score in ranked[:top]]}


def _scored(token: str, score: float) -> Json:
    return {"token": token, "logprob": score, "bytes": list(token.encode())}


def _stream(body: Json, shared: Json, answers: list[Answer], usage: Json, seed: bytes) -> Iterator[bytes]:
    options = body.get("stream_options") or {}
    base = {**shared, "object": "chat.completion.chunk"}
    if options.get("include_usage"):
        base["usage"] = None
    noise = None if options.get("include_obfuscation") is False else Dice(seed, "noise")
    lanes = [_deltas(body, index, made) for index, made in enumerate(answers)]
    for row in zip_longest(*lanes):
        for choice in row:
            if choice is not None:
                yield _event(base | {"choices": [choice]}, noise)
    if options.get("include_usage"):
        yield _event(base | {"choices": [], "usage": usage}, noise)
    yield b"data: [DONE]\n\n"


def _event(chunk: Json, noise: Dice | None) -> bytes:
    if noise is not None:
        chunk = chunk | {"obfuscation": noise.token(noise.between(1, 12))}
    return b"data: " + _json.encode(chunk) + b"\n\n"


def _deltas(body: Json, index: int, made: Answer) -> Iterator[Json]:
    """Yield the choices of one index: role first, then content or calls, then the reason it ended."""
    dice = Dice(made.seed, "stream")
    lead: Json = {"role": "assistant", "content": "" if made.pieces or not made.calls else None, "refusal": None}
    yield _chunk_choice(index, lead)
    if body.get("logprobs"):
        for turn, piece in enumerate(made.pieces):
            one = _logprobs(body, made.pieces[: turn + 1], made.seed)
            assert one is not None
            yield _chunk_choice(index, {"content": piece}) | {"logprobs": one | {"content": one["content"][-1:]}}
    else:
        for text in groups(made.pieces, dice, 2):
            yield _chunk_choice(index, {"content": text})
    for delta in _call_deltas(body, made, dice):
        yield _chunk_choice(index, delta)
    yield _chunk_choice(index, {}) | {"finish_reason": _finish(body, made)}


def _chunk_choice(index: int, delta: Json) -> Json:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}


def _call_deltas(body: Json, made: Answer, dice: Dice) -> Iterator[Json]:
    if made.calls and not body.get("tools"):
        yield {"function_call": {"name": made.calls[0].name, "arguments": ""}}
        for piece in slices(arguments_text(made.calls[0]), dice):
            yield {"function_call": {"arguments": piece}}
        return
    for index, call in enumerate(made.calls):
        whole = _call(call)
        kind, text = whole["type"], "input" if whole["type"] == "custom" else "arguments"
        yield {"tool_calls": [{"index": index, **whole, kind: {"name": call.name, text: ""}}]}
        for piece in slices(whole[kind][text], dice):
            yield {"tool_calls": [{"index": index, kind: {text: piece}}]}
