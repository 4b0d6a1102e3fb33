"""What may be sent to Bedrock's Converse: closed objects, as AWS's service model has them.

From docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html (read 2026-11). JSON documents (tool
inputs, schemas, a model's own fields) are carried, not judged. That a union holds one member is judged apart.
"""

from typing import Annotated, Any, Literal

import msgspec

from setu.conformance.wire.model import words

TOP_LEVEL = words("""
    messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables
    additionalModelResponseFieldPaths requestMetadata performanceConfig serviceTier outputConfig
    """)

ToolUseId = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9_.:-]{1,64}$")]
ToolName = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
DocumentName = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9\s\-()\[\]]{1,200}$")]
NonEmpty = Annotated[str, msgspec.Meta(min_length=1)]
Unit = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Closed(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """An object that has no members but these."""


class CachePoint(_Closed):
    type: Literal["default"]
    ttl: Literal["5m", "1h"] | None = None


class S3Location(_Closed):
    uri: Annotated[str, msgspec.Meta(pattern="^s3://")]
    bucket_owner: str | None = None


class Source(_Closed):
    bytes: NonEmpty | None = None
    s3_location: S3Location | None = None
    text: str | None = None
    content: list[dict[str, Any]] | None = None


class Image(_Closed):
    format: Literal["png", "jpeg", "gif", "webp"]
    source: Source


class Citations(_Closed):
    enabled: bool


class Document(_Closed):
    name: DocumentName
    source: Source
    format: Literal["pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"] | None = None
    context: str | None = None
    citations: Citations | None = None


class Video(_Closed):
    format: Literal["mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp"]
    source: Source


class Audio(_Closed):
    format: str
    source: Source


class ToolUse(_Closed):
    tool_use_id: ToolUseId
    name: ToolName
    input: dict[str, Any]
    type: str | None = None


class ResultBlock(_Closed):
    """A union: exactly one member."""

    text: str | None = None
    json: Any = None
    image: Image | None = None
    document: Document | None = None
    video: Video | None = None
    search_result: dict[str, Any] | None = None


class ToolResult(_Closed):
    tool_use_id: ToolUseId
    content: list[ResultBlock]
    status: Literal["success", "error"] | None = None
    type: str | None = None


class ReasoningText(_Closed):
    text: str
    signature: str | None = None


class Reasoning(_Closed):
    """A union: exactly one member."""

    reasoning_text: ReasoningText | None = None
    redacted_content: str | None = None


class Block(_Closed):
    """A union: exactly one member."""

    text: str | None = None
    image: Image | None = None
    document: Document | None = None
    video: Video | None = None
    audio: Audio | None = None
    tool_use: ToolUse | None = None
    tool_result: ToolResult | None = None
    guard_content: dict[str, Any] | None = None
    cache_point: CachePoint | None = None
    reasoning_content: Reasoning | None = None
    citations_content: dict[str, Any] | None = None
    search_result: dict[str, Any] | None = None
    tool_addition: dict[str, Any] | None = None
    tool_removal: dict[str, Any] | None = None


class Message(_Closed):
    role: Literal["user", "assistant", "system"]
    content: list[Block]


class SystemBlock(_Closed):
    """A union: exactly one member."""

    text: NonEmpty | None = None
    guard_content: dict[str, Any] | None = None
    cache_point: CachePoint | None = None


class InputSchema(_Closed):
    json: dict[str, Any]


class ToolSpec(_Closed):
    name: ToolName
    input_schema: InputSchema
    description: NonEmpty | None = None
    strict: bool | None = None


class SystemTool(_Closed):
    name: ToolName


class Tool(_Closed):
    """A union: exactly one member."""

    tool_spec: ToolSpec | None = None
    system_tool: SystemTool | None = None
    cache_point: CachePoint | None = None


class Named(_Closed):
    name: ToolName


class ToolChoice(_Closed):
    """A union: exactly one member."""

    auto: dict[str, Any] | None = None
    any: dict[str, Any] | None = None
    tool: Named | None = None


class ToolConfig(_Closed):
    tools: Annotated[list[Tool], msgspec.Meta(min_length=1)]
    tool_choice: ToolChoice | None = None


class InferenceConfig(_Closed):
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    temperature: Unit | None = None
    top_p: Unit | None = None
    stop_sequences: Annotated[list[NonEmpty], msgspec.Meta(max_length=2500)] | None = None


class ServiceTier(_Closed):
    type: Literal["priority", "default", "flex", "reserved"]


class JsonSchema(_Closed):
    schema: str
    name: str | None = None
    description: str | None = None


class Structure(_Closed):
    json_schema: JsonSchema


class TextFormat(_Closed):
    type: Literal["json_schema"]
    structure: Structure


class OutputConfig(_Closed):
    text_format: TextFormat | None = None
    effort: str | None = None


class Request(msgspec.Struct, rename="camel"):
    """The body; members outside `TOP_LEVEL` are judged apart, so that each of them is named."""

    messages: Annotated[list[Message], msgspec.Meta(min_length=1)]
    system: list[SystemBlock] | None = None
    inference_config: InferenceConfig | None = None
    tool_config: ToolConfig | None = None
    guardrail_config: dict[str, Any] | None = None
    additional_model_request_fields: dict[str, Any] | None = None
    request_metadata: dict[str, str] | None = None
    performance_config: dict[str, Any] | None = None
    service_tier: ServiceTier | None = None
    output_config: OutputConfig | None = None


"""`promptVariables` goes with a prompt's ARN in the place of a model, where there may be no messages."""
