"""The kill matrix: which check caught which mutant, and what else failed with it."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from setu.conformance.mutants.mutant import Mutant
from setu.conformance.prove import Verdict

_HEAD = ("| check | mutant | what is wrong | killed | fails with it |", "|---|---|---|---|---|")


def line(verdict: Verdict) -> str:
    """Return one verdict as a line."""
    if not verdict.check:
        return (
            f"ok     the reference ({verdict.of})"
            if not verdict.failed
            else f"ALARM  the reference: {_listed(verdict.failed)}"
        )
    if not verdict.killed:
        return f"ALIVE  {verdict.check} {verdict.mutant}" + _beside(verdict)
    return f"{'killed' if verdict.good else 'STRAY '} {verdict.check} {verdict.mutant}" + _beside(verdict)


def _beside(verdict: Verdict) -> str:
    told = []
    if verdict.failed - {verdict.check}:
        told.append(f"with it {_listed(verdict.failed - {verdict.check})}")
    if verdict.strays:
        told.append(f"not implied: {_listed(verdict.strays)}")
    if verdict.idle:
        told.append(f"implied in vain: {_listed(verdict.idle)}")
    return f"  ({'; '.join(told)})" if told else ""


def summary(verdicts: Sequence[Verdict], missing: Iterable[str]) -> str:
    """Return the sum of all verdicts; `missing` are MUST checks without a mutant."""
    mutants = [verdict for verdict in verdicts if verdict.check]
    alarms = [verdict for verdict in verdicts if not verdict.check and verdict.failed]
    text = f"{sum(verdict.killed for verdict in mutants)} of {len(mutants)} mutants killed by their own check, "
    text += f"{sum(bool(verdict.strays or verdict.idle) for verdict in mutants)} with other failures than listed, "
    text += f"{len(alarms)} false alarms on the reference"
    names = ", ".join(missing)
    return text + (f"\nMUST checks without a mutant: {names}" if names else "")


def page(mutants: Sequence[Mutant], verdicts: Sequence[Verdict]) -> str:
    """Return the matrix as Markdown, by area."""
    by_name = {verdict.mutant: verdict for verdict in verdicts}
    lines = ["# Kill matrix", "", summary(verdicts, ()) + ".", ""]
    ordered = sorted(mutants, key=lambda one: (_area(one.check), one.check, one.name))
    for area, group in groupby(ordered, key=lambda one: _area(one.check)):
        lines += [f"## {area}", "", *_HEAD]
        lines += [_row(mutant, by_name[mutant.name]) for mutant in group]
        lines.append("")
    return "\n".join(lines)


def _row(mutant: Mutant, verdict: Verdict) -> str:
    killed = "yes" if verdict.killed else "**no**"
    others = _listed(verdict.failed - {verdict.check})
    return f"| {mutant.check} | `{mutant.name}` | {mutant.about} | {killed} | {others} |"


def _area(check: str) -> str:
    return check.partition("-")[0]


def _listed(checks: Iterable[str]) -> str:
    return ", ".join(sorted(checks))
