"""Two sets of recordings side by side: the same calls by their match key, and what became of them."""

import difflib
import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from setu._json import JsonError, decode
from setu.cassette.match import model_of
from setu.cassette.merge import unchanged
from setu.cassette.model import Interaction
from setu.cassette.tables import events_of

KeyOf = Callable[[Interaction], str]

_CONTEXT = 2
_MAX_LINES = 4000
"""Longer texts are not compared line by line: that takes time with the square of their length."""


class Pair(NamedTuple):
    """A call and its recordings in the old and in the new set; one is None where there is none."""

    key: str
    old: Interaction | None
    new: Interaction | None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a recording; `diff` is how it changed, in lines of a unified diff."""

    kind: Literal["added", "removed", "changed"]
    key: str
    call: str
    old: str = ""
    new: str = ""
    diff: tuple[str, ...] = ()


def pairs_of(old: Iterable[Interaction], new: Iterable[Interaction], key_of: KeyOf) -> list[Pair]:
    """Return every recording once: the first of a call with the first of the same call, the second with the second.

    The order is that of the old set, then that of what is new.
    """
    waiting: defaultdict[tuple[str, str], deque[Interaction]] = defaultdict(deque)
    for each in new:
        waiting[each.recording.side, key_of(each)].append(each)
    pairs: list[Pair] = []
    for each in old:
        key = key_of(each)
        others = waiting[each.recording.side, key]
        pairs.append(Pair(key, each, others.popleft() if others else None))
    return pairs + [Pair(key, None, each) for (_, key), others in waiting.items() for each in others]


def changes_of(pairs: Iterable[Pair], limit: int) -> Iterator[Change]:
    """Yield what differs; `limit` is how many lines of a recording's diff are kept, 0: all."""
    for key, old, new in pairs:
        if old is not None and new is not None:
            if not unchanged(old, new):
                lines = _cut(diff_of(old, new), limit)
                yield Change(kind="changed", key=key, call=call_of(old), old=old.place, new=new.place, diff=lines)
        elif old is not None:
            yield Change(kind="removed", key=key, call=call_of(old), old=old.place)
        elif new is not None:
            yield Change(kind="added", key=key, call=call_of(new), new=new.place)


def call_of(interaction: Interaction) -> str:
    """Return a call in few words: method, URL, model."""
    request = interaction.exchange.request
    model = model_of(request)
    return f"{request.method} {request.url}" + (f" ({model})" if model else "")


def diff_of(old: Interaction, new: Interaction) -> list[str]:
    """Return a unified diff of two recordings, request and answer; of streams, event by event."""
    before, after = list(_lines(old)), list(_lines(new))
    if max(len(before), len(after)) > _MAX_LINES:
        sizes = f"{len(old.exchange.body)} and {len(new.exchange.body)} bytes"
        return [f"the recordings are too long to be compared line by line: answers of {sizes}"]
    lines = difflib.unified_diff(before, after, n=_CONTEXT, lineterm="")
    found = [line for line in lines if not line.startswith(("---", "+++"))]
    return found or ["the bytes differ, what they say does not"]


def _lines(interaction: Interaction) -> Iterator[str]:
    exchange = interaction.exchange
    assert isinstance(exchange.request.body, bytes)
    yield f"> {exchange.request.method} {exchange.request.url}"
    yield from sorted(f"> {name}: {value}" for name, value in exchange.request.headers.items())
    yield from _body(exchange.request.body)
    yield f"< {exchange.status} ({exchange.end.value})"
    yield from sorted(f"< {name}: {value}" for name, value in exchange.headers.items())
    events = [f"{event.name or 'data'}: {event.data}" for event in events_of(interaction)]
    yield from events or _body(exchange.body)


def _body(body: bytes) -> Iterator[str]:
    try:
        value: Any = decode(body)
        yield from json.dumps(value, indent=2, ensure_ascii=False).splitlines()
    except (JsonError, RecursionError, ValueError):
        yield from body.decode("utf-8", "backslashreplace").splitlines()


def _cut(lines: Sequence[str], limit: int) -> tuple[str, ...]:
    if not limit or len(lines) <= limit:
        return tuple(lines)
    return (*lines[:limit], f"… {len(lines) - limit} more lines")
