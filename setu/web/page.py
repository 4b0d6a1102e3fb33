"""The page of recordings: one HTML file that needs nothing else, no server and no network."""

from collections.abc import Iterable
from typing import Any

import msgspec

from setu import __version__
from setu.cassette.model import Interaction
from setu.cassette.tables import events_of, row_of
from setu.web.conversation import turns_of
from setu.web.template import template
from setu.web.waterfall import WIDTH, waterfall_of

_MAX_WIRE = 200_000
"""Characters of a body that the page shows; the rest is counted."""


def page(interactions: Iterable[Interaction], title: str) -> str:
    """Return the page; whatever a recording says is shown as text, never run."""
    found = [_entry(index, each) for index, each in enumerate(interactions, 1)]
    text: str = template("recordings.html").render(title=title, entries=found, version=__version__, width=WIDTH)
    return text


def _entry(index: int, each: Interaction) -> dict[str, Any]:
    exchange = each.exchange
    request = exchange.request
    assert isinstance(request.body, bytes)
    return {
        "id": f"r{index}",
        "row": row_of(each),
        "notes": each.notes,
        "recording": each.recording,
        "reason": each.reason,
        "turns": turns_of(each),
        "events": events_of(each),
        "waterfall": waterfall_of(each),
        "request_headers": list(request.headers.items()),
        "response_headers": list(exchange.headers.items()),
        "request_body": _shown(request.body),
        "response_body": _shown(exchange.body),
        "redacted": list(msgspec.to_builtins(each.recording.redacted)),
    }


def _shown(body: bytes) -> str:
    text = body.decode("utf-8", "backslashreplace")
    if len(text) <= _MAX_WIRE:
        return text
    return f"{text[:_MAX_WIRE]}\n… and {len(text) - _MAX_WIRE} characters more"
