"""The parts a message is made of. Pure values; order is sacred; equal by content."""

from typing import Literal

import msgspec

from setu._json import Json
from setu.chat.seals import CacheMark, Cite, Extra, Seal


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What every part may carry: the source's id, a seal, a cache mark, and the source's own members."""

    id: str | None = None
    seal: Seal | None = None
    cache: CacheMark | None = None
    extra: Extra | None = None


class Text(Part, frozen=True, kw_only=True):
    """Text for the reader. `logprobs` are token entries in OpenAI's form ({token, logprob, bytes, top_logprobs})."""

    text: str
    cites: tuple[Cite, ...] = ()
    logprobs: tuple[Json, ...] | None = None


class Refusal(Part, frozen=True, kw_only=True):
    """The model's words of refusal."""

    text: str


class Reasoning(Part, frozen=True, kw_only=True):
    """Thinking. `text` and `summary` are sections (Responses has many, the others one); `redacted` has a seal only."""

    text: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()
    redacted: bool = False


class Inline(msgspec.Struct, frozen=True, kw_only=True):
    """Media in the request itself: base64 text exactly as sent, and its MIME type."""

    b64: str
    mime: str


class Url(msgspec.Struct, frozen=True, kw_only=True):
    """Media somewhere else; `mime` when the source says it."""

    url: str
    mime: str | None = None


class Ref(msgspec.Struct, frozen=True, kw_only=True):
    """A file uploaded to the issuer (a dialect name)."""

    issuer: str
    id: str
    mime: str | None = None


class Plain(msgspec.Struct, frozen=True, kw_only=True):
    """A document given as plain text."""

    text: str
    mime: str = "text/plain"


class Blocks(msgspec.Struct, frozen=True, kw_only=True):
    """A document given as parts of its own (Anthropic `content` sources)."""

    parts: tuple["AnyPart", ...]


MediaSource = Inline | Url | Ref | Plain | Blocks


class Media(Part, frozen=True, kw_only=True):
    """An image, a sound, a film or a document.

    `detail` is OpenAI's image detail; `cited` asks for citations of a document; `clip` is Gemini's videoMetadata.
    """

    kind: Literal["image", "audio", "video", "document"]
    source: MediaSource
    name: str | None = None
    detail: str | None = None
    transcript: str | None = None
    context: str | None = None
    cited: bool | None = None
    clip: Json | None = None


class ToolCall(Part, frozen=True, kw_only=True):
    """A call of one of the client's tools.

    `arguments` is the source's text, verbatim: JSON as a rule, but "" and broken JSON occur; a custom tool's is free
    text. `call_id` is never empty: a decoder mints one where the source has none.
    """

    call_id: str
    name: str
    arguments: str
    kind: Literal["function", "custom"] = "function"
    namespace: str | None = None
    caller: Json | None = None


class ToolResult(Part, frozen=True, kw_only=True):
    """The answer to a call. Gemini finds it by name, everybody else by id; parsers fill both."""

    call_id: str
    content: tuple["AnyPart", ...]
    name: str | None = None
    is_error: bool | None = None
    kind: Literal["function", "custom"] = "function"


class HostedCall(Part, frozen=True, kw_only=True):
    """A call of a tool that the host runs itself (web search, code execution, MCP)."""

    call_id: str
    tool: str
    dialect: str
    name: str | None = None
    arguments: Json | None = None
    status: str | None = None
    server: str | None = None


class HostedResult(Part, frozen=True, kw_only=True):
    """What a hosted tool returned; `content` is the source's own value, `tool` its block type."""

    call_id: str
    tool: str
    dialect: str
    content: Json
    is_error: bool | None = None


class Opaque(Part, frozen=True, kw_only=True):
    """A part this version does not know: given back unchanged to its own dialect, a loss to any other."""

    dialect: str
    kind: str
    raw: Json


AnyPart = Text | Refusal | Reasoning | Media | ToolCall | ToolResult | HostedCall | HostedResult | Opaque
