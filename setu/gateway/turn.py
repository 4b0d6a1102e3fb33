"""The way back: an upstream's answer becomes the client's."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from setu.chat.response import Usage
from setu.chat.seals import Seal
from setu.dialects.record import Dialect, Framing, Reply, Route
from setu.errors import ErrorInfo, ErrorKind
from setu.framing.frame import Frame
from setu.framing.jsonarray import JsonArrayEncoder
from setu.framing.kinds import DECODERS, ENCODERS, of_media_type
from setu.gateway.commit import RelayedBody, TranslatedBody, Whole, first_byte
from setu.gateway.quirk import framed
from setu.gateway.ready import Failure, Ready, passed, relayed, streamed, whole
from setu.http import Ending, Response
from setu.ports import SealStore
from setu.providers.record import Quirk
from setu.translate.session import Translation
from setu.translate.splice import Head

Over = Callable[[Ending, ErrorInfo | None, Usage | None], Awaitable[None]]
"""Told once how an answer ended, and the tokens that were counted."""


class Turn:
    """One try's translation and everything its answer is made with; `done` is told how a stream ended."""

    def __init__(
        self,
        route: Route,
        head: Head,
        translation: Translation,
        upstream: Dialect,
        reply: Reply,
        seals: SealStore[Seal],
        quirks: Sequence[Quirk],
        done: Over,
    ) -> None:
        self._head = head
        self._translation = translation
        self._upstream = upstream
        self._reply = reply
        self._seals = seals
        self._quirks = quirks
        self._done = done
        self._framing: Framing = route.framing or "sse"

    async def answered(self, response: Response) -> Ready | Failure:
        """Turn the upstream's answer into the client's; the caller closes it when this raises."""
        if response.status < 200 or 300 <= response.status < 400:
            await response.aclose()
            return Failure(info=_redirected(response.status))
        if response.status >= 400:
            return await self._error(response)
        framing = await self._framing_of(response) if self._head.stream else None
        if framing is None:
            return await self._whole(response)
        if self._translation.identical:
            return await self._relayed(response)
        return await self._translated(response, framing)

    async def _framing_of(self, response: Response) -> str | None:
        """Return the framing of an answer that streams, None for one JSON object.

        Where the media type declares no stream, the first byte says what came: some hosts send server-sent events as
        `application/json`, Gemini may send its array, and some do not stream at all (B-SSE-12).
        """
        declared = of_media_type(response.headers.get("content-type"))
        if declared is not None:
            return declared
        first = await first_byte(response)
        if first == b"{":
            return None
        return "jsonarray" if first == b"[" else self._upstream.framings[0]

    async def _error(self, response: Response) -> Failure:
        body = await response.read()
        info = self._translation.error(response.status, response.headers, body)
        said = _SHOULD_RETRY.get(response.headers.get("x-should-retry") or "")
        # A page of some proxy is nothing that a client could read.
        own = (response.status, response.headers, body) if self._translation.identical and _is_object(body) else None
        return Failure(info=info, own=own, should_retry=said)

    async def _whole(self, response: Response) -> Ready | Failure:
        body = await response.read()
        translation = self._translation
        if translation.identical and _is_error(body):
            # OpenRouter and others answer 200 with an error in the body (B-ERR-08, B-SSE-13).
            return Failure(info=translation.error(response.status, response.headers, body))
        if translation.identical and not _is_object(body):
            return Failure(info=NO_JSON)
        if self._head.stream:
            return await self._unstreamed(body)
        rendered = translation.response(body, msgspec.structs.replace(self._reply, headers=response.headers))
        if translation.identical:
            return passed(response.status, response.headers, rendered.body, translation.usage)
        self._seals.put(translation.learned())
        return whole(rendered.body, translation.usage, rendered.losses)

    async def _unstreamed(self, body: bytes) -> Ready:
        """Give the client its stream although the upstream did not stream."""
        encoder = ENCODERS[self._framing]()
        frames = self._translation.unfolded(body, self._reply)
        data = b"".join(encoder.encode(frame) for frame in frames) + encoder.close()
        self._seals.put(self._translation.learned())
        usage = self._translation.usage

        async def done(ending: Ending, info: ErrorInfo | None) -> None:
            await self._done(ending, info, usage)

        return streamed(self._framing, Whole(data, done))  # like any stream: without a length

    async def _relayed(self, response: Response) -> Ready | Failure:
        stream = self._translation.stream(self._reply)

        async def done(ending: Ending, info: ErrorInfo | None) -> None:
            await self._done(ending, info, stream.usage)

        decoder = framed(DECODERS[self._framing](), self._quirks)
        body = RelayedBody(response, stream, decoder, self._broken_off, done)
        failure = await body.open()
        if failure is not None:
            return Failure(info=failure)
        return relayed(response.status, response.headers, body)

    def _broken_off(self, frames: list[Frame], before: bytes) -> bytes:
        """Write the last frames of a relayed stream, after the bytes that passed; nothing after a closed array."""
        if self._framing != "jsonarray":
            encoder = ENCODERS[self._framing]()
        elif before.rstrip().endswith(b"]"):
            return b""
        else:
            encoder = JsonArrayEncoder(continued=bool(before))
        return b"".join(encoder.encode(frame) for frame in frames) + encoder.close()

    async def _translated(self, response: Response, framing: str) -> Ready | Failure:
        stream = self._translation.stream(self._reply)

        async def done(ending: Ending, info: ErrorInfo | None) -> None:
            self._seals.put(self._translation.learned())
            await self._done(ending, info, stream.usage)

        decoder = framed(DECODERS[framing](), self._quirks)
        body = TranslatedBody(response, stream, decoder, ENCODERS[self._framing](), done)
        failure = await body.open()
        return Failure(info=failure) if failure is not None else streamed(self._framing, body)


_SHOULD_RETRY = {"true": True, "false": False}
_ERROR_STARTS = (b'{"error":{', b'{"error":"', b'{"type":"error","error":{')


NO_JSON = ErrorInfo(
    kind=ErrorKind.BAD_GATEWAY,
    status=502,
    message="the upstream answered with something that is no JSON object; is its base_url right?",
    code="bad_upstream_response",
)


def _is_object(body: bytes) -> bool:
    """Tell an answer of an API from a page, by its first byte: the rest is the client's to read."""
    return body[:256].lstrip()[:1] == b"{"


def _is_error(body: bytes) -> bool:
    return body[:256].translate(None, b" \t\r\n").startswith(_ERROR_STARTS)


def _redirected(status: int) -> ErrorInfo:
    # Passed on, a redirect would lead the client, with its key, to a host that nobody configured.
    return ErrorInfo(
        kind=ErrorKind.BAD_GATEWAY,
        status=502,
        message=f"the upstream answered {status}, which is no answer to a POST; is its base_url right?",
        code="upstream_redirect",
    )
