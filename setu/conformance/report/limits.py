"""What a run does not tell: said in every report, so that a verdict is not taken for more than it is."""

from collections.abc import Iterator

from setu.conformance.results import Run, Status

_OF_MODE = {
    "offline": "Upstreams were recordings and scripts: no live model was asked.",
    "two-sided": "The upstream was scripted: a real provider may answer otherwise.",
    "live": "One model was asked a few times: others, and other days, may answer otherwise.",
    "passive": "Only recorded traffic was judged: what it does not contain was not tried.",
}


def limits(run: Run) -> tuple[str, ...]:
    """Return a sentence for each thing that a run leaves open, the same for the same run."""
    return tuple(_limits(run))


def _limits(run: Run) -> Iterator[str]:
    if run.mode in _OF_MODE:
        yield _OF_MODE[run.mode]
    if run.untried:
        known = len(run.results) + len(run.untried)
        yield f"Not tried: {len(run.untried)} of the catalogue's {_checks(known)}."
    if inconclusive := _count(run, Status.INCONCLUSIVE):
        yield f"Inconclusive, so neither held nor broken: {_checks(inconclusive)}."
    if unsupported := _count(run, Status.UNSUPPORTED):
        yield f"About what the target declares not to have: {_checks(unsupported)}."
    if excused := _count(run, Status.XFAIL):
        yield f"Failing, but expected to: {_checks(excused)}. A verdict excuses them."
    if run.skipped:
        yield f"Scenarios that do not fit the target: {len(run.skipped)}."


def _checks(number: int) -> str:
    return f"{number} check{'' if number == 1 else 's'}"


def _count(run: Run, status: Status) -> int:
    return sum(result.status is status for result in run.results)
