"""httpx as a transport: the only module that imports it."""

from collections.abc import AsyncIterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from setu.errors import ConnectionFailedError, DeadlineError, TruncatedError
from setu.http import Headers, Request, Response, end_to_end

CONNECT_SECONDS = 10.0
READ_SECONDS = 600.0
_DROPPED = frozenset({b"content-length", b"content-encoding"})


class HttpxTransport:
    """Live hosts over httpx: no redirects, no cookies, proxies and certificates from the environment.

    `read_timeouts` are the seconds of silence allowed by origin, `read_timeout` those of any other. `verbatim` keeps
    every field of an answer, those of the connection, too: for who judges them.
    """

    def __init__(
        self,
        *,
        read_timeout: float = READ_SECONDS,
        read_timeouts: Mapping[str, float] | None = None,
        max_connections: int = 1000,
        verbatim: bool = False,
    ) -> None:
        self._verbatim = verbatim
        self._timeouts = {
            origin: httpx.Timeout(seconds, connect=CONNECT_SECONDS, pool=None)
            for origin, seconds in (read_timeouts or {}).items()
        }
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(read_timeout, connect=CONNECT_SECONDS, pool=None),
            limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=100),
            follow_redirects=False,
            # A jar would give one client's cookies to the next.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )
        # httpx would add its own; what goes upstream is what the caller says.
        self._client.headers.clear()

    async def send(self, request: Request) -> Response:
        """Send and return at the head of the answer.

        Raises:
            ConnectionFailedError: no connection, or it broke before the head.
            DeadlineError: no answer in time.
        """
        headers = end_to_end(request.headers).raw
        # A host field of the caller's own names the host behind an address: TLS must ask for that name.
        named = request.headers.get("host")
        extensions = {"sni_hostname": named.partition(":")[0]} if named else {}
        outgoing = self._client.build_request(
            request.method,
            request.url,
            headers=httpx.Headers(headers),
            content=request.body,
            extensions=extensions,
            timeout=self._timeouts.get(request.origin, httpx.USE_CLIENT_DEFAULT),
        )
        try:
            answer = await self._client.send(outgoing, stream=True)
        except httpx.TimeoutException as error:
            raise DeadlineError(f"{request.origin} did not answer in time ({type(error).__name__})") from None
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ConnectionFailedError(f"cannot reach {request.origin}: {_reason(error)}") from None
        fields = Headers((name.lower(), value) for name, value in answer.headers.raw)
        if self._verbatim:
            return Response(answer.status_code, fields, HttpxStream(answer, request.origin))
        fields = end_to_end(fields)
        kept = Headers(pair for pair in fields.raw if pair[0] not in _DROPPED)
        return Response(answer.status_code, kept, HttpxStream(answer, request.origin))

    async def aclose(self) -> None:
        await self._client.aclose()


class HttpxStream:
    """A response body that is still arriving, decoded if it was compressed."""

    __slots__ = ("_answer", "_origin")

    def __init__(self, answer: httpx.Response, origin: str) -> None:
        self._answer = answer
        self._origin = origin

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._answer.aiter_bytes():
                yield chunk
        except httpx.TimeoutException:
            raise DeadlineError(f"{self._origin} went silent in mid-answer") from None
        except httpx.DecodingError:
            raise TruncatedError(f"{self._origin} sent a body that its content-encoding does not fit") from None
        except httpx.TransportError as error:
            reset = isinstance(error, httpx.ReadError)
            raise TruncatedError(f"{self._origin} cut its answer short: {_reason(error)}", reset=reset) from None

    async def aclose(self) -> None:
        await self._answer.aclose()


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
