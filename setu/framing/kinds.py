"""Framings by name and by media type: how a streamed body is cut, and how one is written."""

from collections.abc import Callable, Mapping

from setu.framing.eventstream import EventStreamDecoder, EventStreamEncoder
from setu.framing.frame import FrameDecoder, FrameEncoder
from setu.framing.jsonarray import JsonArrayDecoder, JsonArrayEncoder
from setu.framing.ndjson import NdjsonDecoder, NdjsonEncoder
from setu.framing.sse import SseDecoder, SseEncoder

DECODERS: Mapping[str, Callable[[], FrameDecoder]] = {
    "sse": SseDecoder,
    "ndjson": NdjsonDecoder,
    "jsonarray": JsonArrayDecoder,
    "eventstream": EventStreamDecoder,
}
ENCODERS: Mapping[str, Callable[[], FrameEncoder]] = {
    "sse": SseEncoder,
    "ndjson": NdjsonEncoder,
    "jsonarray": JsonArrayEncoder,
    "eventstream": EventStreamEncoder,
}
_OF_MEDIA_TYPE: Mapping[str, str] = {
    "text/event-stream": "sse",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/stream+json": "ndjson",
    "application/vnd.amazon.eventstream": "eventstream",
}


def of_media_type(content_type: str | None) -> str | None:
    """Return the framing that a content-type declares; None for one that declares no stream."""
    return _OF_MEDIA_TYPE.get((content_type or "").partition(";")[0].strip().lower())
