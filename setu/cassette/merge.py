"""Record again without noise: what has not changed stays as it is on file, where it is."""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence

from setu.cassette.match import boundary_of
from setu.cassette.model import Interaction
from setu.http import Exchange, Headers

_OF_THE_MOMENT = re.compile(
    r"(?:x-|anthropic-)?ratelimit.*|retry-after.*|openai-processing-ms|(?:apim-|x-)?request-id|x-amzn-requestid"
    r"|x-generation-id"
)
"""Response fields that differ from call to call of the same answer."""


def settled(
    old: Sequence[Interaction], new: Iterable[Interaction], key_of: Callable[[Interaction], str]
) -> list[Interaction]:
    """Return the new recordings, each in its old words where nothing but the time of day has changed.

    A recording takes the place of an old one of the same request (`key_of`); one of a new request comes after the
    one that was recorded before it. Old recordings of requests that were not made again are gone.
    """
    places: defaultdict[str, deque[int]] = defaultdict(deque)
    for index, interaction in enumerate(old):
        places[key_of(interaction)].append(index)
    placed: list[tuple[int, Interaction]] = []
    last: defaultdict[str, int] = defaultdict(lambda: -1)
    at = -1
    for interaction in new:
        key = key_of(interaction)
        kept = interaction
        if places[key]:
            at = places[key].popleft()
            kept = old[at] if unchanged(old[at], interaction) else interaction
        at = last[key] = max(at, last[key])  # never before an equal request that was made before it
        placed.append((at, kept))
    return [interaction for _, interaction in sorted(placed, key=lambda pair: pair[0])]


def unchanged(old: Interaction, new: Interaction) -> bool:
    """Say whether two recordings tell the same but for when it was.

    Dates, timing, call ids, quotas left and the boundaries of forms are of the moment.
    """
    return _lasting(old.exchange) == _lasting(new.exchange)


def _lasting(exchange: Exchange) -> tuple[object, ...]:
    request = exchange.request
    assert isinstance(request.body, bytes)
    asked = (request.method, request.url, *_message(request.headers, request.body))
    return (*asked, exchange.status, *_message(exchange.headers, exchange.body), exchange.end)


def _message(headers: Headers, body: bytes) -> tuple[list[tuple[str, str]], bytes]:
    fields = sorted(pair for pair in headers.items() if _OF_THE_MOMENT.fullmatch(pair[0]) is None)
    boundary = boundary_of(headers)
    if boundary is None:
        return fields, body
    fields = [(name, value.replace(boundary, "") if name == "content-type" else value) for name, value in fields]
    return fields, body.replace(b"--" + boundary.encode("latin-1", "replace"), b"--")
