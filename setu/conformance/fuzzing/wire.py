"""Requests of schemathesis and their answers as exchanges; requests sent once more, byte for byte."""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from setu.http import Ending, Exchange, Headers, Request

SECONDS = 60.0
"""How long an answer may take: a live model is slow, and a server that hangs must not stop the run."""

_OWN = frozenset({"accept-encoding", "content-length", "host"})
"""Headers that a connection writes itself; bytes that it cannot unpack are not asked for."""


class NoAnswerError(Exception):
    """The connection broke, or what came was no HTTP; `exchange` is the request, with nothing behind it."""

    def __init__(self, message: str, request: Request) -> None:
        super().__init__(message)
        self.exchange = Exchange(request=request, status=0, headers=Headers(), body=b"", end=Ending.RESET)


def called(case: Any, headers: Mapping[str, str]) -> Exchange:
    """Send a generated case.

    Raises:
        NoAnswerError: nothing came that is an answer.
    """
    try:
        response = case.call(headers=dict(headers), timeout=SECONDS)
    except OSError as error:  # every error of requests is one
        prepared = getattr(error, "request", None)
        raise NoAnswerError(str(error), asked(prepared) if prepared is not None else _told(case, headers)) from error
    fields = [(name, value) for name, values in response.headers.items() for value in values]
    return Exchange(
        request=asked(response.request),
        status=response.status_code,
        headers=Headers.of(fields),
        body=response.content,
    )


def _told(case: Any, headers: Mapping[str, str]) -> Request:
    """Return a case as a request, where what went is not told: the answer broke off while it was read."""
    body = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()
    fields = {"content-type": "application/json", **headers}
    return Request(method=case.method, path=case.formatted_path, headers=Headers.of(fields), body=body)


def asked(prepared: Any) -> Request:
    """Return a request of `requests`, as it went."""
    body = prepared.body or b""
    place = urlsplit(prepared.url)
    return Request(
        method=prepared.method,
        path=place.path,
        query=place.query,
        origin=f"{place.scheme}://{place.netloc}",
        headers=Headers.of({name: str(value) for name, value in prepared.headers.items()}),
        body=body.encode() if isinstance(body, str) else body,
    )


def sent(request: Request) -> Exchange:
    """Send a request again.

    Raises:
        NoAnswerError: nothing came that is an answer.
    """
    origin = urlsplit(request.origin)
    kind = http.client.HTTPSConnection if origin.scheme == "https" else http.client.HTTPConnection
    connection = kind(origin.netloc, timeout=SECONDS)
    body = request.body if isinstance(request.body, bytes) else b""
    fields = {name: value for name, value in request.headers.items() if name not in _OWN}
    try:
        connection.request(request.method, request.target, body=body or None, headers=fields)
        response = connection.getresponse()
        headers = Headers.of(response.getheaders())
        return Exchange(request=request, status=response.status, headers=headers, body=response.read())
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswerError(str(error), request) from error
    finally:
        connection.close()
