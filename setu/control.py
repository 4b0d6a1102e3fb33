"""The operator's side of a replay: what `/__setu__/` shows and changes, and the reload of edited cassettes."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from setu.cassette.faults import parse_rule
from setu.cassette.journal import Journal
from setu.cassette.scope import Scope, parse_scope
from setu.cassette.shelf import SUFFIXES
from setu.cassette.tables import row_of
from setu.cassette.verdict import Verdict, verdict
from setu.http import Request, Response
from setu.server.admin import Admin
from setu.studio import Studio
from setu.telemetry.metrics import Reading, exposition
from setu.transport.scopes import Scopes


class Control:
    """A studio and the scopes that are served from it."""

    def __init__(self, studio: Studio, scopes: Scopes) -> None:
        self._studio = studio
        self._scopes = scopes
        self._faults: list[str] = []
        self.admin = Admin(self, exposition(self._readings))

    @property
    def journal(self) -> Journal:
        return self._studio.journal

    def interactions(self) -> list[dict[str, Any]]:
        return [
            {"scope": str(scope or ""), "served": uses} | msgspec.to_builtins(row_of(interaction))
            for scope, library in self._studio.libraries.items()
            for interaction, uses in library.served
        ]

    def explained(self) -> list[str]:
        return [report for scope in self._studio.ledger.asked for report in self._studio.ledger.reports(scope)]

    def unused(self) -> list[str]:
        """Return the places of recordings that no cassette has served."""
        return self._studio.ledger.unused()

    def faults(self) -> list[str]:
        return self._faults

    def set_faults(self, texts: Sequence[str]) -> None:
        rules = [parse_rule(text) for text in texts]
        self._faults = list(texts)
        self._studio.set_faults(rules)

    async def reset(self, scope: str | None) -> None:
        wanted = parse_scope(scope) if scope is not None else None
        if wanted is None:
            self.journal.clear()
        for name in [name for name in self._studio.ledger.asked if wanted in (None, name)]:
            self._studio.ledger.forget(name)
        await self._scopes.reset(wanted)

    def verdict(self) -> Verdict:
        return verdict(self.journal)

    def _readings(self) -> Iterator[Reading]:
        requests: Counter[tuple[tuple[str, str], ...]] = Counter(
            (("dialect", entry.dialect), ("operation", entry.op), ("match", entry.match), ("status", str(entry.status)))
            for entry in self.journal
        )
        yield Reading(
            "setu_replay_recent_requests", "Requests by what they got, of those remembered.", "gauge", requests
        )
        yield Reading("setu_replay_requests_total", "Requests.", "counter", {(): self.journal.requests})
        for name, count in (
            ("hits", self.journal.hits),
            ("misses", self.journal.misses),
            ("faults", self.journal.faults),
        ):
            yield Reading(f"setu_replay_{name}_total", f"Requests that were {name}.", "counter", {(): count})
        loaded = sum(map(len, self._studio.libraries.values()))
        yield Reading("setu_replay_interactions", "Recordings that are loaded.", "gauge", {(): loaded})
        yield Reading("setu_replay_unused", "Recordings that nothing has asked for.", "gauge", {(): len(self.unused())})


class Reloading:
    """Serves cassettes as they stand on the disk now: a cassette that was edited is read again at the next request.

    What was served of recordings that are still there stays served. A file that cannot be read is told to nobody but
    the requests for it, until it is mended. `tell` hears of it when the system watches no more files.
    """

    def __init__(self, inner: Scopes, studio: Studio, tell: Callable[[str], None] = lambda _: None) -> None:
        self._inner = inner
        self._studio = studio
        self._tell = tell
        self._changed: set[Path] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        folders = {place for place in studio.places if place.is_dir()}
        # Of a single file only its own folder: below that there may be a whole home directory.
        around = {place.parent for place in studio.places if place not in folders}
        for watched, deep in ((folders, True), (around, False)):
            threading.Thread(target=self._watch, args=(watched, deep), name="setu-reload", daemon=True).start()

    async def send(self, request: Request) -> Response:
        for scope in self._stale():
            if scope is None:
                self._studio.outdate()
            await self._inner.reset(scope, everything=False)
        return await self._inner.send(request)

    async def aclose(self) -> None:
        self._stop.set()
        await self._inner.aclose()

    def _stale(self) -> list[Scope | None]:
        if not self._changed:
            return []
        with self._lock:
            changed, self._changed = self._changed, set()
        return [scope for scope in self._studio.libraries if scope is None or self._concerns(scope, changed)]

    def _concerns(self, scope: Scope, changed: set[Path]) -> bool:
        roots = [(place / scope.name).resolve() for place in self._studio.places]
        return any(path.with_suffix("") in roots or not set(roots).isdisjoint(path.parents) for path in changed)

    def _watch(self, folders: set[Path], deep: bool) -> None:
        from watchfiles import watch

        if not folders:
            return
        try:
            for changes in watch(
                *folders, stop_event=self._stop, recursive=deep, debounce=200, step=50, rust_timeout=1000
            ):
                paths = {Path(path).resolve() for _, path in changes if path.endswith(SUFFIXES)}
                with self._lock:
                    self._changed |= paths
        except (OSError, RuntimeError) as error:  # the limit of inotify, among others
            self._tell(f"cassettes that are edited are not read again: {error}")
