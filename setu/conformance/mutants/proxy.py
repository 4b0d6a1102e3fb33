"""Mutants of what only something in the middle can do wrong: cancelling, retrying, replaying, leaking, mixing up."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

from setu import _json
from setu.conformance.judges.view import objects
from setu.conformance.mutants.edits import CHAT, Edited, Json, frames, object_of, plain, requests
from setu.conformance.mutants.mutant import Mutants
from setu.errors import TruncatedError
from setu.http import ByteStream, Request, Response
from setu.ports import Transport

MUTANTS = Mutants()


class _Deaf:
    """Goes on waiting for the upstream's head although the client has left."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._waiting: set[asyncio.Task[Response]] = set()

    async def send(self, request: Request) -> Response:
        task = asyncio.ensure_future(self._inner.send(request))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Reading:
    """A body that is read to its end, whoever has left."""

    def __init__(self, inner: ByteStream) -> None:
        self._inner = inner
        self._pieces: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self._task = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        try:
            async for piece in self._inner:
                self._pieces.put_nowait(piece)
        except TruncatedError as error:
            self._pieces.put_nowait(error)
        self._pieces.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def aclose(self) -> None:
        """Let the reading go on."""


def _read_on(_request: Request, response: Response) -> Response:
    if not isinstance(response.body, bytes):
        response.body = _Reading(response.body)
    return response


class _Retrying:
    """Asks again when a chat's stream breaks off, and sends what comes after what came."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    async def send(self, request: Request) -> Response:
        await request.read()
        response = await self._inner.send(request)
        if CHAT in request.path and object_of(request.body).get("stream") and not isinstance(response.body, bytes):
            response.body = _Appended(response.body, self._inner, request)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Appended:
    def __init__(self, inner: ByteStream, again: Transport, request: Request) -> None:
        self._inner = inner
        self._again = again
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        sent = 0
        try:
            async for piece in self._inner:
                sent += 1
                yield piece
        except TruncatedError:
            second = (await self._again.send(self._request)).chunks()
            if sent:
                await anext(second)  # the event that opens an answer: a second one would show
            async for piece in second:
                yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Sticky:
    """Remembers the name of the last user, and sends it for whoever gives none."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._user: Any = None

    async def send(self, request: Request) -> Response:
        asked = object_of(await request.read())
        if CHAT in request.path and asked:
            self._user = asked.get("user", self._user)
            if self._user is not None:
                request.body = _json.encode({**asked, "user": self._user})
        return await self._inner.send(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _longer(made: Json, _asked: Json) -> bytes:
    return _json.encode(made) + b"\n\n"


def _tight(frame: bytes, _asked: Json) -> Iterable[bytes]:
    return [frame.replace(b"data: {", b"data:{", 1)]


def _judged_extra(asked: Json) -> Json:
    return {**asked, "x_gateway_trace": "0123"} if "messages" in asked else asked


def _foreign_extra(asked: Json) -> Json:
    turns = [{**turn, "is_error": False} if turn.get("role") == "tool" else turn for turn in objects(asked["messages"])]
    return {**asked, "messages": turns}


MUTANTS.back("PRX-001", "deaf_before_the_head", "Whoever leaves early is not noticed.", _Deaf)
MUTANTS.back("PRX-001", "reads_on", "A stream is read to its end for nobody.", lambda inner: Edited(inner, _read_on))
MUTANTS.back("PRX-002", "second_answer_appended", "A stream that broke off starts again.", _Retrying)
MUTANTS.front("PRX-003", "written_anew", "A replayed answer is written anew.", plain(_longer), stage="recordings")
MUTANTS.front("PRX-003", "events_written_anew", "Replayed events are written anew.", frames(_tight), stage="recordings")
MUTANTS.back(
    "PRX-004", "unknown_member", "A member of one's own goes upstream.", requests(_judged_extra, CHAT), implies="XLT-02"
)
MUTANTS.back(
    "PRX-004",
    "foreign_member",
    "A tool's message has a member of Anthropic's.",
    requests(_foreign_extra, CHAT),
    implies=("XLT-02", "XLT-03"),
)
MUTANTS.back("PRX-005", "user_kept", "A client's name is sent for the next one, too.", _Sticky)
