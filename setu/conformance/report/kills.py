"""The kill matrix: which check caught which mutant, and what else failed with it."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from setu.conformance.mutants.mutant import Mutant
from setu.conformance.prove import Verdict

_TITLE = """# Kill matrix

Every mutant is the reference server (Setu's gateway in front of a scripted upstream) with one thing wrong. It is killed
when the check that it is made for fails. What fails with it is listed with the mutant, and `setu conformance prove`,
which CI runs, fails when anything else does, when what is listed does not, or when the reference fails at all.
"""
_BESIDE = (
    "llm-comply 0.5.0, the other suite that any server can be asked with, sees {seen} of the {shown} mutants that a "
    "client can see: its tests that pass on the reference and fail on the mutant are named in the last column."
)
_HEAD_BESIDE = (
    "| check | mutant | what is wrong | killed | fails with it | llm-comply |",
    "|---|---|---|---|---|---|",
)
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


Rival = Mapping[str, Sequence[str]]
"""What another suite's tests say, by `CHECK name` of each mutant that could be shown to it."""


def page(mutants: Sequence[Mutant], verdicts: Sequence[Verdict], rival: Rival | None = None) -> str:
    """Return the matrix as Markdown, by area; with `rival`, what llm-comply's tests say of the same mutants."""
    found = {(verdict.check, verdict.mutant): verdict for verdict in verdicts}
    lines = [_TITLE, summary(verdicts, ()) + ".", ""]
    if rival is not None:
        seen = sum(bool(tests) for tests in rival.values())
        lines += [_BESIDE.format(seen=seen, shown=len(rival)), ""]
    ordered = sorted(mutants, key=lambda one: (_area(one.check), one.check, one.name))
    for area, group in groupby(ordered, key=lambda one: _area(one.check)):
        lines += [f"## {area}", "", *(_HEAD if rival is None else _HEAD_BESIDE)]
        lines += [_row(mutant, found[mutant.check, mutant.name], rival) for mutant in group]
        lines.append("")
    return "\n".join(lines)


def _row(mutant: Mutant, verdict: Verdict, rival: Rival | None) -> str:
    killed = "yes" if verdict.killed else "**no**"
    others = _listed(verdict.failed - {verdict.check})
    row = f"| {mutant.check} | `{mutant.name}` | {mutant.about} | {killed} | {others} |"
    if rival is None:
        return row
    tests = rival.get(f"{mutant.check} {mutant.name}")
    return f"{row} {'not shown' if tests is None else ', '.join(tests) or 'no'} |"


def _area(check: str) -> str:
    return check.partition("-")[0]


def _listed(checks: Iterable[str]) -> str:
    return ", ".join(sorted(checks))
