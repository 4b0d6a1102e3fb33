"""The endpoints that are fuzzed: where they stand in the document, and how a request is told to stream."""

from collections.abc import Iterable
from typing import Literal

import msgspec


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the document.

    `dialect` is whose wire it speaks; `streams` says where a request asks for a stream. `share` is its part of the
    examples: those that take few turnings of their own need fewer. `embeds` are asked with the model that embeds.
    """

    name: str
    dialect: str
    path: str
    method: Literal["get", "post"] = "post"
    streams: Literal["body", "path"] | None = None
    share: float = 0.25
    embeds: bool = False


CHAT = Endpoint(name="chat", dialect="openai_chat", path="/v1/chat/completions", streams="body", share=1)

ENDPOINTS = (
    CHAT,
    Endpoint(name="completions", dialect="openai_chat", path="/v1/completions", streams="body"),
    Endpoint(name="embeddings", dialect="openai_chat", path="/v1/embeddings", embeds=True),
    Endpoint(name="models", dialect="openai_chat", path="/v1/models", method="get"),
    Endpoint(name="model", dialect="openai_chat", path="/v1/models/{model}", method="get"),
    Endpoint(name="responses", dialect="openai_responses", path="/v1/responses", streams="body", share=1),
    Endpoint(name="messages", dialect="anthropic", path="/v1/messages", streams="body", share=1),
    Endpoint(name="count-tokens", dialect="anthropic", path="/v1/messages/count_tokens"),
    Endpoint(name="generate", dialect="gemini", path="/v1beta/models/{model}:generateContent", share=0.75),
    Endpoint(
        name="generate-stream",
        dialect="gemini",
        path="/v1beta/models/{model}:streamGenerateContent",
        streams="path",
        share=0.75,
    ),
    Endpoint(name="gemini-count", dialect="gemini", path="/v1beta/models/{model}:countTokens"),
    Endpoint(name="gemini-embed", dialect="gemini", path="/v1beta/models/{model}:embedContent", embeds=True),
    Endpoint(name="gemini-embeds", dialect="gemini", path="/v1beta/models/{model}:batchEmbedContents", embeds=True),
    Endpoint(name="gemini-models", dialect="gemini", path="/v1beta/models", method="get"),
    Endpoint(name="gemini-model", dialect="gemini", path="/v1beta/models/{model}", method="get"),
)


def of_dialects(dialects: Iterable[str]) -> tuple[Endpoint, ...]:
    """Return chat, which every gateway has, and the endpoints of some dialects."""
    wanted = frozenset(dialects)
    return tuple(endpoint for endpoint in ENDPOINTS if endpoint is CHAT or endpoint.dialect in wanted)
