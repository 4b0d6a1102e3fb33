"""The terminal report: a table of areas, then every failure with its evidence, basis and how to repeat it."""

from collections.abc import Iterator

from setu.conformance.judges.finding import Finding
from setu.conformance.results import CheckResult, Counts, Observation, Run, Status, Verdict

_COLUMNS = ("run", "pass", "fail", "warn", "unsupported", "inconclusive")
_SHOWN = 3
_TOLD = (Status.FAIL, Status.ERROR, Status.WARN, Status.XPASS)


def render(run: Run) -> str:
    """Return the report as plain text of at most 120 columns, but for what a server sent."""
    return "\n".join(_lines(run)) + "\n"


def _lines(run: Run) -> Iterator[str]:
    yield f"{run.target} · catalogue {run.catalogue}"
    yield ""
    yield "area  " + "".join(f"{name:>14}" for name in _COLUMNS)
    for area in run.areas:
        yield _row(area, run.counts(area))
    yield _row("all", run.counts())
    yield ""
    yield f"compat (MUST): {_shown(run.verdict())}   strict (MUST + SHOULD): {_shown(run.verdict(strict=True))}"
    for status in _TOLD:
        for result in run.results:
            if result.status is status:
                yield ""
                yield from _failure(result)
    yield from _reasons(run)


def _row(name: str, counts: Counts) -> str:
    numbers = (counts.run, counts.passed, counts.failed, counts.warned, counts.unsupported, counts.inconclusive)
    return f"{name:<6}" + "".join(f"{number:>14}" for number in numbers)


def _shown(verdict: Verdict) -> str:
    return "FAIL" if verdict is Verdict.FAIL else verdict.value


def _failure(result: CheckResult) -> Iterator[str]:
    check = result.check
    yield f"{check.id} {result.status.upper()} ({check.level}): {check.title}"
    if result.status is Status.XPASS:
        yield f"  expected to fail ({result.reason}), but passes: remove the expectation"
        return
    broken = result.broken
    for seen in broken[:_SHOWN]:
        yield from _evidence(seen)
    if len(broken) > _SHOWN:
        yield f"  … and {len(broken) - _SHOWN} more of {result.exchanges} exchanges"
    yield f"  why    {check.why}"
    yield f"  fix    {check.fix}"
    yield f"  basis  {', '.join(check.basis)}"


def _evidence(seen: Observation) -> Iterator[str]:
    yield f"  at     {seen.place}"
    if seen.error is not None:
        yield f"         {seen.error}"
    for found in seen.findings[:_SHOWN]:
        yield f"         {describe(found)}"
    if len(seen.findings) > _SHOWN:
        yield f"         … and {len(seen.findings) - _SHOWN} more"
    if seen.repro is not None:
        yield f"  repeat {seen.repro}"


def describe(found: Finding) -> str:
    """Return a finding in one line: what, where in the document, got and wanted, where in the bytes."""
    where = f" at {found.path}" if found.path else ""
    got = f", got {found.got}" if found.got is not None else ""
    want = f", want {found.want}" if found.want is not None else ""
    event = f"event {found.event}" if found.event is not None else ""
    span = f"bytes {found.span[0]}-{found.span[1]}" if found.span is not None else ""
    evidence = ", ".join(part for part in (event, span) if part)
    return f"{found.message}{where}{got}{want}{f' ({evidence})' if evidence else ''}"


def _reasons(run: Run) -> Iterator[str]:
    if run.overdue:
        yield ""
        yield "stale:"
        yield from (f"  {check}  {sentence}" for check, sentence in run.overdue.items())
    for status in (Status.XFAIL, Status.UNSUPPORTED, Status.INCONCLUSIVE):
        named = [result for result in run.results if result.status is status]
        if named:
            yield ""
            yield f"{status}:"
            for result in named:
                yield f"  {result.check.id}  {result.reason}"
    if run.skipped:
        yield ""
        yield "scenarios that do not fit:"
        yield from (f"  {scenario}  {reason}" for scenario, reason in run.skipped.items())
