"""An upstream that misbehaves on purpose, one seeded draw a request: late, busy, broken, cut, or right.

What it says repeats the word that the client asked with, so that a client can tell whether an answer is its own, whole
and said once.
"""

import asyncio
import contextlib
import json
import random
import struct
import threading
from collections import Counter
from types import TracebackType
from typing import NamedTuple, Self

WORDS = 12
"""Words of a whole answer."""
GAP = 0.03
"""Seconds between two of them."""
SILENCE = 4.0
"""Seconds for which an upstream says nothing where it is to pass the gateway's deadlines."""


def said(nonce: str) -> list[str]:
    """Return the words of the answer to a nonce."""
    return [f"{nonce}-{index} " for index in range(WORDS)]


class Manner(NamedTuple):
    """What may happen to a request, with weights that need not sum to anything.

    `mute` never begins to answer. The last five break off in mid-answer: by the end of the connection, by a reset, by
    an end of the body that says nothing of the answer's, by an error event, by silence.
    """

    right: float = 80
    late: float = 8
    busy: float = 4
    failing: float = 4
    reset: float = 2
    mute: float = 0.3
    cut: float = 2
    torn: float = 2
    short: float = 2
    choking: float = 1
    stalled: float = 0.5


BREAKING = frozenset({"cut", "torn", "short", "choking", "stalled"})


class Upstream:
    """A chat-completions host on a free port.

    `served` counts requests by what happened to them, `nonces` how often each was asked for, `open` the connections.
    """

    def __init__(self, seed: int, manner: Manner) -> None:
        self._random = random.Random(seed)
        self._manner = manner
        self.served: dict[str, int] = dict.fromkeys(Manner._fields, 0)
        self.nonces: Counter[str] = Counter()
        self.open = 0
        self.url = ""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._once(reader, writer):
                pass
        self.open -= 1
        writer.close()

    async def _once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer a request; tell whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next((line[15:] for line in head.split("\r\n") if line.lower().startswith("content-length:")), "0")
        body = json.loads(await reader.readexactly(int(length)) or b"{}")
        what = self._random.choices(Manner._fields, self._manner)[0]
        self.served[what] += 1
        self.nonces[_nonce(body)] += 1
        if what == "late":
            await asyncio.sleep(self._random.uniform(0.1, 0.6))
        if what in _REFUSALS:
            status, error, *fields = _REFUSALS[what]
            writer.write(_plain({"error": error}, status, *fields))
        elif what in {"reset", "mute"}:
            await asyncio.sleep(SILENCE if what == "mute" else 0)
            _abort(writer)
            return False
        elif body.get("stream"):
            return await self._stream(writer, body, what)
        elif what in BREAKING:
            return await _half(writer, body, what)
        else:
            writer.write(_plain(_whole(body)))
        await writer.drain()
        return True

    async def _stream(self, writer: asyncio.StreamWriter, body: dict[str, object], what: str) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        words = said(_nonce(body))
        last = self._random.randrange(0, WORDS - 1) if what in BREAKING else WORDS
        writer.write(_event(_chunk(body, {"role": "assistant", "content": ""})))
        for word in words[:last]:
            writer.write(_event(_chunk(body, {"content": word})))
            await writer.drain()
            await asyncio.sleep(GAP)
        if what in BREAKING:
            return await _broken_off(writer, what)
        writer.write(_event(_chunk(body, {}, "stop")))
        options = body.get("stream_options")
        if isinstance(options, dict) and options.get("include_usage"):
            writer.write(_event({**_chunk(body, {}), "choices": [], "usage": _USAGE}))
        writer.write(_framed(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        await writer.drain()
        return True


class Upstreams:
    """Several of them in a thread of their own."""

    def __init__(self, manners: list[Manner], seed: int = 1) -> None:
        self.all = [Upstream(seed + index, manner) for index, manner in enumerate(manners)]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="upstreams", daemon=True)

    @property
    def nonces(self) -> Counter[str]:
        """How often each nonce was asked for, whoever was asked."""
        return sum((upstream.nonces for upstream in self.all), Counter[str]())

    @property
    def open(self) -> int:
        return sum(upstream.open for upstream in self.all)

    def __enter__(self) -> Self:
        self._thread.start()
        for upstream in self.all:
            asyncio.run_coroutine_threadsafe(upstream.start(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        for upstream in self.all:
            await upstream.stop()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


_USAGE = {"prompt_tokens": 5, "completion_tokens": WORDS, "total_tokens": 5 + WORDS}

_REFUSALS: dict[str, tuple[str, dict[str, str], *tuple[str, ...]]] = {
    "busy": (
        "429 Too Many Requests",
        {"message": "slow down", "type": "rate_limit_error", "code": "rate_limit_exceeded"},
        "retry-after-ms: 50",
    ),
    "failing": ("500 Internal Server Error", {"message": "broken", "type": "server_error"}),
}


async def _half(writer: asyncio.StreamWriter, body: dict[str, object], what: str) -> bool:
    """Send a whole answer but for its end."""
    writer.write(_plain(_whole(body))[:-40])
    await writer.drain()
    if what == "stalled":
        await asyncio.sleep(SILENCE)
    if what == "torn":
        _abort(writer)
    return False


async def _broken_off(writer: asyncio.StreamWriter, what: str) -> bool:
    """End a stream as it must not end; tell whether the connection goes on."""
    if what == "choking":
        writer.write(_event({"error": {"message": "the model is gone", "type": "server_error"}}))
    if what in {"short", "choking"}:
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True
    if what == "stalled":
        await asyncio.sleep(SILENCE)
    if what == "torn":
        _abort(writer)
    return False


def _nonce(body: dict[str, object]) -> str:
    messages = body["messages"]
    assert isinstance(messages, list)
    return str(messages[-1]["content"])


def _whole(body: dict[str, object]) -> dict[str, object]:
    message = {"role": "assistant", "content": "".join(said(_nonce(body)))}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "chatcmpl-c", "object": "chat.completion", "created": 1790000000, "model": body["model"], "choices": [choice], "usage": _USAGE}  # fmt: skip


def _chunk(body: dict[str, object], delta: dict[str, str], finish: str | None = None) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-c", "object": "chat.completion.chunk", "created": 1790000000, "model": body["model"], "choices": [choice]}  # fmt: skip


def _event(chunk: dict[str, object]) -> bytes:
    return _framed(b"data: " + json.dumps(chunk).encode() + b"\n\n")


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _plain(body: dict[str, object], status: str = "200 OK", *more: str) -> bytes:
    data = json.dumps(body).encode()
    fields = [f"HTTP/1.1 {status}", "content-type: application/json", f"content-length: {len(data)}", *more]
    return "\r\n".join(fields).encode() + b"\r\n\r\n" + data


def _abort(writer: asyncio.StreamWriter) -> None:
    """Close with a reset."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SOL_SOCKET, SO_LINGER: the socket is a wrapper without names
    writer.transport.abort()
