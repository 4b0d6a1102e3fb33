"""Gemini's generateContent, streamGenerateContent, countTokens and model list, from the provider's side.

Written to ai.google.dev/api/generate-content (v1beta, 2026-11), not to Setu's codecs.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from setu import _json
from setu.http import Headers
from setu.transport.simulate import embeddings
from setu.transport.simulate.answer import Answer, Ask, Call, Tool, answer, count, groups
from setu.transport.simulate.dice import Dice, digest
from setu.transport.simulate.gemini_rules import checked, json_schema
from setu.transport.simulate.refused import RefusedError
from setu.transport.simulate.wire import BROKEN_MODEL, WRONG_KEY, Query, Reply, document, parse

Json = dict[str, Any]

MODELS = ("gemini-3-pro-preview", "gemini-2.5-pro", "gemini-2.5-flash")
_END = {"stop": "STOP", "sequence": "STOP", "length": "MAX_TOKENS", "call": "STOP"}
_STATUS = {400: "INVALID_ARGUMENT", 404: "NOT_FOUND"}
_ANY_OBJECT: Json = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
_THINKS_UNASKED = ("gemini-2.5", "gemini-3")
_FIELD_VIOLATION = ("Invalid JSON payload", "Invalid value at")


def respond(query: Query) -> Reply:
    """Answer a request, or refuse it in Google's error envelope; a JSON-array stream wraps the error in an array."""
    seed = digest(query.body.hex(), query.route.model or "")
    try:
        return _answer(query, seed)
    except RefusedError as refused:
        whole: Any = {"error": _error(refused)}
        return document([whole] if query.route.framing == "jsonarray" else whole, _headers(seed), refused.status)


def _answer(query: Query, seed: bytes) -> Reply:
    model = query.route.model or ""
    if query.key == WRONG_KEY:
        raise RefusedError("API key not valid. Please pass a valid API key.", code="API_KEY_INVALID")
    if query.route.operation == "models":
        return document(_models(model or None), _headers(seed))
    body = _body(query.body)
    if query.route.operation == "count_tokens":
        return _counted(body, seed)
    if query.route.operation == "embed":
        return document(embeddings.gemini(body, model), _headers(seed))
    request = checked(body)
    if model.startswith(BROKEN_MODEL):
        raise _unknown(model)
    return _generate(query, request, model)


def _body(raw: bytes) -> Any:
    try:
        body = parse(raw)
    except _json.JsonError as error:
        raise RefusedError(f"Invalid JSON payload received. {error}") from None
    return body


def _error(refused: RefusedError) -> Json:
    error: Json = {"code": refused.status, "message": refused.message, "status": _STATUS[refused.status]}
    if refused.code is not None:
        info = {"reason": refused.code, "domain": "googleapis.com"}
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", **info}]
    elif refused.message.startswith(_FIELD_VIOLATION):
        violations = [{"description": refused.message}]
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations}]
    return error


def _unknown(model: str) -> RefusedError:
    return RefusedError(
        f"models/{model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels "
        "to see the list of available models and their supported methods.",
        status=404,
    )


def _headers(seed: bytes) -> dict[str, str]:
    return {
        "content-type": "application/json; charset=UTF-8",
        "server-timing": f"gfet4t7; dur={Dice(seed, 'time').between(40, 900)}",
        "x-request-id": Dice(seed, "request").hexadecimal(32),
    }


def _models(one: str | None) -> Json:
    if one is None:
        return {"models": [_model(name) for name in MODELS]}
    if one not in MODELS:
        raise _unknown(one)
    return _model(one)


def _model(name: str) -> Json:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name.replace("-", " ").title(),
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": True,
    }


def _counted(body: Any, seed: bytes) -> Reply:
    inner = body.get("generateContentRequest", body) if isinstance(body, dict) else body
    request = checked(inner)
    total = _prompt(request)
    details = [{"modality": "TEXT", "tokenCount": total}]
    return document({"totalTokens": total, "promptTokensDetails": details}, _headers(seed))


def _generate(query: Query, request: Json, model: str) -> Reply:
    seed = digest(request, model)
    ask = _ask(request, model, seed)
    config = request.get("generationConfig") or {}
    answers = [answer(ask, index) for index in range(config.get("candidateCount") or 1)]
    tail = {"modelVersion": model, "responseId": Dice(seed, "id").token(22)}
    if not query.route.stream:
        candidates = [_candidate(request, model, index, made) for index, made in enumerate(answers)]
        whole = {"candidates": candidates, "usageMetadata": _usage(request, answers), **tail}
        return document(whole, _headers(seed))
    chunks = [chunk | tail for chunk in _chunks(request, model, answers)]
    if query.route.framing == "sse":
        fields = Headers.of({**_headers(seed), "content-type": "text/event-stream"})
        return Reply(headers=fields, pieces=tuple(b"data: " + _json.encode(chunk) + b"\r\n\r\n" for chunk in chunks))
    # Google's own line ends (`}`, a line, `,`): a client that cuts at them, as Portkey does, loses a chunk without.
    elements = [(b"[" if turn == 0 else b"\n,\r\n") + _json.encode(chunk) for turn, chunk in enumerate(chunks)]
    return Reply(headers=Headers.of(_headers(seed)), pieces=(*elements, b"\n]"))


def _ask(request: Json, model: str, seed: bytes) -> Ask:
    config = request.get("generationConfig") or {}
    contents = request["contents"]
    users = [content for content in contents if content.get("role") in (None, "", "user")]
    asked = [content for content in users if any("text" in part for part in content["parts"])]
    tools, force = _callable(request)
    return Ask(
        seed=seed,
        text="\n".join(part.get("text", "") for part in asked[-1]["parts"]) if asked else "",
        answered=any("functionResponse" in part for part in contents[-1]["parts"]),
        tools=tools,
        force=force,
        cap=config.get("maxOutputTokens"),
        stops=tuple(config.get("stopSequences") or ()),
        schema=_schema(config),
        thinks=_thinks(config.get("thinkingConfig") or {}, model),
    )


def _thinks(thinking: Json, model: str) -> bool:
    if thinking.get("thinkingBudget") == 0:
        return False
    return bool(thinking) or model.startswith(_THINKS_UNASKED)


def _schema(config: Json) -> Any:
    if config.get("responseMimeType") not in ("application/json", "text/x.enum"):
        return None
    if "responseJsonSchema" in config:
        return config["responseJsonSchema"]
    return json_schema(config["responseSchema"]) if "responseSchema" in config else _ANY_OBJECT


def _callable(request: Json) -> tuple[tuple[Tool, ...], bool]:
    """Return the functions the model may call now and whether it must call one."""
    declared = [function for tool in request.get("tools") or () for function in tool.get("functionDeclarations") or ()]
    tools = tuple(Tool(name=function["name"], schema=_parameters(function)) for function in declared)
    config = (request.get("toolConfig") or {}).get("functionCallingConfig") or {}
    mode = str(config.get("mode") or "AUTO").upper()
    if mode == "NONE":
        return (), False
    allowed = config.get("allowedFunctionNames")
    return tuple(tool for tool in tools if not allowed or tool.name in allowed), mode == "ANY"


def _parameters(function: Json) -> Any:
    if "parametersJsonSchema" in function:
        return function["parametersJsonSchema"]
    return json_schema(function.get("parameters") or {"type": "OBJECT"})


def _prompt(request: Json) -> int:
    return 1 + count([request.get("systemInstruction"), request["contents"], request.get("tools")])


def _usage(request: Json, answers: list[Answer]) -> Json:
    prompt = _prompt(request)
    said = sum(made.tokens for made in answers)
    thought = sum(len(made.thinking) for made in answers)
    usage: Json = {"promptTokenCount": prompt}
    if said:
        usage["candidatesTokenCount"] = said
    usage["totalTokenCount"] = prompt + said + thought
    usage["promptTokensDetails"] = [{"modality": "TEXT", "tokenCount": prompt}]
    if thought:
        usage["thoughtsTokenCount"] = thought
    return usage


def _candidate(request: Json, model: str, index: int, made: Answer) -> Json:
    parts = _thoughts(request, made) + ([{"text": made.text} | _sealed(model, made)] if made.pieces else [])
    parts += [_call(call, model, signed=turn == 0) for turn, call in enumerate(made.calls)]
    candidate: Json = {"content": {"parts": parts, "role": "model"} if parts else {"role": "model"}}
    candidate |= {"finishReason": _END[made.end], "index": index}
    config = request.get("generationConfig") or {}
    if config.get("responseLogprobs") and made.pieces:
        candidate |= _logprobs(made, int(config.get("logprobs") or 1))
    return candidate


def _thoughts(request: Json, made: Answer) -> list[Json]:
    thinking = (request.get("generationConfig") or {}).get("thinkingConfig") or {}
    return [{"text": made.thought, "thought": True}] if made.thinking and thinking.get("includeThoughts") else []


def _sealed(model: str, made: Answer) -> Json:
    """Models from Gemini 3 on sign the last text part of a turn without calls (thought signatures guide)."""
    if made.calls or not made.thinking or not model.startswith("gemini-3"):
        return {}
    return {"thoughtSignature": Dice(made.seed, "seal").base64(48)}


def _call(call: Call, model: str, *, signed: bool) -> Json:
    """The first call of a turn carries the signature; models from Gemini 3 on give each call an id."""
    dice = Dice(call.seed)
    inner: Json = {"name": call.name, "args": call.arguments}
    if model.startswith("gemini-3"):
        inner["id"] = dice.token(8).lower()
    return {"functionCall": inner, **({"thoughtSignature": dice.base64(48)} if signed else {})}


def _logprobs(made: Answer, top: int) -> Json:
    dice = Dice(made.seed, "logprobs")
    scores = [-dice.between(1, 400) / 1000 for _ in made.pieces]
    chosen: list[Json] = [
        {"token": piece, "logProbability": score} for piece, score in zip(made.pieces, scores, strict=True)
    ]
    ranked = [{"candidates": [one] * min(top, 1)} for one in chosen]
    average = sum(scores) / len(scores)
    return {"avgLogprobs": average, "logprobsResult": {"chosenCandidates": chosen, "topCandidates": ranked}}


def _chunks(request: Json, model: str, answers: list[Answer]) -> Iterator[Json]:
    """Yield chunks: parts of each candidate in turn; the last of each has its reason, all have usage."""
    lanes = [_lane(request, model, index, made) for index, made in enumerate(answers)]
    usage = _usage(request, answers)
    so_far = {key: value for key, value in usage.items() if key.startswith("prompt")}
    rows = [[one for one in row if one is not None] for row in zip_longest(*lanes)]
    for turn, row in enumerate(rows):
        ended = turn == len(rows) - 1
        yield {
            "candidates": row,
            "usageMetadata": usage if ended else so_far | {"totalTokenCount": so_far["promptTokenCount"]},
        }


def _lane(request: Json, model: str, index: int, made: Answer) -> list[Json]:
    dice = Dice(made.seed, "stream")
    parts = _thoughts(request, made) + [{"text": text} for text in groups(made.pieces, dice, 8)]
    parts += [_call(call, model, signed=turn == 0) for turn, call in enumerate(made.calls)]
    lane: list[Json] = [{"content": {"parts": [part], "role": "model"}, "index": index} for part in parts]
    seal = _sealed(model, made) if made.pieces else {}
    if made.calls or seal or not lane or dice.chance(2):
        # The reason often comes in a chunk of its own, with an empty text, and the signature with it.
        lane.append({"content": {"parts": [{"text": ""} | seal], "role": "model"}, "index": index})
    lane[-1]["finishReason"] = _END[made.end]
    return lane
