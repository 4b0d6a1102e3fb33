"""A request for chat, in the terms all dialects share. UNSET is absent; None is an explicit null."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from setu._json import Json
from setu.chat.parts import AnyPart
from setu.chat.seals import CacheMark, Extra

Role = Literal["system", "developer", "user", "assistant", "tool"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One envelope of the source: a chat message, an Anthropic message, a Gemini content.

    Renderers merge and split envelopes; parsers never do. System messages stay where they stood.
    """

    role: Role
    parts: tuple[AnyPart, ...]
    id: str | None = None
    name: str | None = None
    phase: str | None = None
    status: str | None = None
    extra: Extra | None = None


class FunctionTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool with JSON arguments; `schema` is the source's JSON Schema text, None when it gave none.

    `native` is the schema in the source's own flavour where `schema` is a translation of it (Gemini's OpenAPI
    subset): its own dialect sends it back, all others use `schema`.
    """

    name: str
    description: str | None = None
    schema: Json | None = None
    native: Json | None = None
    strict: bool | None = None
    namespace: str | None = None
    defer: bool | None = None
    cache: CacheMark | None = None
    extra: Extra | None = None


class CustomTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool with free-text input; `grammar` is OpenAI's `format` object."""

    name: str
    description: str | None = None
    grammar: Json | None = None
    extra: Extra | None = None


class HostedTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that the host runs; `config` is the source's whole tool object, `kind` its type."""

    kind: str
    dialect: str
    config: Json
    name: str | None = None
    cache: CacheMark | None = None


Tool = FunctionTool | CustomTool | HostedTool


class ToolChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Which tools may or must be called; `names` for `named` (one) and `allowed` (several).

    With `allowed`, `must` says that one of them has to be called. Parallelism is a separate field of the request.
    """

    mode: Literal["auto", "none", "required", "named", "allowed"]
    names: tuple[str, ...] = ()
    must: bool = False


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """The form of the answer; `schema` is JSON Schema text, `native` as in `FunctionTool`.

    `dialect` tells whose flavour `native` is.
    """

    kind: Literal["text", "json", "schema", "grammar"]
    name: str | None = None
    schema: Json | None = None
    native: Json | None = None
    strict: bool | None = None
    description: str | None = None
    dialect: str | None = None


class Thinking(msgspec.Struct, frozen=True, kw_only=True):
    """How much the model may think, and what of it is shown.

    `budget` is in tokens, -1 is the model's choice; `effort` is the source's word (minimal, low, … max).
    """

    mode: Literal["off", "on", "adaptive"] | None = None
    effort: str | None = None
    budget: int | None = None
    show: Literal["none", "summary", "full"] | None = None
    sealed: bool | None = None


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Scalar settings; what each dialect calls them is a table in its `options` module."""

    max_tokens: int | UnsetType | None = UNSET
    temperature: float | UnsetType | None = UNSET
    top_p: float | UnsetType | None = UNSET
    top_k: float | UnsetType | None = UNSET
    stop: tuple[str, ...] | UnsetType | None = UNSET
    seed: int | UnsetType | None = UNSET
    n: int | UnsetType | None = UNSET
    frequency_penalty: float | UnsetType | None = UNSET
    presence_penalty: float | UnsetType | None = UNSET
    logit_bias: Json | UnsetType | None = UNSET
    logprobs: bool | UnsetType | None = UNSET
    top_logprobs: int | UnsetType | None = UNSET
    modalities: tuple[str, ...] | UnsetType | None = UNSET
    audio: Json | UnsetType | None = UNSET
    image: Json | UnsetType | None = UNSET
    service_tier: str | UnsetType | None = UNSET
    user: str | UnsetType | None = UNSET
    metadata: Json | UnsetType | None = UNSET
    cache_key: str | UnsetType | None = UNSET
    cache_retention: str | UnsetType | None = UNSET
    cache_options: Json | UnsetType | None = UNSET
    truncation: str | UnsetType | None = UNSET
    verbosity: str | UnsetType | None = UNSET
    safety: Json | UnsetType | None = UNSET
    safety_identifier: str | UnsetType | None = UNSET
    moderation: Json | UnsetType | None = UNSET
    stream_usage: bool | UnsetType | None = UNSET


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What the upstream is asked to remember, or remembers; `prompt` is a template kept there."""

    store: bool | UnsetType | None = UNSET
    previous: str | None = None
    conversation: Json | None = None
    background: bool | None = None
    prompt: Json | None = None

    @property
    def elsewhere(self) -> str | None:
        """Name the member that points at words which only another provider has, None when all are here.

        Without them an answer would look right and be wrong: whoever cannot follow the pointer refuses the request.
        """
        held = {"previous_response_id": self.previous, "conversation": self.conversation, "prompt": self.prompt}
        return next((name for name, value in held.items() if value is not None), None)


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A whole request. `system` is the top-level system prompt (Anthropic, Gemini); chat has none of its own."""

    model: str
    messages: tuple[Message, ...]
    system: tuple[AnyPart, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel: bool | None = None
    output: Output | None = None
    thinking: Thinking | None = None
    options: Options = Options()
    state: State | None = None
    stream: bool = False
    extra: Extra | None = None
