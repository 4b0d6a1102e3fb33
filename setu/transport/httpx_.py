"""httpx as a transport: the only module that imports it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx
import msgspec

from setu.errors import ConfigError, ConnectionFailedError, DeadlineError, TruncatedError
from setu.http import Headers, Request, Response, end_to_end
from setu.resilience.deadlines import late
from setu.resilience.policy import Timeouts
from setu.transport import http2

CONNECT_SECONDS = 10.0
READ_SECONDS = 600.0
_DROPPED = frozenset({b"content-length", b"content-encoding"})
_GRACE = 0.25
"""Seconds by which our own timer lets httpx's go first: that one also gives up a connection which has died."""


class OriginSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How one origin is spoken to. `http2` on plain http means prior knowledge; `ca_file` takes a PEM bundle."""

    timeouts: Timeouts = Timeouts()
    http2: bool = False
    proxy: str | None = None
    ca_file: str | None = None


_Line = tuple[bool, bool, str | None, str | None]
"""What origins need to share a client: HTTP/2, without TLS, the proxy, the authorities."""

_COMMON: _Line = (False, False, None, None)


class HttpxTransport:
    """Live hosts over httpx: no redirects, no cookies, proxies and certificates from the environment.

    `origins` say how each of them is spoken to. `read_timeouts` are the seconds of silence allowed by origin,
    `read_timeout` those of any other. `verbatim` keeps every field of an answer, those of the connection, too: for who
    judges them.
    """

    def __init__(
        self,
        *,
        read_timeout: float = READ_SECONDS,
        read_timeouts: Mapping[str, float] | None = None,
        max_connections: int = 1000,
        verbatim: bool = False,
        origins: Mapping[str, OriginSettings] | None = None,
    ) -> None:
        self._verbatim = verbatim
        self._limits = httpx.Limits(max_connections=max_connections, max_keepalive_connections=100)
        self._timeouts = {origin: _silence(seconds) for origin, seconds in (read_timeouts or {}).items()}
        self._timeouts |= {origin: settings.timeouts for origin, settings in (origins or {}).items()}
        self._timeout = _silence(read_timeout)
        self._client = _client(self._limits, _COMMON)
        self._clients = self._lines(origins or {})
        self._http2 = frozenset(origin for origin, settings in (origins or {}).items() if settings.http2)

    def _lines(self, origins: Mapping[str, OriginSettings]) -> dict[str, httpx.AsyncClient]:
        """Open a client for each origin that wants other than the common one, one for those that want the same."""
        common: dict[_Line, httpx.AsyncClient] = {_COMMON: self._client}
        clients: dict[str, httpx.AsyncClient] = {}
        for origin, settings in origins.items():
            plain = settings.http2 and origin.startswith("http:")
            line = (settings.http2, plain, settings.proxy, settings.ca_file)
            if line not in common:
                common[line] = _client(self._limits, line)
            clients[origin] = common[line]
        return clients

    async def send(self, request: Request) -> Response:
        """Send and return at the head of the answer.

        Raises:
            ConnectionFailedError: no connection, or it broke before the head.
            DeadlineError: no answer in time; the sentence names the deadline.
        """
        origin = request.origin
        timeouts = self._timeouts.get(origin, self._timeout)
        client = self._clients.get(origin, self._client)
        # httpcore looks up each of these when it begins to wait: what stands for the head is changed for the body.
        waits = {
            "connect": timeouts.connect,
            "read": timeouts.first_byte,
            "write": timeouts.idle,
            "pool": timeouts.pool,
        }
        extensions: dict[str, Any] = {"timeout": waits}
        # A host field of the caller's own names the host behind an address: TLS must ask for that name.
        if named := request.headers.get("host"):
            extensions["sni_hostname"] = named.partition(":")[0]
        if origin in self._http2:
            extensions["trace"] = http2.Leaving(client._transport_for_url(httpx.URL(origin)))  # noqa: SLF001 # see there
        headers = httpx.Headers(end_to_end(request.headers).raw)
        try:
            outgoing = client.build_request(
                request.method, request.url, headers=headers, content=request.body, extensions=extensions
            )
            # httpx counts the silence before each piece of a head: one that trickles in has a deadline here.
            async with asyncio.timeout(timeouts.first_byte + _GRACE):
                answer = await client.send(outgoing, stream=True)
        except (httpx.TimeoutException, TimeoutError) as error:
            raise DeadlineError(_late(error, origin, timeouts)) from None
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ConnectionFailedError(f"cannot reach {origin}: {_reason(error)}") from None
        waits["read"] = timeouts.idle
        return self._answered(answer, origin, timeouts.idle)

    def _answered(self, answer: httpx.Response, origin: str, idle: float) -> Response:
        fields = Headers((name.lower(), value) for name, value in answer.headers.raw)
        stream = HttpxStream(answer, origin, idle)
        if self._verbatim:
            return Response(answer.status_code, fields, stream)
        fields = end_to_end(fields)
        kept = Headers(pair for pair in fields.raw if pair[0] not in _DROPPED)
        return Response(answer.status_code, kept, stream)

    async def aclose(self) -> None:
        for client in {self._client, *self._clients.values()}:
            await client.aclose()


class HttpxStream:
    """A response body that is still arriving, decoded if it was compressed."""

    __slots__ = ("_answer", "_idle", "_origin")

    def __init__(self, answer: httpx.Response, origin: str, idle: float) -> None:
        self._answer = answer
        self._origin = origin
        self._idle = idle

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            chunks = self._answer.aiter_bytes()
            if self._answer.http_version == "HTTP/2":
                chunks = self._timed(chunks)
            async for chunk in chunks:
                yield chunk
        except (httpx.TimeoutException, TimeoutError):
            raise DeadlineError(late("idle", self._origin, self._idle)) from None
        except httpx.DecodingError:
            raise TruncatedError(f"{self._origin} sent a body that its content-encoding does not fit") from None
        except httpx.TransportError as error:
            reset = isinstance(error, httpx.ReadError) or http2.ending(error) is not None
            raise TruncatedError(f"{self._origin} cut its answer short: {_reason(error)}", reset=reset) from None

    async def _timed(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Time each stream by itself: httpx only times the connection, which is not silent while any stream speaks."""
        while True:
            async with asyncio.timeout(self._idle + _GRACE):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield chunk

    async def aclose(self) -> None:
        await self._answer.aclose()


def _silence(seconds: float) -> Timeouts:
    return Timeouts(connect=CONNECT_SECONDS, first_byte=seconds, idle=seconds)


def _client(limits: httpx.Limits, line: _Line) -> httpx.AsyncClient:
    wants_http2, plain, proxy, ca_file = line
    if wants_http2:
        http2.require()
    try:
        client = httpx.AsyncClient(
            http1=not plain,
            http2=wants_http2,
            proxy=proxy,
            verify=ssl.create_default_context(cafile=ca_file) if ca_file else True,
            timeout=None,  # noqa: S113 # every request brings its own
            limits=limits,
            follow_redirects=False,
            # A jar would give one client's cookies to the next.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )
    except OSError as error:
        raise ConfigError(f"ca_file {ca_file} cannot be used: {error.strerror or error}") from None
    except ImportError:
        raise ConfigError('SOCKS proxies are not installed: pip install "httpx[socks]"') from None
    except (ValueError, httpx.InvalidURL):
        # Without the reason: it may hold the URL, and that a password.
        raise ConfigError("a proxy cannot be used: it must be an http://, https:// or socks5:// URL") from None
    # httpx would add its own; what goes upstream is what the caller says.
    client.headers.clear()
    return client


def _late(error: Exception, origin: str, timeouts: Timeouts) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return late("connect", origin, timeouts.connect)
    if isinstance(error, httpx.PoolTimeout):
        return late("pool", origin, timeouts.pool or 0.0)
    return late("first_byte", origin, timeouts.first_byte)


def _reason(error: Exception) -> str:
    return http2.ending(error) or str(error) or type(error).__name__
