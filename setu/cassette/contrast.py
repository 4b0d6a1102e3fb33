"""A translation beside the recording of it: every value that is not what it was, in the request and in the answer.

Unlike drift, which is about structure, this is about the same input twice: whatever differs, the code has changed.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from setu._json import JsonError, decode
from setu.cassette.drift import Drift
from setu.cassette.match import Canonical, canonical_of
from setu.cassette.misses import ABSENT, differences, shown
from setu.cassette.model import Interaction
from setu.cassette.pieces import framing_of
from setu.cassette.redact import redact_request
from setu.framing.kinds import DECODERS
from setu.http import Exchange, Headers, Request

MOST = 10
"""Differences that are told of one request and of one answer; a shifted stream would fill pages."""

_LASTING = ("content-type", "retry-after", "x-should-retry", "allow")
"""Fields of an answer that its translation decides; the others say which call it was, and when."""

Fold = Callable[[Exchange], Any]
"""Returns what a streamed answer amounts to, as plain values; None where it is no stream of an answer."""

_Told = Iterator[tuple[str, Any, Any]]


def of_requests(recorded: Interaction, sent: Request | None) -> list[Drift]:
    """Return how a request that was sent differs from the recorded one; None: none was sent.

    Bodies are compared as matching does it, ids of tool calls renamed. Pointers are `request` (method and URL), JSON
    pointers after `request:`, and `request:headers/…`.
    """
    if sent is None:
        return _limited(
            recorded.place, [("request", ABSENT, f"{recorded.exchange.request.method} {recorded.exchange.request.url}")]
        )
    want, _ = redact_request(recorded.exchange.request)
    got, _ = redact_request(sent)
    found = [*_of_values("request:", canonical_of(want).body, canonical_of(got).body)]
    places = [f"{each.method} {each.url}" for each in (want, got)]
    if places[0] != places[1]:
        found.append(("request", places[1], places[0]))
    names = sorted({name for headers in (want.headers, got.headers) for name, _ in headers.items()})
    found += _of_headers("request:headers", want.headers, got.headers, names)
    return _limited(recorded.place, found)


def of_answers(recorded: Interaction, found: Interaction, fold: Fold) -> list[Drift]:
    """Return how an answer differs from the recorded one: what it amounts to, its events, and last its bytes.

    Pointers are `status`, `end`, `headers/…`, and JSON pointers after `answer:` (a body), `folded:` (what a stream
    amounts to) or `events/3:` (its fourth event); `bytes/N` is where equal values are written otherwise.
    """
    return _limited(recorded.place, [*_of_answers(recorded.exchange, found.exchange, fold)])


def _of_answers(want: Exchange, got: Exchange, fold: Fold) -> _Told:
    if want.status != got.status:
        yield "status", got.status, want.status
    if want.end is not got.end:
        yield "end", got.end.value, want.end.value
    yield from _of_headers("headers", want.headers, got.headers, _LASTING)
    if want.body == got.body:
        return
    told = [*_of_values("folded:", fold(want), fold(got)), *_of_bodies(want, got)]
    yield from told or _of_bytes(want.body, got.body)


def _of_bodies(want: Exchange, got: Exchange) -> _Told:
    """Compare two bodies as JSON; streams event by event, up to the first that differs."""
    if framing_of(want) == "json" or framing_of(got) == "json":
        yield from _of_values("answer:", _value(want.body), _value(got.body))
        return
    was, now = ([*_events(each)] for each in (want, got))
    for index in range(max(len(was), len(now))):
        one, two = (each[index] if index < len(each) else ABSENT for each in (was, now))
        if one is ABSENT or two is ABSENT:
            yield f"events/{index}", two, one
            return
        told = [*_of_values(f"events/{index}:", one, two)]
        yield from told
        if told:
            return


def _events(exchange: Exchange) -> Iterator[Any]:
    decoder = DECODERS[framing_of(exchange)]()
    for frame in (*decoder.feed(exchange.body), *decoder.close()):
        value = None if frame.data is None else _value(frame.data)
        yield value if frame.event is None else {"event": frame.event, "data": value}


def _of_values(lead: str, want: Any, got: Any) -> _Told:
    for pointer, was, now in differences(Canonical({}, want), Canonical({}, got)):
        yield f"{lead}{pointer}", now, was


def _of_headers(lead: str, want: Headers, got: Headers, names: Iterable[str]) -> _Told:
    for name in names:
        was, now = (ABSENT if name not in each else each.get(name) for each in (want, got))
        if was != now:
            yield f"{lead}/{name}", now, was


def _of_bytes(want: bytes, got: bytes) -> _Told:
    at = next((at for at, pair in enumerate(zip(want, got, strict=False)) if pair[0] != pair[1]), 0)
    at = at or min(len(want), len(got))
    now, was = (each[max(at - 20, 0) : at + 60].decode("utf-8", "replace") for each in (got, want))
    yield f"bytes/{at}", now, was


def _value(body: bytes) -> Any:
    try:
        return decode(body)
    except (JsonError, RecursionError):
        return body.decode("utf-8", "backslashreplace")


def _limited(place: str, told: Iterable[tuple[str, Any, Any]]) -> list[Drift]:
    found = []
    for pointer, got, want in islice(told, MOST):
        is_, was = shown(got, want), shown(want, got)
        found.append(
            Drift(level="error", place=place, pointer=pointer, message=f"is {is_}, was {was}", got=is_, want=was)
        )
    return found
