"""The gateway: a Transport that answers any dialect's request from any provider."""

import asyncio
import logging
from collections.abc import Mapping

import msgspec

from setu.dialects.record import Dialect, Route
from setu.dialects.registry import of_path
from setu.dialects.routes import allowed, classify_prefixed
from setu.errors import AuthenticationError, DeniedError, SetuError
from setu.gateway import bodies, models
from setu.gateway.admission import admitted, alone, offered
from setu.gateway.answer import BROKEN, Answer, not_found, not_json
from setu.gateway.ask import ask_of, raw_ask
from setu.gateway.course import Course
from setu.gateway.estimate import estimated
from setu.gateway.intake import from_elsewhere, need_sayable, sayable, unreserved
from setu.gateway.keyless import need_key
from setu.gateway.labels import accepted, identified, prepared
from setu.gateway.legacy_refusals import refuse
from setu.gateway.mirror import is_mirrored
from setu.gateway.raw import pass_through
from setu.gateway.ready import Ready, json_headers
from setu.gateway.services import Services
from setu.gateway.shadow import reflect
from setu.gateway.tries import answered
from setu.http import Ending, Request, Response
from setu.providers.deployment import Deployment
from setu.routing.plan import Ask, Outlook, Plan
from setu.routing.route import required
from setu.routing.route import route as routed
from setu.routing.strategies import rotated
from setu.routing.table import named_deployment
from setu.translate.splice import Head, read_head

LOG = logging.getLogger("setu")


class Gateway:
    """Routes, translates, forwards. It decides nothing by itself: tables and pure functions do."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.dialects = services.dialects
        self._names = frozenset(services.table.deployments)
        self._started = int(services.clock.now())

    @property
    def deployments(self) -> Mapping[str, Deployment]:
        return self.services.table.deployments

    async def send(self, request: Request) -> Response:
        """Answer; whatever goes wrong is an error in the envelope of the endpoint's dialect."""
        services = self.services
        # `%63hat` is `chat` (RFC 3986 section 6.2.2.2): written so, a request must not pass unread.
        route, path = classify_prefixed(request.method, unreserved(request.path), self._names, request.query)
        known = route.dialect if route is not None and route.dialect else of_path(path).name
        dialect = self.dialects.get(known) or self.dialects["openai_chat"]
        request_id = sayable(request.headers.get("x-request-id")) or services.mint("req_")
        answer = Answer(
            services.clock,
            dialect,
            request_id,
            services.on_call,
            call_id=services.call_id(),
            legacy_fields=services.legacy_fields,
            legacy_events=services.legacy_events,
        )
        try:
            if services.passthrough and (named := _named(request, route)) is not None:
                named_deployment(named, self.deployments, services.table.provider_aliases)
            if services.door is not None:
                answer.caller = await services.door.enter(request)
            if not services.log_bodies:
                return await self._answered(request, route, path, dialect, answer)
            bodies.asked(request_id, request)
            return bodies.given(request_id, await self._answered(request, route, path, dialect, answer))
        except AuthenticationError as error:
            response = answer.failed(error.info())
            response.headers.set("www-authenticate", "Bearer")
            return response
        except SetuError as error:
            return answer.failed(error.info())
        except asyncio.CancelledError:
            if not answer.detached:
                answer.ended(Ending.CLOSED_BY_CLIENT, None)
            raise
        except Exception:
            LOG.exception("request %s broke the gateway", request_id)
            return answer.failed(BROKEN)

    async def aclose(self) -> None:
        await self.services.transport.aclose()

    async def _answered(
        self, request: Request, route: Route | None, path: str, dialect: Dialect, answer: Answer
    ) -> Response:
        if route is None or (route.operation != "models" and route.operation not in dialect.client):
            named = _named(request, route)
            if named is not None:
                return await self._raw(request, route, named, answer)
            return _not_found(request.method, path, answer)
        answer.operation = route.operation
        if route.operation == "models":
            return await self._models(route, answer)
        media_type = await _foreign_type(request)
        if media_type is not None:
            return answer.failed(not_json(media_type))
        return await self._ask(request, route, dialect, answer)

    async def _models(self, route: Route, answer: Answer) -> Response:
        services, caller = self.services, answer.caller
        await services.priced()
        shelf = models.Shelf(
            {name: each for name, each in self.deployments.items() if offered(each, caller)},
            services.prices,
            lambda deployment, model: offered(deployment, caller, model),
        )
        if route.dialect == "gemini":
            body = models.gemini_listing(shelf, route.model)
        elif route.model is not None:
            body = models.single(route.model, shelf, self._started)
        else:
            body = models.listing(shelf, self._started)
        return answer.give(Ready(status=200, headers=json_headers(), body=body))

    async def _ask(self, request: Request, route: Route, dialect: Dialect, answer: Answer) -> Response:
        services = self.services
        head = await self._head(request, route, answer)
        if head.body is not request.body:
            request = msgspec.structs.replace(request, body=head.body)
        sized = services.charging is not None
        ask = ask_of(request, route, head, answer.caller, services.table, sized=sized)
        answer.use_case = ask.use_case or ""
        if ask.tenant != answer.caller.tenant:  # one that the client claims, where its key has none
            answer.caller = msgspec.structs.replace(answer.caller, tenant=ask.tenant)
        table = services.table
        meant = table.default_provider if services.passthrough else None
        plan = await self._plan(ask)
        plan = admitted(plan, answer.caller, services.policies, ask, route, dialect, head, table, meant)
        answer.routed(plan, head)
        head = prepared(head, route, plan.model)
        course = Course(services, request, route, dialect, head, ask, answer)
        upstream = course.speaks(plan.deployment, plan.model)
        if route.operation == "count_tokens" and route.operation not in upstream.upstream:
            return estimated(dialect, route, head, course.reply(), answer)
        asked = [each.deployment.name for each in (*plan.targets, *plan.mirrors)]
        if services.masks is not None and services.masks.concerns(asked):
            course.mask(services.masks)
        if (
            plan.mirrors
            and services.mirror is not None
            and is_mirrored(services.mirrored, ask.sticky or answer.call_id)
        ):
            reflect(course, plan, services.mirror)
        return await answered(course, plan)

    async def _head(self, request: Request, route: Route, answer: Answer) -> Head:
        """Read the head, and what clients of earlier gateways say in their own way."""
        services = self.services
        head = accepted(read_head(await request.read(), route), route, request.headers)
        if services.body_ids and route.dialect == "openai_chat":
            head, said = identified(head)
            if said:
                answer.identified(request.headers.get("x-request-id") or said)
        need_sayable(head.model)
        answer.read(head)
        if services.legacy_events and route.dialect == "openai_responses":
            refuse(head.body)
        return head

    async def _plan(self, ask: Ask) -> Plan:
        services = self.services
        outlook = Outlook(
            standing=services.ledger.standing(),
            prices=services.price_list(),
            draw=services.draw(),
            now=services.clock.now(),
        )
        plan = routed(ask, services.table, outlook)
        return plan if plan.rotate is None else rotated(plan, await services.ledger.turn(plan.rotate))

    async def _raw(self, request: Request, route: Route | None, named: str, answer: Answer) -> Response:
        services = self.services
        deployment = named_deployment(named, self.deployments, services.table.provider_aliases)
        asked = raw_ask(request, named, answer.caller)
        answer.caller = caller = msgspec.structs.replace(answer.caller, tenant=asked.tenant)
        for tag in required(asked, services.table):
            if not deployment.has(tag):
                raise DeniedError(f"this request needs {tag}, which provider '{deployment.name}' is not")
        deployment = alone(deployment, caller, services.policies, answer.dialect.name)
        if services.masks is not None and services.masks.concerns([deployment.name]):
            raise DeniedError(f"personal data must not reach '{deployment.name}', and this request would pass unread")
        from_elsewhere(request)
        need_key(deployment)
        prefix = route.provider if route is not None else None
        return await pass_through(request, prefix, deployment, asked, services, answer)


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
