"""Fetch the media behind a URL, for targets that take bytes only; guarded, because the URL is a stranger's.

A client that may name any URL could make the gateway read what only the gateway can reach (SSRF). So: http and https on
their own ports, a public address (checked after resolving, and then connected to, so that a second answer of the
name server changes nothing), no credentials, no redirects to elsewhere, a size and a time limit, and media only.
"""

import asyncio
import base64
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urljoin, urlsplit

from setu.chat.parts import Inline
from setu.errors import LocalDialectError, SetuError
from setu.http import Headers, Request, Response
from setu.media import sniff
from setu.ports import Transport

MAX_BYTES = 20 * 1024 * 1024
SECONDS = 20.0
REDIRECTS = 3
_PORTS = {"http": 80, "https": 443}
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_MEDIA = ("image/", "audio/", "video/", "application/pdf", "text/")

Resolve = Callable[[str, int], Awaitable[Iterable[str]]]


async def resolve(host: str, port: int) -> Iterable[str]:
    """Return the addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def is_public(address: str) -> bool:
    """Tell whether an address is out on the internet; everything else is nobody's business but ours."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if inner is not None:
            return is_public(str(inner))
    return parsed.is_global and not parsed.is_multicast


class MediaFetcher:
    """Fetches media through a transport. `allow_private` drops the address check: for tests and closed networks."""

    def __init__(
        self,
        transport: Transport,
        *,
        resolve: Resolve = resolve,
        allow_private: bool = False,
        max_bytes: int = MAX_BYTES,
        seconds: float = SECONDS,
    ) -> None:
        self._transport = transport
        self._resolve = resolve
        self._allow_private = allow_private
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def fetch(self, url: str) -> Inline:
        """Return the bytes behind a URL, and what they are.

        Raises:
            LocalDialectError: the URL may not be fetched, or there is no medium behind it.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(url)
        except TimeoutError:
            raise _refused(url, "did not answer in time") from None
        except LocalDialectError:
            raise
        except SetuError:
            raise _refused(url, "cannot be reached") from None

    async def _follow(self, url: str) -> Inline:
        for _ in range(REDIRECTS + 1):
            response = await self._transport.send(await self._request(url))
            try:
                if response.status not in _REDIRECT:
                    return await self._inline(url, response)
                url = urljoin(url, response.headers.get("location") or "")
            finally:
                await response.aclose()
        raise _refused(url, "redirects too often")

    async def _request(self, url: str) -> Request:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            raise _refused(url, "is not a URL") from None
        host = parts.hostname
        if parts.scheme not in _PORTS or not host or parts.username or parts.password:
            raise _refused(url, "is not a plain http or https URL")
        if port not in {None, _PORTS[parts.scheme]} and not self._allow_private:
            raise _refused(url, "names a port")
        address = await self._address(url, host, port or _PORTS[parts.scheme])
        literal = f"[{address}]" if ":" in address else address
        headers = Headers.of({"host": parts.netloc, "accept": "image/*, audio/*, video/*, application/pdf, text/*"})
        headers.set("accept-encoding", "identity")
        origin = f"{parts.scheme}://{literal}" + (f":{port}" if port else "")
        return Request(method="GET", origin=origin, path=parts.path or "/", query=parts.query, headers=headers)

    async def _address(self, url: str, host: str, port: int) -> str:
        try:
            addresses = list(await self._resolve(host, port))
        except OSError:
            raise _refused(url, "names an unknown host") from None
        if not addresses or not (self._allow_private or all(is_public(address) for address in addresses)):
            raise _refused(url, "is not on the public internet")
        return addresses[0]

    async def _inline(self, url: str, response: Response) -> Inline:
        if response.status != 200:
            raise _refused(url, f"answered {response.status}")
        declared = response.headers.get("content-length") or "0"
        data = bytearray()
        if not declared.isdigit() or int(declared) <= self._max_bytes:
            async for chunk in response.chunks():
                data += chunk
                if len(data) > self._max_bytes:
                    break
        else:
            data = bytearray(self._max_bytes + 1)
        if len(data) > self._max_bytes:
            raise _refused(url, f"is larger than {self._max_bytes} bytes")
        b64 = base64.b64encode(data).decode()
        mime = sniff(b64) or (response.headers.get("content-type") or "").partition(";")[0].strip().lower()
        if not mime.startswith(_MEDIA):
            raise _refused(url, "is not an image, a sound, a film or a document")
        return Inline(b64=b64, mime=mime)


def _refused(url: str, why: str) -> LocalDialectError:
    shown = url.partition("?")[0][:200]
    return LocalDialectError(f"the media URL {shown} {why}", code="unsupported_media")
