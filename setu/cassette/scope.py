"""Whose recordings a request is about: tests that run side by side each name a cassette of their own.

A client says so with whatever it can set: a path prefix (`/c/NAME/v1/…` in the base URL), a header
(`X-Setu-Cassette: NAME`), or its API key (`setu:NAME`). `NAME@SESSION` shares the recordings of NAME, not their state.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote

import msgspec

from setu.errors import LocalDialectError
from setu.http import Headers, Request

HEADER = "x-setu-cassette"
KEY_PREFIX = "setu:"

_NAME = re.compile(r"(?P<name>[A-Za-z0-9_](?:[A-Za-z0-9._/-]*[A-Za-z0-9_-])?)(?:@(?P<session>[A-Za-z0-9._-]{1,200}))?")
_LONGEST = 200
"""Characters of a file's name; with what is put behind it, no file system's limit (255) is near."""

_KEY_HEADERS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
_HEADER = HEADER.encode()
_KEYED = frozenset(name.encode() for name in _KEY_HEADERS)
_PREFIX = KEY_PREFIX.encode()


class Scope(NamedTuple):
    """A cassette by its name, relative to the directory of cassettes and without suffix, and whose turn it is."""

    name: str
    session: str = ""

    def __str__(self) -> str:
        return f"{self.name}@{self.session}" if self.session else self.name


def parse_scope(text: str) -> Scope:
    """Read `NAME` or `NAME@SESSION`.

    Raises:
        LocalDialectError: a name that could leave the directory, or has other characters than letters, digits, `._/-`.
    """
    found = _NAME.fullmatch(text)
    if found is None or any(step in {"", ".", ".."} or len(step) > _LONGEST for step in found["name"].split("/")):
        raise LocalDialectError(
            f"the cassette name {text[:80]!r} is not made of letters, digits, '.', '_', '-' and '/' within a directory"
            f", or a step of it is longer than {_LONGEST}",
            param=HEADER,
            code="bad_cassette_name",
        )
    return Scope(found["name"], found["session"] or "")


def scope_of(request: Request) -> tuple[Scope | None, Request]:
    """Return the cassette a request names, and the request without the naming.

    The path wins over the header, the header over the key. A name in a path is one segment; `%2F` in it separates
    directories.

    Raises:
        LocalDialectError: the name is not one.
    """
    if not _may_name(request):
        return None, request
    headers = request.headers.copy()
    query, keyed = _take_key(headers, request.query)
    named = headers.get(HEADER)
    headers.remove(HEADER)
    path, prefixed = _take_prefix(request.path)
    text = prefixed or named or keyed
    if text is None:
        return None, request
    return parse_scope(text), msgspec.structs.replace(request, path=path, query=query, headers=headers)


def _may_name(request: Request) -> bool:
    """Look once at everything that may name a cassette: most requests name none."""
    return (
        request.path.startswith("/c/")
        or "key=" in request.query
        or any(name == _HEADER or (name in _KEYED and _PREFIX in value) for name, value in request.headers.raw)
    )


def _take_prefix(path: str) -> tuple[str, str | None]:
    if not path.startswith("/c/"):
        return path, None
    name, slash, rest = path[3:].partition("/")
    return (slash + rest or "/"), unquote(name)


def _take_key(headers: Headers, query: str) -> tuple[str, str | None]:
    """Take a key that names a cassette out of the headers and the query."""
    for field in _KEY_HEADERS:
        value = headers.get(field) or ""
        key = value[7:] if value[:7].lower() == "bearer " else value
        if key.startswith(KEY_PREFIX):
            headers.remove(field)
            return query, key.removeprefix(KEY_PREFIX)
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name == "key" and unquote(value).startswith(KEY_PREFIX):
            rest = "&".join(other for other in query.split("&") if other != pair)
            return rest, unquote(value).removeprefix(KEY_PREFIX)
    return query, None
