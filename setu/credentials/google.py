"""Google's access tokens, from the file that GOOGLE_APPLICATION_CREDENTIALS names.

A service account signs an assertion with its key and trades it for a token (RFC 7523,
developers.google.com/identity/protocols/oauth2/service-account, 2026-11); a user's own file, as gcloud writes it, holds
a refresh token. The signature needs google-auth, an optional dependency that is imported when the first one is made.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from setu import _json
from setu.errors import ConfigError, NoDeploymentError
from setu.http import Headers, Request
from setu.ports import Clock, Transport

CREDENTIALS = "GOOGLE_APPLICATION_CREDENTIALS"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
EARLY_SECONDS = 120
"""How long before it expires a token is renewed: longer than a request takes to be sent, clocks being what they are."""
MISSING = (
    "signing for Google is not installed: pip install 'setu-llm[google]', or set GOOGLE_OAUTH_ACCESS_TOKEN to a token"
)
_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
_LIFE_SECONDS = 3600
_FIELDS = {
    "service_account": ("client_email", "private_key"),
    "authorized_user": ("client_id", "client_secret", "refresh_token"),
}


class GoogleTokens:
    """Signs requests with an access token, fetched when needed and kept until shortly before it expires.

    `connect` makes the transport for one token request; a recording of the gateway's traffic never sees it.
    """

    def __init__(self, info: Mapping[str, str], clock: Clock, connect: Callable[[], Transport]) -> None:
        self._info = info
        self._clock = clock
        self._connect = connect
        self._token = ""
        self._expires = 0.0
        self._lock = asyncio.Lock()

    async def sign(self, request: Request) -> Request:
        """Return the request with a bearer token.

        Raises:
            NoDeploymentError: google-auth is not installed, or Google gives no token.
        """
        signed = request.headers.copy()
        signed.set("authorization", f"Bearer {await self._current()}")
        return Request(
            method=request.method,
            path=request.path,
            origin=request.origin,
            query=request.query,
            headers=signed,
            body=request.body,
        )

    async def _current(self) -> str:
        async with self._lock:  # many requests wait for one renewal
            now = self._clock.now()
            if now >= self._expires - EARLY_SECONDS:
                self._token, life = await self._fetched(now)
                self._expires = now + life
        return self._token

    async def _fetched(self, now: float) -> tuple[str, float]:
        """Return a new token and its life in seconds."""
        form = await asyncio.to_thread(_grant, self._info, int(now))
        uri = urlsplit(self._info.get("token_uri") or _TOKEN_URI)
        headers = Headers.of({"content-type": "application/x-www-form-urlencoded", "accept": "application/json"})
        asking = Request(
            method="POST",
            origin=f"{uri.scheme}://{uri.netloc}",
            path=uri.path,
            headers=headers,
            body=urlencode(form).encode(),
        )
        transport = self._connect()
        try:
            response = await transport.send(asking)
            body = await response.read()
        finally:
            await transport.aclose()
        return _token(response.status, body)


def load(path: str, clock: Clock, connect: Callable[[], Transport]) -> GoogleTokens:
    """Read a credentials file.

    Raises:
        ConfigError: it cannot be read, or is of a kind that is not known here; its content is never shown.
    """
    try:
        info = _json.decode(Path(path).expanduser().read_bytes())
    except OSError as error:
        raise ConfigError(f"{CREDENTIALS}: {path} cannot be read: {error.strerror}") from None
    except _json.JsonError:
        raise ConfigError(f"{CREDENTIALS}: {path} is not JSON") from None
    kind = info.get("type") if isinstance(info, dict) else None
    if kind not in _FIELDS:
        raise ConfigError(f"{CREDENTIALS}: {path} must be a {' or '.join(_FIELDS)} file, not {kind!r}")
    lacking = [field for field in _FIELDS[kind] if not isinstance(info.get(field), str)]
    if lacking:
        raise ConfigError(f"{CREDENTIALS}: {path} lacks {', '.join(lacking)}")
    return GoogleTokens(info, clock, connect)


def _grant(info: Mapping[str, str], now: int) -> dict[str, str]:
    """Return the form that asks for a token. Signing takes milliseconds of processor time: run it in a thread."""
    if info["type"] == "authorized_user":
        return {"grant_type": "refresh_token", **{field: info[field] for field in _FIELDS["authorized_user"]}}
    try:
        from google.auth.crypt import RSASigner
        from google.auth.jwt import encode
    except ImportError:
        raise NoDeploymentError(MISSING) from None
    claims = {
        "iss": info["client_email"],
        "aud": info.get("token_uri") or _TOKEN_URI,
        "scope": SCOPE,
        "iat": now,
        "exp": now + _LIFE_SECONDS,
    }
    from_info: Any = RSASigner.from_service_account_info  # google-auth leaves both unannotated
    written: Any = encode
    try:
        assertion = written(from_info(info), claims)
    except ValueError:
        raise NoDeploymentError("the service account's private key cannot be read") from None
    return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion.decode()}


def _token(status: int, body: bytes) -> tuple[str, float]:
    try:
        found = _json.decode(body)
    except _json.JsonError:
        found = None
    if not isinstance(found, dict):
        found = {}
    token, life = found.get("access_token"), found.get("expires_in")
    if status != 200 or not isinstance(token, str):
        word = found.get("error")
        raise NoDeploymentError(f"Google gave no token: {status} {word if isinstance(word, str) else ''}".rstrip())
    return token, float(life) if isinstance(life, int | float) else float(_LIFE_SECONDS)
