"""Embeddings. Source: docs.ollama.com/api/embed, read 2026-11-20."""

from typing import Any

from setu import _json
from setu._json import JsonError, Raw
from setu.chat.embed import EmbedRequest, EmbedResponse, Vector, texts
from setu.chat.ids import Mint
from setu.chat.response import Usage
from setu.dialects.ollama.words import HOST
from setu.dialects.outward import Writer
from setu.dialects.reader import Obj
from setu.dialects.record import Rendered, Target
from setu.errors import ErrorInfo, ErrorKind, ProviderError, RemoteDialectError

_OWN = frozenset({"keep_alive", "options", "truncate"})


def path(_model: str, _stream: bool) -> tuple[str, str]:
    """Return the endpoint; the model is in the body."""
    return "/api/embed", ""


def render_request(request: EmbedRequest, target: Target) -> Rendered:
    """Write a request.

    Raises:
        LocalDialectError: an input is tokens or media.
    """
    writer = Writer(HOST, target)
    body: dict[str, Any] = {"model": target.model, "input": texts(request, "input")}
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    for name in ("task", "title", "truncate"):
        if getattr(request, name) is not None:
            writer.lose((name,), f"{HOST} takes none with embeddings")
    if request.user is not None:
        writer.lose(("user",), f"{HOST} is not told who asks", info=True)
    body |= {key: Raw(value) for key, value in writer.own_members(request.extra, _OWN).items()}
    return Rendered(body=_json.encode(body), losses=tuple(writer.losses))


def parse_response(body: bytes, _mint: Mint) -> EmbedResponse:
    """Read an answer; the older endpoint's single `embedding` too.

    Raises:
        ProviderError: the body holds an error.
        RemoteDialectError: there is no vector in it.
    """
    try:
        return _parse(Obj(body.strip(), lenient=True), body)
    except (JsonError, RecursionError) as error:
        raise RemoteDialectError(f"the upstream's answer cannot be read: {error}") from None


def _parse(obj: Obj, body: bytes) -> EmbedResponse:
    problem = obj.text("error")
    if problem is not None:
        raise ProviderError(ErrorInfo(kind=ErrorKind.BAD_GATEWAY, status=502, message=problem, raw=body))
    one = obj.array("embedding")
    rows = obj.array("embeddings") if one is None else [b"[" + b",".join(one) + b"]"]
    if rows is None or any(_json.kind_of(row) != "array" for row in rows):
        raise RemoteDialectError("the upstream's answer has no 'embeddings'", param="embeddings")
    count = obj.integer("prompt_eval_count")
    return EmbedResponse(
        vectors=tuple(Vector(floats=row) for row in rows),
        model=obj.text("model"),
        usage=None if count is None else Usage(input=count, total=count),
    )
