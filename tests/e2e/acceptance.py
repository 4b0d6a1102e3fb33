"""What the acceptance tests of cassettes share: an upstream whose every chunk is known, a client that sees chunks."""

import asyncio
import json
import re
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from setu.cassette.model import Interaction
from setu.cassette.shelf import cassette_files, read_cassette
from tests.servers import chunked, read_request

CHAT = "/v1/chat/completions"
NO_FIELDS: Mapping[str, str] = {}


class Answer(NamedTuple):
    """What an upstream sends: `chunks` in chunked coding, or as one body of known length when there is but one."""

    chunks: tuple[bytes, ...]
    media_type: str = "application/json"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    gap: float = 0.0
    """Seconds between chunks."""

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def head(self) -> bytes:
        length = f"content-length: {len(self.body)}" if len(self.chunks) == 1 else "transfer-encoding: chunked"
        fields = [f"{name}: {value}" for name, value in self.headers]
        lines = [f"HTTP/1.1 {self.status} X", f"content-type: {self.media_type}", length, *fields, "", ""]
        return "\r\n".join(lines).encode()


class Call(NamedTuple):
    """A request as an upstream got it."""

    target: str
    headers: dict[str, str]
    body: bytes


class Exact:
    """A handler of raw connections that answers every request of each, and notes them."""

    def __init__(self, answer: Callable[[Call], Answer]) -> None:
        self._answer = answer
        self.calls: list[Call] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            line, headers, body = await read_request(reader)
            call = Call(line.split(" ")[1], headers, body)
            self.calls.append(call)
            answer = self._answer(call)
            if len(answer.chunks) == 1:
                writer.write(answer.head + answer.body)
                await writer.drain()
                continue
            writer.write(answer.head)
            start = time.monotonic()
            for index, chunk in enumerate(answer.chunks):
                await asyncio.sleep(max(0.0, start + index * answer.gap - time.monotonic()))
                writer.write(chunked(chunk, end=False))
                await writer.drain()
            writer.write(chunked())
            await writer.drain()


class Heard(NamedTuple):
    """An answer as it came over the wire: `chunks` by the transfer coding, each with the moment it was whole."""

    status: int
    headers: list[tuple[str, str]]
    chunks: list[bytes]
    times: list[float]

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)


class Client:
    """One connection on which requests follow each other; sees what HTTP libraries hide."""

    def __init__(self, url: str, timeout: float = 30.0) -> None:
        place = urlsplit(url)
        assert place.hostname is not None
        self._socket = socket.create_connection((place.hostname, place.port or 80), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._socket.close()

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str] = NO_FIELDS, on_chunk: Callable[[], object] = int
    ) -> Heard:
        """Send a request and read its answer; `on_chunk` is called at every chunk."""
        fields = {"host": "localhost", "content-type": "application/json", "content-length": str(len(body)), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._socket.sendall(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)
        status = int(self._file.readline().split(b" ")[1])
        found: list[tuple[str, str]] = []
        while line := self._file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            found.append((name.lower(), value.strip()))
        chunks: list[bytes] = []
        times: list[float] = []
        length = dict(found).get("content-length")
        while chunk := self._chunk(None if length is None else int(length) - sum(map(len, chunks))):
            times.append(time.monotonic())
            chunks.append(chunk)
            on_chunk()
        return Heard(status, found, chunks, times)

    def _chunk(self, left: int | None) -> bytes:
        if left is not None:
            return self._file.read(left)
        size = int(self._file.readline(), 16)
        chunk = self._file.read(size)
        self._file.readline()
        return chunk


def post(url: str, path: str, body: bytes, headers: Mapping[str, str] = NO_FIELDS) -> Heard:
    """Make one call on a connection of its own."""
    with Client(url) as client:
        return client.post(path, body, headers)


def through(upstream: str, path: str) -> str:
    """Return the path by which a proxy of ours is asked for an upstream's."""
    return f"/proxy/http/{urlsplit(upstream).netloc}{path}"


def asking(*texts: str, **options: Any) -> bytes:
    """Return the body of a conversation, user first."""
    messages = [{"role": ("user", "assistant")[index % 2], "content": text} for index, text in enumerate(texts)]
    return json.dumps({"model": "m", "messages": messages, **options}).encode()


def completion(text: str, identity: str = "chatcmpl-1", **members: Any) -> Answer:
    """Return a chat completion in one piece; `members` are of its message."""
    message = {"role": "assistant", "content": text, **members}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    body = {"id": identity, "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    return Answer((json.dumps({**body, "usage": usage}).encode(),))


def said(call: Call) -> str:
    """Return what the last message of a conversation says."""
    text: str = json.loads(call.body)["messages"][-1]["content"]
    return text


def told(heard: Heard) -> str:
    """Return what a completion says."""
    text: str = json.loads(heard.body)["choices"][0]["message"]["content"]
    return text


def kept(directory: Path) -> list[Interaction]:
    """Return every recording below a directory."""
    return [interaction for file in cassette_files(directory) for interaction in read_cassette(file)]


def first(pattern: str, text: str) -> str:
    """Return the first group of a pattern that must be in the text."""
    found = re.search(pattern, text)
    assert found is not None, text
    return found[1]
