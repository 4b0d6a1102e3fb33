"""Requests, responses and exchanges: the slotted values every room speaks.

A body is bytes or a stream; only bytes can be retried or recorded. Header names are lower-case bytes and keep
their order and repetitions.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Protocol, Self

import msgspec

RawHeaders = list[tuple[bytes, bytes]]

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Fields that belong to one connection (RFC 9110 §7.6.1) and are never passed on."""


@lru_cache(maxsize=512)
def _wire(name: str) -> bytes:
    return name.lower().encode("latin-1")


@lru_cache(maxsize=128)
def _wires(names: tuple[str, ...]) -> frozenset[bytes]:
    return frozenset(map(_wire, names))


class Headers:
    """An ordered multimap of header fields; `raw` holds lower-case names, text names may have any case."""

    __slots__ = ("raw",)

    def __init__(self, raw: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.raw: RawHeaders = list(raw)

    @classmethod
    def of(cls, fields: Mapping[str, str] | Iterable[tuple[str, str]]) -> Self:
        """Build from text."""
        pairs = fields.items() if isinstance(fields, Mapping) else fields
        return cls((_wire(name), value.encode("latin-1")) for name, value in pairs)

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of a field."""
        wanted = _wire(name)
        for key, value in self.raw:
            if key == wanted:
                return value.decode("latin-1")
        return default

    def getall(self, name: str) -> list[str]:
        """Return every value of a field, in order."""
        wanted = _wire(name)
        return [value.decode("latin-1") for key, value in self.raw if key == wanted]

    def set(self, name: str, value: str) -> None:
        """Replace every value of a field by one."""
        self.remove(name)
        self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """Append a field."""
        self.raw.append((_wire(name), value.encode("latin-1")))

    def remove(self, *names: str) -> None:
        """Drop every value of the named fields."""
        unwanted = _wires(names)
        self.raw = [pair for pair in self.raw if pair[0] not in unwanted]

    def items(self) -> Iterator[tuple[str, str]]:
        """Yield the fields as text."""
        for name, value in self.raw:
            yield name.decode("latin-1"), value.decode("latin-1")

    def copy(self) -> "Headers":
        return Headers(self.raw)

    def has_any(self, *names: str) -> bool:
        """Say whether one of the named fields is there."""
        wanted = _wires(names)
        return any(name in wanted for name, _ in self.raw)

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(tuple(self.raw))

    def __repr__(self) -> str:
        return f"Headers({sorted({name.decode('latin-1') for name, _ in self.raw})})"


def end_to_end(headers: Headers, *others: str) -> Headers:
    """Return the fields that are not one connection's business (RFC 9110 §7.6.1), order and repetitions kept.

    `others` are left out, too.
    """
    unwanted = _of_one_connection(others)
    if named := headers.getall("connection"):
        unwanted |= {name.strip().encode("latin-1").lower() for value in named for name in value.split(",")}
    return Headers([pair for pair in headers.raw if pair[0] not in unwanted])


@lru_cache(maxsize=32)
def _of_one_connection(names: tuple[str, ...]) -> frozenset[bytes]:
    return HOP_BY_HOP | _wires(names)


class ByteStream(Protocol):
    """A body still arriving. `aclose` is idempotent and releases what feeds it."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class Request(msgspec.Struct, kw_only=True):
    """A request: `origin` is scheme and authority (`https://api.openai.com`), empty on the server side.

    `path` is percent-encoded as it goes over the wire; `query` has no `?`.
    """

    method: str
    path: str
    origin: str = ""
    query: str = ""
    headers: Headers = msgspec.field(default_factory=Headers)
    body: bytes | AsyncIterator[bytes] = b""

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def url(self) -> str:
        return self.origin + self.target

    async def read(self) -> bytes:
        """Return the whole body; a stream is drained once and kept."""
        if not isinstance(self.body, bytes):
            self.body = b"".join([chunk async for chunk in self.body])
        return self.body


class Response:
    """A response whose body is bytes or a stream; closing it is always safe and happens once."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Headers | None = None, body: bytes | ByteStream = b"") -> None:
        self.status = status
        self.headers = headers if headers is not None else Headers()
        self.body = body

    async def read(self) -> bytes:
        """Return the whole body and close.

        Raises:
            TruncatedError: the body ended before it was complete.
        """
        if not isinstance(self.body, bytes):
            stream = self.body
            try:
                self.body = b"".join([chunk async for chunk in stream])
            finally:
                await stream.aclose()
        return self.body

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it arrives; the caller closes."""
        if isinstance(self.body, bytes):
            if self.body:
                yield self.body
            return
        async for chunk in self.body:
            yield chunk

    async def aclose(self) -> None:
        if not isinstance(self.body, bytes):
            await self.body.aclose()

    def __repr__(self) -> str:
        return f"Response({self.status})"


class Ending(StrEnum):
    """How a response ended."""

    COMPLETE = "complete"
    TRUNCATED = "truncated-upstream"
    RESET = "reset"
    CLOSED_BY_CLIENT = "closed-by-client"
    ERROR = "error"


class Arrival(msgspec.Struct, frozen=True, array_like=True):
    """A chunk: milliseconds since the request was sent, and its size in bytes."""

    ms: int
    size: int


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its whole answer, with timing and how it ended; what every check judges.

    `arrivals` is empty when no timing is known. `upstream` holds what a gateway under test sent on, when known.
    """

    request: Request
    status: int
    headers: Headers
    body: bytes
    end: Ending = Ending.COMPLETE
    arrivals: tuple[Arrival, ...] = ()
    upstream: tuple["Exchange", ...] = ()
