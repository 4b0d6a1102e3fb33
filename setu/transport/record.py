"""Record: a transport that passes a call on and keeps what was said, without delaying a byte of it."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable

import msgspec

from setu.cassette.bodies import decompressor
from setu.cassette.edits import Secrets
from setu.cassette.gate import redact_exchange
from setu.cassette.match import NO_VOLATILE, Volatile, canonical_of, digest_of, route_of
from setu.cassette.model import Interaction, Recording, Side, Wire
from setu.cassette.pieces import framing_of, pieces_of, timing_of
from setu.errors import SetuError, TruncatedError
from setu.framing.sse import parse_block
from setu.http import HOP_BY_HOP, Arrival, ByteStream, Ending, Exchange, Headers, Request, Response
from setu.ports import Clock, Transport

Sink = Callable[[Interaction], None]

_LAST_EVENTS = frozenset({"message_stop", "response.completed"})


class Record:
    """Passes calls to `inner` and hands each finished one, redacted, to `sink`.

    The sink runs in a thread, one call at a time, so that a slow disk holds up no stream; a response has ended for
    its reader once its recording is kept. `today` gives an ISO date. A sink that fails never fails the call:
    `on_error` is told in one sentence, once for each sentence. `secrets` are values to take out wherever they stand.
    `twin` names the call that a request belongs to, asked when the request is sent; `shape` says how a recording is
    kept.
    """

    def __init__(
        self,
        inner: Transport,
        sink: Sink,
        clock: Clock,
        today: Callable[[], str],
        on_error: Callable[[str], None],
        *,
        secrets: Secrets = (),
        volatile: Volatile = NO_VOLATILE,
        side: Side = "upstream",
        twin: Callable[[], str | None] = lambda: None,
        shape: Callable[[Interaction], Interaction] = lambda interaction: interaction,
    ) -> None:
        self._inner = inner
        self._sink = sink
        self._clock = clock
        self._today = today
        self._on_error = on_error
        self._secrets = secrets
        self._volatile = volatile
        self._side: Side = side
        self._twin = twin
        self._shape = shape
        self._told: set[str] = set()
        self._writing = asyncio.Lock()
        self._pending: set[asyncio.Task[None]] = set()

    async def send(self, request: Request) -> Response:
        """Pass a request on, asking for an uncompressed answer."""
        tape, response = await self._start(request)
        if isinstance(response.body, bytes):
            tape.note(response.body)
            await self.keep(tape, Ending.COMPLETE)
            return response
        return Response(response.status, response.headers, _Tee(response.body, tape, self))

    async def observe(self, request: Request) -> Interaction:
        """Make a call, hear it to its end and return its recording; the sink is not told."""
        tape, response = await self._start(request)
        end = Ending.COMPLETE
        try:
            async for chunk in response.chunks():
                tape.note(chunk)
        except TruncatedError as error:
            end = _cut(error)
        finally:
            await response.aclose()
        return await asyncio.to_thread(self._interaction, tape, end)

    async def _start(self, request: Request) -> "tuple[_Tape, Response]":
        await request.read()
        headers = request.headers.copy()
        headers.set("accept-encoding", "identity")
        asked = msgspec.structs.replace(request, headers=headers)
        sent = self._clock.monotonic()
        response = await self._inner.send(asked)
        return _Tape(request, response, self._clock, sent, self._twin()), response

    async def aclose(self) -> None:
        """Wait for what is still being written, then close the inner transport."""
        if self._pending:
            await asyncio.gather(*self._pending)
        await self._inner.aclose()

    async def keep(self, tape: "_Tape", end: Ending) -> None:
        """Hand a finished recording to the sink; survives the cancellation of the task that waits for it."""
        task = asyncio.create_task(self._write(tape, end))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)
        await asyncio.shield(task)

    async def _write(self, tape: "_Tape", end: Ending) -> None:
        async with self._writing:
            try:
                await asyncio.to_thread(self._save, tape, end)
            except SetuError as error:
                self._tell(str(error))
            except Exception as error:  # noqa: BLE001  # whatever a sink does, the proxied call goes on
                self._tell(f"a recording could not be kept: {type(error).__name__}")

    def _tell(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self._on_error(sentence)

    def _save(self, tape: "_Tape", end: Ending) -> None:
        self._sink(self._interaction(tape, end))

    def _interaction(self, tape: "_Tape", end: Ending) -> Interaction:
        found = interaction_of(tape, end, self._secrets, self._volatile, self._today(), self._side)
        return self._shape(found)


class _Tape:
    """What has been heard of one call so far."""

    def __init__(self, request: Request, response: Response, clock: Clock, sent: float, twin: str | None) -> None:
        self.request = request
        self.status = response.status
        self.headers = Headers(pair for pair in response.headers.raw if pair[0] not in HOP_BY_HOP)
        self.encoding = response.headers.get("content-encoding")
        self.chunks: list[bytes] = []
        self.arrivals: list[Arrival] = []
        self._clock = clock
        self._sent = sent
        self.twin = twin
        self.ttfb_ms = self._now()

    def note(self, chunk: bytes) -> None:
        self.chunks.append(chunk)
        self.arrivals.append(Arrival(self._now(), len(chunk)))

    def _now(self) -> int:
        return round((self._clock.monotonic() - self._sent) * 1000)


class _Tee:
    """A body that is read once and heard twice."""

    def __init__(self, inner: ByteStream, tape: _Tape, record: Record) -> None:
        self._inner = inner
        self._chunks = aiter(inner)
        self._tape = tape
        self._record = record
        self._ended = False
        self._closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            await self._end(Ending.COMPLETE)
            raise
        except TruncatedError as error:
            await self._end(_cut(error))
            raise
        except Exception:
            await self._end(Ending.ERROR)
            raise
        self._tape.note(chunk)
        return chunk

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            await self._inner.aclose()
        finally:
            await self._end(Ending.CLOSED_BY_CLIENT)

    async def _end(self, end: Ending) -> None:
        if not self._ended:
            self._ended = True
            await self._record.keep(self._tape, end)


def interaction_of(
    tape: _Tape, end: Ending, secrets: Secrets, volatile: Volatile, today: str, side: Side
) -> Interaction:
    """Build the redacted interaction of a finished call."""
    chunks, encoding = _decoded(tape)
    body = b"".join(chunks)
    arrivals = tuple(Arrival(arrival.ms, len(chunk)) for arrival, chunk in zip(tape.arrivals, chunks, strict=True))
    headers = tape.headers.copy()
    if encoding:
        headers.remove("content-encoding")
    raw = Exchange(request=tape.request, status=tape.status, headers=headers, body=body, arrivals=arrivals)
    # Before redaction, which may change lengths but never the number of events.
    timing = timing_of(raw, tape.ttfb_ms)
    safe, redacted = redact_exchange(raw, secrets)
    exchange = msgspec.structs.replace(safe, end=_ending(raw, end), arrivals=())
    route = route_of(exchange.request)
    canonical = canonical_of(exchange.request, route, volatile)
    operation = f"{route.dialect}.{route.operation}" if route else ""
    recording = Recording(
        side=side,
        dialect=route.dialect if route else "",
        op=f"{operation}.stream" if operation and canonical.head["stream"] else operation,
        key=digest_of(canonical),
        recorded=today,
        twin=tape.twin,
        wire=Wire(enc=encoding),
        timing=timing,
        chunks=_chunks(raw, exchange),
        redacted=redacted,
    )
    return Interaction(exchange=exchange, recording=recording)


def _chunks(heard: Exchange, kept: Exchange) -> tuple[int, ...]:
    """Return the sizes of the chunks where they are not the events', and redaction has not moved them."""
    sizes = tuple(arrival.size for arrival in heard.arrivals if arrival.size)
    if len(heard.body) != len(kept.body) or sizes == tuple(map(len, pieces_of(heard))):
        return ()
    return sizes if len(sizes) > 1 or framing_of(heard) != "json" else ()


def _cut(error: TruncatedError) -> Ending:
    return Ending.RESET if error.reset else Ending.TRUNCATED


def _ending(exchange: Exchange, end: Ending) -> Ending:
    """Return how the answer ended: SDKs hang up at the last event, before the body's end has come through."""
    if end is not Ending.CLOSED_BY_CLIENT or framing_of(exchange) != "sse":
        return end
    last = parse_block((pieces_of(exchange) or [b""])[-1])
    return Ending.COMPLETE if last.data == b"[DONE]" or last.event in _LAST_EVENTS else end


def _decoded(tape: _Tape) -> tuple[list[bytes], str | None]:
    """Return the chunks without their content encoding, and which it was; as they are if that is not possible."""
    decoder = decompressor(tape.encoding) if tape.encoding else None
    if decoder is None:
        return tape.chunks, None
    try:
        chunks = [decoder.decompress(chunk) for chunk in tape.chunks]
        tail = decoder.flush()
    except zlib.error:
        return tape.chunks, None
    if chunks:
        chunks[-1] += tail
    return chunks, tape.encoding
