"""`embedContent` and `batchEmbedContents`, both ways.

Source: ai.google.dev/api/embeddings (v1beta), read 2026-11-20. The older members (`taskType`, `title`,
`outputDimensionality`) stand beside `content`, newer clients may put them into `embedContentConfig`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from setu import _json
from setu._json import JsonError, Raw
from setu.chat.embed import TASKS, Content, EmbedInput, EmbedRequest, EmbedResponse, Task, Vector, floats
from setu.chat.ids import Mint
from setu.chat.parts import Text
from setu.chat.response import Usage
from setu.chat.seals import Extra
from setu.dialects.gemini.errors import error_in
from setu.dialects.gemini.parts import own_extra, parse_part
from setu.dialects.gemini.proto import NAME, Fields
from setu.dialects.gemini.render import Scribe, render_part
from setu.dialects.gemini.usage import parse_usage, render_usage
from setu.dialects.record import Rendered, Reply, Route, Target, pointer
from setu.errors import LocalDialectError, ProviderError, RemoteDialectError

MOST = 100
"""Requests of one batch (ai.google.dev/gemini-api/docs/embeddings, "limits")."""

_TASK_OUT: Mapping[Task, str] = {
    "query": "RETRIEVAL_QUERY",
    "document": "RETRIEVAL_DOCUMENT",
    "similarity": "SEMANTIC_SIMILARITY",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
    "question": "QUESTION_ANSWERING",
    "fact": "FACT_VERIFICATION",
    "code_query": "CODE_RETRIEVAL_QUERY",
}
_TOLD_AS_TASK = frozenset({"task_type", "taskType", "input_type"})


POINTERS = {"task": "/taskType", "dimensions": "/outputDimensionality"}
"""Where a client wrote what may be lost."""


def path(model: str, _stream: bool) -> tuple[str, str]:
    """Return the endpoint that takes any number of inputs."""
    return _path(model, "batchEmbedContents"), ""


def place(model: str, body: bytes) -> tuple[str, str]:
    """Return the endpoint that a body is for."""
    return path(model, False) if b'"requests"' in body and "requests" in _json.split(body) else _single(model)


def _single(model: str) -> tuple[str, str]:
    return _path(model, "embedContent"), ""


def _path(model: str, method: str) -> str:
    return f"/v1beta/{quote(_full(model), safe='/')}:{method}"


def _full(model: str) -> str:
    return model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"


def parse_request(body: bytes, route: Route) -> EmbedRequest:
    """Read one content or a batch; the requests of a batch may differ in nothing but their content.

    Raises:
        LocalDialectError: not JSON, a wrong type, no content, or settings that differ.
    """
    try:
        return _parse(Fields(body), route)
    except (JsonError, RecursionError) as error:
        raise LocalDialectError(f"the body is not valid JSON: {error}") from None


def _parse(obj: Fields, route: Route) -> EmbedRequest:
    batch = obj.has("requests")
    requests = obj.many("requests") if batch else [obj]
    if not requests:
        raise LocalDialectError("'requests' must hold at least one request", param="requests")
    read = [_one(request) for request in requests]
    first = read[0][1]
    for index, (_, settings) in enumerate(read):
        if settings != first:
            message = "the requests of a batch must agree in all but their content"
            raise LocalDialectError(message, param=f"requests[{index}]")
    named = first.pop("named", None)
    model = route.model or (named or obj.text("model") or "").removeprefix("models/")
    if not model:
        raise obj.missing("model")
    return EmbedRequest(model=model, inputs=tuple(given for given, _ in read), batch=batch, **first)


def _one(request: Fields) -> tuple[EmbedInput, dict[str, Any]]:
    """Return a request's input and its settings."""
    content = request.obj("content")
    if content is None:
        raise request.missing("content")
    named = request.text("model")
    config = request.obj("embedContentConfig")
    settings: dict[str, Any] = {"named": named}
    word = None
    for source in (request, *([config] if config is not None else [])):
        word = source.text("taskType") or word
        settings["title"] = source.text("title") or settings.get("title")
        dimensions = source.integer("outputDimensionality")
        settings["dimensions"] = dimensions if dimensions is not None else settings.get("dimensions")
    members = dict(request.members)
    if config is not None and config.members:
        members["embedContentConfig"] = _json.encode({key: Raw(value) for key, value in config.members.items()})
    settings["task"] = TASKS.get(word.lower()) if word is not None else None
    if word is not None and settings["task"] is None:
        members["taskType"] = _json.encode(word)
    settings["extra"] = Extra(dialect=NAME, members=members) if members else None
    return _input(content), settings


def _input(content: Fields) -> EmbedInput:
    """Return a content's text; more than one text, or anything else, as parts."""
    content.text("role")
    raws = content.array("parts") or []
    if not raws:
        raise content.missing("parts")
    parts = tuple(parse_part(raw, f"{content.at('parts')}[{index}]") for index, raw in enumerate(raws))
    only = parts[0]
    if len(parts) == 1 and isinstance(only, Text) and only == Text(text=only.text):
        return only.text
    return Content(parts=parts)


def render_request(request: EmbedRequest, target: Target) -> Rendered:
    """Write a batch, or the one content that a client of `embedContent` asked for.

    Raises:
        LocalDialectError: an input is tokens, there are too many, or media is out of Gemini's reach.
    """
    scribe = Scribe(phase="request", media=target.media)
    settings = _settings(request, scribe)
    if len(request.inputs) > MOST:
        raise LocalDialectError(f"'input' holds {len(request.inputs)} inputs; Gemini takes {MOST}", param="input")
    model = _full(target.model)
    contents = [_content(given, pointer("input", index), scribe) for index, given in enumerate(request.inputs)]
    if request.batch:
        body: Any = {"requests": [{"model": model, "content": content, **settings} for content in contents]}
    else:
        body = {"model": model, "content": contents[0], **settings}
    try:
        return Rendered(body=_json.encode(body), losses=tuple(scribe.losses))
    except JsonError as error:
        raise LocalDialectError(f"the request cannot be written as JSON: {error}") from None


def _settings(request: EmbedRequest, scribe: Scribe) -> dict[str, Any]:
    members: dict[str, Any] = {}
    if request.task is not None and request.task in _TASK_OUT:
        members["taskType"] = _TASK_OUT[request.task]
    elif request.task is not None:
        scribe.lose("/task", f"Gemini has no task '{request.task}'")
    if request.title is not None:
        members["title"] = request.title
    if request.dimensions is not None:
        members["outputDimensionality"] = request.dimensions
    if request.user is not None:
        scribe.lose("/user", "Gemini is not told who asks", "info")
    if request.truncate is not None:
        scribe.lose("/truncate", "Gemini cuts long inputs by itself")
    extra = request.extra
    if extra is not None and extra.dialect != NAME:
        for key in extra.members:
            if request.task is None or key not in _TOLD_AS_TASK:
                scribe.lose(f"/{key}", f"only {extra.dialect} knows this member")
    return members | {key: Raw(value) for key, value in own_extra(extra).items()}


def _content(given: EmbedInput, where: str, scribe: Scribe) -> dict[str, Any]:
    if isinstance(given, str):
        return {"parts": [{"text": given}]}
    if isinstance(given, Content):
        return {"parts": [wire for part in given.parts for wire in render_part(part, where, scribe)]}
    raise LocalDialectError("'input' holds tokens, which Gemini does not read: send the text", param="input")


def parse_response(body: bytes, _mint: Mint) -> EmbedResponse:
    """Read an answer of either method.

    Raises:
        ProviderError: the body holds an error.
        RemoteDialectError: there is no vector in it.
    """
    try:
        info = error_in(body)
        if info is not None:
            raise ProviderError(info)
        obj = Fields(body.strip(), lenient=True)
        one = obj.obj("embedding")
        rows = [one] if one is not None else obj.many("embeddings")
        if not rows:
            raise RemoteDialectError("the upstream's answer holds no embedding", param="embeddings")
        usage = obj.raw("usageMetadata")
        return EmbedResponse(
            vectors=tuple(_vector(row) for row in rows),
            usage=parse_usage(usage) if usage is not None else None,
            batch=one is None,
            extra=obj.extra(NAME),
        )
    except JsonError as error:
        raise RemoteDialectError(f"the upstream's answer is not valid JSON: {error}") from None


def _vector(row: Fields) -> Vector:
    values = row.raw("values")
    if _json.kind_of(values or b"") != "array":
        raise RemoteDialectError(f"the upstream's answer has no '{row.at('values')}'", param=row.at("values"))
    return Vector(floats=values, extra=row.extra(NAME))


def render_response(response: EmbedResponse, _reply: Reply) -> Rendered:
    """Write the answer of the method that was asked."""
    rows = [
        {"values": Raw(floats(vector))} | {key: Raw(value) for key, value in own_extra(vector.extra).items()}
        for vector in response.vectors
    ]
    body: dict[str, Any] = {"embeddings": rows} if response.batch else {"embedding": rows[0]}
    if response.usage is not None:
        body["usageMetadata"] = render_usage(_prompt_only(response.usage))
    body |= {key: Raw(value) for key, value in own_extra(response.extra).items()}
    return Rendered(body=_json.encode(body))


def _prompt_only(usage: Usage) -> Usage:
    """Leave out the count of an answer that has no words."""
    return usage if usage.output else msgspec.structs.replace(usage, output=None)
