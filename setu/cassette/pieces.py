"""Cut a body into its events, and say when each of them arrived."""

from collections.abc import Sequence
from itertools import accumulate

from setu.cassette.match import route_of
from setu.cassette.model import Timing
from setu.dialects.record import Framing
from setu.framing.eventstream import EventStreamDecoder
from setu.framing.frame import FrameDecoder
from setu.framing.jsonarray import JsonArrayDecoder
from setu.framing.ndjson import NdjsonDecoder
from setu.framing.sse import SseDecoder
from setu.http import Arrival, Exchange

_QUANTUM_MS = 5
_BY_MEDIA_TYPE: dict[str, Framing] = {
    "text/event-stream": "sse",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/vnd.amazon.eventstream": "eventstream",
}
_DECODERS: dict[Framing, type[SseDecoder | NdjsonDecoder | JsonArrayDecoder | EventStreamDecoder]] = {
    "sse": SseDecoder,
    "ndjson": NdjsonDecoder,
    "jsonarray": JsonArrayDecoder,
    "eventstream": EventStreamDecoder,
}


def framing_of(exchange: Exchange) -> Framing:
    """Return how the answer's body travels, by its media type; a JSON array only where the route streams one."""
    media_type = (exchange.headers.get("content-type") or "").partition(";")[0].strip().lower()
    known = _BY_MEDIA_TYPE.get(media_type)
    if known is not None:
        return known
    route = route_of(exchange.request)
    streamed_array = route is not None and route.framing == "jsonarray" and exchange.status < 400
    return "jsonarray" if streamed_array and media_type == "application/json" else "json"


def pieces_of(exchange: Exchange) -> list[bytes]:
    """Return the body cut at its event boundaries; the pieces join to the body."""
    kind = _DECODERS.get(framing_of(exchange))
    if kind is None:
        return [exchange.body] if exchange.body else []
    decoder: FrameDecoder = kind()
    return [frame.raw for frame in (*decoder.feed(exchange.body), *decoder.close())]


def timing_of(exchange: Exchange, ttfb_ms: int | None = None) -> Timing | None:
    """Return when the head and each event came; None when the arrivals do not cover the body.

    An event has arrived with the chunk that brought its last byte. Without `ttfb_ms` the head came with the first
    chunk.
    """
    arrivals = exchange.arrivals
    if sum(arrival.size for arrival in arrivals) != len(exchange.body):
        return None
    if ttfb_ms is None:
        if not arrivals:
            return None
        ttfb_ms = arrivals[0].ms
    ends = accumulate(len(piece) for piece in pieces_of(exchange))
    events: list[int] = []
    at, received = -1, 0
    for end in ends:
        while received < end:
            at += 1
            received += arrivals[at].size
        events.append(_quantise(max(arrivals[at].ms - ttfb_ms, 0)))
    return Timing(ttfb_ms=_quantise(ttfb_ms), events_ms=tuple(events))


def chunked(pieces: Sequence[bytes], events_ms: Sequence[int], chunks: Sequence[int]) -> list[tuple[int, bytes]]:
    """Cut a body where the transport did: each chunk with the milliseconds at which its last event was there.

    A chunk that ends within an event comes with the event before it: its own time was not kept.
    """
    body = b"".join(pieces)
    ends = list(accumulate(map(len, pieces)))
    found: list[tuple[int, bytes]] = []
    at = event = 0
    for size in chunks:
        while event < len(ends) and ends[event] <= at + size:
            event += 1
        found.append((events_ms[max(event - 1, 0)] if events_ms else 0, body[at : at + size]))
        at += size
    return found


def arrivals_of(pieces: Sequence[bytes], timing: Timing) -> tuple[Arrival, ...] | None:
    """Return one arrival an event; None when the timing counts other events than the body has."""
    if len(timing.events_ms) != len(pieces):
        return None
    return tuple(Arrival(timing.ttfb_ms + ms, len(piece)) for ms, piece in zip(timing.events_ms, pieces, strict=True))


def _quantise(ms: float) -> int:
    return round(ms / _QUANTUM_MS) * _QUANTUM_MS
