"""The JUnit report: one suite per area, one test case per check, its level and basis as properties."""

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from setu.conformance.report.table import describe
from setu.conformance.results import CheckResult, Run, Status

# XML 1.0 cannot carry these even escaped; evidence is whatever a server sent.
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SKIPPED = (Status.UNSUPPORTED, Status.INCONCLUSIVE, Status.XFAIL)


def render(runs: Sequence[Run]) -> str:
    """Return one document for all targets, to be written as UTF-8; suites are named `target.AREA`."""
    root = Element("testsuites", name="setu conformance")
    for run in runs:
        for area in run.areas:
            _suite(root, run, area)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, run: Run, area: str) -> None:
    results = [result for result in run.results if result.check.area == area]
    suite = SubElement(
        root,
        "testsuite",
        name=_clean(f"{run.target}.{area}"),
        tests=str(len(results)),
        failures=str(sum(_fails(run, result) for result in results)),
        errors=_count(results, Status.ERROR),
        skipped=str(sum(result.status in _SKIPPED and not _fails(run, result) for result in results)),
    )
    for result in results:
        _case(suite, run, result)


def _case(suite: Element, run: Run, result: CheckResult) -> None:
    check = result.check
    case = SubElement(suite, "testcase", classname=_clean(f"{run.target}.{check.area}"), name=check.id)
    properties = SubElement(case, "properties")
    facts = {
        "level": check.level,
        "profile": check.profile,
        "status": result.status.value,
        "title": check.title,
        "basis": ", ".join(check.basis),
        "exchanges": str(result.exchanges),
    }
    for name, value in facts.items():
        SubElement(properties, "property", name=name, value=_clean(value))
    if result.status is Status.XFAIL and check.id in run.overdue:
        SubElement(case, "failure", message=_clean(run.overdue[check.id]), type="stale")
        return
    match result.status:
        case Status.FAIL:
            _tell(SubElement(case, "failure", message=_clean(check.title), type=check.level), result)
        case Status.ERROR:
            _tell(SubElement(case, "error", message=_clean(check.title), type="error"), result)
        case Status.XPASS:
            SubElement(case, "failure", message=_clean(f"expected to fail: {result.reason}"), type="stale")
        case Status.UNSUPPORTED | Status.INCONCLUSIVE | Status.XFAIL:
            SubElement(case, "skipped", message=_clean(f"{result.status}: {result.reason}"))
        case Status.WARN:
            # A SHOULD does not fail a build; its evidence is there to read.
            _tell(SubElement(case, "system-out"), result)
        case _:
            return


def _fails(run: Run, result: CheckResult) -> bool:
    """Tell whether a case is a failure: a stale expectation is one, too."""
    if result.status is Status.XFAIL:
        return result.check.id in run.overdue
    return result.status in (Status.FAIL, Status.XPASS)


def _tell(element: Element, result: CheckResult) -> None:
    lines = [
        f"{seen.place}: {text}"
        for seen in result.broken
        for text in (seen.error, *map(describe, seen.findings))
        if text is not None
    ]
    lines += [f"repeat: {seen.repro}" for seen in result.broken if seen.repro]
    element.text = _clean("\n".join(lines))


def _count(results: Sequence[CheckResult], *statuses: Status) -> str:
    return str(sum(result.status in statuses for result in results))


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
