"""Pass-through: a named provider is asked exactly what the client asked, whatever its endpoint does.

Any method, any content type, bytes both ways as they come. Only the credentials change hands, and fields that belong
to one connection stay behind.
"""

from collections.abc import AsyncIterator, Callable
from urllib.parse import unquote

from setu.errors import ErrorInfo, LocalDialectError, SetuError
from setu.gateway.answer import Answer
from setu.gateway.forward import end_to_end_headers, signed
from setu.gateway.ready import Ready, passable
from setu.gateway.services import Services
from setu.http import Ending, Request, Response
from setu.providers.deployment import Deployment, url
from setu.resilience.ledger import Refusal, Result
from setu.resilience.refusals import refusal_info
from setu.routing.plan import Plan, Target


async def pass_through(
    request: Request, prefix: str | None, deployment: Deployment, services: Services, answer: Answer
) -> Response:
    """Send a request on, once, and relay its answer, errors included, chunk by chunk.

    `prefix` is the provider's name where it is the first step of the path.

    Raises:
        LocalDialectError: a path that steps out of the provider's base URL.
    """
    target = Target(deployment=deployment, model="")
    answer.routed(Plan(targets=(target,), reason="raw", policy="raw"), None)
    onward = onward_request(request, prefix, deployment)
    permit = await services.ledger.admit(deployment.name)
    if isinstance(permit, Refusal):
        return answer.failed(refusal_info(permit, services.clock.now()))
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
    answer.ttfb = answer.elapsed()
    body = RawBody(response, answer.ended)
    return answer.give(Ready(status=response.status, headers=passable(response.headers), body=body))


def onward_request(request: Request, prefix: str | None, deployment: Deployment) -> Request:
    """Return the request as the provider gets it: its own path and query, end-to-end fields, the provider's key."""
    origin, path = url(deployment, _below(request.path, prefix))
    fixed = deployment.base_url.partition("?")[2]
    query = "&".join(piece for piece in (_keyless(request.query, deployment), fixed) if piece)
    headers = signed(end_to_end_headers(request.headers), deployment)
    return Request(method=request.method, origin=origin, path=path, query=query, headers=headers, body=request.body)


def _below(path: str, prefix: str | None) -> str:
    """Return the path without the provider's name; what steps up would reach beyond what its key is meant for."""
    if prefix is not None:
        path = "/" + path.lstrip("/").removeprefix(prefix).lstrip("/")
    if any(unquote(step) in {".", ".."} for step in unquote(path).split("/")):
        raise LocalDialectError("the path must not hold '.' or '..'", code="invalid_path")
    return path


def _keyless(query: str, deployment: Deployment) -> str:
    """Take out the key that a Gemini client may write into the query; to any other host `key` is no credential."""
    if deployment.scheme != "x-goog-api-key":
        return query
    return "&".join(pair for pair in query.split("&") if pair.partition("=")[0] != "key")


class RawBody:
    """An answer's body as it arrives. One that breaks off breaks off for the client, too."""

    def __init__(self, upstream: Response, ended: Callable[[Ending, ErrorInfo | None], None]) -> None:
        self._upstream = upstream
        self._ended: Callable[[Ending, ErrorInfo | None], None] | None = ended

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._upstream.chunks():
                yield chunk
        except SetuError as error:
            self._end(Ending.TRUNCATED, error.info())
            raise
        self._end(Ending.COMPLETE, None)

    def _end(self, ending: Ending, info: ErrorInfo | None) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(ending, info)

    async def aclose(self) -> None:
        """Close the upstream; a body not read to its end was left by the client."""
        self._end(Ending.CLOSED_BY_CLIENT, None)
        await self._upstream.aclose()
