"""Take secrets out of what is stored or compared: on recording, and again before matching.

Headers and query members go by name (an allow-list, a block-list), body members by pointer and by name, and whatever
looks like a key goes wherever it stands. Bodies are edited in place, as text of single bytes, so that everything else
stays byte for byte. `find_secrets` is the last gate before a disk.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, unquote_plus

import msgspec

from setu._json import JsonError, decode
from setu.cassette import spots
from setu.cassette.bodies import decompress
from setu.cassette.edits import REDACTED, Edit, Rules, Secrets, applied, as_latin, edits_of, rules_of
from setu.cassette.entropy import bits, random_words
from setu.cassette.redact_names import (
    BODY_POINTERS,
    CREDENTIAL_HEADERS,
    SECRET_HEADERS,
    SECRET_QUERY,
    storable_request_header,
    storable_response_header,
)
from setu.errors import ConfigError
from setu.http import Headers, Request, Response

PLACEHOLDER = f'"{REDACTED}"'.encode()
"""Stands for a body of which not every secret could be taken out alone; JSON, as most bodies are."""

_ROUNDS = 6
"""One edit may uncover another; what is not done after as many rounds goes as a whole."""

_MIN_KNOWN = 8
"""Shorter values of secret-named variables (`true`, `1`, a region) occur in text by chance."""

_MIN_OWN = 16
"""Of a request's own credential that is looked for elsewhere: a stand-in (`anything`) would be found by chance."""


class Finding(NamedTuple):
    """A secret that is still there: what kind and where, never the secret."""

    what: str
    offset: int


def parse_rules(headers: Iterable[str], pointers: Iterable[str], patterns: Iterable[str]) -> Rules:
    """Read what a user wants taken out besides.

    Raises:
        ConfigError: a pointer that does not start with `/`, or a pattern that is none; names it.
    """
    pointers = tuple(pointers)
    for pointer in pointers:
        if not pointer.startswith("/"):
            raise ConfigError(f"not a JSON pointer to redact: {pointer!r}; write /tools/*/token")
    return Rules(
        headers=frozenset(name.strip().lower() for name in headers),
        pointers=pointers,
        patterns=tuple(_compiled(patterns)),
    )


def known_secrets(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of variables that are named like secrets; longest first."""
    named = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
    values = {value for name, value in environment.items() if named.search(name) and len(value) >= _MIN_KNOWN}
    return tuple(sorted(values, key=lambda value: (-len(value), value)))


def redact_request(request: Request, secrets: Secrets = ()) -> tuple[Request, tuple[str, ...]]:
    """Return the request as it may be stored, and what was taken out (`request.headers.x-api-key`)."""
    assert isinstance(request.body, bytes)
    rules = with_own(rules_of(secrets), request)
    what: list[str] = []
    origin = _scrub_text(_strip_userinfo(request.origin, what), rules, "request.uri", what)
    path = _scrub_text(request.path, rules, "request.path", what)
    query = _query(request.query, rules, what)
    headers = _headers(request.headers, storable_request_header, rules, "request.headers", what)
    body = _request_body(request, headers, rules, what)
    redacted = Request(method=request.method, path=path, origin=origin, query=query, headers=headers, body=body)
    return redacted, tuple(dict.fromkeys(what))


def redact_response(response: Response, secrets: Secrets = ()) -> tuple[Response, tuple[str, ...]]:
    """Return the response, whose body must be bytes, as it may be stored, and what was taken out."""
    assert isinstance(response.body, bytes)
    rules = rules_of(secrets)
    what: list[str] = []
    headers = _headers(response.headers, storable_response_header, rules, "response.headers", what)
    body = redact_body(response.body, rules, "response.body", what)
    return Response(response.status, headers, body), tuple(dict.fromkeys(what))


def redact_text(text: str, secrets: Secrets = ()) -> str:
    """Return a text (a log line, an error) without anything that looks like a secret."""
    return _scrub_text(text, rules_of(secrets), "", [])


def find_secrets(text: str, secrets: Secrets = (), *, guess: bool = False, as_bytes: bool = False) -> list[Finding]:
    """Return every secret that is still in a text; with `guess` what may be one, too. `as_bytes`: it is Latin-1."""
    return [Finding(e.what, e.start) for e in edits_of(text, rules_of(secrets), guess=guess, as_bytes=as_bytes)]


def redact_body(body: bytes, rules: Rules, place: str, what: list[str]) -> bytes:
    """Return a body without secrets; `what` is told of them."""
    # Latin-1 maps every byte to one character and back, so any body can be searched and edited as text.
    text = body.decode("latin-1")
    pointers = (*BODY_POINTERS, *rules.pointers) if place.startswith("request") else rules.pointers
    for _ in range(_ROUNDS):
        pointed = [*_pointed(text, pointers)]
        edits = pointed or edits_of(text, rules, guess=True, as_bytes=True)
        if not edits:
            return text.encode("latin-1")
        what += [_told(place, text, edit) for edit in edits]
        text = applied(text, edits)
    what.append(f"{place} (whole)")
    return PLACEHOLDER


def with_own(rules: Rules, request: Request) -> Rules:
    """Return rules that know a request's own credentials as well: an error message may repeat them."""
    own = tuple(dict.fromkeys(value for value in _credentials(request) if _telling(value)))
    return msgspec.structs.replace(rules, known=(*rules.known, *own)) if own else rules


def _compiled(patterns: Iterable[str]) -> Iterator[re.Pattern[str]]:
    for pattern in patterns:
        try:
            yield re.compile(pattern)
        except re.error as error:
            raise ConfigError(f"not a regular expression to redact: {pattern!r}: {error}") from None


def _credentials(request: Request) -> Iterator[str]:
    for name, value in request.headers.items():
        if name in CREDENTIAL_HEADERS:
            scheme, _, rest = value.partition(" ")
            yield from (value, rest)
            if scheme.lower() == "basic":
                yield _password(rest)
            if name == "cookie":
                yield from (pair.partition("=")[2] for pair in value.split("; "))
    for member in request.query.split("&"):
        name, _, value = member.partition("=")
        if SECRET_QUERY.fullmatch(unquote_plus(name)):
            yield unquote_plus(value)
    userinfo = request.origin.partition("://")[2].rpartition("@")[0]
    yield unquote(userinfo.partition(":")[2])


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode("utf-8", "replace").partition(":")[2]
    except binascii.Error:
        return ""


def _telling(value: str) -> bool:
    return len(value) >= _MIN_OWN and REDACTED not in value and bits(value) >= 3 and any(c.isdigit() for c in value)


def _headers(headers: Headers, keep: Callable[[str], bool], rules: Rules, place: str, what: list[str]) -> Headers:
    kept = Headers()
    for name, value in headers.items():
        if name in rules.headers or (name in SECRET_HEADERS and not keep(name)):
            what.append(f"{place}.{name}")
        elif keep(name):
            kept.add(name, _scrub_text(value, rules, f"{place}.{name}", what, as_bytes=True))
    return kept


def _query(query: str, rules: Rules, what: list[str]) -> str:
    kept: list[str] = []
    for member in query.split("&") if query else ():
        name, separator, value = member.partition("=")
        shown = _scrub_text(unquote_plus(name), rules, "request.query", what)
        if SECRET_QUERY.fullmatch(shown):
            what.append(f"request.query.{shown}")
        else:
            name = _scrub_text(name, rules, "request.query", what)
            kept.append(name + separator + _query_value(value, rules, f"request.query.{shown}", what))
    return "&".join(kept)


_OPAQUE_QUERY = re.compile(r"(?i).*(?:page|cursor|after|before|id|token)$")
"""Members that look random and are none of ours: where a list goes on, what it is about."""


def _query_value(value: str, rules: Rules, place: str, what: list[str]) -> str:
    value = _scrub_text(value, rules, place, what)
    plain = unquote_plus(value)
    if not _OPAQUE_QUERY.match(place) and any(random_words(plain)):
        what.append(f"{place} (entropy)")
        return REDACTED
    found = edits_of(plain, rules)  # an escape may hide a key
    if found:
        what.append(place)
        return quote(applied(plain, found), safe="")
    return value


def _strip_userinfo(origin: str, what: list[str]) -> str:
    scheme, separator, authority = origin.partition("://")
    if "@" not in authority:
        return origin
    what.append("request.uri.userinfo")
    return scheme + separator + authority.rpartition("@")[2]


def _request_body(request: Request, headers: Headers, rules: Rules, what: list[str]) -> bytes:
    """Redact a body; a compressed one in which there is a secret is kept as it was before."""
    assert isinstance(request.body, bytes)
    encoding = headers.get("content-encoding")
    plain = decompress(request.body, encoding) if encoding else None
    if plain is None:
        return _form(redact_body(request.body, rules, "request.body", what), headers, what)
    found: list[str] = []
    redacted = _form(redact_body(plain, rules, "request.body", found), headers, found)
    if not found:
        return request.body
    what += found
    headers.remove("content-encoding")
    return redacted


def _form(body: bytes, headers: Headers, what: list[str]) -> bytes:
    """Take out the fields of an HTML form that are secret by name."""
    if (headers.get("content-type") or "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return body
    fields = body.split(b"&")
    for at, field in enumerate(fields):
        name, separator, value = field.partition(b"=")
        plain = unquote_plus(name.decode("latin-1"))
        if SECRET_QUERY.fullmatch(plain) or plain == "assertion":
            if value not in (b"", REDACTED.encode()):
                what.append("request.body")
            fields[at] = name + separator + (REDACTED.encode() if value else b"")
    return b"&".join(fields)


def _scrub_text(text: str, rules: Rules, place: str, what: list[str], *, as_bytes: bool = False) -> str:
    for _ in range(_ROUNDS):
        edits = edits_of(text, rules, as_bytes=as_bytes)
        if not edits:
            return text
        what.append(place)
        text = applied(text, edits)
    return REDACTED


def _told(place: str, text: str, edit: Edit) -> str:
    if not edit.guess:
        return place
    pointer = spots.pointer_at(text, edit.start)
    return (
        f"{place}:{pointer.encode('latin-1').decode('utf-8', 'replace')} (entropy)" if pointer else f"{place} (entropy)"
    )


def _pointed(text: str, pointers: tuple[str, ...]) -> Iterator[Edit]:
    """Yield the edits of each string that a pointer names."""
    hints, wanted = _pointer_hints(pointers)
    if not text.startswith(("{", "[")) or not any(hint in text for hint in hints):
        return
    try:
        value = decode(text.encode("latin-1"))
        found = any(item not in ("", REDACTED) for pointer in wanted for item in _at(value, pointer.split("/")[1:]))
    except (JsonError, RecursionError):
        return
    if not found:
        return
    for spot in spots.strings(text):
        held = text[spot.start : spot.end]
        if held not in ("", REDACTED) and any(spots.fits(spot.pointer, pointer) for pointer in wanted):
            yield Edit(spot.start, spot.end, REDACTED, f"member {spot.pointer.rpartition('/')[2]!r}")


@cache
def _pointer_hints(pointers: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of which one is in every body that the pointers are about, and the pointers in Latin-1."""
    names = {next((step for step in reversed(p.split("/")) if step != "*"), "") for p in pointers}
    return tuple(sorted(as_latin(f'"{name}"') for name in names)), tuple(map(as_latin, pointers))


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
            if step in ("*", as_latin(key.replace("~", "~0").replace("/", "~1"))):
                yield from _at(item, rest)
