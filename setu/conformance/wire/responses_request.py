"""What may be sent to OpenAI's Responses API: closed objects wherever another dialect's members have leaked.

From platform.openai.com/docs/api-reference/responses/create, read 2026-11. Items and parts that are not listed pass, as
the API adds some every month; JSON Schemas are carried, not judged.
"""

from typing import Annotated, Any, Literal

import msgspec

from setu.conformance.wire.model import words

TOP_LEVEL = words("""
    access_programs background context_management conversation image include input instructions
    max_output_tokens max_tool_calls metadata model moderation parallel_tool_calls previous_response_id prompt
    prompt_cache_key prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier store
    stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user
    """)

Filled = Annotated[str, msgspec.Meta(min_length=1)]
CallId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Status = Literal["in_progress", "completed", "incomplete"]


class _Closed(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An object that has no members but these."""


class _Marked(_Closed, kw_only=True):
    prompt_cache_breakpoint: dict[str, Any] | None = None


class InputText(_Marked, tag_field="type", tag="input_text", kw_only=True):
    text: str


class InputImage(_Marked, tag_field="type", tag="input_image", kw_only=True):
    detail: Literal["low", "high", "auto", "original"] | None = None
    image_url: Filled | None = None
    file_id: Filled | None = None


class InputFile(_Marked, tag_field="type", tag="input_file", kw_only=True):
    file_data: Filled | None = None
    file_id: Filled | None = None
    file_url: Filled | None = None
    filename: str | None = None
    detail: str | None = None


class OutputText(_Closed, tag_field="type", tag="output_text", kw_only=True):
    text: str
    annotations: list[dict[str, Any]] | None = None
    logprobs: list[dict[str, Any]] | None = None


class Refusal(_Closed, tag_field="type", tag="refusal", kw_only=True):
    refusal: str


Input = InputText | InputImage | InputFile


class Message(_Closed):
    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[Input | OutputText | Refusal]
    type: Literal["message"] = "message"
    id: Filled | None = None
    status: Status | None = None
    phase: str | None = None


class FunctionCall(_Closed):
    """A call; it has no role (B-RSP-05)."""

    type: str
    call_id: CallId
    name: Filled
    arguments: str
    id: Filled | None = None
    status: Status | None = None
    namespace: str | None = None
    caller: dict[str, Any] | None = None


class CustomCall(_Closed):
    type: str
    call_id: CallId
    name: Filled
    input: str
    id: Filled | None = None
    status: Status | None = None
    namespace: str | None = None
    caller: dict[str, Any] | None = None


class Output(_Closed):
    type: str
    call_id: CallId
    output: str | list[Input]
    id: Filled | None = None
    status: Status | None = None


class Section(_Closed):
    type: str
    text: str


class Reasoning(_Closed):
    type: str
    summary: list[Section]
    id: Filled | None = None
    content: list[Section] | None = None
    encrypted_content: str | None = None
    status: Status | None = None


ITEMS: dict[str, Any] = {
    "message": Message,
    "function_call": FunctionCall,
    "function_call_output": Output,
    "custom_tool_call": CustomCall,
    "custom_tool_call_output": Output,
    "reasoning": Reasoning,
}


class FunctionTool(msgspec.Struct):
    """A tool, flat (B-TOOL-29); chat's nested shape has no name here."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]
    parameters: dict[str, Any] | None
    strict: bool | None
    description: str | None = None


class Format(_Closed):
    type: Literal["text", "json_object", "json_schema"]
    name: Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}$")] | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


class Text(_Closed):
    format: Format | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class Request(msgspec.Struct):
    model: Filled | None = None
    input: str | list[dict[str, Any]] | None = None
    instructions: str | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=16)] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    parallel_tool_calls: bool | None = None
    store: bool | None = None
    stream: bool | None = None
    background: bool | None = None
    include: list[str] | None = None
    metadata: dict[str, Any] | None = None
    reasoning: dict[str, Any] | None = None
    text: Text | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    previous_response_id: str | None = None
    service_tier: str | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: str | None = None
