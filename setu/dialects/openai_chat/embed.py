"""Embeddings, both ways. Source: platform.openai.com/docs/api-reference/embeddings, read 2026-11-20."""

import re
from typing import Any

from setu import _json
from setu._json import Json, Raw, kind_of
from setu.chat.embed import TASKS, EmbedInput, EmbedRequest, EmbedResponse, Encoding, Task, Vector, base64_of, floats
from setu.chat.ids import Mint
from setu.chat.response import Usage
from setu.chat.seals import Extra
from setu.dialects.extras import merge
from setu.dialects.openai_chat.extras import give_back, known
from setu.dialects.openai_chat.response import refuse
from setu.dialects.openai_chat.usage import parse_usage
from setu.dialects.openai_chat.words import NAME
from setu.dialects.reader import Obj
from setu.dialects.record import Loss, Rendered, Reply, Route, Target
from setu.errors import LocalDialectError, RemoteDialectError

MOST = 2048
"""Inputs of one request, and tokens of one array."""

_TASK_MEMBERS = ("task_type", "taskType", "input_type")
"""What clients write beside OpenAI's members, for hosts that take a task (Gemini, Cohere, Voyage)."""


def path(_model: str, _stream: bool) -> tuple[str, str]:
    """Return the endpoint; the model is in the body."""
    return "/embeddings", ""


def parse_request(body: bytes, route: Route) -> EmbedRequest:
    """Read a request strictly: a text, texts, tokens, or arrays of tokens (B-EMB-03).

    Raises:
        LocalDialectError: a wrong type, an empty input, or a value out of range.
    """
    obj = Obj(body)
    model = obj.text("model") or route.model  # Azure names the model in the path
    if not model:
        raise obj.missing("model")
    dimensions = obj.integer("dimensions")
    if dimensions is not None and dimensions < 1:
        raise obj.error("'dimensions' must be at least 1", param="dimensions")
    try:
        return EmbedRequest(
            model=model,
            inputs=_inputs(obj),
            dimensions=dimensions,
            encoding=_encoding(obj),
            user=obj.text("user"),
            task=_task(obj),
            extra=obj.extra(NAME),
        )
    except _json.JsonError as error:
        raise LocalDialectError(f"the body is not valid JSON: {error}") from None


def _inputs(obj: Obj) -> tuple[EmbedInput, ...]:
    kind = kind_of(obj.members.get("input", b""))
    if kind in {None, "null"}:
        raise obj.missing("input")
    if kind == "string":
        # Documented as illegal, but answered (dd-trace-py-e8a67d7cb0): the upstream decides.
        return (obj.need_text("input"),)
    if kind != "array":
        raise obj.wrong("input", "a string, or an array of strings, of tokens or of token arrays")
    items = obj.array("input") or []
    if not 1 <= len(items) <= MOST:
        raise obj.error(f"'input' must hold 1 to {MOST} items", param="input")
    if kind_of(items[0]) == "number":
        return (_tokens(obj, items, "input"),)
    return tuple(_item(obj, raw, f"input[{index}]") for index, raw in enumerate(items))


def _item(obj: Obj, raw: Json, where: str) -> EmbedInput:
    match kind_of(raw):
        case "string":
            return str(_json.decode(raw))
        case "array":
            items = _json.items(raw, trusted=True)
            if not 1 <= len(items) <= MOST:
                raise obj.error(f"'{where}' must hold 1 to {MOST} tokens", param=where)
            return _tokens(obj, items, where)
    raise obj.error(f"'{where}' must be a string or an array of tokens", param=where)


def _tokens(obj: Obj, items: list[Json], where: str) -> tuple[int, ...]:
    for index, raw in enumerate(items):
        if not raw.isdigit() or len(raw) > 9:
            raise obj.error(f"'{where}[{index}]' must be a token", param=f"{where}[{index}]")
    return tuple(map(int, items))


def _encoding(obj: Obj) -> Encoding | None:
    match obj.text("encoding_format"):
        case None:
            return None
        case "float":
            return "float"
        case "base64":
            return "base64"
    raise obj.wrong("encoding_format", "float or base64")


def _task(obj: Obj) -> Task | None:
    """Peek at a task; the member stays with the extras, for hosts of this dialect that know it."""
    for name in _TASK_MEMBERS:
        raw = obj.members.get(name, b"")
        if kind_of(raw) == "string" and (task := TASKS.get(_json.decode(raw).lower())) is not None:
            return task
    return None


def foreign_members(extra: Extra | None, task: Task | None) -> list[str]:
    """Return the names of members that another dialect cannot be told; a task it reads elsewhere is none."""
    members = extra.members if extra is not None else {}
    return [name for name in members if task is None or name not in _TASK_MEMBERS]


def render_request(request: EmbedRequest, target: Target) -> Rendered:
    """Write a request.

    Raises:
        LocalDialectError: an input is neither text nor tokens.
    """
    losses: list[Loss] = []
    if any(not isinstance(given, (str, tuple)) for given in request.inputs):
        raise LocalDialectError("'input' holds media, and this upstream embeds text and tokens alone", param="input")
    body: dict[str, Any] = {"model": target.model, "input": _written(request)}
    for name in ("dimensions", "user"):
        if (value := getattr(request, name)) is not None:
            body[name] = value
    if request.encoding is not None:
        body["encoding_format"] = request.encoding
    own = known(request.extra)
    losses += [
        Loss(phase="request", pointer=f"/{name}", reason="not supported by the target")
        for name in ("task", "title", "truncate")
        if getattr(request, name) is not None and not own
    ]
    give_back(body, request.extra, (), losses)
    return Rendered(body=_json.encode(body), losses=tuple(losses))


def _written(request: EmbedRequest) -> Any:
    """Write one input as itself, several as a list."""
    return request.inputs[0] if len(request.inputs) == 1 else request.inputs


def parse_response(body: bytes, _mint: Mint) -> EmbedResponse:
    """Read an answer; vectors come in the order of their indices, whatever order they stand in.

    Raises:
        ProviderError: the body holds an error instead.
        RemoteDialectError: there is no vector in it.
    """
    try:
        return _parse(body.strip())
    except _json.JsonError as error:
        raise RemoteDialectError(f"the upstream's answer is not valid JSON: {error}") from None


def _parse(body: bytes) -> EmbedResponse:
    obj = Obj(body, lenient=True)
    rows = obj.objects("data")
    if rows is None:
        refuse(body, "data")
    obj.text("object")
    raw = obj.raw("usage")
    placed = [(_index(row, position), _vector(row)) for position, row in enumerate(rows or ())]
    return EmbedResponse(
        vectors=tuple(vector for _, vector in sorted(placed, key=lambda pair: pair[0])),
        model=obj.text("model") or None,
        id=obj.text("id"),
        usage=parse_usage(_json.decode(raw), raw) if raw is not None else None,
        extra=obj.extra(NAME),
    )


def _index(row: Obj, position: int) -> int:
    index = row.integer("index")
    return position if index is None else index


def _vector(row: Obj) -> Vector:
    row.text("object")
    raw = row.raw("embedding")
    match kind_of(raw or b""):
        case "array":
            return Vector(floats=raw, extra=row.extra(NAME))
        case "string":
            return Vector(base64=_json.decode(raw or b""), extra=row.extra(NAME))
    raise RemoteDialectError(f"the upstream's answer has no '{row.at('embedding')}'", param=row.at("embedding"))


def render_response(response: EmbedResponse, reply: Reply) -> Rendered:
    """Write an answer, its vectors in the encoding that was asked for, by default floats (B-EMB-01)."""
    losses: list[Loss] = []
    rows: list[dict[str, Any]] = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector, response.encoding)}
        for index, vector in enumerate(response.vectors)
    ]
    for row, vector in zip(rows, response.vectors, strict=True):
        merge(row, known(vector.extra))
    body: dict[str, Any] = {"object": "list", "data": rows, "model": response.model or reply.model}
    if response.id is not None:
        body["id"] = response.id
    body["usage"] = _usage(response.usage, losses)
    merge(body, known(response.extra))
    return Rendered(body=_json.encode(body), losses=tuple(losses))


def _encoded(vector: Vector, encoding: Encoding | None) -> Any:
    return base64_of(vector) if encoding == "base64" else Raw(floats(vector))


def _usage(usage: Usage | None, losses: list[Loss]) -> dict[str, int]:
    """Return the two counts that strict clients read without a check; zero where the upstream counted nothing."""
    counted = usage.input if usage is not None and usage.input is not None else usage.total if usage else None
    if counted is None:
        losses.append(
            Loss(phase="response", pointer="/usage", reason="the upstream counted no tokens", severity="info")
        )
    return {"prompt_tokens": counted or 0, "total_tokens": counted or 0}


_NULL = re.compile(rb'"encoding_format"\s*:\s*null')
_FIRST = re.compile(rb'"embedding"\s*:\s*(["\[])')


def tidy(body: bytes) -> bytes:
    """Leave out `encoding_format: null`, which hosts refuse (B-EMB-02); any other body passes as it is."""
    if _NULL.search(body) is None:
        return body
    return _json.without(body, ["encoding_format"]) if _json.split(body).get("encoding_format") == b"null" else body


def settle(asked: bytes, answer: bytes) -> bytes:
    """Give the client the encoding it asked for where the host gave the other one (B-EMB-01, B-EMB-02).

    An answer in the right encoding passes as it is; in any other, all but the vectors stays.

    Raises:
        RemoteDialectError: a vector cannot be converted.
    """
    wanted: Encoding = "base64" if _asks_base64(asked) else "float"
    first = _FIRST.search(answer)
    if first is None or (first[1] == b'"') == (wanted == "base64"):
        return answer
    try:
        rows = [_converted(raw, wanted) for raw in _json.items(_json.split(answer)["data"], trusted=True)]
    except (KeyError, _json.JsonError):
        return answer
    return _json.splice(answer, {"data": b"[" + b",".join(rows) + b"]"})


def _asks_base64(asked: bytes) -> bool:
    if b"base64" not in asked:
        return False
    return _json.split(asked).get("encoding_format") == b'"base64"'


def _converted(raw: Json, wanted: Encoding) -> Json:
    vector = _vector(Obj(raw, "data", lenient=True))
    made = _json.encode(base64_of(vector)) if wanted == "base64" else floats(vector)
    return _json.splice(raw, {"embedding": made})
