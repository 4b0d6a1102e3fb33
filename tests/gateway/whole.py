"""A whole gateway on a socket, as its configuration describes it, before upstreams of which each follows a script."""

import asyncio
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from setu import build, rooms
from setu.config.model import Config
from setu.server.serve import Background
from setu.signals import Attempt, Call
from setu.store.ledger import MemoryLedger
from setu.transport.httpx_ import HttpxTransport
from tests.gateway.wire import PLAIN, STREAMS
from tests.live import CHAT, Answer, Sent, ask, read_exactly_as_sent, reply
from tests.servers import SSE_HEAD, RawServer, chunked, gone

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Step = bytes | Handle
"""A whole answer, or what is done with the connection."""

_CODES = {"openai": "oa", "anthropic": "an", "gemini": "ge", "openai_compatible": "oa"}
SSE = "text/event-stream"


class Host:
    """An upstream: it does what its script says, then answers as its kind usually does. `sent` is what reached it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.script: deque[Step] = deque()
        self.sent: list[Sent] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = await read_exactly_as_sent(reader)
        self.sent.append(sent)
        step = self.script.popleft() if self.script else usual(self.kind, sent)
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
        else:
            await step(reader, writer)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(sent.body) for sent in self.sent]


def usual(kind: str, sent: Sent) -> bytes:
    """Return the answer of a host that is well."""
    code = _CODES[kind]
    streams = b'"stream":true' in sent.body.replace(b" ", b"") or "streamGenerateContent" in sent.line
    return reply(STREAMS[code], kind=SSE) if streams else reply(PLAIN[code])


def failing(status: int, *fields: str, message: str = "no", **error: Any) -> bytes:
    """Return an error answer that each dialect reads."""
    body = {"type": "error", "error": {"message": message, "type": "some_error", "code": None, **error}}
    return reply(json.dumps(body).encode(), f"{status} X", "application/json", *fields)


async def reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Tear the connection down."""
    peer = writer.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def cut(*pieces: bytes, head: bytes = SSE_HEAD) -> Step:
    """Begin an answer and tear the connection down."""

    async def step(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head + chunked(*pieces, end=False))
        await writer.drain()
        await asyncio.sleep(0.05)
        await reset(reader, writer)

    return step


class Held:
    """Sends `first` and holds the rest back until it is let go; notes when the other side leaves before."""

    def __init__(self, rest: bytes = b"", first: bytes = b"", seconds: float = 5.0) -> None:
        self._first = first
        self._rest = rest
        self._seconds = seconds
        self.reached = threading.Event()
        self.released = threading.Event()
        self.left = threading.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._first)
        await writer.drain()
        self.reached.set()
        end = time.monotonic() + self._seconds
        while not self.released.is_set() and time.monotonic() < end:
            if await gone(reader, 0.01):
                self.left.set()
                return
        writer.write(self._rest)
        await writer.drain()


class Whole:
    """A gateway and its hosts, for as long as the block lasts. `calls` are what it reported.

    `hosts` are kinds by provider name; `providers` adds to their tables, and all else are sections of a configuration.
    """

    def __init__(self, hosts: Mapping[str, str], providers: Mapping[str, Any] | None = None, **sections: Any) -> None:
        self.hosts = {name: Host(kind) for name, kind in hosts.items()}
        self._tables = providers or {}
        self._sections = sections
        self._stack = ExitStack()
        self.calls: list[Call] = []

    def __enter__(self) -> Self:
        tables = {name: {**self._table(name, host), **self._tables.get(name, {})} for name, host in self.hosts.items()}
        config = Config.model_validate({**_QUIET, "providers": tables, **self._sections})
        clock = build.SystemClock()
        self.rooms = rooms.opened(config, clock, {}, self.calls.append)
        deployed = build.deployments(config, {})
        transport = _Outward(self.rooms, origins=build.origins(config, deployed))
        door = build.porter(config, self.rooms)
        gateway = build.gateway(deployed, transport, config=config, rooms=self.rooms, door=door, clock=clock)
        self.services = gateway.services
        server = self._stack.enter_context(
            Background(build.app(gateway, config, build.describe_gateway(deployed)), grace=1)
        )
        self.url = server.url
        return self

    def _table(self, name: str, host: Host) -> dict[str, Any]:
        url = self._stack.enter_context(RawServer(host)).url
        base = f"{url}/v1" if _CODES[host.kind] == "oa" else url
        return {"type": host.kind, "base_url": base, "api_key": key_of(name), "models": ["m"]}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def ask(
        self,
        body: Mapping[str, Any] | bytes = b"",
        path: str = CHAT,
        fields: Iterable[tuple[str, str]] = (),
        method: str = "POST",
    ) -> Answer:
        """Send a request with exactly these fields (and a length); return the whole answer."""
        return ask(self.url, body if isinstance(body, bytes) else json.dumps(body).encode(), path, fields, method)

    def begin(self, body: Mapping[str, Any], path: str = CHAT, fields: Iterable[tuple[str, str]] = ()) -> "Begun":
        """Send a request and return its connection."""
        return Begun(self.url, json.dumps(body).encode(), path, fields)

    def clear(self) -> None:
        """Forget what has been."""
        self.calls.clear()
        for host in self.hosts.values():
            host.script.clear()
            host.sent.clear()

    def reported(self, count: int = 1) -> list[Call]:
        """Return the calls, once there are so many and nothing is under way."""
        until(lambda: len(self.calls) >= count and self.at_rest)
        time.sleep(0.02)  # for one that would be reported twice
        assert len(self.calls) == count, [(call.status, call.end, call.route) for call in self.calls]
        return list(self.calls)

    def call(self) -> Call:
        return self.reported(1)[0]

    @property
    def at_rest(self) -> bool:
        """Tell whether the ledger has nothing outstanding: no reservation, and no call under way."""
        ledger = self.rooms.ledger
        assert isinstance(ledger, MemoryLedger)
        return not ledger._open and all(each.busy == 0 for each in ledger.standing().values())


class _Outward(HttpxTransport):
    """The way out; when the server stops, what outlives a gateway is closed as well, as `setu start` does."""

    def __init__(self, held: rooms.Rooms, **options: Any) -> None:
        super().__init__(**options)
        self._held = held

    async def aclose(self) -> None:
        await self._held.aclose()
        await super().aclose()


class Begun:
    """A client in the middle of its request."""

    def __init__(self, url: str, data: bytes, path: str, fields: Iterable[tuple[str, str]]) -> None:
        place = urlsplit(url)
        self._socket = socket.create_connection((place.hostname or "", place.port or 0), timeout=10)
        lines = [f"POST {path} HTTP/1.1", "host: localhost", "connection: close", f"content-length: {len(data)}"]
        lines += [f"{name}: {value}" for name, value in fields]
        self._socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)

    def read_to(self, mark: bytes) -> bytes:
        """Read until a mark came."""
        data = b""
        while mark not in data:
            piece = self._socket.recv(65536)
            assert piece, data
            data += piece
        return data

    def read(self) -> bytes:
        """Read to the end."""
        data = b""
        while piece := self._socket.recv(65536):
            data += piece
        return data

    def leave(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()


def key_of(name: str) -> str:
    """Return the key of an upstream."""
    return f"sk-up-{name}-0123456789abcdef"


_QUIET: Mapping[str, Any] = {
    "usage": {"enabled": False},
    "audit": {"enabled": False},
    "resilience": {"retry": {"max_attempts": 3, "initial_interval": 0.01, "max_interval": 0.02}},
}


def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for something that is about to be so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to be in time"
        time.sleep(0.005)


def said(model: str | None = "a/m", text: str = "hi", **more: Any) -> dict[str, Any]:
    """Return the smallest chat request."""
    named = {} if model is None else {"model": model}
    return {**named, "messages": [{"role": "user", "content": text}], **more}


def tried(attempts: Iterable[Attempt]) -> list[tuple[str, str, int]]:
    """Return what matters of attempts: where, how it went, the status."""
    return [(each.provider, each.outcome, each.status) for each in attempts]
