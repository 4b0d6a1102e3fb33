"""When are two requests the same? Their canonical content has the same hash.

Key order, number spelling, tool call ids and fields that mean nothing to the answer do not count; everything else
does: a different `max_tokens` or system prompt is a different request.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b, sha256
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from setu import _json
from setu.dialects.record import Route
from setu.dialects.routes import classify, clean
from setu.http import Headers, Request

Volatile = Mapping[str, tuple[str, ...]]
"""By dialect, the JSON pointers of a request that mean nothing to its answer (`/user`, `/metadata/user_id`)."""

NO_VOLATILE: Volatile = {}


class Canonical(NamedTuple):
    """A request without what does not matter.

    `head` is what is asked and of whom (operation, path, query, stream); `body` the canonical JSON value, or the
    digest of a body that is not JSON.
    """

    head: dict[str, Any]
    body: Any


class Step(NamedTuple):
    """One step of a conversation: where it stands in the canonical body, and the hash of everything up to it."""

    pointer: str
    digest: bytes


# A media type of thousands of base64 characters says no more than its digest.
_LONG_MEDIA = 512
LARGE = 64 * 1024
"""Characters of base64 from which on a string is media that no reviewer reads."""
BASE64 = rf"(?:data:[a-z]+/[A-Za-z0-9.+-]+;base64,)?[A-Za-z0-9+/_-]{{{LARGE},}}={{0,2}}"
_BASE64 = re.compile(BASE64)
_DIGEST = "sha256:"
# RFC 2046, 5.1.1: quoted where it has other characters than a token's.
_BOUNDARY = re.compile(r'multipart/[^;]+;(?:.*;)?\s*boundary=(?P<quote>"?)(?P<name>[^";]+)(?P=quote)', re.IGNORECASE)
_MEDIA_KEYS = frozenset({"data", "file_data", "b64_json", "image_url", "url", "bytes"})
# What a model or a tool wrote is data: an `id` in there is no tool call id.
_OPAQUE_KEYS = frozenset({"tools", "args", "response", "arguments", "parameters", "input_schema", "json_schema"})
_ID_MEMBERS = frozenset({"call_id", "id", "tool_call_id", "tool_use_id", "toolUseId"})
_CONVERSATIONS = ("messages", "contents", "input")
_SYSTEMS = ("system", "systemInstruction", "system_instruction", "instructions")


_SORTED = msgspec.json.Encoder(order="sorted")


def route_of(request: Request) -> Route | None:
    """Classify by path, with or without a host's prefix (`/api/v1/chat/completions`)."""
    return _route(request.method, request.path, request.query)


@lru_cache(maxsize=256)
def _route(method: str, path: str, query: str) -> Route | None:
    path = clean(path)
    while path:
        route = classify(method, path, query)
        if route is not None:
            return route
        cut = path.find("/", 1)
        path = path[cut:] if cut > 0 else ""
    return None


def model_of(request: Request) -> str | None:
    """Return the model that a request names in its path or its body, which must be bytes."""
    route = route_of(request)
    if route is not None and route.model is not None:
        return route.model
    assert isinstance(request.body, bytes)
    try:
        body = _json.decode(request.body)
    except (_json.JsonError, RecursionError):
        return None
    model = body.get("model") if isinstance(body, dict) else None
    return model if isinstance(model, str) else None


def key_of(request: Request, route: Route | None = None, volatile: Volatile = NO_VOLATILE) -> str:
    """Return the request's match key: 16 hex digits of BLAKE2b over its canonical content."""
    return digest_of(canonical_of(request, route, volatile))


def digest_of(canonical: Canonical | list[Any], size: int = 8) -> str:
    """Return the key of a request, or of what is left of one to be compared; `size` is the digest's, in bytes."""
    return blake2b(_text(list(canonical)), digest_size=size).hexdigest()


def canonical_of(request: Request, route: Route | None = None, volatile: Volatile = NO_VOLATILE) -> Canonical:
    """Return what two requests must have in common; the body must be bytes."""
    assert isinstance(request.body, bytes)
    route = route or route_of(request)
    body = _body(request, route, volatile.get(route.dialect, ()) if route else ())
    stream = route.stream if route else None
    # Where it is no switch, as in an API that is nobody's dialect, it is content like any other.
    if route is not None and isinstance(body, dict) and body.get("stream", False) in (None, False, True):
        asked = body.pop("stream", None)
        stream = bool(asked) if stream is None else stream
    named = isinstance(body, dict) and isinstance(body.get("model"), str)
    head = {
        "dialect": route.dialect if route else "",
        "operation": route.operation if route else "raw",
        "method": request.method,
        "path": _path(request, route, named=named),
        "query": _query(request.query, route),
        "stream": bool(stream),
        "framing": route.framing if route else None,
    }
    return Canonical(head, body)


def chain_of(canonical: Canonical) -> list[Step]:
    """Return the conversation as a hash chain: equal digests mean equal requests up to that step.

    System prompt and messages only: tools and options often change in every recording at once, and then the longest
    common conversation still names the right neighbour.
    """
    digest = blake2b(_text([canonical.head["dialect"], canonical.head["operation"]]), digest_size=16).digest()
    steps = [Step("", digest)]
    if isinstance(canonical.body, dict):
        for pointer, value in conversation(canonical.body):
            digest = blake2b(digest + _text(value), digest_size=16).digest()
            steps.append(Step(pointer, digest))
    return steps


def conversation(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the system prompt and each message of a canonical body, with its JSON pointer."""
    for key in _SYSTEMS:
        if key in body:
            yield f"/{key}", body[key]
    for key in _CONVERSATIONS:
        messages = body.get(key)
        if isinstance(messages, list):
            for index, message in enumerate(messages):
                yield f"/{key}/{index}", message


def _body(request: Request, route: Route | None, pointers: tuple[str, ...]) -> Any:
    data = request.body
    assert isinstance(data, bytes)
    if not data:
        return None
    boundary = boundary_of(request.headers)
    if boundary is not None and (parts := _parts(data, boundary.encode("latin-1", "replace"))):
        return {"parts": parts}
    try:
        value = _json.decode(data)
        for pointer in pointers:
            _drop(value, pointer.split("/")[1:])
        # Only in a dialect is it known which members are ids of calls.
        return _Canonicaliser().value(value, opaque=route is None)
    except (_json.JsonError, RecursionError):
        return _DIGEST + sha256(data).hexdigest()


def boundary_of(headers: Headers) -> str | None:
    """Return what divides the parts of a form, which is another each time; None for what is no form."""
    found = _BOUNDARY.match(headers.get("content-type") or "")
    return found["name"] if found is not None else None


def _parts(data: bytes, boundary: bytes) -> list[list[Any]]:
    """Return the parts of a form, whose boundary is another each time: the fields of each head, and its content.

    Empty for a body that is not divided by the boundary.
    """
    pieces = (b"\r\n" + data).split(b"\r\n--" + boundary)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        return []
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> list[Any]:
    head, _, content = piece.partition(b"\r\n\r\n")
    fields = [line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n") if line.strip()]
    named = sorted([name.strip().lower(), value.strip()] for name, _, value in fields)
    text = content.decode("utf-8", "replace") if len(content) <= _LONG_MEDIA else ""
    plain = text.encode() == content
    return [named, text if plain else _DIGEST + sha256(content).hexdigest()]


def _drop(value: Any, steps: list[str]) -> None:
    """Remove what a pointer names, and the objects that this leaves empty."""
    if not isinstance(value, dict) or steps[0] not in value:
        return
    if len(steps) > 1:
        _drop(value[steps[0]], steps[1:])
        if value[steps[0]] != {}:
            return
    del value[steps[0]]


class _Canonicaliser:
    """One pass over a body; remembers the tool call ids it has renamed."""

    def __init__(self) -> None:
        self._calls: dict[str, str] = {}

    def value(self, value: Any, key: str = "", *, opaque: bool = False) -> Any:
        kind = type(value)
        if kind is str:
            return _digest(value) if _is_media(value, key) else value
        if kind is dict:
            return self._object(value, key, opaque=opaque)
        if kind is list:
            return [self.value(item, key, opaque=opaque) for item in value]
        if kind is float and value.is_integer():
            return int(value)
        return value

    def _object(self, value: dict[str, Any], key: str, *, opaque: bool) -> dict[str, Any]:
        # Sorted, so that ids are numbered alike however the members are ordered.
        members = {
            name: self.value(value[name], name, opaque=opaque or _is_opaque(name, value)) for name in sorted(value)
        }
        if not opaque and not _ID_MEMBERS.isdisjoint(members):
            for name in _id_keys(value, key):
                if name in members:
                    members[name] = self._call(members[name])
        return members

    def _call(self, identity: Any) -> Any:
        if not isinstance(identity, str):
            return identity
        return self._calls.setdefault(identity, f"call_{len(self._calls) + 1}")


def _id_keys(value: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the members of an object that hold a tool call id, in whichever dialect it stands."""
    kind = value.get("type")
    if "tool_call_id" in value:
        return ("tool_call_id",)
    if "tool_use_id" in value:
        return ("tool_use_id",)
    if "toolUseId" in value:
        return ("toolUseId",)
    if "call_id" in value:  # Responses API: `id` is the item's own, echoed with it
        return ("call_id", "id")
    if key in {"functionCall", "functionResponse", "tool_calls"}:
        return ("id",)
    if isinstance(kind, str) and kind.endswith("tool_use"):
        return ("id",)
    return ()


def _is_opaque(name: str, owner: Mapping[str, Any]) -> bool:
    kind = owner.get("type")
    called = "toolUseId" in owner or (isinstance(kind, str) and kind.endswith("tool_use"))
    return name in _OPAQUE_KEYS or (name == "input" and called)


def _digest(value: str) -> str:
    return _DIGEST + sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def _is_media(value: str, key: str) -> bool:
    if len(value) <= _LONG_MEDIA:
        return False
    if key in _MEDIA_KEYS and not value.startswith("http") and " " not in value:
        return True
    # Wherever it stands: a recording may have a digest in its place (`setu record --strip-media`).
    return len(value) >= LARGE and _BASE64.fullmatch(value) is not None


def _path(request: Request, route: Route | None, *, named: bool) -> str:
    """Return the path without what only says which host it was; the whole path where it may name the model."""
    path = clean(request.path)
    if route is None or not (named or route.model is not None or route.operation == "models"):
        return path
    while classify(request.method, path, request.query) is None:
        cut = path.find("/", 1)
        if cut < 0:
            return clean(request.path)
        path = path[cut:]
    return _PLACE.sub("", _EDITION.sub("", path))


_EDITION = re.compile(r"\A/v1(?:alpha|beta1?)?(?=/)")
"""Of one API: google-genai 3.4 asks Gemini's v1 for what its documentation asks v1beta."""

_PLACE = re.compile(r"/projects/[^/]+/locations/[^/]+(?=/publishers/)")
"""Whose project and which region, in Vertex's paths."""


def _query(query: str, route: Route | None) -> list[list[str]]:
    pairs = sorted([name, value] for name, value in parse_qsl(query, keep_blank_values=True))
    return [pair for pair in pairs if not (route and route.framing and pair[0] == "alt")]


def _text(value: Any) -> bytes:
    try:
        return _SORTED.encode(value)
    except UnicodeEncodeError:  # a lone surrogate, which only its escape can write
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
