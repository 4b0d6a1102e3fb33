"""The journal: what a replay was asked, in order, and what it answered."""

from collections import Counter, deque
from collections.abc import Iterator

import msgspec

from setu.cassette.httpdate import parse_date
from setu.http import Ending, Headers

RETRY_COUNT = "x-stainless-retry-count"
"""The field by which OpenAI's and Anthropic's clients say which attempt of a call a request is, from 0."""


class Served(msgspec.Struct, kw_only=True):
    """One request and its answer.

    Times are in milliseconds since the journal's first request; `done_ms` and `ended` are 0 and empty while the answer
    is under way. `match` says how the recording was found, or "miss", "fault" (an error answer of a fault),
    "translated" (from a recording of another dialect), "recorded", "refused". `path` and `model` are the client's own,
    without what looks like a secret; `key` is that of the recordings that may answer. `fault` are the faults that
    changed the answer, in their text form; `broken` says that a client that takes the answer for a whole one is
    mistaken. `attempt` is what the client says of itself (its retry count), None for a client that says nothing.
    """

    n: int = 0
    at_ms: int = 0
    scope: str = ""
    dialect: str = ""
    op: str = ""
    method: str = ""
    path: str = ""
    model: str = ""
    key: str = ""
    status: int = 0
    match: str = ""
    place: str = ""
    fault: str = ""
    broken: bool = False
    retry_after_ms: int | None = None
    attempt: int | None = None
    ended: str = ""
    done_ms: int = 0
    events: int = 0


class Journal:
    """The last requests, and how many there were of each kind; one journal may serve several replays."""

    def __init__(self, limit: int = 10_000) -> None:
        self._entries: deque[Served] = deque(maxlen=limit)
        self._start: float | None = None
        self._counts: Counter[str] = Counter()
        self._n = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Served]:
        return iter(self._entries)

    @property
    def entries(self) -> tuple[Served, ...]:
        return tuple(self._entries)

    @property
    def requests(self) -> int:
        """How many requests there were, those forgotten included."""
        return self._n

    @property
    def hits(self) -> int:
        """How many requests were answered from a recording."""
        others = ("miss", "fault", "refused", "recorded")
        return self._counts.total() - sum(self._counts[name] for name in others)

    @property
    def misses(self) -> int:
        return self._counts["miss"]

    @property
    def faults(self) -> int:
        """How many requests got an error answer of a fault in place of their recording."""
        return self._counts["fault"]

    def add(self, entry: Served, now: float) -> None:
        """Take a request in as it arrives; `now` is in seconds, on a clock that does not go back."""
        self._start = now if self._start is None else self._start
        self._n += 1
        entry.n = self._n
        entry.at_ms = self._since(now)
        self._entries.append(entry)

    def answered(self, entry: Served, match: str) -> None:
        """Note what kind of answer a request gets."""
        entry.match = match
        self._counts[match] += 1

    def done(self, entry: Served, ending: Ending, events: int, now: float) -> None:
        """Note how an answer ended, and how many of its events were sent."""
        entry.ended = ending.value
        entry.events = events
        entry.done_ms = self._since(now)

    def clear(self) -> None:
        """Forget everything; the next request is the first."""
        self._entries.clear()
        self._counts.clear()
        self._n = 0
        self._start = None

    def _since(self, now: float) -> int:
        return round((now - (now if self._start is None else self._start)) * 1000)


def retry_after_ms(headers: Headers, now: float) -> int | None:
    """Return how long an answer asks its client to wait; `now`, in seconds since the epoch, is what a date is from."""
    exact = headers.get("retry-after-ms")
    text = headers.get("retry-after")
    try:
        if exact is not None:
            return round(float(exact))
        return None if text is None else round(float(text) * 1000)
    except (ValueError, OverflowError):  # not a number, or an endless wait
        at = parse_date(text or "")
    return None if at is None else max(round((at - now) * 1000), 0)


def attempt_of(headers: Headers) -> int | None:
    """Return which attempt of its call a request says it is, from 0."""
    text = headers.get(RETRY_COUNT) or ""
    return int(text) if text.isdecimal() and len(text) < 5 else None
