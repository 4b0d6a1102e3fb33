"""Gemini generateContent answers as the wire has them: response (and stream chunk), error.

From Google's API reference (GenerateContentResponse, google.rpc.Status; read 2026-11). Responses are proto3 JSON:
default values are left out, so almost nothing is required.
"""

from typing import Any

import msgspec

PART_DATA = (
    "text",
    "inlineData",
    "functionCall",
    "functionResponse",
    "fileData",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
)
"""The members of a part of which it has exactly one."""

STATUS_OF: dict[str, tuple[int, ...]] = {
    "INVALID_ARGUMENT": (400, 405, 413, 415, 422, 424),
    "FAILED_PRECONDITION": (400,),
    "OUT_OF_RANGE": (400,),
    "UNAUTHENTICATED": (401,),
    "PERMISSION_DENIED": (403,),
    "NOT_FOUND": (404,),
    "ABORTED": (409,),
    "ALREADY_EXISTS": (409,),
    "RESOURCE_EXHAUSTED": (402, 413, 429),
    "CANCELLED": (499,),
    "INTERNAL": (500, 502),
    "UNKNOWN": (500, 502),
    "DATA_LOSS": (500,),
    "UNIMPLEMENTED": (501,),
    "UNAVAILABLE": (502, 503, 529),
    "DEADLINE_EXCEEDED": (408, 504),
}
"""google.rpc.Code names and the HTTP statuses a gateway may send with them."""


class FunctionCall(msgspec.Struct):
    name: str
    id: str | None = None
    args: dict[str, Any] | None = None


class Part(msgspec.Struct, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: FunctionCall | None = None


class Content(msgspec.Struct):
    parts: list[Part] | None = None
    role: str | None = None


class Candidate(msgspec.Struct, rename="camel"):
    content: Content | None = None
    finish_reason: str | int | None = None
    index: int | None = None


class Usage(msgspec.Struct, rename="camel"):
    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    total_token_count: int | None = None


class Response(msgspec.Struct, rename="camel"):
    """A whole answer, or one chunk of a stream."""

    candidates: list[Candidate] | None = None
    prompt_feedback: dict[str, Any] | None = None
    usage_metadata: Usage | None = None
    model_version: str | None = None
    response_id: str | None = None


class ErrorBody(msgspec.Struct):
    code: int
    message: str
    status: str


class ErrorEnvelope(msgspec.Struct):
    error: ErrorBody
