"""What may be sent to Gemini's generateContent: closed objects wherever another dialect's members have leaked.

From Google's API reference (GenerateContentRequest v1beta, and Vertex AI's additions; read 2026-11), in the camelCase
of proto3 JSON. JSON Schemas and settings of hosted tools are carried, not judged.
"""

from typing import Any, Literal

import msgspec

from setu.conformance.wire.model import words

TOP_LEVEL = words("""
    contents systemInstruction tools toolConfig safetySettings generationConfig cachedContent labels model
    serviceTier store
    """)


class _Closed(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """An object that has no members but these."""


class Blob(_Closed):
    data: str
    mime_type: str
    display_name: str | None = None


class FileData(_Closed):
    file_uri: str
    mime_type: str | None = None
    display_name: str | None = None


class FunctionCall(_Closed):
    name: str
    args: dict[str, Any] | None = None
    id: str | None = None
    partial_args: list[dict[str, Any]] | None = None
    will_continue: bool | None = None


class FunctionResponse(_Closed):
    name: str
    response: dict[str, Any]
    id: str | None = None
    parts: list[dict[str, Any]] | None = None
    scheduling: str | None = None
    will_continue: bool | None = None


class Part(_Closed):
    """A part: exactly one of its data members (judged apart) and what is said about it."""

    text: str | None = None
    inline_data: Blob | None = None
    file_data: FileData | None = None
    function_call: FunctionCall | None = None
    function_response: FunctionResponse | None = None
    executable_code: dict[str, Any] | None = None
    code_execution_result: dict[str, Any] | None = None
    tool_call: dict[str, Any] | None = None
    tool_response: dict[str, Any] | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    video_metadata: dict[str, Any] | None = None
    media_resolution: Any = None
    part_metadata: dict[str, Any] | None = None
    audio_metadata: dict[str, Any] | None = None
    audio_transcription: dict[str, Any] | None = None
    document_metadata: dict[str, Any] | None = None
    media_processing: str | None = None
    speech_metadata: dict[str, Any] | None = None
    spreadsheet_metadata: dict[str, Any] | None = None


class Content(_Closed):
    parts: list[Part]
    role: Literal["user", "model"] | None = None


class SystemInstruction(_Closed):
    parts: list[Part]
    role: str | None = None


class FunctionDeclaration(_Closed):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    parameters_json_schema: Any = None
    response: dict[str, Any] | None = None
    response_json_schema: Any = None
    behavior: str | None = None


class Tool(_Closed):
    function_declarations: list[FunctionDeclaration] | None = None
    google_search: dict[str, Any] | None = None
    google_search_retrieval: dict[str, Any] | None = None
    code_execution: dict[str, Any] | None = None
    url_context: dict[str, Any] | None = None
    computer_use: dict[str, Any] | None = None
    google_maps: dict[str, Any] | None = None
    file_search: dict[str, Any] | None = None
    mcp_servers: list[dict[str, Any]] | None = None
    retrieval: dict[str, Any] | None = None
    enterprise_web_search: dict[str, Any] | None = None
    parallel_ai_search: dict[str, Any] | None = None
    exa_ai_search: dict[str, Any] | None = None


class FunctionCallingConfig(_Closed):
    mode: Literal["AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED"] | None = None
    allowed_function_names: list[str] | None = None
    stream_function_call_arguments: bool | None = None


class ToolConfig(_Closed):
    function_calling_config: FunctionCallingConfig | None = None
    retrieval_config: dict[str, Any] | None = None
    include_server_side_tool_invocations: bool | None = None


class GenerationConfig(_Closed):
    candidate_count: int | None = None
    stop_sequences: list[str] | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_mime_type: str | None = None
    response_schema: dict[str, Any] | None = None
    response_json_schema: Any = None
    response_format: Any = None
    response_logprobs: bool | None = None
    logprobs: int | None = None
    response_modalities: list[str] | None = None
    speech_config: dict[str, Any] | None = None
    thinking_config: dict[str, Any] | None = None
    image_config: dict[str, Any] | None = None
    media_resolution: str | None = None
    audio_timestamp: bool | None = None
    audio_transcription_config: dict[str, Any] | None = None
    routing_config: dict[str, Any] | None = None
    model_selection_config: dict[str, Any] | None = None
    enable_affective_dialog: bool | None = None
    enable_enhanced_civic_answers: bool | None = None
    translation_config: dict[str, Any] | None = None


class Request(msgspec.Struct, rename="camel"):
    """The body; members outside `TOP_LEVEL` are judged apart, so that each of them is named."""

    contents: list[Content]
    system_instruction: SystemInstruction | None = None
    tools: list[Tool] | None = None
    tool_config: ToolConfig | None = None
    safety_settings: list[dict[str, Any]] | None = None
    generation_config: GenerationConfig | None = None
    cached_content: str | None = None
    labels: dict[str, str] | None = None
