"""An answer, in the terms all dialects share."""

from typing import Literal

import msgspec

from setu._json import Json
from setu.chat.request import Message
from setu.chat.seals import Extra

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "refusal", "pause", "context_length", "error"]


class Finish(msgspec.Struct, frozen=True, kw_only=True):
    """Why a candidate ended; `native` is the source's own word."""

    reason: FinishReason
    native: str | None = None
    stop_sequence: str | None = None
    detail: Json | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens as the source reported them. `input` includes cached ones; None is unknown, not 0.

    `output` includes `reasoning`. `hosted` counts hosted tool runs; `total` is never invented; `raw` is the source's
    own usage object.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    reasoning: int | None = None
    audio_in: int | None = None
    audio_out: int | None = None
    hosted: dict[str, int] | None = None
    total: int | None = None
    raw: Json | None = None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One of n answers: usually one assistant message. `logprobs` holds what no text part could carry."""

    messages: tuple[Message, ...]
    index: int = 0
    finish: Finish | None = None
    logprobs: Json | None = None
    extra: Extra | None = None


class ChatResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer. `created` is in seconds since the epoch; `feedback` is Gemini's promptFeedback.

    `pending` is the source's word for an answer that has not ended (`queued`, `in_progress`: the Responses API's
    background runs); it is no success, and only a client of that API can come back for the rest.
    """

    id: str | None = None
    model: str | None = None
    created: int | None = None
    candidates: tuple[Candidate, ...] = ()
    usage: Usage | None = None
    feedback: Json | None = None
    service_tier: str | None = None
    pending: str | None = None
    extra: Extra | None = None
