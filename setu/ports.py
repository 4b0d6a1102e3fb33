"""The seams between rooms, as protocols; nothing here does anything."""

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from setu.http import Request, Response

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Transport(Protocol):
    """Whatever answers a request: a live host, a cassette, a script, a fault, the gateway itself."""

    async def send(self, request: Request) -> Response:
        """Return the response as soon as its head is known; the caller closes it."""
        ...

    async def aclose(self) -> None:
        """Release connections and files."""
        ...


class Signer(Protocol):
    """Credentials that need more than a header: a signature over the request, a token that expires."""

    async def sign(self, request: Request) -> Request:
        """Return the request with its credential; called last, on the exact bytes that will be sent."""
        ...


class Fetcher(Protocol[T_co]):
    """Fetches what a URL of the client's names."""

    async def fetch(self, url: str) -> T_co: ...


class Clock(Protocol):
    """Time, handed in so that decisions can be tested."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class Ids(Protocol):
    """Identifiers, handed in so that answers can be reproduced."""

    def __call__(self, prefix: str) -> str:
        """Return a fresh identifier such as `chatcmpl-…` for the prefix `chatcmpl-`."""
        ...


class SealStore(Protocol[T]):
    """Seals by tool call id, for clients whose wire format cannot carry them; bounded, forgetful."""

    def get(self, call_ids: Iterable[str]) -> Mapping[str, T]: ...

    def put(self, seals: Mapping[str, T]) -> None: ...


class CacheStore(Protocol):
    """Where answers are kept: bytes by key, forgotten after `ttl` seconds at the latest.

    A store that cannot answer at once says None; it never makes a request wait for long, and never raises.
    """

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, value: bytes, ttl: float) -> None: ...

    async def delete(self, key: str) -> None: ...

    async def aclose(self) -> None:
        """Release connections."""
        ...


class NearStore(CacheStore, Protocol):
    """A store that also finds answers to requests that mean the same (a semantic cache)."""

    async def near(self, key: str, scope: str, request: Request) -> bytes | None:
        """Return what was put for a similar request of the same `scope`, or None.

        It is asked when `get(key)` found nothing. Requests of two scopes (tenants, models, endpoints, streams or not)
        must never share an answer. `put(key, …)` follows once the request was answered.
        """
        ...
