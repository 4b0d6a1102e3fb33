"""WebSocket mode of the Responses API: each `response.create` becomes a POST, each event of its stream a message.

Sources: OpenAI's reference of the WebSocket events and x.ai's guide to the same mode (2026-11). A turn that names a
`previous_response_id` of this connection is sent whole: the connection keeps a bounded history, so it works with any
upstream, stored or not.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import msgspec

from setu import _json
from setu._json import Json
from setu.errors import ErrorInfo, ErrorKind, SetuError
from setu.framing.sse import SseDecoder
from setu.http import Headers, Request, Response
from setu.ports import Ids, Transport
from setu.server.edge import Receive, Scope, Send

PATHS = frozenset({"/v1/responses", "/responses"})
HISTORY_TURNS = 64
HISTORY_BYTES = 32 * 1024 * 1024
_UPGRADE = (
    "connection",
    "upgrade",
    "host",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "sec-websocket-protocol",
)
_PAGE_KEY = "openai-insecure-api-key."
"""How a page says its key: a browser lets it name sub-protocols, but set no field."""
_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})
_TOO_BIG = 1009


class History:
    """The items of this connection's conversations by response id; the oldest are forgotten first."""

    def __init__(self, turns: int = HISTORY_TURNS, size: int = HISTORY_BYTES) -> None:
        self._turns = turns
        self._limit = size
        self._size = 0
        self._items: OrderedDict[str, list[Json]] = OrderedDict()

    def get(self, response_id: str) -> list[Json] | None:
        return self._items.get(response_id)

    def put(self, response_id: str, items: list[Json]) -> None:
        """Remember what was said up to and with a response."""
        self._items[response_id] = items
        self._size += sum(map(len, items))
        while len(self._items) > self._turns or (self._size > self._limit and len(self._items) > 1):
            _, forgotten = self._items.popitem(last=False)
            self._size -= sum(map(len, forgotten))


class ResponsesSocket:
    """An ASGI app for one connection at a time; turns run one after the other, as the protocol has it."""

    def __init__(self, transport: Transport, mint: Ids, *, max_body: int) -> None:
        self._transport = transport
        self._mint = mint
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].rstrip("/") not in PATHS:
            await send({"type": "websocket.close", "code": 1000})  # before the handshake ends this is a 403
            return
        await receive()
        # A browser gives up a connection for which none of the sub-protocols that it named is chosen.
        chosen = next((name for name in scope.get("subprotocols", ()) if not name.startswith(_PAGE_KEY)), None)
        await send({"type": "websocket.accept", "subprotocol": chosen})
        messages: asyncio.Queue[bytes] = asyncio.Queue(maxsize=8)
        serving = asyncio.ensure_future(self._serve(scope, messages, send))
        try:
            await self._listen(receive, send, messages)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    async def _listen(self, receive: Receive, send: Send, messages: "asyncio.Queue[bytes]") -> None:
        """Queue what the client sends until it leaves; a full queue stops the reading."""
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            data = text.encode("utf-8", "surrogatepass") if text is not None else bytes(message.get("bytes") or b"")
            if len(data) > self._max_body:
                await send({"type": "websocket.close", "code": _TOO_BIG, "reason": "message too large"})
                return
            await messages.put(data)

    async def _serve(self, scope: Scope, messages: "asyncio.Queue[bytes]", send: Send) -> None:
        history = History()
        asked = Request(
            method="POST",
            path="/v1/responses",
            query=scope["query_string"].decode("latin-1"),
            headers=_fields(scope),
        )
        while True:
            data = await messages.get()
            try:
                await self._turn(data, asked, history, send)
            except SetuError as error:
                await _say(send, _refusal(error.info()))

    async def _turn(self, data: bytes, asked: Request, history: History, send: Send) -> None:
        members = _event(data)
        known = _known(members, history)
        items = [*known, *_input(members.get("input"))]
        if members.pop("generate", b"true") == b"false":
            await self._prewarm(members, items, history, send)
            return
        if known:
            members.pop("previous_response_id")
            members["input"] = b"[" + b",".join(items) + b"]"
        members["stream"] = b"true"
        body = _json.encode({name: _json.Raw(value) for name, value in members.items()})
        request = msgspec.structs.replace(asked, headers=asked.headers.copy(), body=body)
        response = await self._transport.send(request)
        try:
            await self._relay(response, items, history, send)
        finally:
            await response.aclose()

    async def _relay(self, response: Response, items: list[Json], history: History, send: Send) -> None:
        if response.status >= 400:
            await _say(send, _wrapped(response.status, await response.read()))
            return
        decoder = SseDecoder()
        async for chunk in response.chunks():
            for frame in decoder.feed(chunk):
                if frame.data is None or frame.data == b"[DONE]":
                    continue
                await send({"type": "websocket.send", "text": frame.data.decode("utf-8", "replace")})
                _remember(frame.data, items, history)

    async def _prewarm(self, members: dict[str, Json], items: list[Json], history: History, send: Send) -> None:
        """Answer `generate: false`: nothing is asked of a model, but the next turn may build on this one."""
        response_id = self._mint("resp_")
        history.put(response_id, items)
        body = {
            "id": response_id,
            "object": "response",
            "created_at": 0,
            "status": "in_progress",
            "model": _json.Raw(members.get("model", b"null")),
            "output": [],
            "error": None,
            "incomplete_details": None,
            "usage": None,
        }
        usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
        done = {**body, "status": "completed", "usage": usage}
        await _say(send, {"type": "response.created", "sequence_number": 0, "response": body})
        await _say(send, {"type": "response.completed", "sequence_number": 1, "response": done})


def _fields(scope: Scope) -> Headers:
    """Return the fields of each turn: those that the connection was opened with, but for the opening itself."""
    headers = Headers((name.lower(), value) for name, value in scope["headers"])
    page_key = next((name for name in scope.get("subprotocols", ()) if name.startswith(_PAGE_KEY)), None)
    if page_key is not None and "authorization" not in headers:
        headers.set("authorization", f"Bearer {page_key.removeprefix(_PAGE_KEY)}")
    headers.remove(*_UPGRADE)
    headers.set("content-type", "application/json")
    return headers


def _event(data: bytes) -> dict[str, Json]:
    """Read a client event as the members of a request.

    Raises:
        SocketError: it is not one this endpoint takes.
    """
    try:
        data.decode("utf-8")
        members = _json.split(data)
        kind = _json.decode(members.pop("type", b"null"))
    except (UnicodeDecodeError, _json.JsonError) as error:
        raise SocketError(f"the message is not a JSON object: {error}", None) from None
    if kind != "response.create":
        raise SocketError(f"unknown event type {kind!r}; this endpoint takes response.create", "type")
    if "stream_id" in members:
        raise SocketError("stream_id is not supported: one connection carries one stream at a time", "stream_id")
    if members.get("background") == b"true":
        raise SocketError("background is not supported over WebSocket", "background")
    return members


def _known(members: dict[str, Json], history: History) -> list[Json]:
    """Return what a `previous_response_id` stands for; nothing where the id is not of this connection."""
    raw = members.get("previous_response_id")
    if raw is None or raw == b"null":
        return []
    named = _json.decode(raw)
    return (history.get(named) or []) if isinstance(named, str) else []


def _input(raw: Json | None) -> Iterator[Json]:
    """Yield input items; a string is a user's message."""
    if raw is None or raw == b"null":
        return
    if _json.kind_of(raw) == "string":
        yield b'{"type":"message","role":"user","content":' + raw + b"}"
    elif _json.kind_of(raw) == "array":
        yield from _json.items(raw)


def _remember(data: bytes, items: list[Json], history: History) -> None:
    """Keep a finished turn: what was asked, and what was answered."""
    if b'"response.' not in data[:200] or b'"output"' not in data:
        return
    try:
        event = _json.split(data)
        if _json.decode(event.get("type", b"null")) not in _TERMINAL:
            return
        response = _json.split(event.get("response", b"{}"))
        response_id = _json.decode(response.get("id", b"null"))
        output = _json.items(response.get("output", b"[]"))
    except _json.JsonError:
        return
    if isinstance(response_id, str):
        history.put(response_id, [*items, *output])


async def _say(send: Send, event: dict[str, Any]) -> None:
    await send({"type": "websocket.send", "text": _json.encode(event).decode()})


def _wrapped(status: int, body: bytes) -> dict[str, Any]:
    """Return an HTTP error as the event that WebSocket clients know."""
    try:
        error = _json.decode(body)
        error = error.get("error", error) if isinstance(error, dict) else {"message": str(error)}
    except _json.JsonError:
        error = {"message": f"the upstream answered {status}", "type": "server_error", "param": None, "code": None}
    return {"type": "error", "status": status, "error": error}


def _refusal(info: ErrorInfo) -> dict[str, Any]:
    error = {"message": info.message, "type": "invalid_request_error", "param": info.param, "code": info.code}
    return {"type": "error", "status": info.status, "error": error}


class SocketError(SetuError):
    """A client event that cannot be served."""

    def __init__(self, message: str, param: str | None) -> None:
        super().__init__(message)
        self._param = param

    def info(self) -> ErrorInfo:
        """Return a 400 that names the member."""
        return ErrorInfo(kind=ErrorKind.INVALID_REQUEST, status=400, message=str(self), param=self._param)
