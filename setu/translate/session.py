"""What a translation is: the values it takes and the two protocols it speaks. Pure throughout."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from setu.chat.parts import Inline
from setu.chat.response import Usage
from setu.chat.seals import Seal
from setu.dialects.record import (
    Dialect,
    Facts,
    Rendered,
    Reply,
)
from setu.errors import ErrorInfo, ErrorKind
from setu.framing.frame import Frame
from setu.http import Headers


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """The upstream of one attempt: its dialect, its name for the model, and what is known of both."""

    dialect: Dialect
    model: str
    facts: Facts = Facts()
    capabilities: frozenset[str] = frozenset()


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What a renderer cannot know: stored seals by call id, the bytes behind media URLs."""

    seals: tuple[str, ...] = ()
    media: tuple[str, ...] = ()


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `Needs`, as far as there was one."""

    seals: Mapping[str, Seal] = {}
    media: Mapping[str, Inline] = {}


class StreamTranslation(Protocol):
    """Upstream frames in, client frames out.

    `started` becomes True with the first event that the client may rest on (content, a finish): before it an error
    can still become an HTTP status. `failure` is the error that ended the stream, if one did.
    """

    started: bool
    failure: ErrorInfo | None

    def verdict(self) -> ErrorInfo | None:
        """Say of a stream that is over what was wrong with it, its own error or a missing end; ask once."""
        ...

    @property
    def usage(self) -> Usage | None: ...

    def feed(self, frame: Frame) -> list[Frame]: ...

    def close(self) -> list[Frame]: ...

    def fail(self, error: ErrorInfo) -> list[Frame]:
        """End the stream with an error that is not the upstream's own."""
        ...


class Translation(Protocol):
    """One attempt's two-way translator; `identical` when bytes pass untouched.

    `usage` is what a whole answer said of it.
    """

    identical: bool
    usage: Usage | None

    def needs(self) -> Needs: ...

    def render(self, fetched: Fetched) -> Rendered: ...

    def response(self, body: bytes, reply: Reply) -> Rendered: ...

    def unfolded(self, body: bytes, reply: Reply) -> list[Frame]: ...

    def stream(self, reply: Reply) -> StreamTranslation: ...

    def error(self, status: int, headers: Headers, body: bytes) -> ErrorInfo: ...

    def learned(self) -> Mapping[str, Seal]: ...


TRUNCATED = ErrorInfo(
    kind=ErrorKind.BAD_GATEWAY,
    status=502,
    message="the upstream's stream ended before its end",
    code="upstream_truncated",
)
