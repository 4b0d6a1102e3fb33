"""Who describes what: each value of a wire in our document, in the vendor's SDK and in our strict models."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import msgspec
from google.genai import types as google
from pydantic import TypeAdapter

from setu.conformance.drift import Side
from setu.conformance.wire import (
    anthropic_messages,
    anthropic_request,
    gemini_content,
    gemini_request,
    openai_chat,
    openai_request,
    openai_responses,
    responses_request,
)
from setu.server.openapi import document


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """One value: the name of its schema in our document, the place of the SDK's type, our wire model if there is one.

    `names` are the members of a request that the wire models know beside those they describe.
    """

    schema: str
    sdk: str
    wire: Any = None
    names: frozenset[str] = frozenset()
    request: bool = False


def _unset(_kind: Any) -> dict[str, Any]:
    """Describe a member that must not be there: it has no type to compare."""
    return {"not": {}}


def tagged(models: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of wire models that stand in a table by their type."""
    kinds: list[dict[str, Any]] = []
    defs: dict[str, Any] = {}
    for name, model in models.items():
        whole = msgspec.json.schema(model, schema_hook=_unset)
        defs |= whole["$defs"]
        own = whole["$defs"][whole["$ref"].rpartition("/")[2]]
        required = ["type", *own.get("required", ())]
        kinds.append({**own, "properties": {"type": {"const": name}, **own["properties"]}, "required": required})
    return {"anyOf": kinds, "$defs": defs}


def gemini_request_schema() -> dict[str, Any]:
    """Return the body of generateContent, which the SDK has in pieces."""
    pieces: dict[str, Any] = {
        "contents": list[google.Content],
        "systemInstruction": google.Content,
        "tools": list[google.Tool],
        "toolConfig": google.ToolConfig,
        "safetySettings": list[google.SafetySetting],
        "generationConfig": google.GenerationConfig,
    }
    built = {name: TypeAdapter(kind).json_schema(by_alias=True) for name, kind in pieces.items()}
    defs: dict[str, Any] = {}
    for schema in built.values():
        defs |= schema.pop("$defs", {})
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    more = {"cachedContent": {"type": "string"}, "labels": texts}
    return {"type": "object", "properties": built | more, "required": ["contents"], "$defs": defs}


_CHAT = "openai.types.chat"
_RESPONSES = "openai.types.responses"
_CREATE = "CompletionCreateParamsNonStreaming"
_RESPOND = "ResponseCreateParamsNonStreaming"
_SEND = "MessageCreateParamsNonStreaming"
_GENERATE = "google.genai.types.generateContent"
"""The body of a request, which the SDK has in pieces."""

CONTRACTS = (
    Contract(
        schema="ChatRequest",
        sdk=f"{_CHAT}.completion_create_params.{_CREATE}",
        wire=openai_request.Request,
        names=openai_request.TOP_LEVEL,
        request=True,
    ),
    Contract(schema="ChatCompletion", sdk=f"{_CHAT}.ChatCompletion", wire=openai_chat.Completion),
    Contract(schema="ChatChunk", sdk=f"{_CHAT}.ChatCompletionChunk", wire=openai_chat.Chunk),
    Contract(schema="CompletionRequest", sdk=f"openai.types.completion_create_params.{_CREATE}", request=True),
    Contract(schema="Completion", sdk="openai.types.Completion"),
    Contract(schema="EmbeddingRequest", sdk="openai.types.EmbeddingCreateParams", request=True),
    Contract(schema="EmbeddingList", sdk="openai.types.CreateEmbeddingResponse"),
    Contract(schema="Model", sdk="openai.types.Model"),
    Contract(
        schema="ResponseRequest",
        sdk=f"{_RESPONSES}.response_create_params.{_RESPOND}",
        wire=responses_request.Request,
        names=responses_request.TOP_LEVEL,
        request=True,
    ),
    Contract(
        schema="ResponseInputItem",
        sdk=f"{_RESPONSES}.ResponseInputItemParam",
        wire=responses_request.ITEMS,
        request=True,
    ),
    Contract(schema="Response", sdk=f"{_RESPONSES}.Response", wire=openai_responses.Response),
    Contract(schema="ResponseItem", sdk=f"{_RESPONSES}.ResponseOutputItem", wire=openai_responses.ITEMS),
    Contract(schema="ResponseStreamEvent", sdk=f"{_RESPONSES}.ResponseStreamEvent", wire=openai_responses.EVENTS),
    Contract(
        schema="MessageRequest",
        sdk=f"anthropic.types.message_create_params.{_SEND}",
        wire=anthropic_request.Request,
        names=anthropic_request.TOP_LEVEL,
        request=True,
    ),
    Contract(schema="MessageCountRequest", sdk="anthropic.types.MessageCountTokensParams", request=True),
    Contract(schema="MessageCount", sdk="anthropic.types.MessageTokensCount"),
    Contract(schema="Message", sdk="anthropic.types.Message", wire=anthropic_messages.Message),
    Contract(schema="MessageAnswerBlock", sdk="anthropic.types.ContentBlock", wire=anthropic_messages.BLOCKS),
    Contract(schema="MessageStreamEvent", sdk="anthropic.types.RawMessageStreamEvent"),
    Contract(schema="MessageError", sdk="anthropic.types.ErrorResponse", wire=anthropic_messages.ErrorEnvelope),
    Contract(
        schema="GeminiRequest",
        sdk=_GENERATE,
        wire=gemini_request.Request,
        names=gemini_request.TOP_LEVEL,
        request=True,
    ),
    Contract(schema="GeminiResponse", sdk="google.genai.types.GenerateContentResponse", wire=gemini_content.Response),
    Contract(schema="GeminiCount", sdk="google.genai.types.CountTokensResponse"),
)


def ours(contract: Contract) -> Side:
    """Return what our document says."""
    whole = document()
    apart = frozenset(f"#/components/schemas/{other.schema}" for other in CONTRACTS)
    schema = whole["components"]["schemas"][contract.schema]
    return Side(name=f"openapi {contract.schema}", schema=schema, root=whole, apart=apart)


def theirs(contract: Contract) -> Side:
    """Return what the vendor's SDK says."""
    module, _, name = contract.sdk.rpartition(".")
    generated = contract.sdk == _GENERATE
    schema = (
        gemini_request_schema()
        if generated
        else TypeAdapter(getattr(import_module(module), name)).json_schema(by_alias=True)
    )
    typed = contract.request and not generated  # the requests of google-genai are models, too
    return Side(name=contract.sdk, schema=schema, root=schema, nulls=typed)


def strict(contract: Contract) -> Side:
    """Return what our wire models say."""
    model = contract.wire
    whole = tagged(model) if isinstance(model, Mapping) else msgspec.json.schema(model, schema_hook=_unset)
    if contract.names:
        own = whole["$defs"][whole["$ref"].rpartition("/")[2]]
        own["properties"] = {name: {} for name in contract.names} | own["properties"]
    return Side(name=f"wire {contract.schema}", schema=whole, root=whole, nulls=False)
