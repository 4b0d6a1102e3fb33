"""Who may come in: requests without one of the configured keys are answered 401."""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from hmac import compare_digest

from setu.chat.ids import Mint
from setu.dialects.registry import of_path
from setu.errors import ErrorInfo, ErrorKind
from setu.http import Headers, Request, Response
from setu.ports import Transport

RenderError = Callable[[Request, ErrorInfo], bytes]

_FIELDS = ("x-api-key", "api-key", "x-goog-api-key")
"""Where Anthropic's, Azure's and Google's clients put a key; all others use `authorization: Bearer`."""


class Door:
    """A transport that lets requests with a known key through, whichever field their SDK puts it in.

    Keys are kept as digests, and compared in constant time.
    """

    def __init__(self, inner: Transport, keys: Sequence[str], render_error: RenderError, mint: Mint) -> None:
        self._inner = inner
        self._mint = mint
        self._digests = [_digest(key) for key in keys]
        self._render_error = render_error

    async def send(self, request: Request) -> Response:
        """Pass a request on, or refuse it."""
        shown = shown_key(request)
        if shown is not None and self._knows(shown):
            return await self._inner.send(request)
        info = ErrorInfo(
            kind=ErrorKind.AUTHENTICATION,
            status=401,
            message="no API key was given" if shown is None else "the API key is not one of this gateway's",
            type="invalid_request_error",
            code="invalid_api_key",
        )
        headers = Headers.of({"content-type": "application/json", "www-authenticate": "Bearer"})
        headers.add(of_path(request.path).request_id, request.headers.get("x-request-id") or self._mint("req_"))
        return Response(401, headers, self._render_error(request, info))

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _knows(self, key: str) -> bool:
        digest = _digest(key)
        found = [compare_digest(digest, known) for known in self._digests]  # every one, so that time tells nothing
        return any(found)


def shown_key(request: Request) -> str | None:
    """Return the key that a request shows; None when it shows none, or other credentials."""
    for name in _FIELDS:
        if value := request.headers.get(name):
            return value
    scheme, _, key = (request.headers.get("authorization") or "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    pairs = (pair.partition("=") for pair in request.query.split("&"))
    return next((value for name, _, value in pairs if name == "key" and value), None)


def _digest(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=32).digest()
