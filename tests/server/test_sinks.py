"""Breaking a connection off: through uvicorn's transport, and where there is none."""

import asyncio
import http.client
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from setu.errors import TruncatedError
from setu.server.edge import Edge
from setu.server.serve import Background
from setu.server.sinks import break_off, wire_of
from tests.server.test_edge import POST, Drip, Fake, connected

Message = MutableMapping[str, Any]


class Recorder:
    """A transport that remembers what was done to it."""

    def __init__(self, raw: socket.socket | None = None) -> None:
        self.done: list[str | bytes] = []
        self._raw = raw

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("close")

    def abort(self) -> None:
        self.done.append("abort")

    def get_extra_info(self, name: str) -> Any:
        return self._raw if name == "socket" else None


class Cycle:
    """What uvicorn binds `receive` to."""

    def __init__(self, transport: object) -> None:
        self.transport = transport

    async def receive(self) -> Message:
        return {"type": "http.disconnect"}


async def plain_receive() -> Message:
    return {"type": "http.disconnect"}


def test_a_transport_is_found_where_uvicorn_keeps_it() -> None:
    transport = Recorder()

    assert wire_of(Cycle(transport).receive) is transport


@pytest.mark.parametrize(
    "receive", [plain_receive, Cycle(None).receive, Cycle(SimpleNamespace(close=print)).receive],
    ids=["a function", "no transport", "another kind of transport"],
)  # fmt: skip
def test_other_servers_show_none(receive: Callable[[], Awaitable[Message]]) -> None:
    assert wire_of(receive) is None
    assert break_off(receive, reset=True) is False


def test_a_close_writes_what_was_promised_first() -> None:
    transport = Recorder()

    assert break_off(Cycle(transport).receive, reset=False, promised=(b"ab", 17)) is True
    assert transport.done == [b"11\r\nab", "close"]


def test_a_reset_lets_nothing_linger() -> None:
    with socket.socket() as raw:
        transport = Recorder(raw)

        assert break_off(Cycle(transport).receive, reset=True) is True
        assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)[0] == 1
    assert transport.done == ["abort"]


def test_a_transport_without_a_socket_is_aborted_all_the_same() -> None:
    transport = Recorder()

    assert break_off(Cycle(transport).receive, reset=True) is True
    assert transport.done == ["abort"]


def edge(drip: Drip | TruncatedError) -> Edge:
    return Edge(Fake(lambda _: drip), lambda _request, info: b"{}")


class Hidden:
    """An ASGI server that keeps its transport to itself: the app gets a function in place of uvicorn's method."""

    def __init__(self, app: Edge) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return

        async def hidden() -> Any:
            return await receive()

        await self._app(scope, hidden, send)


async def _lifespan(receive: Any, send: Any) -> None:
    for kind in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{kind}.complete"})


@pytest.mark.parametrize("reset", [False, True])
def test_without_a_transport_the_body_still_has_no_end(reset: bool) -> None:
    drip = Drip(b"data: 1\n\n", error=TruncatedError("cut", reset=reset))

    with Background(Hidden(edge(drip))) as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
        connection.request("POST", "/v1/x", b"{}")
        answer = connection.getresponse()
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            answer.read()
        connection.close()

    assert drip.closed_at is not None


def test_without_a_transport_an_answer_without_a_head_is_an_error() -> None:
    with Background(Hidden(edge(TruncatedError("gone")))) as server, connected(server.url) as client:
        client.sendall(POST)
        seen = b""
        while piece := client.recv(4096):
            seen += piece

    assert not seen.startswith(b"HTTP/1.1 200")


def test_without_a_transport_the_app_fails_so_that_the_server_knows() -> None:
    sent: list[Message] = []
    asked = iter([{"type": "http.request", "body": b"{}", "more_body": False}])

    async def receive() -> Message:
        message = next(asked, None)
        if message is None:
            await asyncio.sleep(60)
        assert message is not None
        return message

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/x", "query_string": b"", "headers": []}
    drip = Drip(b"data: 1\n\n", error=TruncatedError("cut"))

    with pytest.raises(TruncatedError):
        asyncio.run(edge(drip)(scope, receive, send))

    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[-1]["more_body"] is True
