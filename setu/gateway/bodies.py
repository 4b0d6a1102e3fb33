"""Bodies in the log, for who asked for them: `privacy.log_bodies`. Keys and other secrets are masked even there."""

import logging
from collections.abc import AsyncIterator

from setu.cassette.redact import redact_text
from setu.http import ByteStream, Request, Response

BODIES = logging.getLogger("setu.bodies")
_MOST = 65_536
"""Bytes of one body that are logged."""


def asked(request_id: str, request: Request) -> None:
    """Log a request as the client sent it."""
    if isinstance(request.body, bytes):
        _log("request", request_id, request.body)


def given(request_id: str, response: Response) -> Response:
    """Log an answer as the client gets it; of a stream, once it is over."""
    if isinstance(response.body, bytes):
        _log("answer", request_id, response.body)
    else:
        response.body = _Overheard(response.body, request_id)
    return response


class _Overheard:
    """A body that is written down as it passes."""

    def __init__(self, body: ByteStream, request_id: str) -> None:
        self._body = body
        self._request_id = request_id
        self._heard = bytearray()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._body:
            self._heard += chunk[: _MOST - len(self._heard)]
            yield chunk

    async def aclose(self) -> None:
        heard, self._heard = bytes(self._heard), bytearray()
        if heard:
            _log("answer", self._request_id, heard)
        await self._body.aclose()


def _log(what: str, request_id: str, body: bytes) -> None:
    text = body[:_MOST].decode("utf-8", "replace")
    BODIES.info("%s %s: %s%s", what, request_id, redact_text(text), "" if len(body) <= _MOST else " …")
