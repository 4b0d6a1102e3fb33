"""Embeddings by InvokeModel, whose body is the model's own: Cohere's, Amazon Titan's, Amazon Nova's.

Titan and Nova embed one text a request. Sources: docs.aws.amazon.com/bedrock/latest/userguide/
model-parameters-titan-embed-text, model-parameters-embed and model-parameters-embed-v4, and
docs.aws.amazon.com/nova/latest/userguide/embeddings-schema, read 2026-11-20 as far as the search gave them; the header
that counts tokens, and the forms of answers, are those of recorded exchanges (pydantic-ai-1f44233764).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from setu import _json
from setu._json import Json, JsonError, Raw
from setu.chat.embed import EmbedRequest, EmbedResponse, Task, Vector, texts
from setu.chat.ids import Mint
from setu.chat.response import Usage
from setu.dialects import cohere_embeds
from setu.dialects.bedrock.errors import masked
from setu.dialects.outward import Writer
from setu.dialects.reader import Obj
from setu.dialects.record import Rendered, Target
from setu.errors import LocalDialectError, ProviderError, RemoteDialectError
from setu.http import Headers

_HOST = "Bedrock"
_COUNT = "x-amzn-bedrock-input-token-count"

_COHERE_OWN = frozenset({"max_tokens", "truncate"})
_TITAN_OWN = frozenset({"normalize"})

_PURPOSES: Mapping[Task, str] = {
    "query": "GENERIC_RETRIEVAL",
    "question": "GENERIC_RETRIEVAL",
    "document": "GENERIC_INDEX",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
}


def path(model: str, _stream: bool) -> tuple[str, str]:
    """Return the endpoint; a model id may hold colons and, as an ARN, slashes."""
    return f"/model/{quote(model, safe='')}/invoke", ""


def render_request(request: EmbedRequest, target: Target) -> Rendered:
    """Write a request in the form of the model's family.

    Raises:
        LocalDialectError: nothing is known of the model's form, an input is tokens or media, or there are too many.
    """
    writer = Writer(_HOST, target)
    write = next((write for word, write in _FAMILIES.items() if word in target.model), None)
    if write is None:
        message = (
            f"{_HOST} has no embeddings of {target.model!r} that are known here: Cohere's, Titan's text and Nova's"
        )
        raise LocalDialectError(message, param="model", code="unsupported_operation")
    for name in ("user", "title"):
        if getattr(request, name) is not None:
            writer.lose((name,), f"{_HOST} takes none with embeddings", info=True)
    return Rendered(body=_json.encode(write(request, writer)), losses=tuple(writer.losses))


def _cohere(request: EmbedRequest, writer: Writer) -> dict[str, Any]:
    body = cohere_embeds.asked(request, writer)
    if request.dimensions is not None:  # the fourth generation's; an older model refuses it by name
        body["output_dimension"] = request.dimensions
    if request.truncate is not None:
        # Its fourth generation documents LEFT and RIGHT, and takes START and END as well (pydantic-ai-28cc29e62d).
        body["truncate"] = request.truncate
    return body | _own(request, _COHERE_OWN, writer)


def _titan(request: EmbedRequest, writer: Writer) -> dict[str, Any]:
    for name in ("task", "truncate"):
        if getattr(request, name) is not None:
            writer.lose((name,), "Titan takes none with embeddings")
    body: dict[str, Any] = {"inputText": _only_text(request, "Titan")}
    if request.dimensions is not None:  # the second generation's; the first refuses it by name
        body["dimensions"] = request.dimensions
    return body | _own(request, _TITAN_OWN, writer)


def _nova(request: EmbedRequest, writer: Writer) -> dict[str, Any]:
    if request.task is None:
        writer.lose(("task",), "no task is said, and Nova needs one: GENERIC_INDEX", info=True)
    elif request.task not in _PURPOSES:
        writer.lose(("task",), f"Nova has no task '{request.task}': GENERIC_INDEX")
    purpose = _PURPOSES.get(request.task, "GENERIC_INDEX") if request.task is not None else "GENERIC_INDEX"
    params: dict[str, Any] = {
        "embeddingPurpose": purpose,
        "text": {"value": _only_text(request, "Nova"), "truncationMode": request.truncate or "NONE"},
    }
    if request.dimensions is not None:
        params["embeddingDimension"] = request.dimensions
    return {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": params} | _own(request, frozenset(), writer)


_FAMILIES: Final[Mapping[str, Callable[[EmbedRequest, Writer], dict[str, Any]]]] = {
    "cohere.embed": _cohere,
    "titan-embed-text": _titan,
    "titan-embed-g1-text": _titan,
    "nova-2-multimodal-embeddings": _nova,
}
"""What a model is told, by a part of its id."""


def _only_text(request: EmbedRequest, family: str) -> str:
    """Return the one text of a request.

    Raises:
        LocalDialectError: there are several. A request is one call here, whose errors and costs are the client's to
            see; its batch would be many.
    """
    given = texts(request, "input")
    if len(given) != 1:
        message = f"'input' holds {len(given)} inputs; {family} embeds one text a request: send them one by one"
        raise LocalDialectError(message, param="input")
    return given[0]


def _own(request: EmbedRequest, own: frozenset[str], writer: Writer) -> dict[str, Raw]:
    """Return the members of the model's own that the client wrote; those that say the task are said already."""
    told: frozenset[str] = cohere_embeds.TOLD_AS_TASK if request.task is not None else frozenset()
    members = writer.own_members(request.extra, own | told)
    return {key: Raw(value) for key, value in members.items() if key not in told}


def parse_response(body: bytes, _mint: Mint) -> EmbedResponse:
    """Read an answer of any family, each by its own form.

    Raises:
        ProviderError: the body is an error.
        RemoteDialectError: there is no vector in it.
    """
    try:
        answer = Obj(body, lenient=True)
        vectors = _vectors(answer)
    except (JsonError, RecursionError) as error:
        raise RemoteDialectError(f"the upstream's answer cannot be read: {error}") from None
    if vectors is None:
        said = masked(body)
        if said is not None:
            raise ProviderError(said)
        raise RemoteDialectError("the upstream's answer has no embeddings", param="embeddings")
    count = answer.integer("inputTextTokenCount")
    return EmbedResponse(
        vectors=tuple(Vector(floats=row) for row in vectors), id=answer.text("id"), usage=_usage(count)
    )


def _vectors(answer: Obj) -> list[Json] | None:
    """Return the vectors: Titan's one, Nova's one in a list of objects, Cohere's many."""
    one = answer.members.get("embedding", b"")
    if _json.kind_of(one) == "array":
        return [one]
    listed = answer.members.get("embeddings", b"")
    if _json.kind_of(listed) == "array" and listed.strip()[1:].lstrip()[:1] == b"{":
        return [
            row for item in answer.objects("embeddings") or () if (row := item.raw("embedding")) is not None
        ] or None
    return cohere_embeds.rows(answer)


def counted(headers: Headers) -> Usage | None:
    """Return the usage that stands beside the body: Cohere and Nova count tokens in a header alone."""
    count = headers.get(_COUNT) or ""
    return _usage(int(count)) if count.isdecimal() and len(count) < 16 else None


def _usage(count: int | None) -> Usage | None:
    return None if count is None else Usage(input=count, total=count)
