"""Bedrock's Converse and ConverseStream, and InvokeModel of embedding models, from the provider's side.

Written to docs.aws.amazon.com/bedrock/latest/APIReference (Converse, ConverseStream, InvokeModel; 2026-11), not to
Setu's codecs.
"""

import json
from collections.abc import Iterator
from typing import Any

from setu import _json
from setu.framing.eventstream import EventStreamEncoder
from setu.framing.frame import Frame
from setu.http import Headers
from setu.transport.simulate import embeddings
from setu.transport.simulate.answer import Answer, Ask, Call, Tool, answer, arguments_text, count, groups, slices
from setu.transport.simulate.bedrock_rules import checked
from setu.transport.simulate.dice import Dice, digest
from setu.transport.simulate.refused import RefusedError
from setu.transport.simulate.schema_rules import malformed
from setu.transport.simulate.wire import BROKEN_MODEL, WRONG_KEY, Query, Reply, document, parse

Json = dict[str, Any]
Event = tuple[str, Json]

_END = {"stop": "end_turn", "sequence": "stop_sequence", "length": "max_tokens", "call": "tool_use"}
_CLASS = {400: "ValidationException", 403: "UnrecognizedClientException", 404: "ResourceNotFoundException"}
_CORAL = "http://internal.amazon.com/coral/com.amazon.bedrock/"


def respond(query: Query) -> Reply:
    """Answer a request, or refuse it as AWS does: a message, and its class in a header."""
    seed = digest(query.body.hex(), query.route.model or "")
    try:
        return _answer(query, seed)
    except RefusedError as refused:
        known = _CLASS[refused.status] if refused.type == "invalid_request_error" else refused.type
        headers = _headers(seed) | {"x-amzn-errortype": f"{known}:{_CORAL}"}
        return document({"message": refused.message}, headers, refused.status)


def _answer(query: Query, seed: bytes) -> Reply:
    if query.key == WRONG_KEY:
        raise RefusedError("The security token included in the request is invalid.", status=403)
    try:
        body = parse(query.body)
    except _json.JsonError as error:
        raise RefusedError(str(error), type="SerializationException") from None
    model = query.route.model or ""
    if query.route.operation == "embed":
        answer_body, tokens = embeddings.bedrock(body, model)
        return document(answer_body, _headers(seed) | {"x-amzn-bedrock-input-token-count": str(tokens)})
    try:
        request = checked(body)
        seed = digest(request, model)
        ask = _ask(request, model, seed)
    except (AttributeError, KeyError, TypeError):  # AWS reads the body into its shapes before it looks at any rule
        raise RefusedError("The body does not have the shape of a request.", type="SerializationException") from None
    if model.startswith(BROKEN_MODEL):
        raise RefusedError("The provided model identifier is invalid.")
    made = answer(ask)
    if not query.route.stream:
        return document(_whole(request, model, made), _headers(seed))
    fields = Headers.of({**_headers(seed), "content-type": "application/vnd.amazon.eventstream"})
    encoder = EventStreamEncoder()
    dice = Dice(made.seed, "stream")
    pieces = tuple(
        encoder.encode(Frame(event=name, data=_json.encode(value | {"p": _padding(dice)})))
        for name, value in _events(request, model, made, dice)
    )
    return Reply(headers=fields, pieces=pieces)


def _padding(dice: Dice) -> str:
    """AWS pads its events, so that their lengths tell nothing."""
    return "abcdefghijklmnopqrstuvwxyz"[: dice.between(1, 26)]


def _headers(seed: bytes) -> dict[str, str]:
    dice = Dice(seed, "request")
    return {"x-amzn-requestid": "-".join(dice.hexadecimal(size) for size in (8, 4, 4, 4, 12))}


def _ask(request: Json, model: str, seed: bytes) -> Ask:
    config = request.get("inferenceConfig") or {}
    users = [turn for turn in request["messages"] if turn["role"] == "user"]
    asked = [turn for turn in users if any("text" in block for block in turn["content"])]
    tools = request.get("toolConfig") or {}
    choice = tools.get("toolChoice") or {}
    specs = [tool["toolSpec"] for tool in tools.get("tools") or () if "toolSpec" in tool]
    named = (choice.get("tool") or {}).get("name")
    return Ask(
        seed=seed,
        text="\n".join(block.get("text", "") for block in asked[-1]["content"]) if asked else "",
        answered=any("toolResult" in block for block in request["messages"][-1]["content"]),
        tools=tuple(
            Tool(name=spec["name"], schema=spec["inputSchema"]["json"])
            for spec in specs
            if named in (None, spec["name"])
        ),
        force="any" in choice or "tool" in choice,
        cap=config.get("maxTokens"),
        stops=tuple(config.get("stopSequences") or ()),
        schema=_schema(request),
        thinks=_thinks(request, model),
    )


def _schema(request: Json) -> Any:
    form = (request.get("outputConfig") or {}).get("textFormat")
    if form is None:
        return None
    where = "outputConfig.textFormat.structure.jsonSchema.schema"
    try:
        schema = json.loads(form["structure"]["jsonSchema"]["schema"])
    except (KeyError, TypeError, ValueError):
        raise RefusedError(f"The value at {where} is not JSON.") from None
    if (problem := malformed(schema)) is not None:
        raise RefusedError(f"The value at {where} is not a valid JSON schema: {problem}")
    return schema


def _thinks(request: Json, model: str) -> bool:
    extra = request.get("additionalModelRequestFields") or {}
    asked = (extra.get("thinking") or {}).get("type") in ("enabled", "adaptive")
    return asked or "deepseek.r1" in model or "reasoning_effort" in extra


def _whole(request: Json, model: str, made: Answer) -> Json:
    content: list[Json] = []
    if made.thinking:
        signed = {"signature": _signature(made)} if _signs(model) else {}
        content.append({"reasoningContent": {"reasoningText": {"text": made.thought, **signed}}})
    if made.pieces:
        content.append({"text": made.text})
    content += [{"toolUse": {**_named(call), "input": _input(call)}} for call in made.calls]
    return {
        "metrics": {"latencyMs": _latency(made)},
        "output": {"message": {"content": content, "role": "assistant"}},
        "stopReason": _END[made.end],
        "usage": _usage(request, made),
    }


def _signs(model: str) -> bool:
    return "anthropic." in model


def _signature(made: Answer) -> str:
    return Dice(made.seed, "signature").base64(96)


def _named(call: Call) -> Json:
    return {"name": call.name, "toolUseId": f"tooluse_{Dice(call.seed).token(22)}"}


def _input(call: Call) -> Json:
    return call.arguments if isinstance(call.arguments, dict) else {}


def _latency(made: Answer) -> int:
    return Dice(made.seed, "latency").between(200, 4000)


def _usage(request: Json, made: Answer) -> Json:
    prompt = 1 + count([request.get("system"), request["messages"], request.get("toolConfig")])
    said = made.tokens + len(made.thinking)
    return {"inputTokens": prompt, "outputTokens": said, "totalTokens": prompt + said}


def _events(request: Json, model: str, made: Answer, dice: Dice) -> Iterator[Event]:
    """Yield the events: only a tool's block has a start, and every block an end."""
    yield "messageStart", {"role": "assistant"}
    index = 0
    if made.thinking:
        yield from (_delta(index, {"reasoningContent": {"text": text}}) for text in groups(made.thinking, dice, 4))
        if _signs(model):
            yield _delta(index, {"reasoningContent": {"signature": _signature(made)}})
        yield _stop(index)
        index += 1
    if made.pieces:
        yield from (_delta(index, {"text": text}) for text in groups(made.pieces, dice, 4))
        yield _stop(index)
        index += 1
    for call in made.calls:
        yield "contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": _named(call)}}
        yield _delta(index, {"toolUse": {"input": ""}})
        yield from (_delta(index, {"toolUse": {"input": text}}) for text in slices(arguments_text(call), dice))
        yield _stop(index)
        index += 1
    yield "messageStop", {"stopReason": _END[made.end]}
    yield "metadata", {"metrics": {"latencyMs": _latency(made)}, "usage": _usage(request, made)}


def _delta(index: int, delta: Json) -> Event:
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": delta}


def _stop(index: int) -> Event:
    return "contentBlockStop", {"contentBlockIndex": index}
