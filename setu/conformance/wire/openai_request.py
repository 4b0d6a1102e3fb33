"""What may be sent to OpenAI's chat completions, and to the hosts that speak it.

From OpenAI's API reference (request body; read 2026-11). Members of no known dialect are refused at every level where
translators have leaked them. The types here hold what any host adds, too; which host takes which of it says
`openai_hosts`.
"""

from typing import Any, Literal

import msgspec

from setu.conformance.wire.model import words

ROLES = ("developer", "system", "user", "assistant", "tool", "function")

_OPENAI = """
audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages metadata
modalities model moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_options
prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier stop store stream
stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options
"""
TOP_LEVEL = words(_OPENAI)


class _Closed(msgspec.Struct, forbid_unknown_fields=True):
    """An object that has no members but these."""


class TextPart(_Closed, tag="text", tag_field="type"):
    text: str
    cache_control: dict[str, Any] | None = None  # OpenRouter
    prompt_cache_breakpoint: Any = None


class RefusalPart(_Closed, tag="refusal", tag_field="type"):
    refusal: str


class ImageUrl(_Closed):
    url: str
    detail: str | None = None


class ImagePart(_Closed, tag="image_url", tag_field="type"):
    image_url: ImageUrl
    prompt_cache_breakpoint: Any = None
    cache_control: dict[str, Any] | None = None


class InputAudio(_Closed):
    data: str
    format: str


class AudioPart(_Closed, tag="input_audio", tag_field="type"):
    input_audio: InputAudio
    prompt_cache_breakpoint: Any = None


class File(_Closed):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(_Closed, tag="file", tag_field="type"):
    file: File
    prompt_cache_breakpoint: Any = None
    cache_control: dict[str, Any] | None = None


class VideoPart(_Closed, tag="video_url", tag_field="type"):
    """OpenRouter's."""

    video_url: dict[str, Any]


class DocumentPart(_Closed, tag="document_url", tag_field="type"):
    """Mistral's: a document by its address (docs.mistral.ai/api/endpoint/chat, 2026-11)."""

    document_url: str
    document_name: str | None = None


class ThinkingPart(_Closed, tag="thinking", tag_field="type"):
    """Mistral's: what a model thought before its answer."""

    thinking: list[TextPart]
    closed: bool | None = None


Part = TextPart | RefusalPart | ImagePart | AudioPart | FilePart | VideoPart | DocumentPart | ThinkingPart


class Function(_Closed):
    name: str
    arguments: str


class FunctionCall(_Closed, tag="function", tag_field="type"):
    id: str
    function: Function
    # Google's OpenAI endpoint carries thought signatures here; OpenRouter numbers calls.
    extra_content: dict[str, Any] | None = None
    index: int | None = None


class Custom(_Closed):
    name: str
    input: str


class CustomCall(_Closed, tag="custom", tag_field="type"):
    id: str
    custom: Custom


class Instruction(_Closed, tag_field="role"):
    """System and developer messages."""

    content: str | list[TextPart]
    name: str | None = None
    cache_control: dict[str, Any] | None = None  # OpenRouter, as in every message


class System(Instruction, tag="system", tag_field="role"):
    pass


class Developer(Instruction, tag="developer", tag_field="role"):
    pass


class User(_Closed, tag="user", tag_field="role"):
    content: str | list[Part]
    name: str | None = None
    cache_control: dict[str, Any] | None = None


class Assistant(_Closed, tag="assistant", tag_field="role"):
    content: str | list[Part] | None = None
    refusal: str | None = None
    name: str | None = None
    audio: dict[str, Any] | None = None
    function_call: Function | None = None
    tool_calls: list[FunctionCall | CustomCall] | None = None
    # How compatible hosts take their thinking back (DeepSeek, OpenRouter; B-THK-12).
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    annotations: list[dict[str, Any]] | None = None
    cache_control: dict[str, Any] | None = None


class Tool(_Closed, tag="tool", tag_field="role"):
    content: str | list[Part]
    tool_call_id: str
    name: str | None = None
    cache_control: dict[str, Any] | None = None


class LegacyFunction(_Closed, tag="function", tag_field="role"):
    content: str | None
    name: str


Message = System | Developer | User | Assistant | Tool | LegacyFunction


class FunctionDefinition(_Closed):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionTool(_Closed):
    type: Literal["function"]
    function: FunctionDefinition
    cache_control: dict[str, Any] | None = None  # OpenRouter
    eager_input_streaming: bool | None = None  # OpenRouter, for Anthropic's models


class Request(msgspec.Struct):
    """The body; members outside `TOP_LEVEL` are judged apart, so that each of them is named."""

    model: str
    messages: list[Message]
    frequency_penalty: float | None = None
    logprobs: bool | None = None
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    n: int | None = None
    parallel_tool_calls: bool | None = None
    presence_penalty: float | None = None
    response_format: dict[str, Any] | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    temperature: float | None = None
    tool_choice: str | dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    top_logprobs: int | None = None
    top_p: float | None = None
    user: str | None = None
