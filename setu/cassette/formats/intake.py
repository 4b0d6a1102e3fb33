"""How what another tool kept becomes an interaction: redacted, classified, honest about what was lost."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from setu.cassette.bodies import decompress
from setu.cassette.edits import Secrets
from setu.cassette.gate import redact_exchange
from setu.cassette.match import NO_VOLATILE, Volatile, canonical_of, digest_of, route_of
from setu.cassette.model import Interaction, Timing
from setu.cassette.pieces import arrivals_of, pieces_of, timing_of
from setu.errors import CassetteDecodeError
from setu.http import Exchange, Headers, Request


class Skipped(NamedTuple):
    """An entry that became no interaction: where it stands, and why, in words that equal cases share."""

    place: str
    reason: str


Found = Interaction | Skipped
Data = bytes | Iterable[bytes]
"""What a file holds: the whole of it, or its lines as a binary file yields them."""


class Intake(NamedTuple):
    """What an import takes out of what it takes in.

    `secrets` are values that go wherever they stand, besides all that looks like one; `volatile` is what the match
    key leaves out.
    """

    secrets: Secrets = ()
    volatile: Volatile = NO_VOLATILE

    def take_in(self, raw: Interaction) -> Interaction:
        """Return the interaction as it may be stored, with its dialect, operation and match key."""
        exchange = raw.exchange
        # Before redaction, which may change lengths but never the number of events.
        timing = raw.recording.timing or timing_of(exchange)
        kept, redacted = redact_exchange(exchange, self.secrets)
        route = route_of(kept.request)
        canonical = canonical_of(kept.request, route, self.volatile)
        operation = f"{route.dialect}.{route.operation}" if route else ""
        recording = msgspec.structs.replace(
            raw.recording,
            dialect=raw.recording.dialect or (route.dialect if route else ""),
            op=raw.recording.op or (f"{operation}.stream" if operation and canonical.head["stream"] else operation),
            key=digest_of(canonical),
            timing=timing,
            chunks=raw.recording.chunks if len(kept.body) == len(exchange.body) else (),
            redacted=tuple(dict.fromkeys((*raw.recording.redacted, *redacted))),
        )
        arrivals = (arrivals_of(pieces_of(kept), timing) or ()) if timing else ()
        return msgspec.structs.replace(
            raw, exchange=msgspec.structs.replace(kept, arrivals=arrivals), recording=recording
        )


DEFAULT = Intake()


def each(
    entries: Iterable[tuple[str, Any]], read: Callable[[Any, str], Iterable[Found]], intake: Intake
) -> Iterator[Found]:
    """Read entries one by one, each with its place; one that cannot be read is skipped with what is wrong with it."""
    for place, entry in entries:
        try:
            for found in read(entry, place):
                yield found if isinstance(found, Skipped) else intake.take_in(found)
        except CassetteDecodeError as error:
            yield Skipped(place, str(error).removeprefix(f"{place}: "))


def request_of(method: str, url: str, headers: Headers, body: bytes) -> Request:
    """Build a request from an absolute or a relative URL.

    Raises:
        CassetteDecodeError: the URL is none.
    """
    try:
        split = urlsplit(url)
    except ValueError as error:
        raise CassetteDecodeError(f"not a URL: {error}") from None
    origin = f"{split.scheme}://{split.netloc}" if split.netloc else ""
    return Request(
        method=method.upper(), origin=origin, path=split.path or "/", query=split.query, headers=headers, body=body
    )


def without_encoding(headers: Headers, body: bytes) -> tuple[Headers, bytes, str | None]:
    """Undo the content encoding; None for its name, and all as it was, where there is none or it cannot be undone."""
    encoding = headers.get("content-encoding")
    plain = decompress(body, encoding) if encoding else None
    if plain is None:
        return headers, body, None
    kept = headers.copy()
    kept.remove("content-encoding")
    return kept, plain, encoding


def whole_timing(exchange: Exchange, ttfb_ms: float, received_ms: float) -> Timing | None:
    """Return the timing of an answer of which only the first and the last byte's times are known.

    None for a stream: its events came at times that nobody kept.
    """
    count = len(pieces_of(exchange))
    if count > 1 or ttfb_ms < 0:
        return None
    return Timing(ttfb_ms=round(ttfb_ms / 5) * 5, events_ms=(round(max(received_ms, 0) / 5) * 5,) * count)


LARGEST = 1024**3
"""Bytes of a file that has to be in memory as a whole."""


def joined(data: Data, name: str, largest: int = LARGEST) -> bytes:
    """Return the whole of a file.

    Raises:
        CassetteDecodeError: it is too large for that.
    """
    pieces: list[bytes] = []
    left = largest
    for piece in (data,) if isinstance(data, bytes) else data:
        left -= len(piece)
        if left < 0:
            raise CassetteDecodeError(
                f"{name}: larger than {largest / 1024**3:g} GiB, and this format is read as a whole: split the file"
            )
        pieces.append(piece)
    return b"".join(pieces)


def lines(data: Data) -> Iterable[bytes]:
    return data.splitlines(keepends=True) if isinstance(data, bytes) else data
