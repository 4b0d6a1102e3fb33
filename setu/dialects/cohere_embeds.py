"""What Cohere's embedding models are told and answer alike, on Cohere's own API and on Bedrock.

Sources: docs.cohere.com/reference/embed and docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v4,
read 2026-11-20.
"""

from collections.abc import Mapping
from typing import Any

from setu import _json
from setu._json import Json
from setu.chat.embed import EmbedRequest, Task, texts
from setu.dialects.outward import Writer
from setu.dialects.reader import Obj
from setu.errors import LocalDialectError

MOST = 96
"""Texts of one request."""

_TASKS: Mapping[Task, str] = {
    "query": "search_query",
    "document": "search_document",
    "question": "search_query",
    "classification": "classification",
    "clustering": "clustering",
}

TOLD_AS_TASK = frozenset({"task_type", "taskType", "input_type"})
"""Members that say a task where `EmbedRequest.task` says it, too."""


def asked(request: EmbedRequest, writer: Writer) -> dict[str, Any]:
    """Return the members that every model of Cohere's needs. Without a word of it, a text is a document (with a loss).

    Raises:
        LocalDialectError: an input is tokens or media, or there are too many.
    """
    given = texts(request, "input")
    if len(given) > MOST:
        raise LocalDialectError(f"'input' holds {len(given)} inputs; {writer.host} takes {MOST}", param="input")
    return {"texts": given, "input_type": _input_type(request, writer)}


def _input_type(request: EmbedRequest, writer: Writer) -> str:
    task = request.task
    if task is None:
        writer.lose(("task",), "no task is said, and Cohere needs one: search_document", info=True)
    elif task not in _TASKS:
        writer.lose(("task",), f"{writer.host} has no task '{task}': search_document")
    return _TASKS.get(task, "search_document") if task is not None else "search_document"


def rows(answer: Obj) -> list[Json] | None:
    """Take the vectors, by type or, as older models give them, as a bare list; None where there are none."""
    by_type = answer.obj("embeddings") if _json.kind_of(answer.members.get("embeddings", b"")) == "object" else None
    found = answer.array("embeddings") if by_type is None else by_type.array("float")
    return None if found is None or any(_json.kind_of(row) != "array" for row in found) else found
