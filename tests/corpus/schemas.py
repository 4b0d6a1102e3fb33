"""What may be sent to each host: the vendors' own types with extras forbidden, strict models where there is no SDK."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pydantic

from setu.conformance.wire import cohere_request, ollama_request
from tests.dialects.anthropic.oracle import request_problems as anthropic_problems
from tests.dialects.bedrock.oracle import request_problems as bedrock_problems
from tests.dialects.gemini.oracle import check_request
from tests.dialects.openai_chat.oracle import request_problems
from tests.dialects.openai_responses.oracle import request_problems as responses_problems

_SOUNDS = frozenset({"aac", "aiff", "flac", "m4a", "ogg"})


def chat_problems(body: bytes) -> list[str]:
    return request_problems(json.dumps(json.loads(body, object_hook=_openais)).encode())


def _openais(value: dict[str, Any]) -> dict[str, Any]:
    """Put OpenAI's words for what other hosts of the dialect document beyond them.

    Sounds in more formats and pictures as an output (openrouter.ai/docs/guides/overview/multimodal, read 2026-11-20).
    """
    if "data" in value and value.get("format") in _SOUNDS:
        value["format"] = "wav"
    if isinstance(value.get("modalities"), list):
        value["modalities"] = ["audio" if word == "image" else word for word in value["modalities"]]
    return value


def _gemini_problems(body: bytes) -> list[str]:
    try:
        check_request(body)
    except (AssertionError, pydantic.ValidationError) as error:
        return [str(error)[:300]]
    return []


def _strict(model: Any, known: frozenset[str]) -> Callable[[bytes], list[str]]:
    def problems(body: bytes) -> list[str]:
        members = json.loads(body)
        try:
            msgspec.convert(members, model, strict=True)
        except msgspec.ValidationError as error:
            return [str(error)]
        unknown = members.keys() - known
        return [f"unknown: {sorted(unknown)}"] if unknown else []

    return problems


PROBLEMS: dict[str, Callable[[bytes], list[str]]] = {
    "openai_chat": chat_problems,
    "openai_responses": responses_problems,
    "anthropic": anthropic_problems,
    "gemini": _gemini_problems,
    "bedrock": bedrock_problems,
    "cohere": _strict(cohere_request.Request, cohere_request.TOP_LEVEL),
    "ollama": _strict(ollama_request.Request, ollama_request.TOP_LEVEL),
}
"""Return what is wrong with a body, by dialect; nothing if its host could have been sent it."""
