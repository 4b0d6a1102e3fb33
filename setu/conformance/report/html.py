"""The HTML report: one page for all targets that needs nothing else, no server, no network and no script."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from setu import __version__
from setu.conformance.catalogue import Check
from setu.conformance.report.basis import address
from setu.conformance.report.compare import Change, Comparison, Kind, compare
from setu.conformance.report.limits import limits
from setu.conformance.report.table import describe
from setu.conformance.results import CheckResult, Observation, Run, Status, Verdict
from setu.web.template import asset, template

MARKS: Mapping[Status, str] = {
    Status.PASS: "✓",
    Status.FAIL: "✗",
    Status.ERROR: "‼",
    Status.WARN: "!",
    Status.XFAIL: "⚑",
    Status.XPASS: "★",
    Status.UNSUPPORTED: "○",
    Status.INCONCLUSIVE: "?",
}
"""A shape for each status, for those who see no colours."""

BAR = 120
"""Width of a bar, in the units of its picture."""

_SHOWN = 10
"""Exchanges of a check, and findings of an exchange, that are shown; the rest is counted."""


class Segment(NamedTuple):
    """A piece of a bar: its status, where it starts and how wide it is (0 to BAR), and its number of checks."""

    status: Status
    x: float
    width: float
    number: int


class Bar(NamedTuple):
    """The checks of an area: how many held of those that were judged, in words, and as a picture."""

    passed: int
    run: int
    words: str
    segments: tuple[Segment, ...]


class Shown(NamedTuple):
    """An exchange that broke a check: what was found in it, and how many findings more there are."""

    place: str
    lines: tuple[str, ...]
    more: int
    repro: str | None


class Cell(NamedTuple):
    """A check of one target; `change` is what became of it since the previous run."""

    status: Status
    mark: str
    exchanges: int
    reason: str | None
    evidence: tuple[Shown, ...]
    more: int
    change: Change | None

    @property
    def unfolds(self) -> bool:
        return bool(self.evidence or self.reason)


class Row(NamedTuple):
    """A check, its basis with addresses where there are any, and its cells in the order of the targets."""

    check: Check
    basis: tuple[tuple[str, str | None], ...]
    cells: tuple[Cell | None, ...]

    @property
    def statuses(self) -> str:
        """The words that the filter looks for."""
        words = {cell.status.value for cell in self.cells if cell is not None}
        changed = any(cell is not None and cell.change is not None for cell in self.cells)
        return " ".join([*sorted(words), *(["changed"] if changed else [])])


class Area(NamedTuple):
    """The rows of an area with a bar per target."""

    name: str
    bars: tuple[Bar, ...]
    rows: tuple[Row, ...]


def render(runs: Sequence[Run], previous: Sequence[Run] = ()) -> str:
    """Return the page; whatever a report says is shown as text, never run."""
    comparison = compare(previous, runs) if previous else None
    text: str = template("conformance.html").render(
        title=" ".join(["Conformance", *sorted({run.catalogue for run in runs})]),
        version=__version__,
        style=asset("conformance.css"),
        script=asset("conformance.js"),
        runs=runs,
        verdicts=[(run.verdict(), run.verdict(strict=True)) for run in runs],
        verdict_marks={Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.NOTHING: "?"},
        limits=[limits(run) for run in runs],
        areas=list(_areas(runs, comparison)),
        comparison=comparison,
        kinds=list(Kind),
        marks=MARKS,
        bar=BAR,
    )
    return text


def _areas(runs: Sequence[Run], comparison: Comparison | None) -> Iterator[Area]:
    checks = {result.check.id: result.check for run in runs for result in run.results}
    results = [{result.check.id: result for result in run.results} for run in runs]
    changes = [_changes_of(run, comparison) for run in runs]
    for area in dict.fromkeys(check.area for check in checks.values()):
        rows = tuple(
            Row(
                check,
                tuple((basis, address(basis)) for basis in check.basis),
                tuple(
                    _cell(found.get(name), changed.get(name)) for found, changed in zip(results, changes, strict=True)
                ),
            )
            for name, check in checks.items()
            if check.area == area
        )
        yield Area(area, tuple(bar(run, area) for run in runs), rows)


def _changes_of(run: Run, comparison: Comparison | None) -> Mapping[str, Change]:
    targets = () if comparison is None else comparison.targets
    return {change.check.id: change for target in targets if target.after is run for change in target.changes}


def _cell(result: CheckResult | None, change: Change | None) -> Cell | None:
    if result is None:
        return None
    broken = result.broken
    return Cell(
        status=result.status,
        mark=MARKS[result.status],
        exchanges=result.exchanges,
        reason=result.reason,
        evidence=tuple(_shown(seen) for seen in broken[:_SHOWN]),
        more=max(0, len(broken) - _SHOWN),
        change=change,
    )


def _shown(seen: Observation) -> Shown:
    lines = (*([] if seen.error is None else [seen.error]), *map(describe, seen.findings))
    return Shown(seen.place, lines[:_SHOWN], max(0, len(lines) - _SHOWN), seen.repro)


def bar(run: Run, area: str) -> Bar:
    """Return the bar of an area: a piece for each status that occurs, as wide as its share."""
    statuses = [result.status for result in run.results if result.check.area == area]
    segments = []
    x = 0
    for status in MARKS:
        if number := statuses.count(status):
            start, end = (round(BAR * count / len(statuses), 1) for count in (x, x + number))
            segments.append(Segment(status, start, round(end - start, 1), number))
            x += number
    counts = run.counts(area)
    words = ", ".join(f"{each.number} {each.status}" for each in segments) or "not tried"
    return Bar(counts.passed, counts.run, words, tuple(segments))
