"""The other side of the wire: what a simulated provider is asked and how it replies, before HTTP."""

from collections.abc import Callable
from typing import Any

import msgspec

from setu import _json
from setu.dialects.record import Route
from setu.http import Headers
from setu.transport.simulate.dice import digest


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A request as its dialect sees it: `created` is the time in whole seconds, `key` the API key it came with."""

    route: Route
    headers: Headers
    body: bytes
    created: int
    key: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A reply: one document, or the pieces of a stream, each written as one chunk."""

    status: int = 200
    headers: Headers
    pieces: tuple[bytes, ...]


Respond = Callable[[Query], Reply]

BROKEN_MODEL = "no-such-model"
"""A model whose name starts so does not exist; every other name does."""

WRONG_KEY = "invalid"
"""The one API key that is refused."""


def parse(raw: bytes) -> Any:
    """Return a request's body.

    Raises:
        JsonError: it is not JSON, is nested too deeply, or has a lone surrogate, which decodes but is no text.
    """
    body = _json.decode(raw)
    _json.encode(body)
    try:
        digest(body)
    except RecursionError:
        raise _json.JsonError("JSON is nested too deeply") from None
    return body


def document(value: Any, headers: dict[str, str], status: int = 200) -> Reply:
    """Reply with one JSON document."""
    fields = Headers.of({"content-type": "application/json", **headers})
    return Reply(status=status, headers=fields, pieces=(_json.encode(value),))
