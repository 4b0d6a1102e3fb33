"""The dialects there are."""

from collections.abc import Mapping

from setu.dialects.anthropic.codec import DIALECT as ANTHROPIC
from setu.dialects.bedrock.codec import DIALECT as BEDROCK
from setu.dialects.cohere.codec import DIALECT as COHERE
from setu.dialects.gemini.codec import DIALECT as GEMINI
from setu.dialects.ollama.codec import DIALECT as OLLAMA
from setu.dialects.openai_chat.codec import DIALECT as OPENAI_CHAT
from setu.dialects.openai_responses.codec import DIALECT as OPENAI_RESPONSES
from setu.dialects.record import Dialect

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect for dialect in (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC, GEMINI, COHERE, OLLAMA, BEDROCK)
}


def of_path(path: str) -> Dialect:
    """Return the dialect an endpoint's errors are written in; chat where the path says nothing."""
    if path.endswith("/messages") or "/messages/" in path:
        return ANTHROPIC
    if ":" in path.rpartition("/")[2] or "/v1beta" in path:
        return GEMINI
    if path.endswith("/responses"):
        return OPENAI_RESPONSES
    if path.endswith(("/v2/chat", "/v2/embed")):
        return COHERE
    if path.endswith(("/api/chat", "/api/embed")):
        return OLLAMA
    if path.startswith("/model/") and path.endswith(("/converse", "/converse-stream")):
        return BEDROCK
    return OPENAI_CHAT
