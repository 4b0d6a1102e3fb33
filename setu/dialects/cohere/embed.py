"""Embeddings (API v2). Source: docs.cohere.com/reference/embed, read 2026-11-20."""

from collections.abc import Mapping
from typing import Any

from setu import _json
from setu._json import JsonError, Raw
from setu.chat.embed import EmbedRequest, EmbedResponse, Task, Vector, texts
from setu.chat.ids import Mint
from setu.chat.response import Usage
from setu.dialects.cohere.errors import error_info, is_error
from setu.dialects.cohere.words import HOST
from setu.dialects.outward import Writer
from setu.dialects.reader import Obj
from setu.dialects.record import Rendered, Target
from setu.errors import LocalDialectError, ProviderError, RemoteDialectError

MOST = 96
"""Texts of one request."""

_TASKS: Mapping[Task, str] = {
    "query": "search_query",
    "document": "search_document",
    "question": "search_query",
    "classification": "classification",
    "clustering": "clustering",
}
_TOLD_AS_TASK = frozenset({"task_type", "taskType", "input_type"})
_OWN = frozenset({"max_tokens", "priority", "truncate"})


def path(_model: str, _stream: bool) -> tuple[str, str]:
    """Return the endpoint; the model is in the body."""
    return "/v2/embed", ""


def render_request(request: EmbedRequest, target: Target) -> Rendered:
    """Write a request. Cohere must be told what a text is for: without a word of it, a document (with a loss).

    Raises:
        LocalDialectError: an input is tokens or media, or there are too many.
    """
    writer = Writer(HOST, target)
    given = texts(request, "input")
    if len(given) > MOST:
        raise LocalDialectError(f"'input' holds {len(given)} inputs; {HOST} takes {MOST}", param="input")
    body: dict[str, Any] = {
        "model": target.model,
        "texts": given,
        "input_type": _input_type(request, writer),
        "embedding_types": ["float"],
    }
    if request.dimensions is not None:
        body["output_dimension"] = request.dimensions
    if request.truncate is not None:
        body["truncate"] = request.truncate
    for name in ("user", "title"):
        if getattr(request, name) is not None:
            writer.lose((name,), f"{HOST} takes none with embeddings", info=True)
    told: frozenset[str] = _TOLD_AS_TASK if request.task is not None else frozenset()
    own = {key: raw for key, raw in writer.own_members(request.extra, _OWN | told).items() if key not in told}
    body |= {key: Raw(value) for key, value in own.items()}
    return Rendered(body=_json.encode(body), losses=tuple(writer.losses))


def _input_type(request: EmbedRequest, writer: Writer) -> str:
    task = request.task
    if task is None:
        writer.lose(("task",), "no task is said, and Cohere needs one: search_document", info=True)
    elif task not in _TASKS:
        writer.lose(("task",), f"{HOST} has no task '{task}': search_document")
    return _TASKS.get(task, "search_document") if task is not None else "search_document"


def parse_response(body: bytes, _mint: Mint) -> EmbedResponse:
    """Read an answer, by type or, as older models give it, a bare list.

    Raises:
        ProviderError: the body holds an error.
        RemoteDialectError: there is no vector in it.
    """
    try:
        return _parse(body)
    except (JsonError, RecursionError) as error:
        raise RemoteDialectError(f"the upstream's answer cannot be read: {error}") from None


def _parse(body: bytes) -> EmbedResponse:
    obj = Obj(body, lenient=True)
    if is_error(obj):
        raise ProviderError(error_info(body))
    by_type = obj.obj("embeddings") if _json.kind_of(obj.members.get("embeddings", b"")) == "object" else None
    rows = obj.array("embeddings") if by_type is None else by_type.array("float")
    if rows is None or any(_json.kind_of(row) != "array" for row in rows):
        raise RemoteDialectError("the upstream's answer has no 'embeddings.float'", param="embeddings.float")
    return EmbedResponse(vectors=tuple(Vector(floats=row) for row in rows), id=obj.text("id"), usage=_usage(obj))


def _usage(obj: Obj) -> Usage | None:
    meta = obj.obj("meta")
    billed = meta.obj("billed_units") if meta is not None else None
    count = billed.integer("input_tokens") if billed is not None else None
    return None if count is None else Usage(input=count, total=count)
