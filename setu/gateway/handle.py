"""The gateway: a Transport that answers any dialect's request from any provider."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Literal

from setu.chat.ids import Mint
from setu.chat.parts import Inline
from setu.chat.seals import Seal
from setu.dialects.record import Dialect, Reply, Route
from setu.dialects.registry import of_path
from setu.dialects.routes import allowed, classify_prefixed
from setu.errors import NoDeploymentError, SetuError
from setu.gateway import models
from setu.gateway.answer import BROKEN, Answer, json_headers, not_found, not_json
from setu.gateway.estimate import estimated
from setu.gateway.facts import gather, tenant_of
from setu.gateway.forward import upstream_request
from setu.gateway.quirk import edited, quirks_of
from setu.gateway.raw import pass_through
from setu.gateway.turn import Turn
from setu.http import Ending, Request, Response
from setu.ports import Clock, Fetcher, SealStore, Transport
from setu.providers.deployment import Deployment, endpoint
from setu.routing.table import Plan, named_deployment, resolve
from setu.signals import Call
from setu.translate.bridge import upstream_operation
from setu.translate.loss import refuse
from setu.translate.open import open_translation, reply_for
from setu.translate.session import Destination
from setu.translate.splice import Head, read_head

LOG = logging.getLogger("setu")
_ID_PREFIX = {"openai_chat": "chatcmpl-", "openai_responses": "resp_", "anthropic": "msg_", "gemini": ""}


class Gateway:
    """Routes, translates, forwards. It decides nothing by itself: tables and pure functions do.

    `seals` gives the store of a tenant.
    """

    def __init__(
        self,
        *,
        dialects: Mapping[str, Dialect],
        deployments: Mapping[str, Deployment],
        transport: Transport,
        clock: Clock,
        mint: Mint,
        seals: Callable[[str], SealStore[Seal]],
        default_provider: str | None = None,
        media: Fetcher[Inline] | None = None,
        on_loss: Literal["signal", "refuse"] = "signal",
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
        self._media = media
        self._refuses_losses = on_loss == "refuse"
        self._on_call = on_call
        self._started = int(clock.now())

    async def send(self, request: Request) -> Response:
        """Answer; whatever goes wrong is an error in the envelope of the endpoint's dialect."""
        route, path = classify_prefixed(request.method, request.path, self._names, request.query)
        known = route.dialect if route is not None and route.dialect else of_path(path).name
        dialect = self.dialects.get(known) or self.dialects["openai_chat"]
        request_id = request.headers.get("x-request-id") or self._mint("req_")
        answer = Answer(self._clock, dialect, request_id, self._on_call)
        try:
            if route is None or (route.operation != "models" and route.operation not in dialect.client):
                named = _named(request, route)
                if named is not None:
                    return await self._raw(request, route, named, answer)
                return _not_found(request.method, path, answer)
            if route.operation == "models":
                return self._models(route, answer)
            media_type = await _foreign_type(request)
            if media_type is not None:
                return answer.failed(not_json(media_type))
            return await self._ask(request, route, dialect, answer)
        except SetuError as error:
            return answer.failed(error.info())
        except asyncio.CancelledError:
            answer.ended(Ending.CLOSED_BY_CLIENT, None)
            raise
        except Exception:
            LOG.exception("request %s broke the gateway", request_id)
            return answer.failed(BROKEN)

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

    async def _ask(self, request: Request, route: Route, dialect: Dialect, answer: Answer) -> Response:
        head = read_head(await request.read(), route)
        plan = self._plan(request, route, head)
        answer.routed(plan, head)
        deployment = plan.deployment
        upstream = self._upstream(dialect, route, deployment, plan.model)
        if route.operation == "count_tokens" and route.operation not in upstream.upstream:
            return estimated(dialect, route, head, self._reply(head, route), answer)
        _need_key(deployment)
        operation = upstream_operation(route, upstream)
        # Quirks are written to chat's members; what they add is unknown to every other endpoint.
        quirks = quirks_of(deployment.provider, upstream.name) if operation == "chat" else ()
        to = Destination(
            dialect=upstream,
            model=plan.model,
            facts=deployment.facts(plan.model),
            capabilities=deployment.provider.capabilities,
        )
        seals = self._seals(tenant_of(request))
        translation = open_translation(dialect, route, head, to)
        rendered = translation.render(await gather(translation.needs(), seals, self._media))
        rendered = edited(rendered, quirks)
        answer.lost(rendered.losses)
        if self._refuses_losses:
            refuse(rendered.losses)
        codec = upstream.upstream[operation]
        own = codec.place(plan.model, rendered.body) if codec.place else codec.path(plan.model, head.stream)
        place = endpoint(deployment, upstream.name, operation, own, plan.model, stream=head.stream)
        onward = upstream_request(
            request, rendered.body, deployment, place, same=translation.identical, framing=route.framing
        )
        turn = Turn(route, head, translation, upstream, self._reply(head, route), answer, seals, quirks)
        if deployment.signer is not None:
            onward = await deployment.signer.sign(onward)
        response = await self._transport.send(onward)
        try:
            return await turn.answered(response)
        except BaseException:
            await response.aclose()
            raise

    def _plan(self, request: Request, route: Route, head: Head) -> Plan:
        return resolve(head.model, _named(request, route), self.deployments, self._default)

    def _upstream(self, client: Dialect, route: Route, deployment: Deployment, model: str) -> Dialect:
        """Return the dialect to speak; one that has the operation, if any of the host's has."""
        best = deployment.dialect(client.name, model)
        able = [name for name in deployment.provider.dialects if route.operation in self.dialects[name].upstream]
        return self.dialects[best if best in able or not able else able[0]]

    def _reply(self, head: Head, route: Route) -> Reply:
        prefix = "cmpl-" if route.operation == "complete" else _ID_PREFIX.get(route.dialect, "")
        return reply_for(head, mint=self._mint, created=int(self._clock.now()), prefix=prefix)

    async def _raw(self, request: Request, route: Route | None, named: str, answer: Answer) -> Response:
        deployment = named_deployment(named, self.deployments)
        _need_key(deployment)
        prefix = route.provider if route is not None else None
        return await pass_through(request, prefix, deployment, self._transport, answer)


async def _foreign_type(request: Request) -> str | None:
    """Return the media type of a body that is not JSON; a JSON object as `curl -d` sends it, or of no type, is."""
    media_type = (request.headers.get("content-type") or "").partition(";")[0].strip().lower()
    if not media_type or media_type.endswith("json"):
        return None
    curled = media_type == "application/x-www-form-urlencoded" and (await request.read())[:64].lstrip()[:1] == b"{"
    return None if curled else media_type


def _not_found(method: str, path: str, answer: Answer) -> Response:
    known = allowed(path)
    methods = () if method in known else known  # an upstream-only API: its paths are known, but nobody is served there
    response = answer.failed(not_found(method, path, methods))
    if methods:
        response.headers.set("allow", ", ".join(methods))
    return response


def _named(request: Request, route: Route | None) -> str | None:
    """Return the provider that a request names, in its path or in a header."""
    prefix = route.provider if route is not None else None
    return prefix or request.headers.get("x-setu-provider") or request.headers.get("x-provider")


def _need_key(deployment: Deployment) -> None:
    if not deployment.callable:
        raise NoDeploymentError(_keyless(deployment), provider=deployment.name)


def _keyless(deployment: Deployment) -> str:
    names = " or ".join(source.env for source in deployment.provider.keys)
    return f"provider '{deployment.name}' has no key" + (f": set {names}" if names else "")
