"""The only path table: what a method, a path and a query mean.

A path may carry a provider's prefix (`/openrouter/v1/chat/completions`), a duplicate or trailing slash, and Gemini's
model and method behind a colon. Nothing redirects: a redirected POST loses its body.
"""

import re
from urllib.parse import parse_qs, unquote

from setu.dialects.record import Framing, Operation, Route

_SLASHES = re.compile(r"/{2,}")
_GEMINI = re.compile(
    r"/(?P<version>v1|v1beta|v1beta1|v1alpha)/(?:projects/[^/]+/locations/[^/]+/publishers/google/)?"
    r"(?:models|tunedModels)/(?P<model>.+):(?P<method>[A-Za-z]+)"
)
_VERTEX_CLAUDE = re.compile(
    r"/v1(?:beta1)?/projects/[^/]+/locations/[^/]+/publishers/anthropic/models/(?P<model>[^/]+):"
    r"(?P<method>rawPredict|streamRawPredict)"
)
_GEMINI_METHODS: dict[str, tuple[Operation, bool | None]] = {
    "generateContent": ("chat", False),
    "streamGenerateContent": ("chat", True),
    "countTokens": ("count_tokens", False),
    "embedContent": ("embed", False),
    "batchEmbedContents": ("embed", False),
}
_CONVERSE = re.compile(r"/model/(?P<model>[^/]+)/converse(?P<stream>-stream)?")
_INVOKE = re.compile(r"/model/(?P<model>[^/]*embed[^/]*)/invoke")
"""InvokeModel of a model whose name says what it is for; of any other, the body alone does."""

_EXACT: dict[tuple[str, str], tuple[str, Operation]] = {
    ("POST", "/v1/chat/completions"): ("openai_chat", "chat"),
    ("POST", "/chat/completions"): ("openai_chat", "chat"),
    ("POST", "/v1/responses"): ("openai_responses", "chat"),
    ("POST", "/responses"): ("openai_responses", "chat"),
    ("POST", "/v1/messages"): ("anthropic", "chat"),
    ("POST", "/v1/messages/count_tokens"): ("anthropic", "count_tokens"),
    ("POST", "/v1/completions"): ("openai_chat", "complete"),
    ("POST", "/completions"): ("openai_chat", "complete"),
    ("POST", "/v1/embeddings"): ("openai_chat", "embed"),
    ("POST", "/embeddings"): ("openai_chat", "embed"),
    ("POST", "/v2/embed"): ("cohere", "embed"),
    ("POST", "/api/embed"): ("ollama", "embed"),
    ("POST", "/v2/chat"): ("cohere", "chat"),
    ("POST", "/api/chat"): ("ollama", "chat"),
    ("GET", "/v1/models"): ("openai_chat", "models"),
    ("GET", "/models"): ("openai_chat", "models"),
    ("GET", "/v1beta/models"): ("gemini", "models"),
}


def clean(path: str) -> str:
    """Return the path with single slashes and no trailing one."""
    if "//" in path:
        path = _SLASHES.sub("/", path)
    return path.rstrip("/") or "/"


def classify(method: str, path: str, query: str = "") -> Route | None:
    """Return what a request asks for, or None when no dialect has such an endpoint."""
    return _classify(method, clean(path), query)


def classify_prefixed(method: str, path: str, providers: frozenset[str], query: str = "") -> tuple[Route | None, str]:
    """Like `classify`, with a provider's name as an optional first step; also returns the path without it."""
    path = clean(path)
    name, _, rest = path[1:].partition("/")
    if name not in providers:
        return _classify(method, path, query), path
    inner = "/" + rest
    route = _classify(method, inner, query)
    if route is None:
        return Route(dialect="", operation="raw", provider=name), inner
    return _with_provider(route, name), inner


def _with_provider(route: Route, name: str) -> Route:
    return Route(
        dialect=route.dialect,
        operation=route.operation,
        model=route.model,
        stream=route.stream,
        framing=route.framing,
        provider=name,
    )


def _classify(method: str, path: str, query: str) -> Route | None:
    exact = _EXACT.get((method, path))
    if exact is not None:
        dialect, operation = exact
        return Route(dialect=dialect, operation=operation)
    for lead in ("/v1/models/", "/models/"):
        if method == "GET" and path.startswith(lead):
            return Route(dialect="openai_chat", operation="models", model=unquote(path.removeprefix(lead)))
    claude = _VERTEX_CLAUDE.fullmatch(path)
    if method == "POST" and claude is not None:
        streams = claude["method"] == "streamRawPredict"
        return Route(dialect="anthropic", operation="chat", model=unquote(claude["model"]), stream=streams)
    converse = _CONVERSE.fullmatch(path)
    if method == "POST" and converse is not None:
        streams = converse["stream"] is not None
        return Route(
            dialect="bedrock",
            operation="chat",
            model=unquote(converse["model"]),
            stream=streams,
            framing="eventstream" if streams else None,
        )
    invoked = _INVOKE.fullmatch(path)
    if method == "POST" and invoked is not None:
        return Route(dialect="bedrock", operation="embed", model=unquote(invoked["model"]), stream=False)
    found = _GEMINI.fullmatch(path)
    called = found is not None and found["method"] in _GEMINI_METHODS  # an id may hold a colon, too: llama3:8b
    if method == "GET" and path.startswith("/v1beta/models/") and not called:
        return Route(dialect="gemini", operation="models", model=unquote(path.removeprefix("/v1beta/models/")))
    if method != "POST" or found is None or found["method"] not in _GEMINI_METHODS:
        return None
    operation, stream = _GEMINI_METHODS[found["method"]]
    framing: Framing | None = None
    if stream:
        framing = "sse" if parse_qs(query).get("alt") == ["sse"] else "jsonarray"
    return Route(dialect="gemini", operation=operation, model=unquote(found["model"]), stream=stream, framing=framing)


def allowed(path: str) -> tuple[str, ...]:
    """Return the methods that a known path takes; empty for an unknown path."""
    return tuple(method for method in ("GET", "POST") if classify(method, path) is not None)
