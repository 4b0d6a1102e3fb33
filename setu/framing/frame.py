"""The unit of every streamed body: one frame, with the exact bytes that carried it."""

from typing import Protocol

import msgspec


class Frame(msgspec.Struct, frozen=True):
    """One frame of a stream.

    `data` is the payload (for SSE the joined data lines, None when the block has none, as a comment has).
    `raw` is the frame as it stood on the wire, so that the raws of a stream concatenate to the stream.
    `terminated` is False for a tail that the end of the stream cut off before its delimiter.
    """

    data: bytes | None = None
    event: str | None = None
    id: str | None = None
    retry: int | None = None
    comment: bytes | None = None
    raw: bytes = b""
    terminated: bool = True


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
