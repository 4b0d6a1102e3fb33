"""Embeddings, in the terms all dialects share: what to embed, and the vectors that came back.

A dialect joins with a module `embed.py` and one entry `"embed"` in its codec's maps. `parse_request` gives an
`EmbedRequest`, `render_request` writes one and calls `texts` where the host reads text alone; `parse_response` gives
an `EmbedResponse` and leaves each vector in the form in which it came. `answering` then says what the client asked
for, and `render_response` takes `floats` or `base64_of` of each vector.
"""

import base64
import binascii
import struct
from collections.abc import Mapping
from math import isfinite
from typing import Literal

import msgspec

from setu import _json
from setu._json import Json
from setu.chat.parts import AnyPart
from setu.chat.response import Usage
from setu.chat.seals import Extra
from setu.errors import LocalDialectError, RemoteDialectError

Task = Literal[
    "query", "document", "similarity", "classification", "clustering", "question", "fact", "code_query", "image"
]
Encoding = Literal["float", "base64"]

Tokens = tuple[int, ...]


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """An input that is more than one text: parts that make one vector together."""

    parts: tuple[AnyPart, ...]


EmbedInput = str | Tokens | Content

TASKS: Mapping[str, Task] = {
    "query": "query",
    "document": "document",
    "search_query": "query",
    "search_document": "document",
    "retrieval_query": "query",
    "retrieval_document": "document",
    "semantic_similarity": "similarity",
    "classification": "classification",
    "clustering": "clustering",
    "question_answering": "question",
    "fact_verification": "fact",
    "code_retrieval_query": "code_query",
    "image": "image",
}
"""Every host's word, in lower case: Gemini's taskType, Cohere's and Voyage's input_type (documentation, 2026-11)."""


class EmbedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to embed. `batch` is False where the source's endpoint takes one input and answers one vector.

    `encoding` is the form the client wants its vectors in; what the upstream is asked for is its dialect's business.
    `title` and `truncate` are Gemini's and Cohere's, as text and as the source's word.
    """

    model: str
    inputs: tuple[EmbedInput, ...]
    batch: bool = True
    dimensions: int | None = None
    encoding: Encoding | None = None
    user: str | None = None
    task: Task | None = None
    title: str | None = None
    truncate: str | None = None
    extra: Extra | None = None


class Vector(msgspec.Struct, frozen=True, kw_only=True):
    """One vector, in the form in which it came: the JSON array's exact text, or base64 of little-endian float32."""

    floats: Json | None = None
    base64: str | None = None
    extra: Extra | None = None


class EmbedResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The vectors, one for each input and in that order; `encoding` and `batch` are the request's."""

    vectors: tuple[Vector, ...]
    model: str | None = None
    id: str | None = None
    usage: Usage | None = None
    encoding: Encoding | None = None
    batch: bool = True
    extra: Extra | None = None


def texts(request: EmbedRequest, param: str) -> list[str]:
    """Return the inputs of a request for a host that reads text alone.

    Raises:
        LocalDialectError: an input is tokens, of which only their own tokenizer knows the text, or media.
    """
    found: list[str] = []
    for given in request.inputs:
        if isinstance(given, str):
            found.append(given)
        else:
            what = "tokens" if isinstance(given, tuple) else "media"
            raise LocalDialectError(f"'{param}' holds {what}, and this upstream embeds text alone", param=param)
    return found


def answering(request: EmbedRequest, response: EmbedResponse) -> EmbedResponse:
    """Return the response as an answer to its request.

    Raises:
        RemoteDialectError: there is not one vector for each input, so which belongs to which is not certain.
    """
    if len(response.vectors) != len(request.inputs):
        raise RemoteDialectError(
            f"the upstream answered {len(response.vectors)} embeddings for {len(request.inputs)} inputs"
        )
    return msgspec.structs.replace(response, encoding=request.encoding, batch=request.batch)


_floats = msgspec.json.Decoder(list[float]).decode


def floats(vector: Vector) -> Json:
    """Return a vector as a JSON array: its own text, or the exact values of its float32 numbers (B-EMB-02).

    Raises:
        RemoteDialectError: it is no base64 of float32 numbers, or one of them is not finite.
    """
    return vector.floats if vector.floats is not None else _json.encode(numbers(vector))


def base64_of(vector: Vector) -> str:
    """Return a vector as base64 of little-endian float32: its own text, or its numbers packed (B-EMB-01).

    Raises:
        RemoteDialectError: it is no array of numbers, or one is too large for float32.
    """
    if vector.base64 is not None:
        return vector.base64
    values = numbers(vector)
    try:
        return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
    except OverflowError:
        raise RemoteDialectError("the upstream's embedding holds a number too large for float32") from None


def numbers(vector: Vector) -> list[float]:
    """Return a vector's numbers.

    Raises:
        RemoteDialectError: it holds something else.
    """
    try:
        if vector.floats is not None:
            return _floats(vector.floats)
        packed = base64.b64decode(vector.base64 or "", validate=True)
        values = list(struct.unpack(f"<{len(packed) // 4}f", packed))
    except (msgspec.DecodeError, binascii.Error, struct.error, ValueError):
        raise RemoteDialectError("the upstream's embedding is neither numbers nor base64 of float32") from None
    if not all(map(isfinite, values)):
        raise RemoteDialectError("the upstream's embedding holds a number that is not finite")
    return values
