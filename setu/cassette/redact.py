"""Take secrets out of what is stored or compared: on recording, and again before matching.

Headers and query members go by name (an allow-list, a block-list), body members by pointer and by name, and whatever
looks like a key goes wherever it stands. Bodies are edited in place, as text of single bytes, so that everything else
stays byte for byte. `find_secrets` is the last gate before a disk.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_plus

from setu._json import JsonError, decode
from setu.http import Headers, Request, Response

REDACTED = "REDACTED"

_MIN_KNOWN = 8
"""Shorter values of secret-named variables (`true`, `1`, a region) occur in text by chance."""

REQUEST_HEADERS = frozenset(
    {
        "accept",
        "anthropic-beta",
        "anthropic-version",
        "content-encoding",
        "content-type",
        "openai-beta",
    }
)
RESPONSE_HEADERS = frozenset(
    {
        "allow",
        "anthropic-version",
        "apim-request-id",
        "content-disposition",
        "content-encoding",
        "content-type",
        "openai-model",
        "openai-processing-ms",
        "openai-version",
        "request-id",
        "retry-after",
        "retry-after-ms",
        "x-amzn-errortype",
        "x-amzn-requestid",
        "x-generation-id",
        "x-groq-region",
        "x-request-id",
        "x-should-retry",
    }
)
_RESPONSE_PREFIXES = ("x-ratelimit-", "anthropic-ratelimit-", "ratelimit")

_SECRET_HEADERS = frozenset(
    {
        "api-key",
        "authorization",
        "cookie",
        "openai-organization",
        "anthropic-organization-id",
        "openai-project",
        "proxy-authorization",
        "set-cookie",
        "x-amz-security-token",
        "x-api-key",
        "x-goog-api-key",
        "x-goog-user-project",
    }
)
"""Fields whose removal is worth noting; any other field off the allow-list goes silently."""

_SECRET_QUERY = re.compile(
    r"(?:x-(?:amz|goog)-)?(?:(?:api|access|secret|subscription)?[-_]?key|(?:(?:access|auth|id|refresh|session|security)[-_]?)?token"
    r"|sig|signature|(?:client[-_]?)?secret|password|passwd|credentials?|auth|authorization|(?:aws|google)access(?:key)?id)",
    re.IGNORECASE,
)

_SECRET_MEMBERS = (
    "api_key", "api-key", "apiKey", "apikey", "authorization", "Authorization", "authorization_token", "access_token",
    "accessToken", "refresh_token", "id_token", "client_secret", "clientSecret", "password", "passwd", "private_key",
    "privateKey", "secret_key", "secretKey", "secret_access_key", "aws_secret_access_key", "aws_session_token",
    "sessionToken", "x-api-key", "X-API-Key", "x-goog-api-key", "ephemeral_key",
)  # fmt: skip
_NAMES = "|".join(map(re.escape, _SECRET_MEMBERS))
_MEMBER = re.compile(rf'"(?P<name>{_NAMES})"\s*:\s*"(?P<value>(?:[^"\\\n]|\\.)*)"', re.DOTALL)
# JSON within a JSON string has its quotes escaped, once for every level.
_NESTED_MEMBER = re.compile(
    rf'(?P<level>\\{{1,7}})"(?P<name>{_NAMES})(?P=level)"\s*:\s*(?P=level)"'
    r'(?P<value>(?:(?!(?<!\\)(?P=level)").){0,8192})(?<!\\)(?P=level)"',
    re.DOTALL,
)
_MEMBER_LITERALS = ("key", "Key", "uthorization", "oken", "secret", "Secret", "passw")

BODY_POINTERS = (
    "/api_key",
    "/extra_headers/*",
    "/mcp_servers/*/authorization_token",
    "/tools/*/authorization",
    "/tools/*/headers/*",
)
"""Members that hold secrets under any value; `*` is any key or index. OpenAI and Anthropic document the last three
for remote MCP servers."""


class Shape(NamedTuple):
    """What a kind of key looks like. `hint` is a string every match contains: a fast way to say no."""

    name: str
    hint: str
    pattern: re.Pattern[str]


# A key starts where a word starts; a JSON escape (`\nsk-…`) or a percent escape may stand right before it.
_START = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrtbf])|(?<=\\u[0-9a-fA-F]{4})|(?<=%[0-9A-Fa-f]{2}))"
_WORD = "[A-Za-z0-9._~+/=-]"


# Within one event: what a stream spells over several is for the gate, an edit must not swallow event boundaries.
_PEM = r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!\r?\n\r?\n).)*?-----END [A-Z ]*PRIVATE KEY-----"


def _shape(name: str, hint: str, pattern: str) -> Shape:
    return Shape(name, hint, re.compile(_START + pattern, re.DOTALL))


SHAPES = (
    _shape("sk- key", "sk-", r"sk-(?=[A-Za-z0-9_-]*[0-9A-Z])[A-Za-z0-9_-]{16,}"),
    _shape("Google API key", "AIza", r"(?<!\+)AIza[A-Za-z0-9_-]{20,}"),
    _shape("Google API key", "AQ.", r"AQ\.[A-Za-z0-9_-]{20,}"),
    _shape("Google access token", "ya29.", r"ya29\.[A-Za-z0-9._-]{16,}"),
    _shape("Groq key", "gsk_", r"gsk_[A-Za-z0-9]{16,}"),
    _shape("xAI key", "xai-", r"xai-[A-Za-z0-9_-]{16,}"),
    _shape("Hugging Face token", "hf_", r"hf_[A-Za-z0-9]{16,}"),
    _shape("Perplexity key", "pplx-", r"pplx-[A-Za-z0-9]{16,}"),
    _shape("NVIDIA key", "nvapi-", r"nvapi-[A-Za-z0-9_-]{16,}"),
    _shape("Cerebras key", "csk-", r"csk-[A-Za-z0-9]{16,}"),
    _shape("Replicate token", "r8_", r"r8_[A-Za-z0-9]{20,}"),
    _shape("Fireworks key", "fw_", r"fw_[A-Za-z0-9]{20,}"),
    _shape("Together key", "tgp_v1_", r"tgp_v1_[A-Za-z0-9_-]{16,}"),
    _shape("GitHub token", "gh", r"(?:gh[opusr]_|github_pat_)[A-Za-z0-9_]{20,}"),
    _shape("GitLab token", "glpat-", r"glpat-[A-Za-z0-9_-]{16,}"),
    _shape("Slack token", "xox", r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    _shape("Stripe key", "k_", r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    _shape("AWS access key id", "AKIA", r"(?<![+/])AKIA[A-Z0-9]{16}(?![A-Za-z0-9+/])"),
    _shape("AWS access key id", "ASIA", r"(?<![+/])ASIA[A-Z0-9]{16}(?![A-Za-z0-9+/])"),
    _shape("AWS bearer token", "ABSK", r"ABSK[A-Za-z0-9+/=]{32,}"),
    _shape("AWS signature", "Signature=", r"Signature=[0-9a-f]{64}"),
    _shape("JWT", ".eyJ", r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    # "Bearer authentication" in an error message is prose: a token is long or has a digit.
    _shape("bearer token", "earer", r"[Bb]earer(?:[ \t]|%20|\+)+(?=_{20}|_*\d)(?!REDACTED)_{8,}".replace("_", _WORD)),
    _shape("basic credentials", "asic ", r"[Bb]asic (?=_{20}|_*=)_{12,}".replace("_", _WORD)),
    _shape("private key", "PRIVATE KEY", _PEM),
)


class Finding(NamedTuple):
    """A secret that is still there: what kind and where, never the secret."""

    what: str
    offset: int


def known_secrets(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of variables that are named like secrets; longest first."""
    named = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
    values = {value for name, value in environment.items() if named.search(name) and len(value) >= _MIN_KNOWN}
    return tuple(sorted(values, key=lambda value: (-len(value), value)))


def storable_request_header(name: str) -> bool:
    return name in REQUEST_HEADERS


def storable_response_header(name: str) -> bool:
    return name in RESPONSE_HEADERS or name.startswith(_RESPONSE_PREFIXES)


def redact_request(request: Request, known: Collection[str] = ()) -> tuple[Request, tuple[str, ...]]:
    """Return the request as it may be stored, and what was taken out (`request.headers.x-api-key`)."""
    assert isinstance(request.body, bytes)
    what: list[str] = []
    origin = _strip_userinfo(request.origin, what)
    path = _scrub_text(request.path, known, "request.path", what)
    query = _query(request.query, known, what)
    headers = _headers(request.headers, storable_request_header, known, "request.headers", what)
    body = _body(request.body, known, "request.body", what)
    redacted = Request(method=request.method, path=path, origin=origin, query=query, headers=headers, body=body)
    return redacted, tuple(dict.fromkeys(what))


def redact_response(response: Response, known: Collection[str] = ()) -> tuple[Response, tuple[str, ...]]:
    """Return the response, whose body must be bytes, as it may be stored, and what was taken out."""
    assert isinstance(response.body, bytes)
    what: list[str] = []
    headers = _headers(response.headers, storable_response_header, known, "response.headers", what)
    body = _body(response.body, known, "response.body", what)
    return Response(response.status, headers, body), tuple(dict.fromkeys(what))


def redact_text(text: str, known: Collection[str] = ()) -> str:
    """Return a text (a log line, an error) without anything that looks like a secret."""
    return _scrub_text(text, known, "", [])


def find_secrets(text: str, known: Collection[str] = ()) -> list[Finding]:
    """Return every secret that is still in a text."""
    found = [Finding(what, span[0]) for what, span in _spans(text, _forms(tuple(known)))]
    return sorted(found, key=lambda finding: finding.offset)


def _headers(
    headers: Headers, keep: Callable[[str], bool], known: Collection[str], place: str, what: list[str]
) -> Headers:
    kept = Headers()
    for name, value in headers.items():
        if keep(name):
            kept.add(name, _scrub_text(value, known, f"{place}.{name}", what))
        elif name in _SECRET_HEADERS:
            what.append(f"{place}.{name}")
    return kept


def _query(query: str, known: Collection[str], what: list[str]) -> str:
    kept: list[str] = []
    for member in query.split("&") if query else ():
        name, _, value = member.partition("=")
        plain = unquote_plus(name)
        if _SECRET_QUERY.fullmatch(plain):
            what.append(f"request.query.{plain}")
        else:
            place = f"request.query.{plain}"
            kept.append(_scrub_text(name, known, "request.query", what) + (member[len(name) : len(name) + 1]))
            kept[-1] += _scrub_text(value, known, place, what)
    return "&".join(kept)


def _strip_userinfo(origin: str, what: list[str]) -> str:
    scheme, separator, authority = origin.partition("://")
    if "@" not in authority:
        return origin
    what.append("request.uri.userinfo")
    return scheme + separator + authority.rpartition("@")[2]


def _body(body: bytes, known: Collection[str], place: str, what: list[str]) -> bytes:
    # Latin-1 maps every byte to one character and back, so any body can be searched and edited as text.
    pointed = [_as_bytes(value) for value in _pointed(body)]
    text = body.decode("latin-1")
    for value in pointed:
        text = text.replace(f'"{value}"', f'"{REDACTED}"')
    if pointed:
        what.append(place)
    spans = _spans(text, (_as_bytes(form) for form in _forms(tuple(known))))
    return _cut_out(text, spans, place, what).encode("latin-1")


def _scrub_text(text: str, known: Collection[str], place: str, what: list[str]) -> str:
    return _cut_out(text, _spans(text, _forms(tuple(known))), place, what)


def _cut_out(text: str, found: Iterable[tuple[str, tuple[int, int]]], place: str, what: list[str]) -> str:
    spans = sorted(span for _, span in found)
    if not spans:
        return text
    what.append(place)
    pieces: list[str] = []
    at = 0
    for start, end in spans:
        if start >= at:
            pieces += [text[at:start], REDACTED]
        at = max(at, end)
    return "".join(pieces) + text[at:]


def _spans(text: str, known: Iterable[str]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield what is secret in a text, with its half-open span."""
    for shape in SHAPES:
        if shape.hint in text:
            for found in shape.pattern.finditer(text):
                yield shape.name, found.span()
    if any(hint in text for hint in _MEMBER_LITERALS):
        for pattern in (_MEMBER, _NESTED_MEMBER):
            for found in pattern.finditer(text):
                if found["value"] not in ("", REDACTED, f"Bearer {REDACTED}"):
                    yield f"member {found['name']!r}", found.span("value")
    for form in known:
        at = text.find(form)
        while at >= 0:
            yield "a known secret", (at, at + len(form))
            at = text.find(form, at + 1)


@lru_cache(maxsize=16)
def _forms(known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ways in which secrets may be spelt: as they are, percent-encoded, and as JSON writes them."""
    spellings = (form for value in known for form in (value, quote(value, safe="", errors="replace"), *_json(value)))
    return tuple(dict.fromkeys(form for form in spellings if form))


def _json(value: str) -> tuple[str, str]:
    return json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]


def _as_bytes(text: str) -> str:
    """Return the text as its UTF-8 bytes look in Latin-1."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def _pointed(body: bytes) -> list[str]:
    """Return the JSON text, escaped either way, of each string that a body pointer names."""
    if not body.startswith(b"{") or not any(hint in body for hint in (b"api_key", b"headers", b"authorization")):
        return []
    try:
        value = decode(body)
        found = [text for pointer in BODY_POINTERS for text in _at(value, pointer.split("/")[1:])]
        forms = (form for text in found if text not in ("", REDACTED) for form in _json(text))
        return list(dict.fromkeys(forms))
    except (JsonError, RecursionError):
        return []


def _at(value: Any, steps: list[str]) -> Iterator[str]:
    if not steps:
        if isinstance(value, str):
            yield value
        return
    step, rest = steps[0], steps[1:]
    if isinstance(value, list) and step == "*":
        for item in value:
            yield from _at(item, rest)
    elif isinstance(value, dict):
        for key, item in value.items():
            if step in ("*", key):
                yield from _at(item, rest)
