"""What changed between two reports of the same targets, and whether anything got worse.

A status is worse the less it lets one rely on the check: it holds, it is not known, it is broken but tolerated (a
SHOULD, an expected failure), it is broken. So a check that held and is no longer tried is worse, too: a suite that
silently runs less would look like one that holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from setu.conformance.catalogue import Check
from setu.conformance.report.json_ import read
from setu.conformance.results import CheckResult, Exit, Run, Status

SCHEMA = "setu.conformance.diff/1"

_HOLDS, _UNKNOWN, _TOLERATED, _BROKEN = range(4)
_RANK: Mapping[Status | None, int] = {
    Status.PASS: _HOLDS,
    Status.XPASS: _HOLDS,
    None: _UNKNOWN,
    Status.UNSUPPORTED: _UNKNOWN,
    Status.INCONCLUSIVE: _UNKNOWN,
    Status.WARN: _TOLERATED,
    Status.XFAIL: _TOLERATED,
    Status.FAIL: _BROKEN,
    Status.ERROR: _BROKEN,
}


class Kind(StrEnum):
    """What became of a check, in the order that a reader wants to know it."""

    FAILING = "newly failing"
    FIXED = "fixed"
    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A check whose status is another one; None is none."""

    check: Check
    before: Status | None
    after: Status | None

    @property
    def kind(self) -> Kind:
        if self.before is None:
            return Kind.NEW
        if self.after is None:
            return Kind.GONE
        if _RANK[self.before] < _TOLERATED <= _RANK[self.after]:
            return Kind.FAILING
        if _RANK[self.before] >= _TOLERATED and _RANK[self.after] == _HOLDS:
            return Kind.FIXED
        return Kind.CHANGED

    @property
    def worse(self) -> bool:
        return _RANK[self.after] > _RANK[self.before]

    @property
    def words(self) -> str:
        return f"{self.before or 'none'} → {self.after or 'none'}"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What changed of one target; without `before` or `after` it is in one of the reports alone."""

    name: str
    before: Run | None
    after: Run | None
    changes: tuple[Change, ...] = ()

    @property
    def worse(self) -> bool:
        """A target that nobody asked any more is worse; one that nobody asked before is not."""
        return self.after is None or any(change.worse for change in self.changes)

    def of(self, kind: Kind) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.kind is kind)


class Comparison(msgspec.Struct, frozen=True):
    """All targets of two reports."""

    targets: tuple[Target, ...]

    @property
    def worse(self) -> bool:
        return any(target.worse for target in self.targets)

    @property
    def exit_code(self) -> Exit:
        return Exit.FAILED if self.worse else Exit.OK


def diff(before: Path, after: Path) -> Comparison:
    """Compare two JSON reports.

    Raises:
        ConfigError: a file is no such report.
    """
    return compare(read(before), read(after))


def compare(before: Sequence[Run], after: Sequence[Run]) -> Comparison:
    """Compare runs by the names of their targets; two lone runs are compared whatever they are called."""
    if len(before) == len(after) == 1:
        return Comparison((_target(after[0].label, before[0], after[0]),))
    old, new = ({run.label: run for run in runs} for runs in (before, after))
    return Comparison(tuple(_target(name, old.get(name), new.get(name)) for name in {**new, **old}))


def _target(name: str, before: Run | None, after: Run | None) -> Target:
    changes = () if before is None or after is None else tuple(_changes(before, after))
    return Target(name=name, before=before, after=after, changes=changes)


def _changes(before: Run, after: Run) -> Iterator[Change]:
    old, new = _by_id(before), _by_id(after)
    for name in {**new, **old}:
        then, now = old.get(name), new.get(name)
        known = now or then
        assert known is not None
        change = Change(check=known.check, before=_status(then), after=_status(now))
        if change.before is not change.after:
            yield change


def _status(result: CheckResult | None) -> Status | None:
    return None if result is None else result.status


def _by_id(run: Run) -> Mapping[str, CheckResult]:
    return {result.check.id: result for result in run.results}


def text(comparison: Comparison) -> str:
    """Return the comparison for a terminal, one line per change, without a line end."""
    return "\n".join(_lines(comparison))


def _lines(comparison: Comparison) -> Iterator[str]:
    for target in comparison.targets:
        yield _head(target)
        for kind in Kind:
            for change in target.of(kind):
                mark = "!" if change.worse else " "
                yield f"{mark} {kind:<13}  {change.check.id:<9} {change.words:<22} {change.check.title}"
    changed = sum(len(target.changes) for target in comparison.targets)
    yield "worse" if comparison.worse else "no worse" if changed else "the same"


def _head(target: Target) -> str:
    before, after = target.before, target.after
    if before is None or after is None:
        only = before or after
        assert only is not None
        return f"{target.name}: {'gone' if after is None else 'new'}, {len(only.results)} checks"
    if before.label != after.label:
        return f"{before.label} → {after.label} · catalogue {before.catalogue} → {after.catalogue}"
    return f"{target.name} · catalogue {before.catalogue} → {after.catalogue}"


def document(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as a JSON value."""
    return {
        "schema": SCHEMA,
        "worse": comparison.worse,
        "targets": [
            {
                "name": target.name,
                "before": target.before and target.before.label,
                "after": target.after and target.after.label,
                "worse": target.worse,
                "changes": [
                    {
                        "check": change.check.id,
                        "level": change.check.level,
                        "kind": change.kind.value,
                        "before": change.before,
                        "after": change.after,
                        "worse": change.worse,
                    }
                    for change in target.changes
                ],
            }
            for target in comparison.targets
        ],
    }
