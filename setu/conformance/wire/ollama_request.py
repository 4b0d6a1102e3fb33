"""What may be sent to Ollama's chat: closed objects, though the server itself passes over what it does not know.

That is why a leak there is worse than a refusal: the setting is lost without a word. From docs.ollama.com/api/chat and
github.com/ollama/ollama/blob/main/api/types.go, read 2026-11-20. JSON Schemas are carried, not judged.
"""

from typing import Annotated, Any, Literal

import msgspec

from setu.conformance.wire.model import words

TOP_LEVEL = words("""
    model messages stream tools format options think keep_alive logprobs top_logprobs truncate shift
    """)

Filled = Annotated[str, msgspec.Meta(min_length=1)]


class _Closed(msgspec.Struct, forbid_unknown_fields=True):
    """An object that has no members but these."""


class Function(_Closed):
    """A call's function: `arguments` is an object, not its text (B-TOOL-30)."""

    name: Filled
    arguments: dict[str, Any]
    index: int | None = None


class Call(_Closed):
    function: Function
    id: str | None = None


class Message(_Closed):
    """A message; `images` are bare base64, without a `data:` before it."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    images: list[Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9+/=_\-\s]*$")]] | None = None
    thinking: str | None = None
    tool_calls: list[Call] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class Described(_Closed):
    name: Filled
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Tool(_Closed):
    type: Literal["function"]
    function: Described


class Options(_Closed):
    """Sampling and runner settings."""

    num_predict: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    typical_p: float | None = None
    stop: list[str] | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repeat_penalty: float | None = None
    repeat_last_n: int | None = None
    num_ctx: int | None = None
    num_keep: int | None = None
    num_batch: int | None = None
    num_gpu: int | None = None
    main_gpu: int | None = None
    use_mmap: bool | None = None
    num_thread: int | None = None
    mirostat: int | None = None
    mirostat_tau: float | None = None
    mirostat_eta: float | None = None
    penalize_newline: bool | None = None


class Request(msgspec.Struct):
    """The body; members outside `TOP_LEVEL` are judged apart, so that each of them is named."""

    model: Filled
    messages: list[Message] | None = None
    stream: bool | None = None
    tools: list[Tool] | None = None
    format: dict[str, Any] | Literal["json", ""] | None = None
    options: Options | None = None
    think: bool | Literal["low", "medium", "high"] | None = None
    keep_alive: str | float | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    truncate: bool | None = None
    shift: bool | None = None
