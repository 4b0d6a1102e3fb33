"""Bodies that were kept parsed: `parsed_body`, as pydantic-ai's cassette serializer writes it, also for SSE.

A JSON body is a YAML value, a stream is a list of its payloads (as others who took the serializer over write it). The
values are right; key order, whitespace and, by pydantic-ai's own normalisation, typographic quotes are not the wire's.
Read 2026-11-20: pydantic-ai tests/json_body_serializer.py, NeMo Guardrails #1974.
"""

import json
from collections.abc import Mapping
from typing import Any

from setu.framing.frame import Frame
from setu.framing.sse import SseEncoder

NOTE = "its JSON was kept parsed: the values are right, key order, whitespace and quotes need not be the wire's"

_EVENT_FIELDS = frozenset({"event", "data", "id", "retry"})


def body_of(parsed: Any, content_type: str) -> str:
    """Return a parsed body as text again."""
    if isinstance(parsed, list) and content_type.startswith("text/event-stream"):
        encoder = SseEncoder()
        return b"".join(encoder.encode(_frame(payload)) for payload in parsed).decode()
    return _text(parsed)


def _frame(payload: Any) -> Frame:
    if isinstance(payload, Mapping) and "data" in payload and payload.keys() <= _EVENT_FIELDS:
        event = payload.get("event")
        return Frame(data=_text(payload["data"]).encode(), event=event if isinstance(event, str) else None)
    # Who types a payload names its event too (Anthropic, Responses, Cohere): the SDKs go by the name.
    kind = payload.get("type") if isinstance(payload, Mapping) else None
    return Frame(data=_text(payload).encode(), event=kind if isinstance(kind, str) else None)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), default=str)
    return text
