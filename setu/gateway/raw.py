"""Pass-through: a named provider is asked exactly what the client asked, whatever its endpoint does.

Any method, any content type, bytes both ways as they come. Only the credentials change hands, and fields that belong
to one connection stay behind.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from urllib.parse import unquote

from setu.access.keys import PREFIX
from setu.access.said import shown_key
from setu.errors import ErrorInfo, LocalDialectError, SetuError
from setu.gateway.answer import Answer
from setu.gateway.forward import end_to_end_headers, signed
from setu.gateway.ready import Ready, passable
from setu.gateway.services import Services
from setu.http import Ending, Request, Response
from setu.providers.deployment import Deployment, url
from setu.resilience.ledger import Refusal, Reservation, Result, Unit
from setu.resilience.refusals import ratelimit_headers, refusal_headers, refusal_info
from setu.routing.plan import Ask, Plan, Target


async def pass_through(
    request: Request, prefix: str | None, deployment: Deployment, asked: Ask, services: Services, answer: Answer
) -> Response:
    """Send a request on, once, and relay its answer, errors included, chunk by chunk.

    `prefix` is the provider's name where it is the first step of the path.

    Raises:
        LocalDialectError: a path that steps out of the provider's base URL.
    """
    target = Target(deployment=deployment, model="")
    answer.routed(Plan(targets=(target,), reason="raw", policy="raw"), None)
    onward = onward_request(request, prefix, deployment, shown_key(request) if answer.caller.key else None)
    now = services.clock.now
    taken = await _charged(services, target, asked, answer)
    if isinstance(taken, Refusal):
        return answer.failed(refusal_info(taken, now()))
    try:
        response = await _answered(onward, deployment, services)
    except BaseException:
        await services.ledger.settle(taken, _UNREAD)
        raise
    if isinstance(response, Refusal):
        await services.ledger.cancel(taken)
        return answer.failed(refusal_info(response, now()))
    answer.ttfb = answer.elapsed()

    async def done(ending: Ending, info: ErrorInfo | None) -> None:
        try:
            await services.ledger.settle(taken, _UNREAD)
        finally:
            answer.ended(ending, info)

    body = RawBody(response, done)
    headers = passable(response.headers)
    if 300 <= response.status < 400:  # it would lead the client, with its key, to a host that nobody configured
        headers.remove("location")
    return answer.give(Ready(status=response.status, headers=headers, body=body))


_UNREAD: Mapping[Unit, int] = {"tokens": 0, "nano_usd": 0}
"""What nobody reads is charged as a request, and as nothing else; but a budget that is used up refuses it."""


async def _charged(services: Services, target: Target, asked: Ask, answer: Answer) -> Reservation | Refusal:
    """Reserve what the limits of the client and of the provider ask for."""
    charging = services.charging
    if charging is None:
        return Reservation()
    charges = (*charging.of_client(answer.caller, asked, target), *charging.of_target(target, asked))
    if not charges:
        return Reservation()
    taken = await services.ledger.reserve(charges)
    now = services.clock.now()
    if isinstance(taken, Refusal):
        answer.limits = refusal_headers(taken, answer.dialect.name, now)
    else:
        answer.limits = ratelimit_headers(taken.rooms, answer.dialect.name, now)
    return taken


async def _answered(onward: Request, deployment: Deployment, services: Services) -> Response | Refusal:
    """Ask the breaker, send, and tell it how that went."""
    permit = await services.ledger.admit(deployment.name)
    if isinstance(permit, Refusal):
        return permit
    result = None
    try:
        if deployment.signer is not None:
            onward = await deployment.signer.sign(onward)
        response = await services.transport.send(onward)
        result = Result(ok=response.status < 500, blame=response.status >= 500, status=response.status)
    except SetuError:
        result = Result(ok=False, blame=True)
        raise
    finally:
        await services.ledger.report(permit, result)
    return response


def onward_request(request: Request, prefix: str | None, deployment: Deployment, shown: str | None) -> Request:
    """Return the request as the provider gets it: its own path and query, end-to-end fields, the provider's key.

    `shown` is the key that let the client in, if it needed one.
    """
    origin, path = url(deployment, _below(request.path, prefix))
    fixed = deployment.base_url.partition("?")[2]
    query = "&".join(piece for piece in (_keyless(request.query, deployment, shown), fixed) if piece)
    headers = signed(end_to_end_headers(request.headers), deployment)
    return Request(method=request.method, origin=origin, path=path, query=query, headers=headers, body=request.body)


def _below(path: str, prefix: str | None) -> str:
    """Return the path without the provider's name; what steps up would reach beyond what its key is meant for."""
    if prefix is not None:
        path = "/" + path.lstrip("/").removeprefix(prefix).lstrip("/")
    if not path.startswith("/"):  # `@host/` behind an origin would be another origin
        raise LocalDialectError("the path must begin with '/'", code="invalid_path")
    if any(unquote(step) in {".", ".."} for step in unquote(path).split("/")):
        raise LocalDialectError("the path must not hold '.' or '..'", code="invalid_path")
    return path


def _keyless(query: str, deployment: Deployment, shown: str | None) -> str:
    """Take out the key that a client may write into the query.

    To Gemini's host it is always one; to any other it is what let the client in here, or a member of that name.
    """
    if "key=" not in query:
        return query
    googles = deployment.scheme == "x-goog-api-key"
    pairs = [(pair, *pair.partition("=")[::2]) for pair in query.split("&")]
    return "&".join(
        pair
        for pair, name, value in pairs
        if name != "key" or not (googles or value == shown or value.startswith(PREFIX))
    )


class RawBody:
    """An answer's body as it arrives. One that breaks off breaks off for the client, too."""

    def __init__(self, upstream: Response, done: Callable[[Ending, ErrorInfo | None], Awaitable[None]]) -> None:
        self._upstream = upstream
        self._done: Callable[[Ending, ErrorInfo | None], Awaitable[None]] | None = done

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._upstream.chunks():
                yield chunk
        except SetuError as error:
            await self._end(Ending.TRUNCATED, error.info())
            raise
        await self._end(Ending.COMPLETE, None)

    async def _end(self, ending: Ending, info: ErrorInfo | None) -> None:
        done, self._done = self._done, None
        if done is not None:
            await done(ending, info)

    async def aclose(self) -> None:
        """Close the upstream; a body not read to its end was left by the client."""
        try:
            await self._end(Ending.CLOSED_BY_CLIENT, None)
        finally:
            await self._upstream.aclose()
