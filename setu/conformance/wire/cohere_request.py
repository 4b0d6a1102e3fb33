"""What may be sent to Cohere's chat (API v2): closed objects wherever another dialect's members have leaked.

From docs.cohere.com/reference/chat, read 2026-11-20, and a little wider where real requests show that the API takes
more than the page says. JSON Schemas and documents are carried, not judged.
"""

from typing import Annotated, Any, Literal

import msgspec

from setu.conformance.wire.model import words

TOP_LEVEL = words("""
    model messages stream tools strict_tools documents citation_options response_format safety_mode max_tokens
    stop_sequences temperature seed frequency_penalty presence_penalty k p logprobs tool_choice thinking priority
    raw_prompting
    """)

Probability = Annotated[float, msgspec.Meta(ge=0.01, le=0.99)]
Penalty = Annotated[float, msgspec.Meta(ge=0, le=1)]
Filled = Annotated[str, msgspec.Meta(min_length=1)]


class _Closed(msgspec.Struct, forbid_unknown_fields=True):
    """An object that has no members but these."""


class Text(_Closed, tag_field="type", tag="text"):
    text: str


class Thought(_Closed, tag_field="type", tag="thinking"):
    thinking: str


class ImageUrl(_Closed):
    url: Filled
    detail: Literal["low", "high", "auto"] | None = None


class Image(_Closed, tag_field="type", tag="image_url"):
    image_url: ImageUrl


class Document(_Closed):
    data: dict[str, Any]
    id: str | None = None


class Held(_Closed, tag_field="type", tag="document"):
    document: Document


class Function(_Closed):
    name: Filled
    arguments: str


class Call(_Closed):
    id: Filled
    type: Literal["function"]
    function: Function


class System(_Closed, tag_field="role", tag="system"):
    content: str | list[Text]


class User(_Closed, tag_field="role", tag="user"):
    content: str | list[Text | Image]


class Assistant(_Closed, tag_field="role", tag="assistant"):
    content: str | list[Text | Thought] | None = None
    tool_calls: list[Call] | None = None
    tool_plan: str | None = None
    citations: list[dict[str, Any]] | None = None


class Result(_Closed, tag_field="role", tag="tool"):
    tool_call_id: Filled
    content: str | list[Text | Held]


class Described(_Closed):
    name: Filled
    parameters: dict[str, Any]
    description: str | None = None


class Tool(_Closed):
    type: Literal["function"]
    function: Described


class Format(_Closed):
    """The page has `json_object` and `json_schema` alone; the API takes its first name of the schema, too."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: dict[str, Any] | None = None
    schema: dict[str, Any] | None = None


class Thinking(_Closed):
    type: Literal["enabled", "disabled"]
    token_budget: Annotated[int, msgspec.Meta(ge=1)] | None = None


class Request(msgspec.Struct):
    """The body; members outside `TOP_LEVEL` are judged apart, so that each of them is named."""

    model: Filled
    messages: Annotated[list[System | User | Assistant | Result], msgspec.Meta(min_length=1)]
    stream: bool | None = None
    tools: Annotated[list[Tool], msgspec.Meta(min_length=1)] | None = None
    strict_tools: bool | None = None
    documents: list[str | Document] | None = None
    citation_options: dict[str, Any] | None = None
    response_format: Format | None = None
    safety_mode: str | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    stop_sequences: Annotated[list[str], msgspec.Meta(max_length=5)] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0)] | None = None
    seed: int | None = None
    frequency_penalty: Penalty | None = None
    presence_penalty: Penalty | None = None
    k: Annotated[int, msgspec.Meta(ge=0, le=500)] | None = None
    p: Probability | None = None
    logprobs: bool | None = None
    tool_choice: Literal["REQUIRED", "NONE", "required", "none"] | None = None
    thinking: Thinking | None = None
    priority: int | None = None
