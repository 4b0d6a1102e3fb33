"""An answer as it streams: the events that decoders yield and encoders eat.

A part has a stream-unique handle (`part`); parts may overlap. Between `PartStarted` and `PartEnded` come its deltas.
A decoder that sees a part's content only in its closing copy yields it as one delta first, so deltas alone are
always the whole content; `PartEnded.final` is then for comparison and never emitted again.
"""

import msgspec

from setu._json import Json
from setu.chat.parts import AnyPart
from setu.chat.response import Finish, Usage
from setu.chat.seals import Cite, Extra
from setu.errors import ErrorInfo


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """Once, first."""

    id: str | None = None
    model: str | None = None
    created: int | None = None
    service_tier: str | None = None
    extra: Extra | None = None


class PartStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A part opens: `value` is its skeleton with ids and name but no streamed content.

    `candidate` is the choice it belongs to, `message` the number of its envelope within the candidate, `phase` the
    envelope's own (Responses: commentary or final_answer).
    """

    part: int
    value: AnyPart
    candidate: int = 0
    message: int = 0
    phase: str | None = None


class TextDelta(msgspec.Struct, frozen=True, kw_only=True):
    """More of a Text or a Refusal; `logprobs` as in `Text`."""

    part: int
    text: str
    logprobs: tuple[Json, ...] | None = None


class ReasoningDelta(msgspec.Struct, frozen=True, kw_only=True):
    """More of a Reasoning's text, or of its summary; `section` counts from 0."""

    part: int
    text: str
    section: int = 0
    summary: bool = False


class ArgumentsDelta(msgspec.Struct, frozen=True, kw_only=True):
    """More of a ToolCall's arguments, or of a HostedCall's (JSON text)."""

    part: int
    text: str


class MediaDelta(msgspec.Struct, frozen=True, kw_only=True):
    """More base64 of a Media; each delta is a whole number of base64 quanta."""

    part: int
    data: str
    transcript: str | None = None


class CiteAdded(msgspec.Struct, frozen=True, kw_only=True):
    part: int
    cite: Cite


class SealAdded(msgspec.Struct, frozen=True, kw_only=True):
    """The part's seal; it may come after the text. `append` continues the one before."""

    part: int
    data: str
    issuer: str
    kind: str = "signature"
    append: bool = False


class PartStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A hosted tool moved on (searching, completed)."""

    part: int
    state: str


class PartEnded(msgspec.Struct, frozen=True, kw_only=True):
    part: int
    final: AnyPart | None = None


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate's end; once each, after its parts, held by the decoder until nothing can change it."""

    candidate: int
    finish: Finish
    extra: Extra | None = None
    """The candidate's own members that no part carries."""


class UsageSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Usage so far: replaces field by field, never adds, and None replaces nothing."""

    usage: Usage


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """Response-level facts that come late (Gemini's promptFeedback, a service tier)."""

    feedback: Json | None = None
    service_tier: str | None = None
    extra: Extra | None = None


class Ping(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing but a sign of life."""


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """An event this version does not know: forwarded to its own dialect, ignored by any other."""

    dialect: str
    event: str | None
    raw: Json


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """The upstream reported an error inside the stream."""

    error: ErrorInfo


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """Last, always. `complete` is False when the stream stopped without its terminal event: never a success."""

    complete: bool


Event = (
    Started
    | PartStarted
    | TextDelta
    | ReasoningDelta
    | ArgumentsDelta
    | MediaDelta
    | CiteAdded
    | SealAdded
    | PartStatus
    | PartEnded
    | Finished
    | UsageSeen
    | Noted
    | Ping
    | Foreign
    | Failed
    | Ended
)

DELTAS = (TextDelta, ReasoningDelta, ArgumentsDelta, MediaDelta, CiteAdded, SealAdded, PartStatus)
"""Events that belong to an open part."""
