"""How to break an answer, or what is sent upstream: small transports made of an edit.

An edit gets what there is and returns what shall be instead. Streams stay streams: each event is edited when it passes.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from setu import _json
from setu.conformance.judges.view import parse
from setu.conformance.mutants.mutant import Change
from setu.framing.kinds import DECODERS, of_media_type
from setu.http import ByteStream, Headers, Request, Response
from setu.ports import Transport

Json = dict[str, Any]
CHAT, MESSAGES, RESPONSES, EMBEDDINGS = "/chat/completions", "/messages", "/responses", "/embeddings"

DocumentEdit = Callable[[Json, Json], Any]
"""The answer's object and the request's; returns the JSON to answer, or bytes."""

EventEdit = Callable[[Json, Json], Iterable[Json | bytes]]
"""An event's object and the request's; returns the events (or raw bytes) to send in its place."""

FrameEdit = Callable[[bytes, Json], Iterable[bytes]]
"""A frame's bytes, blank line and all, and the request's object; `[DONE]` and comments come, too."""

AnswerEdit = Callable[[Request, Response], Response]

Condition = Callable[[Json], bool]
"""Tells the requests, by their objects, that a mutant is about; the fewer they are, the fewer other checks fail."""


class Edited:
    """A transport whose answers are edited at their head."""

    def __init__(self, inner: Transport, edit: AnswerEdit) -> None:
        self._inner = inner
        self._edit = edit

    async def send(self, request: Request) -> Response:
        await request.read()
        return self._edit(request, await self._inner.send(request))

    async def aclose(self) -> None:
        await self._inner.aclose()


def answers(edit: AnswerEdit) -> Change:
    """Edit every answer's status, header and body at will."""
    return lambda inner: Edited(inner, edit)


def plain(edit: DocumentEdit, path: str = CHAT) -> Change:
    """Edit the object of every success of an endpoint that is no stream."""
    return _documents(edit, path, lambda status: 200 <= status < 300)


def failures(edit: DocumentEdit, path: str = "") -> Change:
    """Edit the object of every error answer."""
    return _documents(edit, path, lambda status: status >= 400)


def _documents(edit: DocumentEdit, path: str, when: Callable[[int], bool]) -> Change:
    class Reading:
        def __init__(self, inner: Transport) -> None:
            self._inner = inner

        async def send(self, request: Request) -> Response:
            asked = await request.read()
            response = await self._inner.send(request)
            streams = of_media_type(response.headers.get("content-type")) is not None
            if not when(response.status) or streams or path not in request.path:
                return response
            document = parse(await response.read())
            if isinstance(document, dict):
                made = edit(document, object_of(asked))
                response.body = made if isinstance(made, bytes) else _json.encode(made)
            return response

        async def aclose(self) -> None:
            await self._inner.aclose()

    return Reading


def events(edit: EventEdit, path: str = CHAT) -> Change:
    """Edit each event of a stream that carries an object; `[DONE]` and comments pass."""

    def of_frame(frame: bytes, asked: Json) -> Iterable[bytes]:
        start = frame.find(b"data:")
        data = parse(frame[start + 5 :].strip()) if start >= 0 else None
        if not isinstance(data, dict):
            return [frame]
        lead = frame[:start]
        return [
            made if isinstance(made, bytes) else lead + b"data: " + _json.encode(made) + b"\n\n"
            for made in edit(data, asked)
        ]

    return frames(of_frame, path)


def frames(edit: FrameEdit, path: str = CHAT, at_end: Callable[[Json], bytes] | None = None) -> Change:
    """Edit each frame of a stream, and add something to its end."""

    def edited(request: Request, response: Response) -> Response:
        kind = of_media_type(response.headers.get("content-type"))
        if kind != "sse" or path not in request.path or not 200 <= response.status < 300:
            return response
        assert isinstance(request.body, bytes)
        response.body = _Frames(response, edit, object_of(request.body), at_end)
        return response

    return answers(edited)


class _Frames:
    """A stream, edited frame by frame as it comes."""

    def __init__(
        self, response: Response, edit: FrameEdit, asked: Json, at_end: Callable[[Json], bytes] | None
    ) -> None:
        self._inner: bytes | ByteStream = response.body
        self._edit = edit
        self._asked = asked
        self._at_end = at_end

    async def __aiter__(self) -> AsyncIterator[bytes]:
        decoder = DECODERS["sse"]()
        source = Response(200, body=self._inner)
        async for chunk in source.chunks():
            if made := b"".join(self._edited(decoder.feed(chunk))):
                yield made
        if made := b"".join(self._edited(decoder.close())):
            yield made
        if self._at_end is not None:
            yield self._at_end(self._asked)

    def _edited(self, found: Iterable[Any]) -> Iterable[bytes]:
        return (made for frame in found for made in self._edit(frame.raw, self._asked))

    async def aclose(self) -> None:
        if not isinstance(self._inner, bytes):
            await self._inner.aclose()


def headers(edit: Callable[[Headers], None], path: str = "") -> Change:
    """Edit the header fields of every answer, in place."""

    def edited(request: Request, response: Response) -> Response:
        if path in request.path:
            edit(response.headers)
        return response

    return answers(edited)


def status(edit: Callable[[int, Request], int]) -> Change:
    """Edit the status of every answer."""

    def edited(request: Request, response: Response) -> Response:
        response.status = edit(response.status, request)
        return response

    return answers(edited)


def requests(edit: Callable[[Json], Json], path: str = "") -> Change:
    """Edit the object of every request before it goes on."""

    class Writing:
        def __init__(self, inner: Transport) -> None:
            self._inner = inner

        async def send(self, request: Request) -> Response:
            body = parse(await request.read())
            if isinstance(body, dict) and path in request.path:
                request.body = _json.encode(edit(body))
            return await self._inner.send(request)

        async def aclose(self) -> None:
            await self._inner.aclose()

    return Writing


def refusals(when: Condition, status: int = 400, path: str = CHAT) -> Change:
    """Refuse some requests, in the envelope that they are to have, without asking anybody."""
    error = {"message": "This is not served.", "type": "invalid_request_error", "param": None, "code": None}

    class Refusing:
        def __init__(self, inner: Transport) -> None:
            self._inner = inner

        async def send(self, request: Request) -> Response:
            asked = object_of(await request.read())
            if path not in request.path or not when(asked):
                return await self._inner.send(request)
            fields = Headers.of({"content-type": "application/json", "x-request-id": "req_refused"})
            return Response(status, fields, _json.encode({"error": error}))

        async def aclose(self) -> None:
            await self._inner.aclose()

    return Refusing


def together(*changes: Change) -> Change:
    """Break in several places: one bug that shows in each."""

    def change(inner: Transport) -> Transport:
        for one in changes:
            inner = one(inner)
        return inner

    return change


def object_of(body: bytes | object) -> Json:
    """Return a body's object, an empty one where there is none."""
    found = parse(body) if isinstance(body, bytes) else None
    return found if isinstance(found, dict) else {}


def put(pointer: str, value: Any) -> DocumentEdit:
    """Return an edit that sets a member; `pointer` is a JSON pointer whose numbers index lists."""

    def edit(document: Json, _asked: Json) -> Json:
        *path, last = pointer.split("/")[1:]
        inner = _inner(document, path)
        if isinstance(inner, list) and last.isdecimal() and int(last) < len(inner):
            inner[int(last)] = value
        elif isinstance(inner, dict):
            inner[last] = value
        return document

    return edit


def drop(pointer: str) -> DocumentEdit:
    """Return an edit that takes a member away, where it is."""

    def edit(document: Json, _asked: Json) -> Json:
        *path, last = pointer.split("/")[1:]
        inner = _inner(document, path)
        if isinstance(inner, dict):
            inner.pop(last, None)
        return document

    return edit


def when(holds: Condition, edit: DocumentEdit) -> DocumentEdit:
    """Return an edit that is made only of the answers to some requests."""
    return lambda document, asked: edit(document, asked) if holds(asked) else document


def choices(edit: Callable[[Json], Json | None]) -> DocumentEdit:
    """Return an edit of every choice of an answer or a chunk; None takes it away."""

    def edited(document: Json, _asked: Json) -> Json:
        found = document.get("choices")
        if isinstance(found, list):
            document["choices"] = [made for choice in found if (made := edit(choice)) is not None]
        return document

    return edited


def each(edit: DocumentEdit) -> EventEdit:
    """Return an edit of every event from one of a document."""
    return lambda event, asked: [edit(event, asked)]


def _inner(value: Any, path: list[str]) -> Any:
    for step in path:
        if isinstance(value, list):
            value = value[int(step)] if step.isdecimal() and int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value
