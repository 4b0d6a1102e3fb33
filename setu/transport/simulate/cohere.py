"""Cohere's chat (API v2), from the provider's side.

Written to docs.cohere.com/reference/chat and /reference/chat-stream (2026-11), not to Setu's codecs.
"""

from collections.abc import Iterator
from typing import Any

from setu import _json
from setu.http import Headers
from setu.transport.simulate import embeddings
from setu.transport.simulate.answer import Answer, Ask, Call, Tool, answer, arguments_text, count, groups, slices
from setu.transport.simulate.cohere_rules import checked
from setu.transport.simulate.dice import Dice, digest
from setu.transport.simulate.refused import RefusedError
from setu.transport.simulate.wire import BROKEN_MODEL, WRONG_KEY, Query, Reply, document, parse

Json = dict[str, Any]

_END = {"stop": "COMPLETE", "sequence": "STOP_SEQUENCE", "length": "MAX_TOKENS", "call": "TOOL_CALL"}
_ANY_OBJECT: Json = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
_PREAMBLE = 480
"""Tokens of Cohere's own words around every prompt: read, but not billed."""


def respond(query: Query) -> Reply:
    """Answer a request, or refuse it as Cohere does."""
    seed = digest(query.body.hex())
    try:
        return _answer(query)
    except RefusedError as refused:
        body = {"id": _uuid(Dice(seed, "error")), "message": refused.message}
        return document(body, _headers(seed), refused.status)


def _answer(query: Query) -> Reply:
    if query.key == WRONG_KEY:
        raise RefusedError("invalid api token", status=401)
    try:
        if query.route.operation == "embed":
            return document(embeddings.cohere(parse(query.body)), _headers(digest(query.body.hex())))
        request = checked(parse(query.body))
    except _json.JsonError as error:
        raise RefusedError(f"invalid request: {error}") from None
    if request["model"].startswith(BROKEN_MODEL):
        raise RefusedError(f"model '{request['model']}' not found", status=404)
    seed = digest({name: value for name, value in request.items() if name != "stream"})
    made = answer(_ask(request, seed))
    if not request.get("stream"):
        return document(_whole(request, made, seed), _headers(seed))
    fields = Headers.of({**_headers(seed), "content-type": "text/event-stream"})
    pieces = [_framed(event) for event in _events(request, made, seed)]
    return Reply(headers=fields, pieces=(*pieces, b"data: [DONE]\n\n"))


def _framed(event: Json) -> bytes:
    return b"event: " + str(event["type"]).encode() + b"\ndata: " + _json.encode(event) + b"\n\n"


def _headers(seed: bytes) -> dict[str, str]:
    return {"x-debug-trace-id": Dice(seed, "trace").hexadecimal(32), "x-api-warning": "none"}


def _uuid(dice: Dice) -> str:
    return "-".join(dice.hexadecimal(size) for size in (8, 4, 4, 4, 12))


def _ask(request: Json, seed: bytes) -> Ask:
    messages = request["messages"]
    asked = [message for message in messages if message["role"] == "user"]
    choice = str(request.get("tool_choice") or "").upper()
    tools = tuple(
        Tool(name=tool["function"]["name"], schema=tool["function"]["parameters"])
        for tool in request.get("tools") or ()
    )
    form = request.get("response_format") or {}
    wants_json = form.get("type", "text") != "text"
    return Ask(
        seed=seed,
        text=_text(asked[-1]) if asked else "",
        answered=messages[-1]["role"] == "tool",
        tools=() if choice == "NONE" else tools,
        force=choice == "REQUIRED",
        cap=request.get("max_tokens"),
        stops=tuple(request.get("stop_sequences") or ()),
        schema=(form.get("json_schema") or form.get("schema") or _ANY_OBJECT) if wants_json else None,
        thinks="reasoning" in request["model"] and (request.get("thinking") or {}).get("type") != "disabled",
    )


def _text(message: Json) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content)


def _whole(request: Json, made: Answer, seed: bytes) -> Json:
    message: Json = {"role": "assistant"}
    content = [{"type": "thinking", "thinking": made.thought}] if made.thinking else []
    if made.calls:
        if made.pieces:  # what is said before calls is their plan
            message["tool_plan"] = made.text
        message["tool_calls"] = [_call(call) for call in made.calls]
    elif made.pieces:
        content.append({"type": "text", "text": made.text})
    if content:
        message["content"] = content
    cites = _citations(request, made)
    if cites:
        message["citations"] = cites
    whole: Json = {"id": _uuid(Dice(seed, "id")), "finish_reason": _END[made.end], "message": message}
    if request.get("logprobs") and made.pieces and not made.calls:
        whole["logprobs"] = list(_logprobs(made.pieces, made))
    return whole | {"usage": _usage(request, made)}


def _call(call: Call) -> Json:
    function = {"name": call.name, "arguments": arguments_text(call)}
    return {"id": f"{call.name}_{Dice(call.seed).token(12).lower()}", "type": "function", "function": function}


def _citations(request: Json, made: Answer) -> list[Json]:
    """Cite the first document for the first word."""
    documents = request.get("documents")
    if not documents or not made.pieces or made.calls:
        return []
    held = documents[0] if isinstance(documents[0], dict) else {"data": {"text": documents[0]}}
    identity = held.get("id") or "doc:0"
    source = {"type": "document", "id": identity, "document": {"id": identity, **held["data"]}}
    first = made.pieces[0]
    return [{"start": 0, "end": len(first), "text": first, "sources": [source], "type": "TEXT_CONTENT"}]


def _logprobs(pieces: tuple[str, ...], made: Answer) -> Iterator[Json]:
    dice = Dice(made.seed, "logprobs")
    for piece in pieces:
        yield {"text": piece, "token_ids": [dice.between(5, 250_000)], "logprobs": [-dice.between(0, 400) / 1000]}


def _usage(request: Json, made: Answer) -> Json:
    prompt = 1 + count([request["messages"], request.get("tools"), request.get("documents")])
    said = made.tokens + len(made.thinking)
    return {
        "billed_units": {"input_tokens": prompt, "output_tokens": made.tokens},
        "tokens": {"input_tokens": prompt + _PREAMBLE, "output_tokens": said},
        "cached_tokens": 0,
    }


def _events(request: Json, made: Answer, seed: bytes) -> Iterator[Json]:
    dice = Dice(made.seed, "stream")
    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield {"id": _uuid(Dice(seed, "id")), "type": "message-start", "delta": {"message": empty}}
    index = 0
    if made.thinking:
        yield from _content("thinking", [{"piece": piece} for piece in groups(made.thinking, dice, 3)], index, [])
        index += 1
    if made.calls:
        for piece in groups(made.pieces, dice, 2):
            yield {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": piece}}}
        for number, call in enumerate(made.calls):
            yield from _call_events(call, number, dice)
    elif made.pieces:
        scored = request.get("logprobs")
        entries = list(_logprobs(made.pieces, made)) if scored else []
        # With log probabilities each token is a delta of its own.
        deltas = (
            [{"piece": entry["text"], "logprobs": entry} for entry in entries]
            if scored
            else [{"piece": piece} for piece in groups(made.pieces, dice, 4)]
        )
        yield from _content("text", deltas, index, _citations(request, made))
    usage = _usage(request, made)
    yield {"type": "message-end", "delta": {"finish_reason": _END[made.end], "usage": usage}}


def _content(kind: str, deltas: list[Json], index: int, cites: list[Json]) -> Iterator[Json]:
    yield {"type": "content-start", "index": index, "delta": {"message": {"content": {"type": kind, kind: ""}}}}
    for delta in deltas:
        event: Json = {"type": "content-delta", "index": index}
        event["delta"] = {"message": {"content": {kind: delta["piece"]}}}
        yield event | ({"logprobs": delta["logprobs"]} if "logprobs" in delta else {})
    for number, cite in enumerate(cites):
        yield {"type": "citation-start", "index": number, "delta": {"message": {"citations": cite}}}
        yield {"type": "citation-end", "index": number}
    yield {"type": "content-end", "index": index}


def _call_events(call: Call, number: int, dice: Dice) -> Iterator[Json]:
    whole = _call(call)
    text = whole["function"]["arguments"]
    started = whole | {"function": {"name": call.name, "arguments": ""}}
    yield {"type": "tool-call-start", "index": number, "delta": {"message": {"tool_calls": started}}}
    for piece in slices(text, dice):
        delta = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
        yield {"type": "tool-call-delta", "index": number, "delta": delta}
    yield {"type": "tool-call-end", "index": number}
