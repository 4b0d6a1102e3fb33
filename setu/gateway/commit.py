"""Streams on their way to the client: held until they are worth a 200, then relayed frame by frame."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from setu.errors import DeadlineError, ErrorInfo, ErrorKind, SetuError
from setu.framing.frame import Frame, FrameDecoder, FrameEncoder
from setu.http import ByteStream, Ending, Response
from setu.translate.session import TRUNCATED, StreamTranslation

HOLD_BYTES = 65_536
"""The most that is held back while waiting for the first content."""

LOG = logging.getLogger("setu")
CRASHED = ErrorInfo(
    kind=ErrorKind.SERVER, status=500, message="internal error; the log says more", code="internal_error"
)
"""What a client is told of a mistake of ours in mid-stream."""

Done = Callable[[Ending, ErrorInfo | None], Awaitable[None]]
End = tuple[Ending, ErrorInfo | None]


class Resumed:
    """A body of which the beginning was read already."""

    def __init__(self, held: bytes, rest: AsyncIterator[bytes], stream: ByteStream) -> None:
        self._held = held
        self._rest = rest
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._held:
            yield self._held
        async for chunk in self._rest:
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def first_byte(response: Response) -> bytes:
    """Return the first byte of a body that is no space, or none; the response still gives the whole body.

    Raises:
        TruncatedError: the body ended before it.
    """
    if isinstance(response.body, bytes):
        return response.body.lstrip()[:1]
    stream = response.body
    chunks = aiter(stream)
    held = b""
    async for chunk in chunks:
        held += chunk
        if held.lstrip() or len(held) > HOLD_BYTES:
            break
    response.body = Resumed(held, chunks, stream)
    return held.lstrip()[:1]


class _Ended:
    """A body over an upstream: it says how it ended exactly once, also to who asks later, and closes the upstream."""

    def __init__(self, upstream: Response, done: Done) -> None:
        self._upstream = upstream
        self._done: Done | None = done
        self.end: End | None = None

    async def _finish(self, ending: Ending, failure: ErrorInfo | None) -> None:
        done, self._done = self._done, None
        self.end = self.end or (ending, failure)
        try:
            if done is not None:
                await done(ending, failure)
        finally:
            await self._upstream.aclose()

    async def _dropped(self, failure: ErrorInfo) -> ErrorInfo:
        """Close the upstream; there is no stream, and whoever answers with the error reports it."""
        self._done = None
        await self._upstream.aclose()
        return failure

    async def aclose(self) -> None:
        """Close the upstream; a stream not read to its end was left by the client."""
        await self._finish(Ending.CLOSED_BY_CLIENT, None)


class TranslatedBody(_Ended):
    """A translated stream. `open` reads up to the first content; iterating gives client bytes.

    However the upstream ends, the client gets an honest end: the encoder's terminal frames, or an error frame.
    """

    def __init__(
        self, upstream: Response, stream: StreamTranslation, decoder: FrameDecoder, encoder: FrameEncoder, done: Done
    ) -> None:
        super().__init__(upstream, done)
        self._chunks = upstream.chunks()
        self._stream = stream
        self._decoder = decoder
        self._encoder = encoder
        self._held: list[bytes] = []
        self._finished = False

    async def open(self) -> ErrorInfo | None:
        """Hold frames until content or an error came; an error before any content is returned, not sent."""
        size = 0
        while not (self._stream.started or self._stream.failure or self._finished):
            data = await self._next()
            self._held.append(data)
            size += len(data)
            if size > HOLD_BYTES:
                break
        failure = self._stream.failure
        if failure is None or self._stream.started:
            return None
        return await self._dropped(failure)

    async def _next(self) -> bytes:
        """Return the client bytes for the next upstream chunk; at the end, the closing ones."""
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            return self._close(self._decoder.close())
        except DeadlineError as error:
            return self._close([], error.info())
        except SetuError:
            return self._close(self._decoder.close())
        return self._encoded(self._decoder.feed(chunk))

    def _encoded(self, frames: list[Frame]) -> bytes:
        return b"".join([self._encoder.encode(out) for frame in frames for out in self._stream.feed(frame)])

    def _close(self, tail: list[Frame], failure: ErrorInfo | None = None) -> bytes:
        self._finished = True
        data = self._encoded(tail)
        last = self._stream.close() if failure is None else self._stream.fail(failure)
        return data + b"".join(self._encoder.encode(out) for out in last) + self._encoder.close()

    def _crashed(self, error: Exception) -> bytes:
        """Return the client's last bytes after a mistake of ours: an error frame of its dialect, then the end."""
        _report(error)
        return self._close([], CRASHED)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held, self._held = b"".join(self._held), []
        if held:
            yield held
        while not self._finished and self._stream.failure is None:
            try:
                data = await self._next()
            except Exception as error:  # noqa: BLE001 - whatever it is, the client waits for an end
                data = self._crashed(error)
            if data:
                yield data
        failure = self._stream.failure
        if failure is not None and not self._finished:
            closing = self._encoder.close()
            if closing:
                yield closing
        await self._finish(_ending(failure), failure)


class Whole:
    """A stream that is there already, in one chunk."""

    def __init__(self, data: bytes, done: Done) -> None:
        self._data = data
        self._done: Done | None = done

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._data
        await self._finish(Ending.COMPLETE)

    async def aclose(self) -> None:
        """Say that the client left, if it did."""
        await self._finish(Ending.CLOSED_BY_CLIENT)

    async def _finish(self, ending: Ending) -> None:
        done, self._done = self._done, None
        if done is not None:
            await done(ending, None)


class RelayedBody(_Ended):
    """An identity stream: whole frames pass as the bytes they were. `open` reads up to the first content.

    A frame is passed when it is complete, so that an upstream that breaks in mid-frame still leaves room for an
    honest error frame; `broken_off` writes it, given the bytes that went before.
    """

    def __init__(
        self,
        upstream: Response,
        stream: StreamTranslation,
        decoder: FrameDecoder,
        broken_off: Callable[[list[Frame], bytes], bytes],
        done: Done,
    ) -> None:
        super().__init__(upstream, done)
        self._chunks = upstream.chunks()
        self._stream = stream
        self._decoder = decoder
        self._broken_off = broken_off
        self._held: list[bytes] = []
        self._last = b""
        self._over = False

    async def open(self) -> ErrorInfo | None:
        """Hold frames until content came; an error before any, the upstream's or its connection's, is returned."""
        stream = self._stream
        size = 0
        try:
            async for chunk in self._chunks:
                data = self._passed(self._decoder.feed(chunk))
                self._held.append(data)
                size += len(data)
                if stream.started or stream.failure is not None or size > HOLD_BYTES:
                    break
            else:
                return await self._emptied()
        except SetuError as error:
            return await self._dropped(error.info())
        return None if stream.failure is None else await self._dropped(stream.failure)

    async def _emptied(self) -> ErrorInfo | None:
        """Judge a stream that is over and had no content: without its end either, somebody else may do better."""
        self._over = True
        self._held.append(self._passed(self._decoder.close()))
        wrong = self._stream.verdict()
        return None if wrong is None else await self._dropped(wrong)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        failure: ErrorInfo | None = None
        crashed = False
        held, self._held = b"".join(self._held), []
        if held:
            yield held
        try:
            async for chunk in self._chunks:
                data = self._passed(self._decoder.feed(chunk))
                if data:
                    yield data
        except SetuError as error:
            failure = error.info()
        except Exception as error:  # noqa: BLE001 - as above
            _report(error)
            failure = CRASHED
            crashed = True
        if failure is None:
            tail = self._passed(self._decoder.close())
            if tail:
                yield tail
            failure = None if self._over else self._stream.verdict()  # asked once
            if failure is not TRUNCATED:
                await self._finish(_ending(failure), failure)
                return
            # Over in good order, but without its end: clients would take what is there for the whole answer.
        last = self._broken_off(self._stream.fail(failure), self._last)
        if last:
            yield last
        await self._finish(Ending.ERROR if crashed else Ending.TRUNCATED, failure)

    def _passed(self, frames: list[Frame]) -> bytes:
        data = b"".join([out.raw for frame in frames for out in self._stream.feed(frame)])
        self._last = data or self._last
        return data


def _report(error: Exception) -> None:
    LOG.error("%s broke the translation of a stream", type(error).__name__, exc_info=error)


def _ending(failure: ErrorInfo | None) -> Ending:
    if failure is None:
        return Ending.COMPLETE
    return Ending.TRUNCATED if failure is TRUNCATED else Ending.ERROR
