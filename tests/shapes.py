"""What Cohere and Ollama send, as closed types: their SDKs' own read anything, so they are no oracle.

Written to docs.cohere.com/reference/chat(-stream) and docs.ollama.com/api/chat, read 2026-11-20.
"""

from typing import Any, Literal

import msgspec

Count = int | float


class _Closed(msgspec.Struct, forbid_unknown_fields=True):
    pass


class Text(_Closed, tag_field="type", tag="text"):
    text: str


class Thought(_Closed, tag_field="type", tag="thinking"):
    thinking: str


class Function(_Closed):
    name: str
    arguments: str


class Call(_Closed):
    id: str
    type: Literal["function"]
    function: Function


class DocumentSource(_Closed, tag_field="type", tag="document"):
    id: str
    document: dict[str, str]


class ToolSource(_Closed, tag_field="type", tag="tool"):
    id: str
    tool_output: dict[str, Any]


class Citation(_Closed):
    start: int
    end: int
    text: str
    sources: list[DocumentSource | ToolSource]
    type: Literal["TEXT_CONTENT", "THINKING_CONTENT", "PLAN"]
    content_index: int | None = None


class Units(_Closed):
    input_tokens: Count
    output_tokens: Count


class Usage(_Closed):
    billed_units: Units | None = None
    tokens: Units | None = None
    cached_tokens: Count | None = None


class Logprob(_Closed):
    text: str
    token_ids: list[int]
    logprobs: list[float]


Finish = Literal["COMPLETE", "STOP_SEQUENCE", "MAX_TOKENS", "TOOL_CALL", "ERROR", "TIMEOUT"]


class Message(_Closed):
    role: Literal["assistant"]
    content: list[Text | Thought] | None = None
    tool_calls: list[Call] | None = None
    tool_plan: str | None = None
    citations: list[Citation] | None = None


class CohereAnswer(_Closed):
    id: str
    finish_reason: Finish
    message: Message
    usage: Usage
    logprobs: list[Logprob] | None = None


class _Ended(_Closed):
    finish_reason: Finish
    usage: Usage
    error: str | None = None
    error_type: str | None = None


class _Event(_Closed):
    type: str
    id: str | None = None
    index: int | None = None
    delta: dict[str, Any] | None = None
    logprobs: Logprob | None = None


_INNER: dict[str, tuple[str, Any]] = {
    "content-start": ("content", Text | Thought),
    "content-delta": ("content", dict[Literal["text", "thinking"], str]),
    "tool-plan-delta": ("tool_plan", str),
    "tool-call-start": ("tool_calls", Call),
    "tool-call-delta": ("tool_calls", dict[Literal["function"], dict[Literal["arguments"], str]]),
    "citation-start": ("citations", Citation),
}
_BARE = frozenset({"content-end", "tool-call-end", "citation-end"})


def check_cohere(payload: dict[str, Any]) -> None:
    """Raise ValidationError for what Cohere would not send."""
    kind = payload.get("type")
    if kind is None:
        msgspec.convert(payload, CohereAnswer)
        return
    event = msgspec.convert(payload, _Event)
    if kind == "message-end":
        msgspec.convert(event.delta, _Ended)
    elif kind == "message-start":
        msgspec.convert(event.delta, dict[Literal["message"], dict[str, Any]])
    elif kind in _INNER:
        name, shape = _INNER[kind]
        msgspec.convert(event.delta, dict[Literal["message"], dict[str, Any]])
        assert event.delta is not None
        assert event.delta["message"].keys() == {name}
        msgspec.convert(event.delta["message"][name], shape)
    elif kind not in _BARE or event.delta is not None:
        raise msgspec.ValidationError(f"no such event: {payload}")


class OllamaFunction(_Closed):
    name: str
    arguments: dict[str, Any]
    index: int | None = None


class OllamaCall(_Closed):
    function: OllamaFunction
    id: str | None = None


class OllamaMessage(_Closed):
    role: Literal["assistant"]
    content: str
    thinking: str | None = None
    tool_calls: list[OllamaCall] | None = None


class Token(_Closed):
    token: str
    logprob: float
    bytes: list[int] | None = None


class ScoredToken(Token):
    top_logprobs: list[Token] | None = None


class OllamaLine(_Closed):
    """A line of a stream; the last one, and a whole answer, has the counts."""

    model: str
    created_at: str
    message: OllamaMessage
    done: bool
    done_reason: Literal["stop", "length", "load", "unload"] | None = None
    total_duration: int | None = None
    load_duration: int | None = None
    prompt_eval_count: int | None = None
    prompt_eval_duration: int | None = None
    eval_count: int | None = None
    eval_duration: int | None = None
    logprobs: list[ScoredToken] | None = None


def check_ollama(payload: dict[str, Any]) -> None:
    """Raise ValidationError for what Ollama would not send."""
    line = msgspec.convert(payload, OllamaLine)
    if line.done != (line.done_reason is not None):
        raise msgspec.ValidationError("the last line, and no other, has a done_reason")
