"""Events to Gemini's stream: one GenerateContentResponse for each piece, the last with endings and usage."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from setu import _json
from setu._json import JsonError, Raw
from setu.chat.events import (
    ArgumentsDelta,
    CiteAdded,
    Ended,
    Event,
    Failed,
    Finished,
    MediaDelta,
    Noted,
    PartEnded,
    PartStarted,
    ReasoningDelta,
    SealAdded,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.fold import Fold
from setu.chat.parts import Reasoning, Refusal, Text
from setu.chat.sequence import Sequence
from setu.chat.usage import merge
from setu.dialects.gemini.errors import error_frame
from setu.dialects.gemini.render import Scribe
from setu.dialects.record import Loss, Reply
from setu.errors import ErrorInfo, TruncatedError
from setu.framing.frame import Frame
