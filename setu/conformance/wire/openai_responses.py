"""Responses of OpenAI's Responses API as the wire has them: the object, its output items, the events of a stream.

From platform.openai.com/docs/api-reference/responses and responses-streaming, read 2026-11. Items and events that are
not listed pass: OpenAI adds some every month.
"""

from typing import Any, Literal

import msgspec

Status = Literal["in_progress", "completed", "incomplete"]


class OutputText(msgspec.Struct, tag_field="type", tag="output_text"):
    text: str
    annotations: list[dict[str, Any]]


class Refusal(msgspec.Struct, tag_field="type", tag="refusal"):
    refusal: str


class Message(msgspec.Struct):
    id: str
    status: Status
    role: Literal["assistant"]
    content: list[OutputText | Refusal]


class FunctionCall(msgspec.Struct):
    call_id: str
    name: str
    arguments: str
    id: str | None = None
    status: Status | None = None
    role: msgspec.UnsetType = msgspec.UNSET
    """A call has no role (B-RSP-05)."""


class CustomCall(msgspec.Struct):
    call_id: str
    name: str
    input: str


class Section(msgspec.Struct):
    type: str
    text: str


class Reasoning(msgspec.Struct):
    id: str
    summary: list[Section]
    content: list[Section] | None = None
    encrypted_content: str | None = None


ITEMS: dict[str, Any] = {
    "message": Message,
    "function_call": FunctionCall,
    "custom_tool_call": CustomCall,
    "reasoning": Reasoning,
}


class Incomplete(msgspec.Struct):
    reason: str


class Error(msgspec.Struct):
    code: str
    message: str


class InputDetails(msgspec.Struct):
    cached_tokens: int


class OutputDetails(msgspec.Struct):
    reasoning_tokens: int


class Usage(msgspec.Struct):
    input_tokens: int
    input_tokens_details: InputDetails
    output_tokens: int
    output_tokens_details: OutputDetails
    total_tokens: int


class Response(msgspec.Struct):
    """The object; nullable members are there with null (B-RSP-04)."""

    id: str
    object: Literal["response"]
    created_at: int | float
    status: Literal["completed", "failed", "in_progress", "cancelled", "queued", "incomplete"]
    error: Error | None
    incomplete_details: Incomplete | None
    instructions: str | list[Any] | None
    metadata: dict[str, Any] | None
    model: str
    output: list[dict[str, Any]]
    parallel_tool_calls: bool
    temperature: float | None
    tool_choice: str | dict[str, Any]
    tools: list[dict[str, Any]]
    top_p: float | None
    usage: Usage | None


class _Event(msgspec.Struct, kw_only=True):
    """Its `sequence_number` is judged by itself (RSP-002)."""

    sequence_number: Any = None


class OfResponse(_Event, kw_only=True):
    response: dict[str, Any]


class OfItem(_Event, kw_only=True):
    output_index: int
    item: dict[str, Any]


class _Within(_Event, kw_only=True):
    item_id: str
    output_index: int


class ContentPart(_Within, kw_only=True):
    content_index: int
    part: dict[str, Any]


class TextDelta(_Within, kw_only=True):
    content_index: int
    delta: str


class TextDone(_Within, kw_only=True):
    content_index: int
    text: str


class RefusalDone(_Within, kw_only=True):
    content_index: int
    refusal: str


class Annotation(_Within, kw_only=True):
    content_index: int
    annotation_index: int


class SummaryPart(_Within, kw_only=True):
    summary_index: int
    part: Section


class SummaryDelta(_Within, kw_only=True):
    summary_index: int
    delta: str


class SummaryDone(_Within, kw_only=True):
    summary_index: int
    text: str


class Delta(_Within, kw_only=True):
    delta: str


class ArgumentsDone(_Within, kw_only=True):
    arguments: str


class InputDone(_Within, kw_only=True):
    input: str


EVENTS: dict[str, Any] = {
    "response.created": OfResponse,
    "response.in_progress": OfResponse,
    "response.queued": OfResponse,
    "response.completed": OfResponse,
    "response.incomplete": OfResponse,
    "response.failed": OfResponse,
    "response.output_item.added": OfItem,
    "response.output_item.done": OfItem,
    "response.content_part.added": ContentPart,
    "response.content_part.done": ContentPart,
    "response.output_text.delta": TextDelta,
    "response.output_text.done": TextDone,
    "response.output_text.annotation.added": Annotation,
    "response.refusal.delta": TextDelta,
    "response.refusal.done": RefusalDone,
    "response.reasoning_text.delta": TextDelta,
    "response.reasoning_text.done": TextDone,
    "response.reasoning_summary_part.added": SummaryPart,
    "response.reasoning_summary_part.done": SummaryPart,
    "response.reasoning_summary_text.delta": SummaryDelta,
    "response.reasoning_summary_text.done": SummaryDone,
    "response.function_call_arguments.delta": Delta,
    "response.function_call_arguments.done": ArgumentsDone,
    "response.custom_tool_call_input.delta": Delta,
    "response.custom_tool_call_input.done": InputDone,
}
"""What each event must carry beside its type."""

TERMINAL = ("response.completed", "response.incomplete", "response.failed")
