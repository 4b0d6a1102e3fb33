"""Judge recorded traffic: every judge of one exchange over each, one result per API and provider.

What an exchange said to another, a pair of them or the ids of all, is not judged: nobody knows which recordings of a
file belong together.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import msgspec

from setu.cassette.edits import Rules
from setu.cassette.formats.intake import Skipped
from setu.cassette.redact import redact_text, with_own
from setu.conformance.catalogue import load
from setu.conformance.judges.finding import Finding
from setu.conformance.judges.registry import judge
from setu.conformance.recorded import Recorded, Source, files_of, read
from setu.conformance.results import CheckResult, Run, collect
from setu.conformance.tally import Tally
from setu.http import Exchange, Request

try:
    import resource
except ImportError:  # Windows does not tell how much memory was used at most
    resource = None  # type: ignore[assignment]  # the name stands for its absence

FINDINGS = 5
"""How many findings of one check on one exchange are kept; a stream may break a rule in every event."""
_ALONE = 4_000_000
"""Bytes of recordings that are judged sooner than a second process is started."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How to judge: `jobs` processes (0: one per core), `kept` broken exchanges per check as evidence."""

    jobs: int = 0
    kept: int = 20


class Group(NamedTuple):
    """The traffic of one provider in one API: how many exchanges, and how many each check judged and found broken."""

    api: str
    party: str
    exchanges: int
    judged: Counter[str]
    broken: Counter[str]
    run: Run


class Traffic(NamedTuple):
    """All groups, by name; `unread` is what was left out, `peak_mb` the memory of all processes at their highest."""

    groups: tuple[Group, ...]
    unread: tuple[Skipped, ...]
    seconds: float
    peak_mb: float

    @property
    def exchanges(self) -> int:
        return sum(group.exchanges for group in self.groups)


class Counted(Tally):
    """A tally that counts all and keeps the first broken observations of each check, and one that is not."""

    def __init__(self, kept: int) -> None:
        super().__init__()
        self.exchanges = 0
        self.judged: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self._kept = kept

    def add(self, check: str, findings: Iterable[Finding], place: str, again: Request | None = None) -> None:
        """Count one judging; keep it while it is among the first."""
        found = tuple(findings)
        self.judged[check] += 1
        self.broken[check] += bool(found)
        if self.broken[check] <= self._kept if found else self.judged[check] == 1:
            super().add(check, found, place, again)

    def keeps(self, check: str) -> bool:
        """Tell whether the next broken observation of a check would be kept."""
        return self.broken[check] < self._kept

    def merge(self, other: "Counted") -> None:
        """Take in what was counted elsewhere, after one's own."""
        room = {check: self._kept - min(count, self._kept) for check, count in self.broken.items()}
        for seen in other.observations:
            if seen.findings and room.setdefault(seen.check, self._kept) > 0:
                room[seen.check] -= 1
                self.observations.append(seen)
            elif not seen.findings and not self.judged[seen.check]:
                self.observations.append(seen)
        self.exchanges += other.exchanges
        self.judged.update(other.judged)
        self.broken.update(other.broken)


class _Part(NamedTuple):
    """What one process found in one file."""

    tallies: dict[tuple[str, str], Counted]
    unread: list[Skipped]
    process: int
    peak_mb: float


def run(sources: Sequence[Source], *, settings: Settings | None = None) -> list[Run]:
    """Return a run per API and provider; see `traffic_of`."""
    return [group.run for group in traffic_of(sources, settings=settings).groups]


def traffic_of(sources: Sequence[Source], *, settings: Settings | None = None) -> Traffic:
    """Judge all that the sources hold.

    Raises:
        CassetteNotFoundError: a source is not there.
    """
    settings = settings or Settings()
    start = time.perf_counter()
    tallies: dict[tuple[str, str], Counted] = {}
    unread: list[Skipped] = []
    peaks: dict[int, float] = {}
    for part in _parts([*files_of(sources)], settings):
        unread += part.unread
        peaks[part.process] = max(part.peak_mb, peaks.get(part.process, 0.0))
        for key, tally in part.tallies.items():
            tallies.setdefault(key, Counted(settings.kept)).merge(tally)
    groups = tuple(_group(*key, tallies[key]) for key in sorted(tallies))
    peaks[os.getpid()] = _peak_mb()
    return Traffic(groups, tuple(unread), time.perf_counter() - start, sum(peaks.values()))


def observe(recorded: Recorded, tally: Counted) -> None:
    """Judge one exchange alone, without what a gateway may have sent on."""
    tally.exchanges += 1
    for check, found in judge(recorded.exchange).items():
        if check in recorded.untold:
            continue
        kept = _shown(found, recorded.exchange) if found and tally.keeps(check) else found
        tally.add(check, kept, recorded.place)


def _parts(files: Sequence[Source], settings: Settings) -> Iterator[_Part]:
    """Judge file by file, in several processes where that is worth it; the parts come in the files' order."""
    jobs = min(settings.jobs or os.cpu_count() or 1, len(files))
    if jobs < 2 or sum(file.path.stat().st_size for file in files) < _ALONE:
        yield from (_part(file, settings.kept) for file in files)
        return
    # The largest first, so that no process is left alone with them at the end.
    order = sorted(range(len(files)), key=lambda place: -files[place].path.stat().st_size)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = {place: pool.submit(_part, files[place], settings.kept) for place in order}
        yield from (futures[place].result() for place in range(len(files)))


def _part(source: Source, kept: int) -> _Part:
    tallies: dict[tuple[str, str], Counted] = {}
    unread: list[Skipped] = []
    for found in read(source):
        if isinstance(found, Skipped):
            unread.append(found)
        else:
            observe(found, tallies.setdefault((found.api, found.party), Counted(kept)))
    return _Part(tallies, unread, os.getpid(), _peak_mb())


def _group(api: str, party: str, tally: Counted) -> Group:
    name = f"{party or 'unknown host'} {api}"
    made = collect(name, load(), tally.observations)
    results = tuple(_with_counts(result, tally) for result in made.results)
    title = f"{name} ({tally.exchanges:,} recorded)"
    run = msgspec.structs.replace(
        made, target=title, name=name, kind="recordings", mode="passive", results=results, untried=()
    )
    return Group(api, party, tally.exchanges, tally.judged, +tally.broken, run)


def _with_counts(result: CheckResult, tally: Counted) -> CheckResult:
    """Say how often a check was judged and broken; the observations are only the first broken ones."""
    broken, judged = tally.broken[result.check.id], tally.judged[result.check.id]
    return msgspec.structs.replace(
        result,
        observations=result.broken,
        held=judged - broken,
        reason=f"{broken:,} of {judged:,} exchanges break it" if broken else None,
    )


def _shown(found: Sequence[Finding], exchange: Exchange) -> list[Finding]:
    """Return findings that may be shown: the first ones, without the secrets that the traffic still has."""
    rules = with_own(Rules(), exchange.request)
    return [
        msgspec.structs.replace(
            one, message=redact_text(one.message, rules), got=None if one.got is None else redact_text(one.got, rules)
        )
        for one in found[:FINDINGS]
    ]


def _peak_mb() -> float:
    """Return the most memory that this process ever had; 0 where the system does not tell."""
    try:
        # Not getrusage: a child's counts what its parent had when it was started.
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except (OSError, IndexError, ValueError):
        highest = 0 if resource is None else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return highest / (1024 * 1024 if sys.platform == "darwin" else 1024)  # Linux counts kilobytes


__all__ = ["Counted", "Group", "Settings", "Source", "Traffic", "observe", "run", "traffic_of"]
