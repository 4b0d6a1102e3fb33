"""HTTP/2 through httpx, against a server whose every frame is ours."""

import asyncio
import gzip
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from setu.errors import ConfigError, ConnectionFailedError, DeadlineError, TruncatedError
from setu.http import Headers, Request
from setu.resilience.policy import Timeouts
from setu.transport.httpx_ import HttpxTransport, OriginSettings
from tests.h2server import H2, Serve, Stream, certificate
from tests.servers import RawServer, read_request

USUAL = Timeouts()
SHORT = Timeouts(first_byte=0.3, idle=0.3)


def asked(origin: str, text: str = "{}") -> Request:
    headers = Headers.of({"content-type": "application/json"})
    return Request(method="POST", origin=origin, path="/v1/x", query="a=b", headers=headers, body=text.encode())


def spoken(
    serve: Serve,
    use: Callable[[HttpxTransport, str], Coroutine[Any, Any, Any]],
    timeouts: Timeouts = USUAL,
) -> tuple[Any, H2]:
    """Use a transport with prior knowledge against a server; return what that gave, and the server."""
    handler = H2(serve)
    with RawServer(handler) as server:

        async def main() -> Any:
            transport = HttpxTransport(origins={server.url: OriginSettings(http2=True, timeouts=timeouts)})
            try:
                return await asyncio.wait_for(use(transport, server.url), 10)
            finally:
                await transport.aclose()

        return asyncio.run(main()), handler


async def whole(transport: HttpxTransport, origin: str) -> bytes:
    return await (await transport.send(asked(origin))).read()


async def echo(stream: Stream) -> None:
    await stream.head(content_type="application/json")
    await stream.data(stream.body, end=True)


def test_a_request_and_its_answer_cross_with_the_callers_own_fields_only() -> None:
    async def use(transport: HttpxTransport, origin: str) -> tuple[int, str | None, bytes]:
        response = await transport.send(asked(origin, '{"x":1}'))
        return response.status, response.headers.get("content-type"), await response.read()

    got, server = spoken(echo, use)

    assert got == (200, "application/json", b'{"x":1}')
    fields = server.connections[0].streams[1].fields
    assert set(fields) == {":method", ":authority", ":scheme", ":path", "content-type", "content-length"}
    assert fields[":path"] == "/v1/x?a=b"


def test_http2_is_agreed_on_over_tls(tmp_path: Path) -> None:
    context, authority = certificate(tmp_path)
    context.set_alpn_protocols(["h2"])
    handler = H2(echo)
    with RawServer(handler, context) as server:
        got = asyncio.run(_with(server.url, OriginSettings(http2=True, ca_file=str(authority))))

    assert (got, len(handler.connections)) == (b"{}", 1)


def test_a_host_without_http2_gets_http1(tmp_path: Path) -> None:
    context, authority = certificate(tmp_path)
    context.set_alpn_protocols(["http/1.1"])

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, _, _ = await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(line), line.encode()))

    with RawServer(handler, context) as server:
        got = asyncio.run(_with(server.url, OriginSettings(http2=True, ca_file=str(authority))))

    assert got == b"POST /v1/x?a=b HTTP/1.1"


def test_an_authority_that_nobody_trusts_is_no_connection(tmp_path: Path) -> None:
    context, _ = certificate(tmp_path)
    with RawServer(H2(echo), context) as server, pytest.raises(ConnectionFailedError, match="cannot reach https"):
        asyncio.run(_with(server.url, OriginSettings(http2=True)))


async def _with(origin: str, settings: OriginSettings) -> bytes:
    transport = HttpxTransport(origins={origin: settings})
    try:
        return await whole(transport, origin)
    finally:
        await transport.aclose()


def test_many_streams_share_a_connection_and_none_gets_what_is_anothers() -> None:
    async def serve(stream: Stream) -> None:
        await stream.head()
        for letter in stream.body.decode():
            await asyncio.sleep(0.001)
            await stream.data(letter.encode())
        await stream.data(b"", end=True)

    async def use(transport: HttpxTransport, origin: str) -> list[bytes]:
        await whole(transport, origin)  # the connection is there
        texts = [f"{number:03}" * 5 for number in range(30)]
        answers = await asyncio.gather(*(transport.send(asked(origin, text)) for text in texts))
        bodies = await asyncio.gather(*(answer.read() for answer in answers))
        assert [body.decode() for body in bodies] == texts
        return list(bodies)

    _, server = spoken(serve, use)

    assert len(server.connections) == 1


def test_a_compressed_answer_is_decoded() -> None:
    async def serve(stream: Stream) -> None:
        await stream.head(content_encoding="gzip")
        await stream.data(gzip.compress(b"plain text"), end=True)

    assert spoken(serve, whole)[0] == b"plain text"


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (Stream.reset, "it reset the stream"),
        (lambda stream: stream.connection.goaway(), "it closed the connection"),
    ],
)
def test_an_answer_that_is_broken_off_is_truncated(
    end: Callable[[Stream], Coroutine[Any, Any, None]], said: str
) -> None:
    async def serve(stream: Stream) -> None:
        await stream.head()
        await stream.data(b"half")
        await end(stream)

    with pytest.raises(TruncatedError, match=said) as raised:
        spoken(serve, whole)

    assert raised.value.reset


def test_a_connection_that_is_cut_is_truncated() -> None:
    async def serve(stream: Stream) -> None:
        await stream.head()
        await stream.data(b"half")
        stream.connection.writer.close()

    with pytest.raises(TruncatedError, match="cut its answer short"):
        spoken(serve, whole)


def test_a_stream_that_is_reset_before_its_answer_is_unreachable() -> None:
    with pytest.raises(ConnectionFailedError, match="it reset the stream"):
        spoken(lambda stream: stream.reset(7), whole)


def test_a_request_that_a_closing_connection_did_not_take_goes_over_a_new_one() -> None:
    async def serve(stream: Stream) -> None:
        if len(server_connections) == 0:
            server_connections.append(stream.connection)
            await stream.connection.goaway(last=0)
            return
        await echo(stream)

    server_connections: list[Any] = []

    async def use(transport: HttpxTransport, origin: str) -> bytes:
        with pytest.raises(ConnectionFailedError):
            await whole(transport, origin)
        return await whole(transport, origin)

    got, server = spoken(serve, use)

    assert (got, len(server.connections)) == (b"{}", 2)


class Leaving:
    """Streams without end to whom asks for it; echoes to everyone else. `gone` is set when the endless one is left."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent
        self.gone = threading.Event()
        self.codes: list[int | None] = []

    async def __call__(self, stream: Stream) -> None:
        if stream.body != b"endless":
            await echo(stream)
            return
        if not self._silent:
            await stream.head()
            await stream.data(b"first")
        await asyncio.wait_for(stream.left.wait(), 5)
        self.codes.append(stream.code)
        self.gone.set()


def test_a_stream_that_is_left_is_reset_and_the_connection_lives_on() -> None:
    serve = Leaving(silent=False)

    async def use(transport: HttpxTransport, origin: str) -> bytes:
        response = await transport.send(asked(origin, "endless"))
        async for _ in response.chunks():
            break
        await response.aclose()
        assert await asyncio.to_thread(serve.gone.wait, 3)
        return await whole(transport, origin)

    got, server = spoken(serve, use)

    assert (got, serve.codes, len(server.connections)) == (b"{}", [8], 1)


def test_a_request_that_is_cancelled_before_its_answer_is_reset() -> None:
    serve = Leaving(silent=True)

    async def use(transport: HttpxTransport, origin: str) -> bytes:
        await whole(transport, origin)
        task = asyncio.create_task(transport.send(asked(origin, "endless")))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait([task])
        assert await asyncio.to_thread(serve.gone.wait, 3)
        return await whole(transport, origin)

    got, server = spoken(serve, use)

    assert (got, serve.codes, len(server.connections)) == (b"{}", [8], 1)


@pytest.mark.parametrize("ended", [True, False])
def test_streams_that_are_left_give_back_their_room_in_the_window(ended: bool) -> None:
    idle = asyncio.Event()

    async def serve(stream: Stream) -> None:
        if stream.body != b"much":
            await idle.wait()
            await echo(stream)
            return
        idle.clear()
        await stream.head()
        state, left = stream.connection.state, 2**20
        while left and not stream.left.is_set():
            size = min(left, state.local_flow_control_window(stream.number), state.max_outbound_frame_size)
            if size:
                await stream.data(b"x" * size)
                left -= size
            else:
                await asyncio.sleep(0.001)
        if ended:
            await stream.data(b"", end=True)
        idle.set()

    async def use(transport: HttpxTransport, origin: str) -> int:
        for _ in range(18):  # of 1 MiB each: more than the 16 MiB that the connection's window holds
            response = await transport.send(asked(origin, "much"))
            chunks = response.chunks()
            await anext(chunks)
            await whole(transport, origin)  # reads all of the other stream, too
            await response.aclose()
            await chunks.aclose()
        return len(await whole(transport, origin))

    assert spoken(serve, use)[0] == 2


@pytest.mark.parametrize("silent", [True, False])
def test_a_silent_stream_has_its_deadline_while_another_keeps_the_connection_busy(silent: bool) -> None:
    async def serve(stream: Stream) -> None:
        if stream.body == b"silent":
            if not silent:
                await stream.head()
                await stream.data(b"one")
            await stream.left.wait()
            return
        await stream.head()
        for _ in range(30):
            await stream.data(b".")
            await asyncio.sleep(0.05)
        await stream.data(b"", end=True)

    async def use(transport: HttpxTransport, origin: str) -> tuple[BaseException | bytes, BaseException | bytes]:
        async def ask(text: str) -> bytes:
            return await (await transport.send(asked(origin, text))).read()

        busy = asyncio.create_task(ask("busy"))
        await asyncio.sleep(0.1)
        first, second = await asyncio.gather(ask("silent"), busy, return_exceptions=True)
        return first, second

    (mute, busy), server = spoken(serve, use, SHORT)

    assert isinstance(mute, DeadlineError)
    assert ("did not begin" if silent else "went silent") in str(mute)
    assert (busy, len(server.connections)) == (b"." * 30, 1)


def test_without_h2_installed_the_configuration_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h2.connection", None)

    with pytest.raises(ConfigError, match=r'^HTTP/2 support is not installed: pip install "setu-llm\[http2\]"$'):
        HttpxTransport(origins={"https://h": OriginSettings(http2=True)})


def test_an_authority_file_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"ca_file /nowhere/ca\.pem cannot be used"):
        HttpxTransport(origins={"https://h": OriginSettings(ca_file="/nowhere/ca.pem")})


@pytest.mark.parametrize("proxy", ["gopher://user:hunter2@h", "nonsense hunter2"])
def test_a_proxy_that_cannot_be_used_is_refused_without_its_password(proxy: str) -> None:
    with pytest.raises(ConfigError, match="a proxy cannot be used") as raised:
        HttpxTransport(origins={"https://h": OriginSettings(proxy=proxy)})

    assert "hunter2" not in str(raised.value)
