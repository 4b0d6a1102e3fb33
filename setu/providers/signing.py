"""Present a key the way a host wants it. Pure: headers in, headers out."""

from setu.http import Headers
from setu.providers.record import Scheme

CREDENTIALS = ("authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "proxy-authorization")
"""Request fields that carry the client's own secrets; they never travel on to an upstream by themselves."""


def sign(headers: Headers, scheme: Scheme, key: str | None) -> None:
    """Set the credential on headers that carry none."""
    if not key or scheme in {"none", "signer"}:
        return
    if scheme == "bearer":
        headers.set("authorization", f"Bearer {key}")
    else:
        headers.set(scheme, key)
