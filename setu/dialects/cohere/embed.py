"""Embeddings (API v2). Source: docs.cohere.com/reference/embed, read 2026-11-20."""

from typing import Any

from setu import _json
from setu._json import JsonError, Raw
from setu.chat.embed import EmbedRequest, EmbedResponse, Vector
from setu.chat.ids import Mint
from setu.chat.response import Usage
from setu.dialects.cohere.errors import error_info, is_error
from setu.dialects.cohere.words import HOST
from setu.dialects.cohere_embeds import TOLD_AS_TASK, asked, rows
from setu.dialects.outward import Writer
from setu.dialects.reader import Obj
from setu.dialects.record import Rendered, Target
from setu.errors import ProviderError, RemoteDialectError

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
    body: dict[str, Any] = {"model": target.model, **asked(request, writer), "embedding_types": ["float"]}
    if request.dimensions is not None:
        body["output_dimension"] = request.dimensions
    if request.truncate is not None:
        body["truncate"] = request.truncate
    for name in ("user", "title"):
        if getattr(request, name) is not None:
            writer.lose((name,), f"{HOST} takes none with embeddings", info=True)
    told: frozenset[str] = TOLD_AS_TASK if request.task is not None else frozenset()
    own = {key: raw for key, raw in writer.own_members(request.extra, _OWN | told).items() if key not in told}
    body |= {key: Raw(value) for key, value in own.items()}
    return Rendered(body=_json.encode(body), losses=tuple(writer.losses))


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
    found = rows(obj)
    if found is None:
        raise RemoteDialectError("the upstream's answer has no 'embeddings.float'", param="embeddings.float")
    return EmbedResponse(vectors=tuple(Vector(floats=row) for row in found), id=obj.text("id"), usage=_usage(obj))


def _usage(obj: Obj) -> Usage | None:
    meta = obj.obj("meta")
    billed = meta.obj("billed_units") if meta is not None else None
    count = billed.integer("input_tokens") if billed is not None else None
    return None if count is None else Usage(input=count, total=count)
