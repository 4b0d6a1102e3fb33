"""The edge over real sockets, with transports made for the occasion."""

import asyncio
import http.client
import socket
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from setu import _json
from setu.errors import ErrorInfo, TruncatedError
from setu.http import ByteStream, Headers, Request, Response
from setu.server.app import App
from setu.server.edge import Edge, Message
from setu.server.endpoints import Operations
from setu.server.serve import Background
from tests.clocks import RealClock


class Fake:
    """A transport of one function; remembers what it was asked and whether its answer was closed."""

    def __init__(self, answer: Callable[[Request], Response | ByteStream | Exception]) -> None:
        self._answer = answer
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self._answer(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Response):
            return answer
        return Response(200, Headers.of({"content-type": "text/event-stream"}), answer)

    async def aclose(self) -> None:
        pass


class Drip:
    """A body of given chunks, then an error, an end, or silence; notes when it is closed."""

    def __init__(self, *chunks: bytes, error: Exception | None = None, hang: bool = False) -> None:
        self.chunks = chunks
        self.error = error
        self.hang = hang
        self.closed_at: float | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk
        if self.hang:
            await asyncio.sleep(60)
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        self.closed_at = self.closed_at or time.monotonic()


def served(transport: Fake, max_body: int = 1000) -> Background:
    operations = Operations(RealClock(), lambda: {"usable": True}, dict)

    def render(_request: Request, info: ErrorInfo) -> bytes:
        return _json.encode({"error": {"message": info.message}})

    return Background(App(transport, render, operations, lambda prefix: prefix, max_body=max_body))


def ask(url: str, method: str = "POST", path: str = "/v1/x?a=1", body: bytes = b"{}") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def connected(url: str) -> socket.socket:
    host, _, port = urlsplit(url).netloc.partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


POST = b"POST /v1/x HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}"


def test_a_request_reaches_the_transport_as_it_was_sent() -> None:
    fake = Fake(lambda _: Response(200, Headers.of({"x-b": "2"}), b"ok"))

    with served(fake) as server:
        assert ask(server.url, path="/v1beta/models/a%2Fb:generateContent?alt=sse") == (200, b"ok")

    (request,) = fake.requests
    assert (request.path, request.query, request.body) == ("/v1beta/models/a%2Fb:generateContent", "alt=sse", b"{}")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_413(chunked: bool) -> None:
    fake = Fake(lambda _: Response(200))
    with served(fake) as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
        connection.request("POST", "/v1/x", iter([b"x" * 600, b"x" * 600]) if chunked else b"x" * 1200)
        answer = connection.getresponse()

        assert answer.status == 413
        assert b"larger than 1000 bytes" in answer.read()

    assert fake.requests == []


def test_a_stream_is_flushed_chunk_by_chunk() -> None:
    with served(Fake(lambda _: Drip(b"data: 1\n\n", hang=True))) as server, connected(server.url) as client:
        client.sendall(POST)
        seen = b""
        while b"data: 1\n\n" not in seen:
            seen += client.recv(4096)


def test_a_stream_that_breaks_is_not_ended_politely() -> None:
    drip = Drip(b"data: 1\n\n", error=TruncatedError("cut"))
    with served(Fake(lambda _: drip)) as server, pytest.raises(http.client.IncompleteRead):
        ask(server.url)

    assert drip.closed_at is not None


def test_a_reset_is_a_reset() -> None:
    drip = Drip(b"data: 1\n\n", error=TruncatedError("cut", reset=True))
    with served(Fake(lambda _: drip)) as server, pytest.raises(ConnectionResetError):
        ask(server.url)


def test_a_half_chunk_is_half_a_chunk() -> None:
    drip = Drip(b"data: 1\n\n", error=TruncatedError("cut", promised=(b"data: {", 64)))
    with served(Fake(lambda _: drip)) as server, connected(server.url) as client:
        client.sendall(POST)
        seen = b""
        while piece := client.recv(4096):
            seen += piece

    assert seen.endswith(b"\r\n40\r\ndata: {")


@pytest.mark.parametrize("phase", ["before the head", "before the first chunk", "in mid-stream"])
def test_a_client_that_leaves_ends_the_work_within_a_second(phase: str) -> None:
    ended: list[float] = []
    drip = Drip(*([b"data: 1\n\n"] if phase == "in mid-stream" else []), hang=True)

    class Slow(Fake):
        async def send(self, request: Request) -> Response:
            if phase != "before the head":
                return await super().send(request)
            try:
                await asyncio.sleep(60)
            finally:
                ended.append(time.monotonic())
            return Response(200)

    with served(Slow(lambda _: drip)) as server:
        client = connected(server.url)
        client.sendall(POST)
        time.sleep(0.2)
        left = time.monotonic()
        client.close()
        while not (ended or drip.closed_at) and time.monotonic() < left + 3:
            time.sleep(0.01)

    done = ended[0] if ended else drip.closed_at
    assert done is not None
    assert done - left < 1.0


class Direct:
    """One ASGI request with a body `{}`, of a client that leaves after `stays` seconds."""

    def __init__(self, transport: Fake, stays: float = 60) -> None:
        self._edge = Edge(transport, lambda _, info: info.message.encode(), max_body=1000)
        self._stays = stays
        self._asked = False
        self.sent: list[Message] = []

    async def run(self) -> None:
        scope = {"type": "http", "method": "POST", "path": "/v1/x", "query_string": b"", "headers": []}
        await self._edge(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"{}"}
        await asyncio.sleep(self._stays)
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)


@pytest.mark.parametrize(("answer", "tasks"), [(Response(200, None, b"ok"), 0), (Drip(hang=True), 1)])
def test_only_an_answer_that_takes_time_costs_a_task_that_listens(answer: Response | Drip, tasks: int) -> None:
    async def one() -> int:
        made: list[object] = []
        loop = asyncio.get_running_loop()
        own = asyncio.ensure_future(Direct(Fake(lambda _: answer), stays=0.05).run())

        def note(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> "asyncio.Task[Any]":
            made.append(coroutine)
            return asyncio.Task(coroutine, loop=loop, **options)

        loop.set_task_factory(note)
        await own
        return len(made)

    assert asyncio.run(one()) == tasks


def test_who_cancels_a_request_from_without_sees_it_cancelled() -> None:
    drip = Drip(b"data: 1\n\n", hang=True)

    async def cancelled() -> bool:
        serving = asyncio.ensure_future(Direct(Fake(lambda _: drip)).run())
        await asyncio.sleep(0.02)
        serving.cancel()
        await asyncio.wait({serving})
        return serving.cancelled()

    assert asyncio.run(cancelled())
    assert drip.closed_at is not None


def test_a_client_that_has_left_is_no_cancelled_request() -> None:
    drip = Drip(b"data: 1\n\n", hang=True)

    async def pending() -> int:
        await Direct(Fake(lambda _: drip), stays=0.02).run()
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    assert asyncio.run(pending()) == 0
    assert drip.closed_at is not None


def test_a_transport_that_breaks_is_a_500_without_its_words() -> None:
    with served(Fake(lambda _: RuntimeError("secret words"))) as server:
        status, body = ask(server.url)

    assert (status, _json.decode(body)) == (500, {"error": {"message": "internal error; the log says more"}})


def test_the_log_of_what_broke_holds_no_secret_of_the_path(caplog: pytest.LogCaptureFixture) -> None:
    secret = "sk-proj-" + "aB3dE6gH9j" * 4
    with served(Fake(lambda _: RuntimeError("broken"))) as server:
        ask(server.url, path=f"/v1/files/{secret}?key={secret}")

    assert "POST /v1/files/" in caplog.text
    assert secret not in caplog.text


def test_operations_answer_beside_the_hot_path() -> None:
    with served(Fake(lambda _: Response(200))) as server:
        statuses = {path: ask(server.url, "GET", path, b"")[0] for path in ("/health", "/livez", "/readyz", "/")}

        assert set(statuses.values()) == {200}
        assert ask(server.url, "HEAD", "/", b"") == (200, b"")
        assert _json.decode(ask(server.url, "GET", "/health", b"")[1])["service"] == "setu"
