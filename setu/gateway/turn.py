"""The way back: an upstream's answer becomes the client's."""

from collections.abc import Sequence

import msgspec

from setu.chat.seals import Seal
from setu.dialects.record import Dialect, Framing, Reply, Route
from setu.errors import ErrorInfo, ErrorKind
from setu.framing.frame import Frame
from setu.framing.jsonarray import JsonArrayEncoder
from setu.framing.kinds import DECODERS, ENCODERS, of_media_type
from setu.gateway.answer import Answer
from setu.gateway.commit import RelayedBody, TranslatedBody, Whole, first_byte
from setu.gateway.quirk import framed
from setu.http import Ending, Response
from setu.ports import SealStore
from setu.providers.record import Quirk
from setu.translate.session import Translation
from setu.translate.splice import Head


class Turn:
    """One request, its translation, and everything its answer is made with."""

    def __init__(
        self,
        route: Route,
        head: Head,
        translation: Translation,
        upstream: Dialect,
        reply: Reply,
        answer: Answer,
        seals: SealStore[Seal],
        quirks: Sequence[Quirk] = (),
    ) -> None:
        self._head = head
        self._translation = translation
        self._upstream = upstream
        self._reply = reply
        self._answer = answer
        self._seals = seals
        self._quirks = quirks
        self._framing: Framing = route.framing or "sse"

    async def answered(self, response: Response) -> Response:
        """Turn the upstream's answer into the client's; the caller closes it when this raises."""
        self._answer.head_arrived()
        if response.status < 200 or 300 <= response.status < 400:
            await response.aclose()
            return self._answer.failed(_redirected(response.status))
        if response.status >= 400:
            return await self._error(response)
        framing = await self._framing_of(response) if self._head.stream else None
        if framing is None:
            return await self._whole(response)
        if self._translation.identical:
            return self._relayed(response)
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

    async def _error(self, response: Response) -> Response:
        body = await response.read()
        info = self._translation.error(response.status, response.headers, body)
        if self._translation.identical and _is_object(body):
            return self._answer.passed(response.status, response.headers, body, info)
        return self._answer.failed(info)  # a page of some proxy is nothing that a client could read

    async def _whole(self, response: Response) -> Response:
        body = await response.read()
        translation = self._translation
        if translation.identical and _is_error(body):
            # OpenRouter and others answer 200 with an error in the body (B-ERR-08, B-SSE-13).
            return self._answer.failed(translation.error(response.status, response.headers, body))
        if translation.identical and not _is_object(body):
            return self._answer.failed(NO_JSON)
        if self._head.stream:
            return self._unstreamed(body)
        rendered = translation.response(body, msgspec.structs.replace(self._reply, headers=response.headers))
        if translation.identical:
            return self._answer.passed(response.status, response.headers, rendered.body, None, translation.usage)
        self._seals.put(translation.learned())
        self._answer.lost(rendered.losses)
        return self._answer.whole(rendered.body, translation.usage)

    def _unstreamed(self, body: bytes) -> Response:
        """Give the client its stream although the upstream did not stream."""
        encoder = ENCODERS[self._framing]()
        frames = self._translation.unfolded(body, self._reply)
        whole = b"".join(encoder.encode(frame) for frame in frames) + encoder.close()
        self._seals.put(self._translation.learned())
        response = self._answer.streamed(self._framing, Whole(whole))  # like any stream: without a length
        self._answer.ended(Ending.COMPLETE, None, self._translation.usage)
        return response

    def _relayed(self, response: Response) -> Response:
        answer = self._answer
        stream = self._translation.stream(self._reply)
        body = RelayedBody(
            response,
            stream,
            framed(DECODERS[self._framing](), self._quirks),
            self._broken_off,
            lambda ending, info: answer.ended(ending, info, stream.usage),
        )
        return answer.relayed(response.status, response.headers, body)

    def _broken_off(self, frames: list[Frame], before: bytes) -> bytes:
        """Write the last frames of a relayed stream, after the bytes that passed; nothing after a closed array."""
        if self._framing != "jsonarray":
            encoder = ENCODERS[self._framing]()
        elif before.rstrip().endswith(b"]"):
            return b""
        else:
            encoder = JsonArrayEncoder(continued=bool(before))
        return b"".join(encoder.encode(frame) for frame in frames) + encoder.close()

    async def _translated(self, response: Response, framing: str) -> Response:
        stream = self._translation.stream(self._reply)

        def done(ending: Ending, info: ErrorInfo | None) -> None:
            self._seals.put(self._translation.learned())
            self._answer.ended(ending, info, stream.usage)

        decoder = framed(DECODERS[framing](), self._quirks)
        body = TranslatedBody(response, stream, decoder, ENCODERS[self._framing](), done)
        failure = await body.open()
        if failure is not None:
            return self._answer.failed(failure)
        return self._answer.streamed(self._framing, body)


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
