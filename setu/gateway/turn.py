"""The way back: an upstream's answer becomes the client's."""

from setu.chat.seals import Seal
from setu.dialects.record import Dialect, Framing, Reply, Route
from setu.errors import ErrorInfo
from setu.framing.kinds import DECODERS, ENCODERS, of_media_type
from setu.gateway.answer import Answer
from setu.gateway.commit import RelayedBody, TranslatedBody
from setu.http import Ending, Response
from setu.ports import SealStore
from setu.translate.session import Bridge, Translation
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
    ) -> None:
        self._head = head
        self._translation = translation
        self._upstream = upstream
        self._reply = reply
        self._answer = answer
        self._seals = seals
        self._framing: Framing = route.framing or "sse"
        self._arrays = route.framing == "jsonarray"

    async def answered(self, response: Response) -> Response:
        """Turn the upstream's answer into the client's; the caller closes it when this raises."""
        self._answer.head_arrived()
        if not 200 <= response.status < 300:
            return await self._error(response)
        framing = self._declared(response) if self._head.stream else None
        if framing is None:
            return await self._whole(response)
        if self._translation.identical:
            return self._relayed(response)
        return await self._translated(response, framing)

    def _declared(self, response: Response) -> str | None:
        """Return the framing of an answer that streams; what declares no type is taken to be the dialect's own."""
        if self._translation.identical and self._arrays:
            return "jsonarray"
        content_type = response.headers.get("content-type")
        return of_media_type(content_type) if content_type else self._upstream.framings[0]

    async def _error(self, response: Response) -> Response:
        body = await response.read()
        info = self._translation.error(response.status, response.headers, body)
        if self._translation.identical:
            return self._answer.passed(response.status, response.headers, body, info)
        return self._answer.failed(info)

    async def _whole(self, response: Response) -> Response:
        body = await response.read()
        translation = self._translation
        if translation.identical:
            if _is_error(body):
                # OpenRouter and others answer 200 with an error in the body (B-ERR-08, B-SSE-13).
                return self._answer.failed(translation.error(response.status, response.headers, body))
            return self._answer.passed(response.status, response.headers, body, None)
        if self._head.stream:
            return self._unstreamed(body)
        rendered = translation.response(body, self._reply)
        self._seals.put(translation.learned())
        self._answer.lost(rendered.losses)
        return self._answer.whole(rendered.body)

    def _unstreamed(self, body: bytes) -> Response:
        """Give the client its stream although the upstream did not declare one; what came says what it is."""
        assert isinstance(self._translation, Bridge)
        encoder = ENCODERS[self._framing]()
        if body.lstrip()[:1] == b"{":
            frames = self._translation.unfolded(body, self._reply)
        else:
            # Some hosts send server-sent events as application/json; Gemini may send its array.
            decoder = DECODERS["jsonarray" if body.lstrip()[:1] == b"[" else "sse"]()
            stream = self._translation.stream(self._reply)
            frames = [out for frame in (*decoder.feed(body), *decoder.close()) for out in stream.feed(frame)]
            frames += stream.close()
            if stream.failure is not None and not stream.started:
                return self._answer.failed(stream.failure)
        whole = b"".join(encoder.encode(frame) for frame in frames) + encoder.close()
        self._seals.put(self._translation.learned())
        return self._answer.streamed(self._framing, whole)

    def _relayed(self, response: Response) -> Response:
        answer, dialect = self._answer, self._answer.dialect
        stream = self._translation.stream(self._reply)
        encoder = ENCODERS[self._framing]()
        body = RelayedBody(
            response,
            stream,
            DECODERS[self._framing](),
            lambda info: encoder.encode(dialect.errors.frame(info)),
            lambda ending, info: answer.ended(ending, info, stream.usage),
        )
        return answer.relayed(response.status, response.headers, body)

    async def _translated(self, response: Response, framing: str) -> Response:
        stream = self._translation.stream(self._reply)

        def done(ending: Ending, info: ErrorInfo | None) -> None:
            self._seals.put(self._translation.learned())
            self._answer.ended(ending, info, stream.usage)

        body = TranslatedBody(response, stream, DECODERS[framing](), ENCODERS[self._framing](), done)
        failure = await body.open()
        if failure is not None:
            return self._answer.failed(failure)
        return self._answer.streamed(self._framing, body)


def _is_error(body: bytes) -> bool:
    start = body[:256].translate(None, b" \t\r\n")
    return start.startswith(b'{"error":{')
