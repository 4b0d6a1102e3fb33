"""What only the words of an error say: a 400 that is about the length of the prompt, or about the model.

Status and documented codes come first (B-ERR-01); these hosts have one code for every fault of a request, and only the
message tells them apart. Nothing but a 400-like fault is looked at, and only whole phrases count, never numbers.
"""

import re

import msgspec

from setu.errors import ErrorInfo, ErrorKind

_OVERFLOW = re.compile(
    r"prompt is too long"  # Anthropic, and its models on Bedrock
    r"|input length and `max_tokens` exceed context limit"  # Anthropic
    r"|input token count .{0,40}exceeds the maximum number of tokens"  # Gemini
    r"|input is too long for requested model"  # Bedrock
    r"|maximum (?:context|prompt) length is"  # vLLM, DeepSeek, Mistral, OpenRouter, xAI
    r"|too many tokens: "  # Cohere
    r"|exceeds? the (?:available )?context (?:size|window|length)",  # llama.cpp, others
    re.IGNORECASE,
)
_NO_MODEL = re.compile(r"provided model identifier is invalid", re.IGNORECASE)  # Bedrock: a 400, not a 404
_ASKED_WRONGLY = frozenset({ErrorKind.INVALID_REQUEST, ErrorKind.TOO_LARGE})


def classified(info: ErrorInfo) -> ErrorInfo:
    """Return an upstream's error with the kind that its message tells, if its status and code do not."""
    if info.kind not in _ASKED_WRONGLY:
        return info
    if _OVERFLOW.search(info.message):
        return msgspec.structs.replace(info, kind=ErrorKind.CONTEXT_LENGTH, status=400, code=None)
    return msgspec.structs.replace(info, kind=ErrorKind.NOT_FOUND) if _NO_MODEL.search(info.message) else info
