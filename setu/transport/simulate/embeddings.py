"""Embeddings from the providers' side: OpenAI's, Gemini's, Cohere's and Ollama's endpoints, and Bedrock's models.

Written to platform.openai.com/docs/api-reference/embeddings, ai.google.dev/api/embeddings, docs.cohere.com/reference/
embed, docs.ollama.com/api/embed and docs.aws.amazon.com/bedrock/latest/userguide (2026-11), not to Setu's codecs. A
text's vector depends on the text, the model and the size alone; its numbers are exact float32, so that every encoding
says the same.
"""

import base64
import struct
from typing import Any

from setu.transport.simulate.answer import count
from setu.transport.simulate.dice import Dice, digest
from setu.transport.simulate.refused import RefusedError, is_integer
from setu.transport.simulate.wire import BROKEN_MODEL

Json = dict[str, Any]

_OPENAI_SIZES = {"text-embedding-3-large": 3072}
_TASKS = frozenset(
    {"TASK_TYPE_UNSPECIFIED", "RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION",
     "CLUSTERING", "QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY"}
)  # fmt: skip
_INPUT_TYPES = frozenset({"search_document", "search_query", "classification", "clustering", "image"})


def vector(given: Any, model: str, size: int) -> list[float]:
    """Return numbers between -1 and 1 that float32 holds exactly."""
    dice = Dice(digest([given, model]), "vector")
    return [(dice.below(2**24) - 2**23) / 2**23 for _ in range(size)]


def openai(body: Json) -> Json:
    """Answer `POST /v1/embeddings`.

    Raises:
        RefusedError: an input of no legal form, or a member out of range.
    """
    model = _text(body, "model")
    _known(model, f"The model `{model}` does not exist or you do not have access to it.", code="model_not_found")
    inputs = _inputs(body.get("input"))
    size = body.get("dimensions", _OPENAI_SIZES.get(model, 1536))
    if not is_integer(size) or not 1 <= size <= 4096:
        raise RefusedError(f"{size} is not a number of dimensions - 'dimensions'", param="dimensions")
    form = body.get("encoding_format", "float")
    if form not in ("float", "base64"):
        raise RefusedError(f"Invalid value for 'encoding_format': {form}.", param="encoding_format")
    if not isinstance(body.get("user", ""), str | None):
        raise RefusedError("Invalid type for 'user': expected a string.", param="user")
    rows = [vector(given, model, int(size)) for given in inputs]
    data = [
        {"object": "embedding", "index": index, "embedding": row if form == "float" else packed(row)}
        for index, row in enumerate(rows)
    ]
    tokens = sum(len(given) if isinstance(given, list) else max(count(given), 1) for given in inputs)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def packed(row: list[float]) -> str:
    """Return base64 of little-endian float32."""
    return base64.b64encode(struct.pack(f"<{len(row)}f", *row)).decode()


def _inputs(given: Any) -> list[Any]:
    """Return the inputs: texts, or lists of tokens."""
    if isinstance(given, str) and given:
        return [given]
    if isinstance(given, list) and 1 <= len(given) <= 2048:
        if all(map(is_integer, given)):
            return [given]
        if all((isinstance(item, str) and item) or _is_tokens(item) for item in given):
            return given
    raise RefusedError("'$.input' is invalid. Please check the API reference.", param="input")


def _is_tokens(item: Any) -> bool:
    return isinstance(item, list) and bool(item) and all(map(is_integer, item))


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise RefusedError(f"you must provide a {name} parameter", param=name)
    return value


def _known(model: str, message: str, code: str | None = None) -> None:
    if model.rpartition("/")[2].startswith(BROKEN_MODEL):
        raise RefusedError(message, status=404, code=code)


def gemini(body: Any, model: str) -> Json:
    """Answer `embedContent`, or `batchEmbedContents` where the body has `requests`.

    Raises:
        RefusedError: no content, another model than the path's, or an unknown task.
    """
    _known(model, f"models/{model} is not found for API version v1beta.")
    if not isinstance(body, dict):
        raise RefusedError("Invalid JSON payload received. Root element must be a message.")
    batch = "requests" in body
    requests = body["requests"] if batch else [body]
    if not isinstance(requests, list) or not 1 <= len(requests) <= 100:
        raise RefusedError("BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch")
    rows = [{"values": _gemini_row(request, model)} for request in requests]
    total = sum(count(request.get("content")) for request in requests)
    usage = {"promptTokenCount": total, "promptTokenDetails": [{"modality": "TEXT", "tokenCount": total}]}
    return {**({"embeddings": rows} if batch else {"embedding": rows[0]}), "usageMetadata": usage}


def _gemini_row(request: Any, model: str) -> list[float]:
    content = request.get("content") if isinstance(request, dict) else None
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list) or not parts or parts == [{"text": ""}]:
        raise RefusedError("EmbedContentRequest.content contains an empty Part.")
    if request.get("model", f"models/{model}") != f"models/{model}":
        raise RefusedError("EmbedContentRequest.model must match the model in the path")
    config = {**request, **(request.get("embedContentConfig") or {})}
    if config.get("taskType", "CLUSTERING") not in _TASKS:
        raise RefusedError(f"Invalid value at 'task_type': {config['taskType']!r}")
    size = config.get("outputDimensionality", 3072)
    if not is_integer(size) or not 1 <= size <= 3072:
        raise RefusedError("Invalid value at 'output_dimensionality'")
    return vector(parts, model, int(size))


def cohere(body: Any) -> Json:
    """Answer `POST /v2/embed`.

    Raises:
        RefusedError: texts, input type or embedding types are missing or not Cohere's.
    """
    model = _text(body if isinstance(body, dict) else {}, "model")
    _known(model, f"model '{model}' not found, make sure the correct model ID was used and that you have access to it.")
    texts = body.get("texts")
    if not isinstance(texts, list) or not 1 <= len(texts) <= 96 or not all(isinstance(text, str) for text in texts):
        raise RefusedError("invalid request: texts must be a list of 1 to 96 strings")
    if body.get("input_type") not in _INPUT_TYPES:
        raise RefusedError("invalid request: valid input_type must be provided with the provided model")
    size = body.get("output_dimension") or 1536
    if body.get("embedding_types", ["float"]) != ["float"] or size not in (256, 512, 1024, 1536):
        raise RefusedError("invalid request: embedding_types or output_dimension is not supported")
    rows = [vector(text, model, size) for text in texts]
    meta = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": count(texts)}}
    name = Dice(digest(body), "id").hexadecimal(32)
    return {
        "id": name,
        "embeddings": {"float": rows},
        "texts": texts,
        "meta": meta,
        "response_type": "embeddings_by_type",
    }


def ollama(body: Any) -> Json:
    """Answer `POST /api/embed`.

    Raises:
        RefusedError: no model, or an input that is no text.
    """
    model = _text(body if isinstance(body, dict) else {}, "model")
    _known(model, f'model "{model}" not found, try pulling it first')
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RefusedError("invalid input type")
    rows = [vector(text, model, body.get("dimensions") or 768) for text in texts]
    return {
        "model": model,
        "embeddings": rows,
        "total_duration": 1,
        "load_duration": 1,
        "prompt_eval_count": count(texts),
    }


_MALFORMED = "Malformed input request: {}, please reformat your input and try again."
_TITAN_SIZES = (256, 512, 1024)
_NOVA_SIZES = (256, 384, 1024, 3072)
_NOVA_PURPOSES = frozenset({"GENERIC_INDEX", "GENERIC_RETRIEVAL", "TEXT_RETRIEVAL", "CLASSIFICATION", "CLUSTERING"})


def bedrock(body: Any, model: str) -> tuple[Json, int]:
    """Answer InvokeModel of an embedding model; also return the tokens that AWS counts in a header.

    Raises:
        RefusedError: the body is not of the form of the model's family.
    """
    if model.startswith(BROKEN_MODEL):
        raise RefusedError("The provided model identifier is invalid.")
    if not isinstance(body, dict):
        raise RefusedError(_MALFORMED.format("expected type: JSONObject"))
    if "titan" in model:
        return _titan(body, model)
    return _nova(body, model) if "nova" in model else _cohere_invoked(body, model)


def _only(body: Json, *keys: str) -> None:
    for key in body.keys() - set(keys):
        raise RefusedError(_MALFORMED.format(f"#: extraneous key [{key}] is not permitted"))


def _titan(body: Json, model: str) -> tuple[Json, int]:
    newer = "v2" in model
    _only(body, "inputText", *(("dimensions", "normalize", "embeddingTypes") if newer else ()))
    given, size = body.get("inputText"), body.get("dimensions", 1024 if newer else 1536)
    if not isinstance(given, str) or not given:
        raise RefusedError(_MALFORMED.format("#: required key [inputText] not found"))
    if newer and size not in _TITAN_SIZES:
        raise RefusedError(_MALFORMED.format(f"#/dimensions: {size} is not a valid enum value"))
    row, tokens = vector(given, model, size), max(count(given), 1)
    typed = {"embeddingsByType": {"float": row}} if newer else {}
    return {"embedding": row, **typed, "inputTextTokenCount": tokens}, tokens


def _nova(body: Json, model: str) -> tuple[Json, int]:
    params = body.get("singleEmbeddingParams")
    text = params.get("text") if isinstance(params, dict) else None
    if body.get("taskType") != "SINGLE_EMBEDDING" or not isinstance(params, dict) or not isinstance(text, dict):
        raise RefusedError(_MALFORMED.format("#: required key [singleEmbeddingParams] not found"))
    size, given = params.get("embeddingDimension", 3072), text.get("value")
    if params.get("embeddingPurpose") not in _NOVA_PURPOSES or size not in _NOVA_SIZES:
        raise RefusedError(_MALFORMED.format("#/singleEmbeddingParams: not a valid enum value"))
    if not isinstance(given, str) or not given or text.get("truncationMode") not in ("NONE", "START", "END"):
        raise RefusedError(_MALFORMED.format("#/singleEmbeddingParams/text: not valid"))
    row = vector(given, model, size)
    return {"embeddings": [{"embeddingType": "TEXT", "embedding": row}]}, max(count(given), 1)


def _cohere_invoked(body: Json, model: str) -> tuple[Json, int]:
    newer = "embed-v4" in model
    _only(
        body,
        "texts",
        "input_type",
        "truncate",
        "embedding_types",
        *(("output_dimension", "max_tokens") if newer else ()),
    )
    answered = cohere({**body, "model": model})
    rows = answered["embeddings"]["float"]
    by_type = newer or "embedding_types" in body
    kind = "embeddings_by_type" if by_type else "embeddings_floats"
    rest = {"id": answered["id"], "response_type": kind, "texts": answered["texts"]}
    return {"embeddings": answered["embeddings"] if by_type else rows, **rest}, max(count(body["texts"]), 1)
