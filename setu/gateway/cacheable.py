"""May this answer be kept, and under which name? Pure: a request in, a key out."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import unquote

import msgspec

from setu import _json
from setu.access.caller import Caller
from setu.cassette.match import canonical_of, digest_of
from setu.chat.events import Ended, Failed
from setu.chat.ids import counter
from setu.dialects.record import Dialect, Route
from setu.errors import SetuError
from setu.framing.kinds import DECODERS
from setu.gateway.facts import tenant_of
from setu.http import Request
from setu.routing.plan import Plan

When = Literal["always", "deterministic"]

_KEY_BYTES = 32
"""A key names an answer to a stranger's request: no two may collide, not even on purpose."""

_CACHED = frozenset({"chat", "complete", "embed"})
_RELEVANT = (
    "anthropic-beta",
    "anthropic-version",
    "openai-beta",
    "openai-organization",
    "openai-project",
    "x-goog-user-project",
    "x-setu-cassette",
)
"""Request fields that change what an upstream answers, or on whose account."""

_OWN_QUERY = frozenset({"key", "provider"})
"""Said by the caller and by the targets; a credential has no place in a key that tenants share."""

_STATEFUL = ("previous_response_id", "conversation", "container", "mcp_servers", "web_search_options")
"""Members that make the upstream look at, or change, something besides the request."""

_FLAGS = ("store", "background")
_CLIENT_TOOLS = frozenset({"function", "custom", "local_shell", "apply_patch"})
_CLIENT_PREFIXES = ("bash_", "text_editor_", "computer_", "memory_")
"""Anthropic's typed tools that the client runs; all others run there
(https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference, read 2026-11-21)."""

_CLIENT_MEMBERS = frozenset(
    {"functionDeclarations", "function_declarations", "toolSpec", "cachePoint", "input_schema", "function"}
)
_SAMPLING = ("generationConfig", "generation_config", "inferenceConfig", "options")


class Lookup(msgspec.Struct, frozen=True, kw_only=True):
    """One request's place in the cache.

    `scope` is equal for requests of one tenant, endpoint, model and form: what a semantic cache may compare. `read`
    is False where the client wants a fresh answer; `max_age` is in seconds, where it accepts no older one.
    """

    key: str
    scope: str
    request: Request
    route: Route
    read: bool = True
    max_age: float | None = None


def scope_of(caller: Caller, request: Request) -> str:
    """Return with whom a caller may share answers: its tenant, or its own key, or whoever shows the same credentials.

    A caller whose own credential goes to the provider shares with nobody else: the account may have models, data and
    settings of its own (B-HDR-04).
    """
    if caller.forward is None and caller.tenant:
        return f"tenant {caller.tenant}"
    if caller.forward is None and caller.key:
        return f"key {caller.key}"
    return f"shown {tenant_of(request)}"


def targets_of(plan: Plan) -> tuple[str, ...]:
    """Return a plan's targets with what they set; in any order, for turns and draws only say who is asked first."""
    return tuple(sorted(_target(target.name, target.options, target.members) for target in plan.targets))


def _target(name: str, options: Mapping[str, object], members: Mapping[str, bytes]) -> str:
    if not options and not members:
        return name
    return f"{name} {digest_of([options, {key: value.decode() for key, value in members.items()}])}"


def lookup(
    request: Request, route: Route, *, scope: str, targets: Sequence[str], volatile: Collection[str], when: When
) -> Lookup | None:
    """Return where the answer belongs; None for a request whose answer is neither read nor kept.

    The body must be bytes; `volatile` are the pointers that the client's dialect does not count.
    """
    directives = _directives(request)
    if route.operation not in _CACHED or "no-store" in directives:
        return None
    counted = tuple(pointer for pointer in volatile if pointer != "/store")
    head, body = canonical_of(_shared(request), route, {route.dialect: counted})
    if not isinstance(body, dict) or _has_effects(body) or (when == "deterministic" and not _settled(body, route)):
        return None
    fields = [[name, request.headers.getall(name)] for name in _RELEVANT if name in request.headers]
    around = [scope, sorted(targets), fields, head, body.get("model")]
    age = _seconds(directives.get("max-age"))
    return Lookup(
        key=digest_of([*around, body], _KEY_BYTES),
        scope=digest_of(around, _KEY_BYTES),
        request=request,
        route=route,
        read="no-cache" not in directives and age != 0,
        max_age=age,
    )


def _shared(request: Request) -> Request:
    """Return the request without what names the caller."""
    if not request.query:
        return request
    pairs = [pair for pair in request.query.split("&") if unquote(pair.partition("=")[0]) not in _OWN_QUERY]
    return Request(
        method=request.method, path=request.path, query="&".join(pairs), headers=request.headers, body=request.body
    )


def _directives(request: Request) -> dict[str, str]:
    """Return the directives of `cache-control` (RFC 9111 §5.2), lower-case."""
    found = {}
    for value in request.headers.getall("cache-control"):
        for directive in value.lower().split(","):
            name, _, argument = directive.partition("=")
            found[name.strip()] = argument.strip(' "')
    return found


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() else None


def _has_effects(body: Mapping[str, Any]) -> bool:
    if any(body.get(name) for name in _STATEFUL) or any(body.get(name) is True for name in _FLAGS):
        return True
    config = body.get("toolConfig")
    tools = body.get("tools") or (config.get("tools") if isinstance(config, dict) else None)
    return isinstance(tools, list) and not all(map(_is_clients, tools))


def _is_clients(tool: Any) -> bool:
    """Say whether a tool is run by the client: one that the upstream runs searches, computes or acts each time."""
    if not isinstance(tool, dict):
        return False
    kind = tool.get("type")
    if isinstance(kind, str):
        return kind in _CLIENT_TOOLS or kind.startswith(_CLIENT_PREFIXES)
    return bool(tool) and tool.keys() <= (_CLIENT_MEMBERS | {"name", "description", "cache_control", "strict"})


def _settled(body: Mapping[str, Any], route: Route) -> bool:
    """Say whether the same question gets the same answer: nothing is drawn at temperature 0, nor for an embedding."""
    return route.operation == "embed" or any(
        type(place.get("temperature")) in {int, float} and place["temperature"] == 0 for place in _places(body)
    )


def _places(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield body
    for name in _SAMPLING:
        if isinstance(place := body.get(name), dict):
            yield place


def is_whole(body: bytes) -> bool:
    """Say whether a JSON answer is one: an object, finished, that reports no failure."""
    try:
        value = _json.decode(body)
    except (_json.JsonError, RecursionError):
        return False
    unfinished = {"failed", "cancelled", "queued", "in_progress"}
    return isinstance(value, dict) and not value.get("error") and str(value.get("status")) not in unfinished


def is_complete(dialect: Dialect, route: Route, data: bytes) -> bool:
    """Say whether a stream of the client's dialect came to its terminal event, without an error on the way.

    The bytes are asked, not who relayed them: a stream that ends without its end may still end politely.
    """
    codec = dialect.upstream.get(route.operation)
    if codec is None:
        return False
    frames = DECODERS[route.framing or "sse"]()
    decoder = codec.decoder(counter())
    try:
        events = [event for frame in (*frames.feed(data), *frames.close()) for event in decoder.feed(frame)]
        events += decoder.close()
    except SetuError:
        return False
    complete = any(isinstance(event, Ended) and event.complete for event in events)
    return complete and not any(isinstance(event, Failed) for event in events)
