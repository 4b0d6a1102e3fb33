"""What became of every cassette that was asked for: of the latest all is at hand, of those before them what counts."""

from collections import deque
from collections.abc import Mapping
from itertools import islice
from threading import RLock
from typing import NamedTuple, TypeVar

from setu.cassette.library import Library, Spent
from setu.cassette.scope import Scope
from setu.transport.replay import Replay

_AT_HAND = 1024
_REMEMBERED = 16_384
_EXPLAINED = 3
_REFUSED = 20

_T = TypeVar("_T")

Name = Scope | None
"""A cassette; None is all recordings together."""


class _Past(NamedTuple):
    """What is left of a cassette: enough to go on where it stopped."""

    spent: tuple[Spent, ...]
    reports: tuple[str, ...]


class Ledger:
    """The replays of cassettes, what they served, and what they could not.

    Of more than `at_hand` the ones that were `finished` longest ago give their recordings up. What they served, and
    the last misses, stay on record for the last `remembered` of those, so that one that is opened again goes on where
    it stopped. Which recordings nobody asked for is known of all. May be used from several threads.
    """

    def __init__(self, at_hand: int = _AT_HAND, remembered: int = _REMEMBERED) -> None:
        self._at_hand = at_hand
        self._remembered = remembered
        self._replays: dict[Name, Replay] = {}
        self._finished: dict[Name, None] = {}
        self._past: dict[Name, _Past] = {}
        # Of the past: whether a cassette served it that nothing else is remembered of.
        self._places: dict[str, bool] = {}
        self._refusals: dict[Name, deque[str]] = {}
        self._lock = RLock()

    @property
    def replays(self) -> Mapping[Name, Replay]:
        """Those at hand; a copy, for cassettes are opened in threads."""
        with self._lock:
            return dict(self._replays)

    @property
    def libraries(self) -> Mapping[Name, Library]:
        return {name: replay.library for name, replay in self.replays.items()}

    @property
    def asked(self) -> list[Name]:
        """The cassettes that were asked for, those included that cannot be opened."""
        with self._lock:
            return list(dict.fromkeys([*self._past, *self._replays, *self._refusals]))

    def opened(self, name: Name, replay: Replay) -> None:
        """Take in a replay that goes on where the one before it of the same name stopped."""
        with self._lock:
            self._finished.pop(name, None)
            before = self._replays.get(name)
            past = _past(before.library) if before is not None else self._past.pop(name, None)
            if past is not None and before is not replay:
                replay.library.inherit(past.spent)
                replay.library.reports.extend(past.reports)
            self._replays[name] = replay

    def finished(self, name: Name) -> None:
        """Note that nothing sends through a replay any more; it may be opened again."""
        with self._lock:
            if name in self._replays:
                self._finished.pop(name, None)
                self._finished[name] = None
            for oldest in [*islice(self._finished, max(len(self._replays) - self._at_hand, 0))]:
                self._retire(oldest)

    def refused(self, name: Name, told: str) -> bool:
        """Note why a cassette could not be opened; return whether that is new."""
        with self._lock:
            known = self._refusals.setdefault(name, deque(maxlen=_REFUSED))
            new = told not in known
            known.append(told)
            _trim(self._refusals, self._remembered)
            return new

    def reports(self, name: Name) -> list[str]:
        """Return the explanation of each request for a cassette that was not answered, the last ones of many."""
        with self._lock:
            replay, past = self._replays.get(name), self._past.get(name)
            told = replay.library.reports if replay is not None else past.reports if past is not None else ()
            return [*self._refusals.get(name, ()), *told]

    def unused(self) -> list[str]:
        """Return the places of recordings that no cassette has served."""
        with self._lock:
            served = dict(self._places)
            for library in self.libraries.values():
                for interaction, uses in library.served:
                    served[interaction.place] = served.get(interaction.place, False) or uses > 0
            served |= {each.place: True for past in self._past.values() for each in past.spent}
        return [place for place, used in served.items() if not used]

    def forget(self, name: Name) -> None:
        """Forget what a cassette has served: it is opened as for the first time."""
        with self._lock:
            for record in (self._replays, self._finished, self._past, self._refusals):
                record.pop(name, None)
            if not self._replays and not self._past:
                self._places.clear()

    def _retire(self, name: Name) -> None:
        del self._finished[name]
        library = self._replays.pop(name).library
        for interaction, _ in library.served:
            self._places.setdefault(interaction.place, False)
        self._past[name] = _past(library, _EXPLAINED)
        for forgotten in _trim(self._past, self._remembered):
            self._places |= {each.place: True for each in forgotten.spent}


def _past(library: Library, reports: int | None = None) -> _Past:
    """Return what is to be remembered of a library, with the last so many reports; None: with all."""
    told = tuple(library.reports)
    return _Past(library.spent(), told if reports is None else told[-reports:])


def _trim(record: dict[Name, _T], limit: int) -> list[_T]:
    """Take the oldest out of a record that is longer than it may be."""
    return [record.pop(oldest) for oldest in [*islice(record, max(len(record) - limit, 0))]]
