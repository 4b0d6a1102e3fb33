"""Streams on their way to the client: held until they are worth a 200, then relayed frame by frame."""

from collections.abc import AsyncIterator, Callable

from setu.errors import DeadlineError, ErrorInfo, SetuError
from setu.framing.frame import Frame, FrameDecoder, FrameEncoder
from setu.http import Ending, Response
from setu.translate.session import StreamTranslation

HOLD_BYTES = 65_536
"""The most that is held back while waiting for the first content."""

Done = Callable[[Ending, ErrorInfo | None], None]


class TranslatedBody:
    """A translated stream. `open` reads up to the first content; iterating gives client bytes.

    However the upstream ends, the client gets an honest end: the encoder's terminal frames, or an error frame.
    """

    def __init__(
        self, upstream: Response, stream: StreamTranslation, decoder: FrameDecoder, encoder: FrameEncoder, done: Done
    ) -> None:
        self._upstream = upstream
        self._chunks = upstream.chunks()
        self._stream = stream
        self._decoder = decoder
        self._encoder = encoder
        self._held = b""
        self._finished = False
        self._done: Done | None = done

    async def open(self) -> ErrorInfo | None:
        """Hold frames until content or an error came; an error before any content is returned, not sent."""
        while not (self._stream.started or self._stream.failure or self._finished):
            self._held += await self._next()
            if len(self._held) > HOLD_BYTES:
                break
        failure = self._stream.failure
        if failure is None or self._stream.started:
            return None
        await self._finish(Ending.ERROR, failure)
        return failure

    async def _next(self) -> bytes:
        """Return the client bytes for the next upstream chunk; at the end, the closing ones."""
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            return self._close()
        except DeadlineError as error:
            return self._close(error)
        except SetuError:
            return self._close()
        return self._encoded(self._decoder.feed(chunk))

    def _encoded(self, frames: list[Frame]) -> bytes:
        return b"".join([self._encoder.encode(out) for frame in frames for out in self._stream.feed(frame)])

    def _close(self, error: SetuError | None = None) -> bytes:
        self._finished = True
        tail = self._encoded(self._decoder.close()) if error is None else b""
        return tail + b"".join(self._encoder.encode(out) for out in self._stream.close()) + self._encoder.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._held:
            held, self._held = self._held, b""
            yield held
        while not self._finished and self._stream.failure is None:
            data = await self._next()
            if data:
                yield data
        failure = self._stream.failure
        if failure is not None and not self._finished:
            closing = self._encoder.close()
            if closing:
                yield closing
        await self._finish(Ending.COMPLETE if failure is None else Ending.ERROR, failure)

    async def _finish(self, ending: Ending, failure: ErrorInfo | None) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(ending, failure)
        await self._upstream.aclose()

    async def aclose(self) -> None:
        """Close the upstream; a stream not read to its end was left by the client."""
        await self._finish(Ending.CLOSED_BY_CLIENT, None)


class RelayedBody:
    """An identity stream: whole frames pass as the bytes they were.

    A frame is passed when it is complete, so that an upstream that breaks in mid-frame still leaves room for an
    honest error frame.
    """

    def __init__(
        self,
        upstream: Response,
        stream: StreamTranslation,
        decoder: FrameDecoder,
        error_frame: Callable[[ErrorInfo], bytes],
        done: Done,
    ) -> None:
        self._upstream = upstream
        self._stream = stream
        self._decoder = decoder
        self._error_frame = error_frame
        self._done: Done | None = done

    async def __aiter__(self) -> AsyncIterator[bytes]:
        failure: ErrorInfo | None = None
        try:
            async for chunk in self._upstream.chunks():
                data = self._passed(self._decoder.feed(chunk))
                if data:
                    yield data
        except SetuError as error:
            failure = error.info()
        if failure is None:
            tail = self._passed(self._decoder.close())
            if tail:
                yield tail
        else:
            yield self._error_frame(failure)
        await self._finish(Ending.COMPLETE if failure is None else Ending.TRUNCATED, failure)

    def _passed(self, frames: list[Frame]) -> bytes:
        return b"".join([out.raw for frame in frames for out in self._stream.feed(frame)])

    async def _finish(self, ending: Ending, failure: ErrorInfo | None) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(ending, failure)
        await self._upstream.aclose()

    async def aclose(self) -> None:
        """Close the upstream; a stream not read to its end was left by the client."""
        await self._finish(Ending.CLOSED_BY_CLIENT, None)
