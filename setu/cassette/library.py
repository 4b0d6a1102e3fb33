"""Recordings by what they answer: an index that serves each once, first recorded first."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn, Self

from setu.cassette.edits import Secrets
from setu.cassette.match import NO_VOLATILE, Canonical, Volatile, canonical_of, digest_of, model_of
from setu.cassette.misses import Neighbours, differences, explain
from setu.cassette.misslog import MissLog, written
from setu.cassette.model import Interaction
from setu.cassette.normalise import NONE, Looser, Match, Normalisers, loosened, normalised
from setu.cassette.redact import redact_request
from setu.cassette.shelf import cassette_files, read_cassette
from setu.errors import NoMatchError
from setu.http import Request

OnExhausted = Literal["error", "last", "cycle"]
_Keys = list[tuple[Match, str]]
_ANY_LIKE_IT: frozenset[Match] = frozenset({"shape", "last-user"})
"""Levels at which a recording of another request answers; a sequence is meant as it was, its errors included."""

_MAX_KEYS = 4096
_MAX_REPORTS = 100


class _Entry:
    """A recording in a library and how often it has been served."""

    __slots__ = ("canonical", "interaction", "uses")

    def __init__(self, interaction: Interaction, canonical: Canonical) -> None:
        self.interaction = interaction
        self.canonical = canonical
        self.uses = 0


class _Queue:
    """The recordings of one request in the order they were made; finding the next one costs nothing."""

    __slots__ = ("_at", "entries")

    def __init__(self) -> None:
        self.entries: list[_Entry] = []
        self._at = 0

    def fresh(self) -> _Entry | None:
        """Return the first one that has not been served, from this queue or another."""
        while self._at < len(self.entries) and self.entries[self._at].uses:
            self._at += 1
        return self.entries[self._at] if self._at < len(self.entries) else None


class Asked(NamedTuple):
    """What may be told of a request, without its secrets: its exact match key, its path, the model it names."""

    key: str
    path: str
    model: str


class _Known(NamedTuple):
    asked: Asked
    keys: _Keys


class Taken(NamedTuple):
    """A recording and how it was found."""

    interaction: Interaction
    match: Match


class Spent(NamedTuple):
    """How often a recording was served, without the recording; `identity` is that of its request and its answer."""

    identity: bytes
    place: str
    uses: int


class Library:
    """Recordings by what they answer; each is served once, first recorded first.

    `volatile` names by dialect what matching ignores; `secrets` are values that both sides are stripped of before
    they are compared; `normalisers` are what requests may differ in, `looser` how loosely one may be found when
    nothing fits better (then answers come before errors). `on_exhausted` says what a request gets whose recordings are
    used up; `misses_file` collects misses as JSON lines; `hint` words how to record the call that stands at
    `file:line` of it. `reports` explains the last misses.
    """

    def __init__(
        self,
        interactions: Iterable[Interaction] = (),
        *,
        volatile: Volatile = NO_VOLATILE,
        secrets: Secrets = (),
        normalisers: Normalisers = NONE,
        looser: Looser = "exact",
        on_exhausted: OnExhausted = "error",
        misses_file: Path | None = None,
        hint: Callable[[str], str] | None = None,
    ) -> None:
        self._volatile = volatile
        self._secrets = secrets
        self._normalisers = normalisers
        self._looser: Looser = looser
        self._on_exhausted = on_exhausted
        self._log = MissLog(misses_file) if misses_file is not None else None
        self._hint = hint or _hint
        self._entries: list[_Entry] = []
        # By level, key, origin, and whether they are errors for want of an answer; the empty origin holds all origins'.
        self._queues: dict[tuple[Match, str, str, bool], _Queue] = {}
        self._known: dict[bytes, _Known] = {}
        self._latest: tuple[tuple[str | bytes, ...], _Known] = (), _Known(Asked("", "", ""), [])
        self._neighbours: Neighbours | None = None
        self.misses = 0
        self.reports: deque[str] = deque(maxlen=_MAX_REPORTS)
        for interaction in interactions:
            self.add(interaction)

    @classmethod
    def load(cls, paths: str | Path | Iterable[str | Path], **options: Any) -> Self:
        """Read files, and directories with all below them, in the order of their names; options are the class's own.

        Raises:
            CassetteNotFoundError: no such file or directory.
            CassetteDecodeError: a file is not a cassette; names file and line.
        """
        return cls((each for file in cassette_files(paths) for each in read_cassette(file)), **options)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def interactions(self) -> list[Interaction]:
        return [entry.interaction for entry in self._entries]

    @property
    def notes(self) -> list[str]:
        """Sentences about recordings that were loaded with reservations."""
        return [note for entry in self._entries for note in entry.interaction.notes]

    def add(self, interaction: Interaction) -> None:
        request, _ = redact_request(interaction.exchange.request, self._secrets)
        entry = _Entry(interaction, canonical_of(request, volatile=self._volatile))
        self._entries.append(entry)
        for level, key in self._levels(entry.canonical):
            second = level in _ANY_LIKE_IT and interaction.exchange.status >= 400
            for origin in {request.origin, ""}:
                self._queues.setdefault((level, key, origin, second), _Queue()).entries.append(entry)
        self._neighbours = None

    def spent(self) -> tuple[Spent, ...]:
        """Return what was served."""
        used = [entry for entry in self._entries if entry.uses]
        return tuple(Spent(_identity(entry), entry.interaction.place, entry.uses) for entry in used)

    def inherit(self, spent: Iterable[Spent]) -> None:
        """Count as served what another library has served of recordings that are here, too."""
        uses: dict[bytes, deque[int]] = {}
        for each in spent:
            uses.setdefault(each.identity, deque()).append(each.uses)
        for entry in self._entries if uses else ():
            if known := uses.get(_identity(entry)):
                entry.uses = known.popleft()

    @property
    def served(self) -> list[tuple[Interaction, int]]:
        """Each recording with how often it was served."""
        return [(entry.interaction, entry.uses) for entry in self._entries]

    def unused(self) -> tuple[Interaction, ...]:
        return tuple(entry.interaction for entry in self._entries if not entry.uses)

    def take(self, request: Request) -> Taken:
        """Return the next recording that answers a request, whose body must be bytes.

        A request with an origin is answered by recordings of that origin, where the same request was recorded from
        it.

        Raises:
            NoMatchError: there is none, or all are used up.
        """
        entry, level = self._entry(request)
        entry.uses += 1
        return Taken(entry.interaction, level)

    def peek(self, request: Request) -> Interaction:
        """Return what `take` would, and leave it there; raises what `take` raises."""
        return self._entry(request)[0].interaction

    def asked(self, request: Request) -> Asked:
        """Return what may be told of a request, whose body must be bytes."""
        return self._known_of(request).asked

    def answers(self, request: Request) -> bool:
        """Say whether a recording is left that answers a request; a request without one is no miss yet."""
        found = self._queue(request)
        return found is not None and (self._on_exhausted != "error" or found[0].fresh() is not None)

    def _entry(self, request: Request) -> tuple[_Entry, Match]:
        found = self._queue(request)
        if found is None:
            self._miss(request)
        queue, level = found
        return queue.fresh() or self._again(request, queue.entries), level

    def _queue(self, request: Request) -> tuple[_Queue, Match] | None:
        """Return the recordings at the strictest level that has any left, or else has any."""
        used_up: tuple[_Queue, Match] | None = None
        for level, key in self._known_of(request).keys:
            for second in (False, True) if level in _ANY_LIKE_IT else (False,):
                origin = request.origin if (level, key, request.origin, second) in self._queues else ""
                queue = self._queues.get((level, key, origin, second))
                if queue is None:
                    continue
                if self._on_exhausted != "error" or queue.fresh() is not None:
                    return queue, level
                used_up = used_up or (queue, level)
        return used_up

    def _known_of(self, request: Request) -> _Known:
        """Return the match keys, strictest first, and what may be told; the same bytes are canonicalised once."""
        assert isinstance(request.body, bytes)
        kind = request.headers.get("content-type") or ""  # says where a form is divided
        asking = request.method, request.path, request.query, kind, request.body
        if asking == self._latest[0]:  # on its way to an answer a request comes by several times
            return self._latest[1]
        head = f"{request.method} {request.target}\n{kind}\n".encode("utf-8", "surrogatepass")
        seen = blake2b(head + request.body, digest_size=16).digest()
        known = self._known.get(seen)
        if known is None:
            if len(self._known) >= _MAX_KEYS:
                self._known.clear()
            redacted, _ = redact_request(request, self._secrets)
            keys = [*self._levels(canonical_of(redacted, volatile=self._volatile))]
            asked = Asked(keys[0][1], redacted.path, model_of(redacted) or "")
            known = self._known[seen] = _Known(asked, keys)
        self._latest = asking, known
        return known

    def _levels(self, canonical: Canonical) -> Iterator[tuple[Match, str]]:
        yield "exact", digest_of(canonical)
        if self._normalisers:
            canonical = normalised(canonical, self._normalisers)
            yield "normalised", digest_of(canonical)
        if self._looser != "exact":
            yield self._looser, digest_of(loosened(canonical, self._looser))

    def _again(self, request: Request, entries: list[_Entry]) -> _Entry:
        if self._on_exhausted == "last":
            return entries[-1]
        if self._on_exhausted == "cycle":
            return min(entries, key=lambda entry: entry.uses)
        request, _ = redact_request(request, self._secrets)
        places = tuple(entry.interaction.place for entry in entries)
        times = "once" if len(entries) == 1 else f"{len(entries)} times"
        message = f"{_named(request)} was recorded {times} and has been served as often"
        raise self._refusal(request, message, places, ["recorded at:", *(f"  {place}" for place in places[:8])])

    def _miss(self, request: Request) -> NoReturn:
        request, _ = redact_request(request, self._secrets)
        asked = canonical_of(request, volatile=self._volatile)
        if not self._entries:
            raise self._refusal(request, "no recordings are loaded", (), [])
        self._neighbours = self._neighbours or Neighbours([entry.canonical for entry in self._entries])
        near = [self._entries[index] for index in self._neighbours.nearest(asked)]
        places = tuple(entry.interaction.place or "(not saved)" for entry in near)
        first = differences(near[0].canonical, asked)[0].pointer or "the body"
        message = f"no recording answers {_named(request)}; the nearest, {places[0]}, differs first at {first}"
        lines = explain(places[0], near[0].canonical, asked)
        if places[1:]:
            lines.append(f"next nearest: {', '.join(places[1:])}")
        raise self._refusal(request, message, places, lines)

    def _refusal(self, request: Request, message: str, nearest: tuple[str, ...], lines: list[str]) -> NoMatchError:
        self.misses += 1
        report = ""

        def describe(place: str) -> dict[str, Any]:
            nonlocal report
            report = "\n".join([*lines, self._hint(place)])
            said = {"message": message, "nearest": nearest, "report": report.splitlines()}
            return {"method": request.method, "target": request.target} | said | {"request": written(request)}

        if self._log is None:
            describe("")
        else:
            self._log.append(describe)
        self.reports.append(f"{message}\n{report}")
        return NoMatchError(message, nearest=nearest, report=report)


def _identity(entry: _Entry) -> bytes:
    exchange = entry.interaction.exchange
    head = f"{digest_of(entry.canonical)} {exchange.status}\n".encode()
    return blake2b(head + exchange.body, digest_size=16).digest()


def _named(request: Request) -> str:
    return f"{request.method} {request.path}"


def _hint(_: str) -> str:
    return "to record it: setu record -- COMMAND, where COMMAND makes this call"
