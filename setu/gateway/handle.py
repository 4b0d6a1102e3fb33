"""The gateway: a Transport that answers any dialect's request from any provider."""

from collections.abc import Callable, Mapping

from setu.chat.ids import Mint
from setu.chat.seals import Seal
from setu.dialects.record import Dialect, Framing, Reply, Route
from setu.dialects.routes import allowed, classify_prefixed
from setu.errors import ErrorInfo, NoDeploymentError, SetuError
from setu.framing.frame import FrameDecoder, FrameEncoder
from setu.framing.jsonarray import JsonArrayDecoder, JsonArrayEncoder
from setu.framing.sse import SseDecoder, SseEncoder
from setu.gateway import models
from setu.gateway.answer import Answer, json_headers, not_found
from setu.gateway.commit import RelayedBody, TranslatedBody
from setu.gateway.forward import upstream_request
from setu.http import Ending, Request, Response
from setu.ports import Clock, SealStore, Transport
from setu.providers.deployment import Deployment
from setu.routing.table import Plan, resolve
from setu.signals import Call
from setu.translate.session import Bridge, Destination, Fetched, Translation, open_translation, reply_for
from setu.translate.splice import Head, read_head

_ID_PREFIX = {"openai_chat": "chatcmpl-", "anthropic": "msg_", "gemini": ""}
DECODERS: Mapping[Framing, Callable[[], FrameDecoder]] = {"sse": SseDecoder, "jsonarray": JsonArrayDecoder}
ENCODERS: Mapping[Framing, Callable[[], FrameEncoder]] = {"sse": SseEncoder, "jsonarray": JsonArrayEncoder}


class Gateway:
    """Routes, translates, forwards. It decides nothing by itself: tables and pure functions do."""

    def __init__(
        self,
        *,
        dialects: Mapping[str, Dialect],
        deployments: Mapping[str, Deployment],
        transport: Transport,
        clock: Clock,
        mint: Mint,
        seals: SealStore[Seal],
        default_provider: str | None = None,
        on_call: Callable[[Call], None],
    ) -> None:
        self.dialects = dialects
        self.deployments = deployments
        self._names = frozenset(deployments)
        self._transport = transport
        self._clock = clock
        self._mint = mint
        self._seals = seals
        self._default = default_provider
        self._on_call = on_call
        self._started = int(clock.now())

    async def send(self, request: Request) -> Response:
        """Answer; whatever goes wrong is an error in the envelope of the endpoint's dialect."""
        route, path = classify_prefixed(request.method, request.path, self._names, request.query)
        dialect = self.dialects.get(route.dialect if route else "") or self.dialects["openai_chat"]
        request_id = request.headers.get("x-request-id") or self._mint("req_")
        answer = Answer(self._clock, dialect, request_id, self._on_call)
        try:
            if route is None or route.operation not in {"chat", "models"}:
                return answer.failed(not_found(request.method, path, allowed(path)))
            if route.operation == "models":
                return self._models(route, answer)
            return await self._chat(request, route, dialect, answer)
        except SetuError as error:
            return answer.failed(error.info())

    async def aclose(self) -> None:
        await self._transport.aclose()

    def _models(self, route: Route, answer: Answer) -> Response:
        if route.dialect == "gemini":
            body = models.gemini_listing(self.deployments, route.model)
        elif route.model is not None:
            body = models.single(route.model, self.deployments, self._started)
        else:
            body = models.listing(self.deployments, self._started)
        return Response(200, answer.stamped(json_headers()), body)

    async def _chat(self, request: Request, route: Route, dialect: Dialect, answer: Answer) -> Response:
        head = read_head(await request.read(), route)
        plan = self._plan(request, route, head)
        answer.routed(plan, head)
        deployment = plan.deployment
        if deployment.key is None and deployment.scheme != "none":
            raise NoDeploymentError(_keyless(deployment), provider=deployment.name)
        upstream = self._upstream_dialect(dialect, deployment)
        to = Destination(
            dialect=upstream,
            model=plan.model,
            facts=deployment.facts(plan.model),
            capabilities=deployment.provider.capabilities,
        )
        translation = open_translation(dialect, route, head, to)
        rendered = translation.render(Fetched(seals=self._seals.get(translation.needs().seals)))
        answer.lost(rendered.losses)
        onward = upstream_request(
            request,
            rendered.body,
            deployment,
            upstream.upstream["chat"],
            plan.model,
            stream=head.stream,
            same=translation.identical,
        )
        if translation.identical and route.framing == "jsonarray":
            onward.query = request.query  # the client's framing is the upstream's
        response = await self._transport.send(onward)
        try:
            return await self._answered(response, translation, route, head, answer)
        except BaseException:
            await response.aclose()
            raise

    def _plan(self, request: Request, route: Route, head: Head) -> Plan:
        named = route.provider or request.headers.get("x-setu-provider") or request.headers.get("x-provider")
        return resolve(head.model, named, self.deployments, self._default)

    def _upstream_dialect(self, client: Dialect, deployment: Deployment) -> Dialect:
        spoken = deployment.provider.dialects
        return client if client.name in spoken else self.dialects[spoken[0]]

    async def _answered(
        self, response: Response, translation: Translation, route: Route, head: Head, answer: Answer
    ) -> Response:
        answer.head_arrived()
        if not 200 <= response.status < 300:
            return await self._error(response, translation, answer)
        streams = head.stream and (_is_stream(response) or (translation.identical and route.framing == "jsonarray"))
        if not streams:
            return await self._whole(response, translation, route, head, answer)
        if translation.identical:
            return self._relayed(response, translation, route, head, answer)
        return await self._translated(response, translation, route, head, answer)

    async def _error(self, response: Response, translation: Translation, answer: Answer) -> Response:
        body = await response.read()
        info = translation.error(response.status, response.headers, body)
        if translation.identical:
            return answer.passed(response.status, response.headers, body, info)
        return answer.failed(info)

    async def _whole(
        self, response: Response, translation: Translation, route: Route, head: Head, answer: Answer
    ) -> Response:
        body = await response.read()
        if translation.identical:
            if _is_error(body):
                # OpenRouter and others answer 200 with an error in the body (B-ERR-08, B-SSE-13).
                return answer.failed(translation.error(response.status, response.headers, body))
            return answer.passed(response.status, response.headers, body, None)
        reply = self._reply(head, answer)
        if head.stream:
            return self._unstreamed(body, translation, route, reply, answer)
        rendered = translation.response(body, reply)
        self._seals.put(translation.learned())
        answer.lost(rendered.losses)
        return answer.whole(rendered.body)

    def _unstreamed(
        self, body: bytes, translation: Translation, route: Route, reply: Reply, answer: Answer
    ) -> Response:
        """Give the client its stream although the upstream did not declare one; what came says what it is."""
        assert isinstance(translation, Bridge)
        framing: Framing = route.framing or "sse"
        encoder = ENCODERS[framing]()
        if body.lstrip()[:1] == b"{":
            frames = translation.unfolded(body, reply)
        else:
            # Some hosts send server-sent events as application/json; Gemini may send its array.
            decoder = JsonArrayDecoder() if body.lstrip()[:1] == b"[" else SseDecoder()
            stream = translation.stream(reply)
            frames = [out for frame in (*decoder.feed(body), *decoder.close()) for out in stream.feed(frame)]
            frames += stream.close()
            if stream.failure is not None and not stream.started:
                return answer.failed(stream.failure)
        whole = b"".join(encoder.encode(frame) for frame in frames) + encoder.close()
        self._seals.put(translation.learned())
        return answer.streamed(framing, whole)

    def _relayed(
        self, response: Response, translation: Translation, route: Route, head: Head, answer: Answer
    ) -> Response:
        framing: Framing = route.framing or "sse"
        stream = translation.stream(self._reply(head, answer))
        encoder = ENCODERS[framing]()
        dialect = answer.dialect
        body = RelayedBody(
            response,
            stream,
            DECODERS[framing](),
            lambda info: encoder.encode(dialect.errors.frame(info)),
            lambda ending, info: answer.ended(ending, info, stream.usage),
        )
        return answer.relayed(response.status, response.headers, body)

    async def _translated(
        self, response: Response, translation: Translation, route: Route, head: Head, answer: Answer
    ) -> Response:
        framing: Framing = route.framing or "sse"
        stream = translation.stream(self._reply(head, answer))

        def done(ending: Ending, info: ErrorInfo | None) -> None:
            self._seals.put(translation.learned())
            answer.ended(ending, info, stream.usage)

        body = TranslatedBody(response, stream, SseDecoder(), ENCODERS[framing](), done)
        failure = await body.open()
        if failure is not None:
            return answer.failed(failure)
        return answer.streamed(framing, body)

    def _reply(self, head: Head, answer: Answer) -> Reply:
        prefix = _ID_PREFIX.get(answer.dialect.name, "")
        return reply_for(head, mint=self._mint, created=int(self._clock.now()), prefix=prefix)


def _is_stream(response: Response) -> bool:
    content_type = response.headers.get("content-type") or ""
    return "event-stream" in content_type or not content_type


def _is_error(body: bytes) -> bool:
    start = body[:256].translate(None, b" \t\r\n")
    return start.startswith(b'{"error":{')


def _keyless(deployment: Deployment) -> str:
    names = " or ".join(source.env for source in deployment.provider.keys)
    return f"provider '{deployment.name}' has no key" + (f": set {names}" if names else "")
