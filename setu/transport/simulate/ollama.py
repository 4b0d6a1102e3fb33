"""Ollama's chat, from the server's side.

Written to docs.ollama.com/api/chat (2026-11), not to Setu's codecs. A local server has no keys: none is refused.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from setu import _json
from setu.http import Headers
from setu.transport.simulate import embeddings
from setu.transport.simulate.answer import Answer, Ask, Call, Tool, answer, count, groups
from setu.transport.simulate.dice import Dice, digest
from setu.transport.simulate.ollama_rules import checked
from setu.transport.simulate.refused import RefusedError
from setu.transport.simulate.wire import BROKEN_MODEL, Query, Reply, document, parse

Json = dict[str, Any]

_END = {"stop": "stop", "sequence": "stop", "length": "length", "call": "stop"}
_ANY_OBJECT: Json = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
_JSON_TYPE = {"content-type": "application/json; charset=utf-8"}


def respond(query: Query) -> Reply:
    """Answer a request, or refuse it as Ollama does; it streams unless told not to."""
    try:
        if query.route.operation == "embed":
            return document(embeddings.ollama(_body(query.body)), _JSON_TYPE)
        request = _known(checked(_body(query.body)))
    except RefusedError as refused:
        return document({"error": refused.message}, _JSON_TYPE, refused.status)
    seed = digest({name: value for name, value in request.items() if name != "stream"})
    made = answer(_ask(request, seed))
    head = {"model": request["model"], "created_at": _time(query.created)}
    if request.get("stream") is False:
        return document(head | _whole(request, made), _JSON_TYPE)
    lines = tuple(_json.encode(head | line) + b"\n" for line in _lines(request, made))
    return Reply(headers=Headers.of({"content-type": "application/x-ndjson"}), pieces=lines)


def _known(request: Json) -> Json:
    if request["model"].startswith(BROKEN_MODEL):
        raise RefusedError(f"model '{request['model']}' not found", status=404)
    return request


def _body(raw: bytes) -> Any:
    try:
        return parse(raw)
    except _json.JsonError as error:
        raise RefusedError(f"invalid JSON: {error}") from None


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")


def _ask(request: Json, seed: bytes) -> Ask:
    messages = request.get("messages") or []
    asked = [message for message in messages if message["role"] == "user"]
    options = request.get("options") or {}
    form = request.get("format") or None
    cap = options.get("num_predict")
    return Ask(
        seed=seed,
        text=(asked[-1].get("content") or "") if asked else "",
        answered=bool(messages) and messages[-1]["role"] == "tool",
        tools=tuple(
            Tool(name=tool["function"]["name"], schema=tool["function"].get("parameters") or {"type": "object"})
            for tool in request.get("tools") or ()
        ),
        cap=cap if cap is not None and cap > 0 else None,
        stops=tuple(stop for stop in options.get("stop") or () if isinstance(stop, str)),
        schema=_ANY_OBJECT if form == "json" else form,
        thinks=bool(request.get("think")),
    )


def _whole(request: Json, made: Answer) -> Json:
    message: Json = {"role": "assistant", "content": made.text}
    if made.thinking:
        message["thinking"] = made.thought
    if made.calls:
        message["tool_calls"] = [_call(call, index) for index, call in enumerate(made.calls)]
    scores = {"logprobs": _logprobs(made.pieces, made)} if request.get("logprobs") and made.pieces else {}
    return {"message": message, **scores, **_done(request, made)}


def _call(call: Call, index: int) -> Json:
    identity = f"call_{Dice(call.seed).token(8).lower()}"
    return {"id": identity, "function": {"index": index, "name": call.name, "arguments": call.arguments}}


def _logprobs(pieces: tuple[str, ...], made: Answer) -> list[Json]:
    return [
        {"token": piece, "logprob": -Dice(made.seed, f"logprob {piece}").between(1, 400) / 1000}
        | {"bytes": list(piece.encode())}
        for piece in pieces
    ]


def _done(request: Json, made: Answer) -> Json:
    """Return the end of the last line; times are in nanoseconds."""
    prompt = 1 + count([request.get("messages"), request.get("tools")])
    said = made.tokens + len(made.thinking)
    return {
        "done": True,
        "done_reason": _END[made.end],
        "total_duration": 40_000_000 + 9_000_000 * said + 600_000 * prompt,
        "load_duration": 40_000_000,
        "prompt_eval_count": prompt,
        "prompt_eval_duration": 600_000 * prompt,
        "eval_count": said,
        "eval_duration": 9_000_000 * said,
    }


def _lines(request: Json, made: Answer) -> Iterator[Json]:
    """Yield thinking, text and calls, one call a line, then the end."""
    dice = Dice(made.seed, "stream")
    for piece in groups(made.thinking, dice, 3):
        yield _line({"content": "", "thinking": piece})
    if request.get("logprobs"):
        for piece in made.pieces:
            yield _line({"content": piece}) | {"logprobs": _logprobs((piece,), made)}
    else:
        for piece in groups(made.pieces, dice, 3):
            yield _line({"content": piece})
    for index, call in enumerate(made.calls):
        yield _line({"content": "", "tool_calls": [_call(call, index)]})
    yield {"message": {"role": "assistant", "content": ""}, **_done(request, made)}


def _line(message: Json) -> Json:
    return {"message": {"role": "assistant", **message}, "done": False}
