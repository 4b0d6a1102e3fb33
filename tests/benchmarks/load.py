"""The load: a request over and over on connections that stay open, by wrk or by a raw protocol in this process."""

import asyncio
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import uvloop

from tests.benchmarks.upstream import STAMP

COUNTER = b"0000000000000000"
"""Stands in a body where each request of a load has a number of its own."""
PATIENCE = 30.0
_CONTENT = b'"content":" tide'
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Load(NamedTuple):
    """A request, and how it is put. `stream` is what the answer is: then chunks are counted and their times taken."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    connections: int
    stream: bool = False


class Done(NamedTuple):
    """What a load came to; times in microseconds, medians and 99 of 100. None where nobody looked."""

    requests: int
    seconds: float
    chunks: int = 0
    latency: float | None = None
    first: float | None = None
    delay: float | None = None
    delay_99: float | None = None


def put(url: str, load: Load, seconds: float, room: Path, core: int | None = None) -> Done:
    """Load a server.

    Raises:
        RuntimeError: an answer was none that counts.
    """
    if load.stream or load.connections == 1 or seconds < 1 or shutil.which("wrk") is None:
        return uvloop.run(_by_hand(url, load, seconds))
    return _wrk(url, load, seconds, room, core)


def _wrk(url: str, load: Load, seconds: float, room: Path, core: int | None) -> Done:
    script = room / "request.lua"
    script.write_bytes(_lua(load))
    pinned = ["taskset", "-c", str(core)] if core is not None and shutil.which("taskset") else []
    command = [*pinned, "wrk", "-t1", f"-c{load.connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s"]
    said = subprocess.run(
        [*command, "-s", str(script), url + load.path], capture_output=True, text=True, check=True, timeout=PATIENCE
    ).stdout
    found = re.search(r"(\d+) requests in ([\d.]+)(ms|s)", said)
    if found is None or "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    return Done(int(found[1]), float(found[2]) * (0.001 if found[3] == "ms" else 1))


def _lua(load: Load) -> bytes:
    lines = [b'wrk.method = "POST"', b"wrk.body = [==[%b]==]" % load.body]
    lines += [f'wrk.headers["{name}"] = "{value}"'.encode() for name, value in load.headers.items()]
    before, found, after = load.body.partition(COUNTER)
    if found:
        lines += [
            b"local n = %d" % _fresh(),
            b"function request()",
            b"  n = n + 1",
            b'  return wrk.format(nil, nil, nil, [==[%b]==] .. string.format("%%016d", n) .. [==[%b]==])'
            % (before, after),
            b"end",
        ]
    return b"\n".join(lines)


def _fresh() -> int:
    """Return a number after which no load has counted yet."""
    return time.time_ns() // 1000


async def _by_hand(url: str, load: Load, seconds: float) -> Done:
    address = urlsplit(url)
    loop = asyncio.get_running_loop()
    start = time.perf_counter()
    clients = [_Client(address.netloc, load, start + seconds, _fresh() + 10**9 * n) for n in range(load.connections)]
    for client in clients:
        await loop.create_connection(_always(client), address.hostname or "", address.port or 80)
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(client.over for client in clients))
    took = time.perf_counter() - start
    delays = sorted(delay for client in clients for delay in client.delays)
    return Done(
        requests=sum(client.done for client in clients),
        seconds=took,
        chunks=sum(client.chunks for client in clients),
        latency=_middle([each for client in clients for each in client.latencies]),
        first=_middle([each for client in clients for each in client.firsts]) if load.stream else None,
        delay=delays[len(delays) // 2] if delays else None,
        delay_99=delays[len(delays) * 99 // 100] if delays else None,
    )


def _always(client: "_Client") -> Callable[[], "_Client"]:
    return lambda: client


def _middle(seconds: list[float]) -> float | None:
    return median(seconds) * 1e6 if seconds else None


class _Client(asyncio.Protocol):
    """One connection: the next request goes when the answer before it is whole."""

    def __init__(self, host: str, load: Load, until: float, counted: int) -> None:
        fields = "".join(f"{name}: {value}\r\n" for name, value in load.headers.items())
        head = f"POST {load.path} HTTP/1.1\r\nhost: {host}\r\n{fields}content-length: {len(load.body)}\r\n\r\n"
        self._request = head.encode() + load.body
        self._numbered = COUNTER in load.body
        self._stream = load.stream
        self._until = until
        self._counted = counted
        self._pieces: list[tuple[int, bytes]] = []
        self._size = 0
        self._whole: int | None = None
        self.done = 0
        self.chunks = 0
        self.latencies: list[float] = []
        self.firsts: list[float] = []
        self.delays: list[float] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(exc or RuntimeError("the server closed a connection"))

    def data_received(self, data: bytes) -> None:
        if not self._pieces:
            if not data.startswith(b"HTTP/1.1 200") or b"\r\n\r\n" not in data:
                self._fail(data)
                return
            self._whole = _whole(data)
        self._pieces.append((time.monotonic_ns(), data))
        self._size += len(data)
        ended = self._size >= self._whole if self._whole is not None else self._has_ended()
        if ended:
            self._answered()

    def _has_ended(self) -> bool:
        last = self._pieces[-1][1]
        if len(last) < 5 and len(self._pieces) > 1:
            last = self._pieces[-2][1] + last
        return last.endswith(b"0\r\n\r\n")

    def _answered(self) -> None:
        self.latencies.append(time.perf_counter() - self._sent)
        self.done += 1
        if self._stream:
            self._timed()
        if time.perf_counter() < self._until:
            self._send()
            return
        self.over.set_result(None)
        self._transport.close()

    def _timed(self) -> None:
        """Take the times of a stream: of its first content, and how long each chunk was under way."""
        whole = b"".join(data for _, data in self._pieces)
        self.chunks += whole.count(_CONTENT)
        if b"[DONE]" not in whole:
            self._fail(whole[-200:])
        pieces = iter(self._pieces)
        at, end = 0, 0
        for number, found in enumerate(STAMP.finditer(whole)):
            while end < found.end():
                at, data = next(pieces)
                end += len(data)
            self.delays.append((at - int(found[1])) / 1000)
            if number == 0:
                self.firsts.append((at - self._sent_ns) / 1e9)

    def _send(self) -> None:
        self._pieces, self._size, self._whole = [], 0, None
        request = self._request
        if self._numbered:
            self._counted += 1
            request = request.replace(COUNTER, b"%016d" % self._counted)
        self._sent, self._sent_ns = time.perf_counter(), time.monotonic_ns()
        self._transport.write(request)

    def _fail(self, data: bytes) -> None:
        if not self.over.done():
            self.over.set_exception(RuntimeError(f"an answer that does not count: {data[:300]!r}"))
        self._transport.close()


def _whole(data: bytes) -> int | None:
    """Return how long an answer is, from its head; None for chunks."""
    end = data.find(b"\r\n\r\n")
    said = _LENGTH.search(data, 0, end + 2)
    return end + 4 + int(said[1]) if said else None
