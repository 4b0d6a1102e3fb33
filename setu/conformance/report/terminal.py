"""The report on a terminal, with colours; where nobody looks it is the plain table.

rich is imported when there is a terminal to draw on.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, TextIO

from setu.conformance.report import table
from setu.conformance.report.basis import address
from setu.conformance.report.limits import limits
from setu.conformance.report.table import describe
from setu.conformance.results import CheckResult, Observation, Run, Status, Verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_STYLES = {
    Status.PASS: "green",
    Status.FAIL: "bold red",
    Status.ERROR: "bold red",
    Status.WARN: "yellow",
    Status.XPASS: "magenta",
    Status.XFAIL: "yellow",
    Status.UNSUPPORTED: "dim",
    Status.INCONCLUSIVE: "cyan",
}
_VERDICTS = {Verdict.PASS: "bold green", Verdict.FAIL: "bold red", Verdict.NOTHING: "bold cyan"}
_TOLD = (Status.FAIL, Status.ERROR, Status.WARN, Status.XPASS)
_SHOWN = 3
_CONTROL = re.compile(r"[^\n\x20-\x7e\xa0-\U0010ffff]|[\ud800-\udfff]")


def show(run: Run, stream: TextIO) -> None:
    """Write the report of a run: drawn on a terminal, else as the plain table."""
    if not stream.isatty():
        stream.write(table.render(run) + "\n")
        return
    from rich.console import Console

    draw(run, Console(file=stream, highlight=False))


@contextmanager
def working(words: str, stream: TextIO) -> Iterator[Callable[[str], None]]:
    """Show on a terminal that something is under way; the yielded function says what. Elsewhere nothing is written."""
    if not stream.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.status import Status as Spinner
    from rich.text import Text

    with Spinner(Text(_safe(words)), console=Console(file=stream)) as spinner:
        yield lambda now: spinner.update(Text(_safe(now)))


def watched(runs: Iterable[Run], stream: TextIO) -> Iterator[Run]:
    """Yield runs as they come; while one is under way, a terminal says so."""
    coming = iter(runs)
    for number in count(1):
        with working(f"judging target {number}", stream):
            run = next(coming, None)
        if run is None:
            return
        yield run


def draw(run: Run, console: "Console") -> None:
    """Draw the report of a run."""
    console.print(_text((f"{run.target} · catalogue {run.catalogue}", "bold")))
    console.print(_areas(run))
    for name, verdict in (("compat (MUST)", run.verdict()), ("strict (MUST + SHOULD)", run.verdict(strict=True))):
        console.print(_text((f"{name}: ", ""), (verdict.value, _VERDICTS[verdict])))
    for status in _TOLD:
        for result in run.results:
            if result.status is status:
                console.print()
                _draw_failure(result, console)
    _draw_rest(run, console)


def _areas(run: Run) -> Any:
    from rich.table import Table

    drawn = Table("area", box=None, padding=(0, 2), header_style="bold")
    columns = ("run", "pass", "fail", "warn", "unsupported", "inconclusive")
    styles = ("", "green", "bold red", "yellow", "dim", "cyan")
    for column in columns:
        drawn.add_column(column, justify="right")
    for area in (*run.areas, None):
        counts = run.counts(area)
        numbers = (counts.run, counts.passed, counts.failed, counts.warned, counts.unsupported, counts.inconclusive)
        cells = [
            _text((str(number), style if number else "dim")) for number, style in zip(numbers, styles, strict=True)
        ]
        drawn.add_row(area or "all", *cells)
    return drawn


def _draw_failure(result: CheckResult, console: "Console") -> None:
    check = result.check
    head = (f"{check.id} {result.status.upper()}", _STYLES[result.status])
    console.print(_text(head, (f" ({check.level}): ", ""), (check.title, "bold")))
    if result.status is Status.XPASS:
        console.print(_text((f"  expected to fail ({result.reason}), but passes: remove the expectation", "")))
        return
    broken = result.broken
    for seen in broken[:_SHOWN]:
        _draw_evidence(seen, console)
    if len(broken) > _SHOWN:
        console.print(_text((f"  … and {len(broken) - _SHOWN} more of {result.exchanges} exchanges", "dim")))
    console.print(_text(("  why    ", "dim"), (check.why, "")))
    console.print(_text(("  fix    ", "dim"), (check.fix, "")))
    basis = [(each, f"link {url}" if (url := address(each)) else "") for each in check.basis]
    console.print(_text(("  basis  ", "dim"), *(part for each in basis for part in (each, ("  ", "")))))


def _draw_evidence(seen: Observation, console: "Console") -> None:
    console.print(_text(("  at     ", "dim"), (seen.place, "")))
    said = [*([] if seen.error is None else [seen.error]), *map(describe, seen.findings)]
    for line in said[:_SHOWN]:
        console.print(_text(("         ", ""), (line, "red")))
    if len(said) > _SHOWN:
        console.print(_text((f"         … and {len(said) - _SHOWN} more", "dim")))
    if seen.repro is not None:
        # Not broken into lines, so that it can be copied.
        console.print(_text(("  repeat ", "dim"), (seen.repro, "cyan")), soft_wrap=True)


def _draw_rest(run: Run, console: "Console") -> None:
    """Draw what is neither held nor broken, and what the run leaves open."""
    named = [
        (each, each.check.id, each.reason or "")
        for each in run.results
        if each.status in (Status.XFAIL, Status.UNSUPPORTED, Status.INCONCLUSIVE)
    ]
    console.print()
    for result, check, reason in named:
        console.print(_text((f"{result.status:<13}", _STYLES[result.status]), (f"{check}  {reason}", "")))
    for check, sentence in run.overdue.items():
        console.print(_text((f"{'stale':<13}", "magenta"), (f"{check}  {sentence}", "")))
    for sentence in limits(run):
        console.print(_text((sentence, "dim")))


def _text(*parts: tuple[str, str]) -> "Text":
    from rich.text import Text

    return Text.assemble(*((_safe(text), style) for text, style in parts))


def _safe(text: str) -> str:
    """Return a text that cannot move a cursor or change a title: evidence is whatever a server sent."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
