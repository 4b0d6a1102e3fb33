"""The Markdown report: verdicts, what changed, the matrix of checks and targets, failures with their evidence."""

import re
from collections.abc import Iterable, Iterator, Sequence

from setu.conformance.report.basis import address
from setu.conformance.report.compare import Comparison, Kind, compare
from setu.conformance.report.limits import limits
from setu.conformance.report.table import describe
from setu.conformance.results import CheckResult, Observation, Run, Status

_SHOWN = 3
"""Exchanges of a check, and findings of an exchange, that are shown."""
_BROKEN = (Status.FAIL, Status.ERROR, Status.WARN, Status.XFAIL)


def render(runs: Sequence[Run], previous: Sequence[Run] = ()) -> str:
    """Return the report; `previous` runs show what changed."""
    parts = [heading(runs), verdicts(runs)]
    if previous:
        parts.append(changes(compare(previous, runs)))
    parts += [matrix(runs), *(part for run in runs for part in failures(run)), *map(open_ends, runs)]
    return "\n\n".join(part for part in parts if part) + "\n"


def heading(runs: Iterable[Run]) -> str:
    return " ".join(["# Conformance", *sorted({run.catalogue for run in runs})])


def verdicts(runs: Iterable[Run]) -> str:
    """Return a table of the targets: verdicts and numbers of checks, never a percentage."""
    rows: list[tuple[str, ...]] = [
        ("target", "compat", "strict", "run", "pass", "fail", "warn", "unsupported", "inconclusive")
    ]
    for run in runs:
        counts = run.counts()
        numbers = (counts.run, counts.passed, counts.failed, counts.warned, counts.unsupported, counts.inconclusive)
        verdict = (f"**{run.verdict()}**", f"**{run.verdict(strict=True)}**")
        rows.append((plain(run.target), *verdict, *map(str, numbers)))
    return _table(rows)


def changes(comparison: Comparison) -> str:
    """Return what changed since the previous runs."""
    lines = ["## Since the previous run", ""]
    for target in comparison.targets:
        if target.before is None or target.after is None:
            lines.append(f"- {plain(target.name)}: {'new' if target.before is None else 'gone'}")
        for kind in Kind:
            lines += [
                f"- {plain(target.name)}: {kind} {each.check.id} ({each.words}): {plain(each.check.title)}"
                for each in target.of(kind)
            ]
    return "\n".join(lines if len(lines) > 2 else [*lines, "Nothing changed."])


def matrix(runs: Sequence[Run]) -> str:
    """Return the table of checks by targets."""
    found = [{result.check.id: result.status for result in run.results} for run in runs]
    checks = {result.check.id: result.check for run in runs for result in run.results}
    rows = [("check", "level", "what", *(plain(run.label) for run in runs))]
    for name, check in checks.items():
        rows.append((name, check.level, plain(check.title), *(_cell(each.get(name)) for each in found)))
    return "## Checks\n\n" + _table(rows) if checks else ""


def _cell(status: Status | None) -> str:
    if status is None:
        return ""
    return f"**{status}**" if status in (Status.FAIL, Status.ERROR) else status.value


def failures(run: Run) -> Iterator[str]:
    """Yield each check that is broken, or expected to be, with its evidence folded."""
    for result in run.results:
        if result.status in _BROKEN:
            yield "\n".join(_failure(run, result))


def _failure(run: Run, result: CheckResult) -> Iterator[str]:
    check = result.check
    yield f"### {check.id} {result.status}: {plain(check.title)}"
    yield ""
    yield f"{check.level}, {plain(run.label)}. {plain(check.why)} *Fix:* {plain(check.fix)}"
    if result.reason:
        yield ""
        yield f"Reason: {plain(result.reason)}"
    yield ""
    yield f"Basis: {', '.join(map(_basis, check.basis))}"
    broken = result.broken
    if not broken:
        return
    yield ""
    yield f"<details><summary>Evidence: {len(broken)} of {result.exchanges} exchanges</summary>"
    yield ""
    yield fenced("\n\n".join("\n".join(_evidence(seen)) for seen in broken[:_SHOWN]))
    yield ""
    yield "</details>"


def _evidence(seen: Observation) -> Iterator[str]:
    yield f"at {seen.place}"
    if seen.error is not None:
        yield f"  {seen.error}"
    yield from (f"  {describe(found)}" for found in seen.findings[:_SHOWN])
    if len(seen.findings) > _SHOWN:
        yield f"  … and {len(seen.findings) - _SHOWN} more"
    if seen.repro is not None:
        yield f"  repeat: {seen.repro}"


def open_ends(run: Run) -> str:
    """Return what a run does not tell, and its stale expectations."""
    lines = [f"## What {plain(run.label)} leaves open", "", *(f"- {plain(each)}" for each in limits(run))]
    lines += [f"- {check}: {plain(sentence)}" for check, sentence in run.stale.items()]
    for status in (Status.INCONCLUSIVE, Status.UNSUPPORTED):
        named = [each for each in run.results if each.status is status]
        lines += [f"- {status} {each.check.id}: {plain(each.reason or '')}" for each in named]
    return "\n".join(lines)


def _basis(basis: str) -> str:
    found = address(basis)
    return f"`{basis}`" if found is None else f"[{plain(basis)}]({found})"


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def plain(text: str) -> str:
    """Return a text as one line that Markdown shows as it is; evidence is whatever a server sent."""
    escaped = re.sub(r"([\\`*\[\]|])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;"))
    return " ".join(_printable(escaped).split())


def fenced(text: str) -> str:
    """Return a block of code that holds any text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{_printable(text)}\n{fence}"


def _printable(text: str) -> str:
    return re.sub(r"[^\t\n\x20-\x7e\xa0-\U0010ffff]|[\ud800-\udfff\u2028\u2029]", "\N{REPLACEMENT CHARACTER}", text)
