"""The unit of every streamed body: one frame, with the exact bytes that carried it."""

from typing import Literal, NamedTuple, Protocol

import msgspec

HeaderKind = Literal["bool", "byte", "short", "integer", "long", "bytes", "string", "timestamp", "uuid"]


class Header(NamedTuple):
    """A header of an event-stream message: a timestamp is in milliseconds, a uuid is its 16 bytes."""

    name: str
    kind: HeaderKind
    value: bool | int | str | bytes


class Frame(msgspec.Struct, frozen=True):
    """One frame of a stream.

    `data` is the payload (for SSE the joined data lines, None when the block has none, as a comment has).
    `raw` is the frame as it stood on the wire, so that the raws of a stream concatenate to the stream.
    `terminated` is False for a tail that the end of the stream cut off before its delimiter. `flaw` says why a frame
    cannot be trusted (a checksum that is wrong); then it has no data. `headers` are those of an event-stream message.
    """

    data: bytes | None = None
    event: str | None = None
    id: str | None = None
    retry: int | None = None
    comment: bytes | None = None
    raw: bytes = b""
    terminated: bool = True
    flaw: str | None = None
    headers: tuple[Header, ...] = ()


class FrameDecoder(Protocol):
    """Bytes in, frames out, however the bytes are cut."""

    def feed(self, data: bytes) -> list[Frame]: ...

    def close(self) -> list[Frame]:
        """Return what the end of the stream releases."""
        ...


class FrameEncoder(Protocol):
    """Frames in, bytes out."""

    def encode(self, frame: Frame) -> bytes: ...

    def close(self) -> bytes:
        """Return the bytes that end the stream."""
        ...
