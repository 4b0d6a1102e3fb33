"""Runs to report on: one with every status, and generated ones."""

from hypothesis import strategies as st

from setu.conformance.catalogue import load
from setu.conformance.judges.finding import Finding
from setu.conformance.results import CheckResult, Observation, Run, Status, collect

EVIL = "</script><script>document.title='evil'</script>|`x`\n<img src=x onerror=\"document.title='evil'\">\x1b[31m"


def seen(check: str, *, broken: bool = False, error: str | None = None, place: str = "scenario text") -> Observation:
    findings = (Finding(check, "it is wrong"),) if broken else ()
    return Observation(check=check, place=place, findings=findings, error=error)


def everything(target: str = "gemini", evil: str = EVIL) -> Run:
    """Return a run in which every status occurs, with evidence that no report may run or break at."""
    finding = Finding("STR-003", "the id changes", path="$.id", got=evil, want='"a"', event=2, span=(10, 20))
    return collect(
        target,
        load(),
        [
            Observation(check="STR-003", place="scenario tool-call", findings=(finding,), repro="curl -sN http://x/v1"),
            seen("STR-005", broken=True),
            seen("STR-001"),
            seen("STR-002", broken=True),
            seen("STR-004"),
            seen("CHAT-001"),
            seen("CHAT-001"),
            seen("CHAT-002", error="no recording"),
        ],
        unsupported={"TOOL-001": "no tools"},
        inconclusive={"CHAT-014": "k = 3"},
        expected={"STR-002": "upstream bug; https://example.org/42", "STR-004": "was a bug"},
        overdue={"STR-002": "expected to fail until 2026-01-31, which is past"},
        skipped={"B-EMB-01": "gemini has no operation 'embed'"},
    )


_TEXTS = st.text(max_size=12)
_CHECKS = load().checks


@st.composite
def _findings(draw: st.DrawFn, check: str) -> Finding:
    span = draw(st.none() | st.tuples(st.integers(0, 9), st.integers(9, 99)))
    return Finding(
        check,
        draw(_TEXTS),
        path=draw(st.none() | _TEXTS),
        got=draw(st.none() | _TEXTS),
        want=draw(st.none() | _TEXTS),
        event=draw(st.none() | st.integers(0, 9)),
        span=span,
    )


@st.composite
def observations(draw: st.DrawFn, check: str) -> Observation:
    return Observation(
        check=check,
        place=draw(_TEXTS),
        findings=tuple(draw(st.lists(_findings(check), max_size=2))),
        repro=draw(st.none() | _TEXTS),
        error=draw(st.none() | _TEXTS),
    )


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Draw a run of a few checks; statuses are drawn, too, for a report does not judge."""
    checks = draw(st.lists(st.sampled_from(_CHECKS), max_size=5, unique_by=lambda check: check.id))
    results = tuple(
        CheckResult(
            check=check,
            status=draw(st.sampled_from(Status)),
            observations=tuple(draw(st.lists(observations(check.id), max_size=3))),
            reason=draw(st.none() | _TEXTS),
            held=draw(st.integers(0, 3)),
        )
        for check in checks
    )
    reasons = st.dictionaries(_TEXTS, _TEXTS, max_size=2)
    return Run(
        target=draw(_TEXTS),
        catalogue="2026.11",
        results=results,
        skipped=draw(reasons),
        name=draw(_TEXTS),
        kind=draw(st.sampled_from(["provider", "gateway"])),
        mode=draw(st.sampled_from(["offline", "two-sided", "live", "passive", "new"])),
        model=draw(_TEXTS),
        seed=draw(st.integers(0, 2**40)),
        started=draw(st.sampled_from(["", "2026-11-21T10:00:00Z"])),
        fingerprint=draw(reasons),
        schema_sha=draw(st.sampled_from(["", "0" * 64])),
        sdk=draw(reasons),
        untried=tuple(draw(st.lists(st.sampled_from([check.id for check in _CHECKS]), max_size=2))),
        overdue=draw(reasons),
    )
