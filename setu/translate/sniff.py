"""Usage of an answer that passes unread: looked up in its bytes, for the log alone."""

from typing import Any

from setu.chat.events import UsageSeen
from setu.chat.ids import counter
from setu.chat.response import Usage
from setu.chat.usage import merge
from setu.dialects.record import UpstreamCodec
from setu.errors import SetuError
from setu.framing.frame import Frame

_NAME = b'"usage'
"""Starts `"usage"` and `"usageMetadata"`; in a text of the answer the quote would be escaped."""


class Sniffer:
    """Keeps the first and the last frame that speak of usage, and reads them when somebody asks.

    Two are enough: Anthropic counts the input at the start and the output at the end, everybody else says all at the
    end or the sum so far.
    """

    __slots__ = ("_codec", "_first", "_last")

    def __init__(self, codec: UpstreamCodec[Any, Any]) -> None:
        self._codec = codec
        self._first: Frame | None = None
        self._last: Frame | None = None

    def see(self, frame: Frame) -> None:
        if frame.data is None or _NAME not in frame.data:
            return
        self._first = self._first or frame
        self._last = frame

    @property
    def usage(self) -> Usage | None:
        usage: Usage | None = None
        decoder = self._codec.decoder(counter())
        try:
            frames = dict.fromkeys(frame for frame in (self._first, self._last) if frame is not None)
            for event in [*(event for frame in frames for event in decoder.feed(frame)), *decoder.close()]:
                if isinstance(event, UsageSeen):
                    usage = merge(usage, event.usage)
        except SetuError:
            return usage  # the client reads the answer; here it is only counted
        return usage


def usage_in(body: bytes, codec: UpstreamCodec[Any, Any]) -> Usage | None:
    """Return the usage that a whole answer speaks of."""
    if _NAME not in body:
        return None
    try:
        return usage_of(codec.parse_response(body, counter()))
    except SetuError:
        return None


def usage_of(answer: Any) -> Usage | None:
    """Return the usage of an operation's answer, where that is counted as chat is."""
    usage = getattr(answer, "usage", None)
    return usage if isinstance(usage, Usage) else None
