"""A provider that exists nowhere: any legal request gets a deterministic answer, an illegal one the documented 4xx."""

from setu.cassette.script import Bytes, End, Head, Script
from setu.dialects.record import Route
from setu.dialects.routes import classify, clean
from setu.http import Headers, Request, Response
from setu.ports import Clock
from setu.transport.play import play
from setu.transport.simulate import anthropic, bedrock, cohere, gemini, ollama, openai_chat, openai_responses
from setu.transport.simulate.wire import Query, Reply, Respond, document

_DIALECTS: dict[str, Respond] = {
    "openai_chat": openai_chat.respond,
    "openai_responses": openai_responses.respond,
    "anthropic": anthropic.respond,
    "gemini": gemini.respond,
    "cohere": cohere.respond,
    "ollama": ollama.respond,
    "bedrock": bedrock.respond,
}


class Simulator:
    """A Transport that answers as each dialect's provider would.

    The answer depends on the request alone; `clock` only gives OpenAI's `created`. A model named `no-such-model…` is
    not found, the API key `invalid` is refused. See `answer` for what a user's text may ask for.
    """

    __slots__ = ("_clock",)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def send(self, request: Request) -> Response:
        """Answer a request, whatever base path stands before the one its dialect knows."""
        return await play(await self.script(request), self._clock)

    async def script(self, request: Request) -> Script:
        """Return the answer as a script, one chunk an event, for faults to be put on."""
        body = await request.read()
        route = _route(request)
        if route is None:
            return _script(_nowhere(request))
        created = int(self._clock.now())
        query = Query(route=route, headers=request.headers, body=body, created=created, key=_key(request))
        return _script(_DIALECTS[route.dialect](query))

    async def aclose(self) -> None:
        """Do nothing: there is nothing to release."""


def _route(request: Request) -> Route | None:
    """Classify a path, dropping leading steps until one of the dialects knows the rest."""
    steps = clean(request.path).split("/")[1:]
    for start in range(len(steps)):
        route = classify(request.method, "/" + "/".join(steps[start:]), request.query)
        if route is not None and route.dialect in _DIALECTS:
            return _told_apart(route, request.headers)
    return None


def _told_apart(route: Route, headers: Headers) -> Route:
    """OpenAI and Anthropic list models at the same path; only Anthropic's requests carry its version."""
    if route.operation == "models" and route.dialect == "openai_chat" and "anthropic-version" in headers:
        return Route(dialect="anthropic", operation="models", model=route.model)
    return route


def _key(request: Request) -> str:
    """Return the API key, in whichever header it came."""
    headers = request.headers
    bearer = (headers.get("authorization") or "").removeprefix("Bearer ")
    return headers.get("x-api-key") or headers.get("x-goog-api-key") or bearer


def _script(reply: Reply) -> Script:
    return (Head(reply.status, reply.headers), *map(Bytes, reply.pieces), End())


def _nowhere(request: Request) -> Reply:
    message = f"Invalid URL ({request.method} {request.path})"
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return document({"error": error}, {}, 404)
