"""A provider that is not the bottleneck: `python -m tests.benchmarks.upstream` answers from ready bytes.

One protocol class on uvloop, no HTTP library: it looks for the end of the head, for content-length, and for what kind
of answer the body asks for. It prints its address and serves until it is ended.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Callable
from typing import Final, cast

import uvloop

CHUNKS = 100
"""Chunks of content in a stream."""
GAP = 0.001
"""Seconds between the chunks of a timed stream."""
MODEL = "gpt-bench"
TIMED = "gpt-bench-timed"
"""The model whose streams keep a pace; those of any other come at once."""
STAMP = re.compile(rb"@(\d{19})")
"""When a chunk left here, in nanoseconds of CLOCK_MONOTONIC, which all processes share: in its text."""

_TEXT = "The tide tables of a small harbour list two high waters a day, and every fisherman knows both. " * 6
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STREAM = re.compile(rb'"stream" *: *true')


def _whole(body: str) -> bytes:
    data = body.encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(data), data)


OPENAI: Final = _whole(
    '{"id":"chatcmpl-bench","object":"chat.completion","created":1760000000,"model":"gpt-bench","choices":[{"index":0,'
    f'"message":{{"role":"assistant","content":"{_TEXT}","refusal":null,"annotations":[]}},"logprobs":null,'
    '"finish_reason":"stop"}],"usage":{"prompt_tokens":120,"completion_tokens":110,"total_tokens":230,'
    '"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}'
)
ANTHROPIC: Final = _whole(
    '{"id":"msg_bench","type":"message","role":"assistant","model":"claude-bench","content":[{"type":"text","text":'
    f'"{_TEXT}"}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":120,"output_tokens":110}}}}'
)
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_EVENT = (
    b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1760000000,"model":"gpt-bench",'
    b'"choices":[{"index":0,"delta":{%b},"logprobs":null,"finish_reason":%b}]}\n\n'
)
_LAST = _EVENT % (b"", b'"stop"') + b"data: [DONE]\n\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_OPENING = _HEAD + _chunk(_EVENT % (b'"role":"assistant","content":""', b"null"))
_CLOSING = _chunk(_LAST) + b"0\r\n\r\n"


def _content() -> bytes:
    return _chunk(_EVENT % (b'"content":" tide @%019d"' % time.monotonic_ns(), b"null"))


class Canned(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._pacing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._pacing is not None:
            self._pacing.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (body := self._request()) is not None:
            path, content = body
            self._answer(path, content)

    def _request(self) -> tuple[bytes, bytes] | None:
        """Take a whole request out of the buffer: its first line and its body."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        said = _LENGTH.search(self._buffer, 0, end + 2)
        whole = end + 4 + (int(said[1]) if said else 0)
        if len(self._buffer) < whole:
            return None
        line, body = self._buffer[: self._buffer.find(b"\r\n")], self._buffer[end + 4 : whole]
        self._buffer = self._buffer[whole:]
        return line, body

    def _answer(self, line: bytes, body: bytes) -> None:
        if not _STREAM.search(body):
            self._write(ANTHROPIC if b"/messages" in line else OPENAI)
        elif TIMED.encode() in body:
            self._write(_OPENING)
            loop = asyncio.get_running_loop()
            self._paced(loop.call_at, loop.time() + GAP, CHUNKS)
        else:
            self._write(_OPENING + b"".join([_content() for _ in range(CHUNKS)]) + _CLOSING)

    def _paced(self, call_at: Callable[..., asyncio.TimerHandle], due: float, left: int) -> None:
        self._pacing = call_at(due, self._next, call_at, due, left)

    def _next(self, call_at: Callable[..., asyncio.TimerHandle], due: float, left: int) -> None:
        if left == 0:
            self._write(_CLOSING)
            return
        self._write(_content())
        self._paced(call_at, due + GAP, left - 1)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    print(f"http://{host}:{port}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve())
