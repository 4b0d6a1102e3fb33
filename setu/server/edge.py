"""The edge: ASGI on the outside, a Transport on the inside.

Pure ASGI, so that a client's disconnect is seen (B-SSE-20) and cancels the work for it within the second.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any

from setu.cassette.redact import redact_text
from setu.errors import ErrorInfo, ErrorKind, SetuError, TruncatedError
from setu.http import Headers, Request, Response
from setu.ports import Transport
from setu.server.sinks import break_off

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
RenderError = Callable[[Request, ErrorInfo], bytes]

MAX_BODY = 10 * 1024 * 1024
LINGER_BYTES = 64 * 1024 * 1024
LINGER_SECONDS = 5.0
"""How long a refused body is still read."""


LOG = logging.getLogger("setu")
_BROKEN = ErrorInfo(
    kind=ErrorKind.SERVER, status=500, message="internal error; the log says more", code="internal_error"
)


class Edge:
    """An ASGI app that hands each request to a transport and streams its answer back."""

    def __init__(self, transport: Transport, render_error: RenderError, *, max_body: int = MAX_BODY) -> None:
        self._transport = transport
        self._render_error = render_error
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = _head(scope)
        body = await self._body(request, receive)
        if body is None:
            return
        if isinstance(body, ErrorInfo):
            await _send_whole(send, _error(request, body, self._render_error))
            return
        request.body = body
        with _Listening(receive):
            await self._serve(request, receive, send)

    async def refuse(self, scope: Scope, receive: Receive, send: Send, info: ErrorInfo) -> None:
        """Answer a request, or the opening of a WebSocket, with an error in the words of its endpoint."""
        response = _error(_head(scope), info, self._render_error)
        if scope["type"] == "websocket":
            await _deny(scope, receive, send, response)
            return
        await _drain(receive)
        await _send_whole(send, response)

    async def _body(self, request: Request, receive: Receive) -> bytes | ErrorInfo | None:
        """Read the body up to the limit; None when the client left."""
        declared = request.headers.get("content-length") or ""
        if declared.isdigit() and int(declared) > self._max_body:
            await _drain(receive)
            return _too_large(self._max_body)
        pieces: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            piece = message.get("body", b"")
            size += len(piece)
            if size > self._max_body:
                if message.get("more_body", False):
                    await _drain(receive)
                return _too_large(self._max_body)
            pieces.append(piece)
            if not message.get("more_body", False):
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _serve(self, request: Request, receive: Receive, send: Send) -> None:
        try:
            response = await self._transport.send(request)
        except TruncatedError as error:  # a recording that broke before its head
            if not break_off(receive, reset=error.reset):
                raise
            return
        except Exception as error:
            info = error.info() if isinstance(error, SetuError) else None
            if info is None:
                LOG.exception("%s %s broke the server", request.method, redact_text(request.path))
            await _send_whole(send, _error(request, info or _BROKEN, self._render_error))
            return
        try:
            await _send_response(send, response)
        except TruncatedError as error:
            if not break_off(receive, reset=error.reset, promised=error.promised):
                raise
        finally:
            await response.aclose()


async def _send_response(send: Send, response: Response) -> None:
    if isinstance(response.body, bytes):
        await _send_whole(send, response)
        return
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers.raw})
    async for chunk in response.chunks():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_whole(send: Send, response: Response) -> None:
    body = response.body
    assert isinstance(body, bytes)
    headers = [*response.headers.raw, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _deny(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    """Answer the handshake of a WebSocket with a response, or where a server cannot with a bare 403."""
    await receive()
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1000})
        return
    start = {"status": response.status, "headers": response.headers.raw}
    await send({"type": "websocket.http.response.start"} | start)
    await send({"type": "websocket.http.response.body", "body": response.body})


async def _drain(receive: Receive) -> None:
    """Read on for a while: a connection closed with unread bytes is reset, and the client never sees the answer."""
    size = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while size < LINGER_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return


class _Listening:
    """Cancels what the current task does within when its client leaves, whatever it waits for.

    The listener starts when the loop runs again: for an answer that is there at once there is none.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._listener: asyncio.Task[None] | None = None
        self._left = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._starting = asyncio.get_running_loop().call_soon(self._start)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        self._starting.cancel()
        if self._listener is not None:
            self._listener.remove_done_callback(self._ended)
            self._listener.cancel()
        # As in asyncio.timeout: what cancelled the task from without goes on, this one ends here.
        return self._left and self._task.uncancel() == 0 and isinstance(error, asyncio.CancelledError)

    def _start(self) -> None:
        self._listener = asyncio.ensure_future(_disconnected(self._receive))
        self._listener.add_done_callback(self._ended)

    def _ended(self, listener: "asyncio.Task[None]") -> None:
        if not listener.cancelled() and listener.exception() is None:
            self._left = True
            self._task.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _head(scope: Scope) -> Request:
    """Return the request without its body; that a WebSocket opens with is a GET."""
    return Request(
        method=scope.get("method", "GET"),
        path=_raw_path(scope),
        query=scope["query_string"].decode("latin-1"),
        headers=Headers((name.lower(), value) for name, value in scope["headers"]),
    )


def _raw_path(scope: Scope) -> str:
    """Return the path as it was sent: percent-encoding in a model's id must survive."""
    raw = scope.get("raw_path")
    if raw:
        return bytes(raw).partition(b"?")[0].decode("latin-1")
    return str(scope["path"])


def _too_large(limit: int) -> ErrorInfo:
    return ErrorInfo(
        kind=ErrorKind.TOO_LARGE,
        status=413,
        message=f"the request body is larger than {limit} bytes",
        code="request_too_large",
    )


def _error(request: Request, info: ErrorInfo, render: RenderError) -> Response:
    headers = Headers([(b"content-type", b"application/json"), (b"connection", b"close")])
    return Response(info.status, headers, render(request, info))
