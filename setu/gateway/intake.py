"""What is checked of any request before anybody reads it."""

import re

from setu.errors import DeniedError, LocalDialectError
from setu.http import Request

_LONGEST_ID = 128
_LONGEST_MODEL = 512
_ESCAPE = re.compile(r"%(2[DdEe]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])")
"""Percent-encodings of characters that need none: letters, digits, `-._~`."""

_SIMPLE = frozenset({"text/plain", "multipart/form-data", "application/x-www-form-urlencoded", ""})
"""What a page may send to any site without asking its server first."""


def unreserved(path: str) -> str:
    """Return a path without needless percent-encodings."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), path) if "%" in path else path


def sayable(request_id: str | None) -> str | None:
    """Return a client's id for its request if it can stand in a log line and a header field."""
    if request_id and len(request_id) <= _LONGEST_ID and request_id.isascii() and request_id.isprintable():
        return request_id
    return None


def need_sayable(model: str | None) -> None:
    """Check a model's name: it becomes part of paths, rows and header fields.

    Raises:
        LocalDialectError: it is too long, cannot be printed, or steps through a path.
    """
    if model is None:
        return
    if len(model) > _LONGEST_MODEL or not model.isprintable():
        raise LocalDialectError(
            f"a model's name must be printable and have at most {_LONGEST_MODEL} characters", param="model"
        )
    if "/." in model or model.startswith("."):
        steps = model.partition("?")[0].split("/")
        if "." in steps or ".." in steps:
            raise LocalDialectError("a model's name must not hold the steps '.' or '..'", param="model")


def from_elsewhere(request: Request) -> None:
    """Check that a request which passes unread is not one that a browser sends for a page of another site.

    Raises:
        DeniedError: it is: such a page could spend this gateway's keys without being asked.
    """
    origin = request.headers.get("origin")
    if origin is None or request.method in {"GET", "HEAD"}:
        return
    media_type = (request.headers.get("content-type") or "").partition(";")[0].strip().lower()
    if media_type in _SIMPLE and origin.partition("://")[2] != request.headers.get("host"):
        raise DeniedError("this request comes from a page of another site")
