"""OpenAI chat completions as the wire has them: response, stream chunk, error.

Required members and value sets follow OpenAI's API reference (snapshot 2026-08) and agree with the `openai` SDK's
models in strict JSON mode, except where `tests/conformance/wire` lists a difference with its reason. Unknown
members are allowed everywhere: OpenAI adds them without notice.
"""

from typing import Any, Literal

import msgspec

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]
FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter", "function_call")


class Function(msgspec.Struct):
    arguments: str
    name: str


class FunctionCall(msgspec.Struct, tag="function", tag_field="type"):
    id: str
    function: Function


class Custom(msgspec.Struct):
    input: str
    name: str


class CustomCall(msgspec.Struct, tag="custom", tag_field="type"):
    id: str
    custom: Custom


class TopLogprob(msgspec.Struct):
    token: str
    logprob: float
    bytes: list[int] | None = None


class TokenLogprob(msgspec.Struct):
    token: str
    logprob: float
    top_logprobs: list[TopLogprob]
    bytes: list[int] | None = None


class Logprobs(msgspec.Struct):
    content: list[TokenLogprob] | None = None
    refusal: list[TokenLogprob] | None = None


class UrlCitation(msgspec.Struct):
    end_index: int
    start_index: int
    title: str
    url: str


class Annotation(msgspec.Struct):
    type: Literal["url_citation"]
    url_citation: UrlCitation


class Audio(msgspec.Struct):
    id: str
    data: str
    expires_at: int
    transcript: str


class Message(msgspec.Struct):
    role: Literal["assistant"]
    content: str | None = None
    refusal: str | None = None
    annotations: list[Annotation] | None = None
    audio: Audio | None = None
    function_call: Function | None = None
    tool_calls: list[FunctionCall | CustomCall] | None = None


class Choice(msgspec.Struct):
    finish_reason: FinishReason
    index: int
    message: Message
    logprobs: Logprobs | None = None


class PromptDetails(msgspec.Struct):
    audio_tokens: int | None = None
    cached_tokens: int | None = None


class CompletionDetails(msgspec.Struct):
    accepted_prediction_tokens: int | None = None
    audio_tokens: int | None = None
    reasoning_tokens: int | None = None
    rejected_prediction_tokens: int | None = None


class Usage(msgspec.Struct):
    completion_tokens: int
    prompt_tokens: int
    total_tokens: int
    completion_tokens_details: CompletionDetails | None = None
    prompt_tokens_details: PromptDetails | None = None


class Completion(msgspec.Struct):
    """A whole answer: `object` is `chat.completion`, `created` seconds since the epoch."""

    id: str
    choices: list[Choice]
    created: int
    model: str
    object: Literal["chat.completion"]
    service_tier: str | None = None
    system_fingerprint: str | None = None
    usage: Usage | None = None


class FunctionDelta(msgspec.Struct):
    arguments: str | None = None
    name: str | None = None


class CustomDelta(msgspec.Struct):
    input: str | None = None
    name: str | None = None


class ToolCallDelta(msgspec.Struct):
    """A fragment of a call. That of a tool with free text is sent and not in the specification yet
    (github.com/openai/openai-openapi/issues/576, read 2026-11-20).
    """

    index: int
    id: str | None = None
    function: FunctionDelta | None = None
    custom: CustomDelta | None = None
    type: Literal["function", "custom"] | None = None


class Delta(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    role: Literal["developer", "system", "user", "assistant", "tool"] | None = None
    function_call: FunctionDelta | None = None
    tool_calls: list[ToolCallDelta] | None = None


class ChunkChoice(msgspec.Struct):
    delta: Delta
    index: int
    finish_reason: FinishReason | None = None
    logprobs: Logprobs | None = None


class Chunk(msgspec.Struct):
    """One event of a stream."""

    id: str
    choices: list[ChunkChoice]
    created: int
    model: str
    object: Literal["chat.completion.chunk"]
    service_tier: str | None = None
    system_fingerprint: str | None = None
    usage: Usage | None = None


class ErrorBody(msgspec.Struct):
    """What an error says; `param` and `code` are strings or null, never the string "None" (B-ERR-05)."""

    message: str
    type: str
    param: str | None = None
    code: Any = None


class ErrorEnvelope(msgspec.Struct):
    error: ErrorBody
