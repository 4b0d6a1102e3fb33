"""Rules for every test: no deadline that a busy machine could miss, no promised check that quietly skips."""

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from tests.needs import required

settings.register_profile("setu", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("setu")

ReportT = pytest.TestReport | pytest.CollectReport


def _insist(report: ReportT) -> None:
    """Turn a skip for want of something that was promised into a failure."""
    if not report.skipped or not isinstance(report.longrepr, tuple):
        return
    item = required(report.longrepr[2], os.environ)
    if item is not None:
        report.outcome = "failed"
        report.longrepr = f"SETU_REQUIRE promises {item}, but this was skipped: {report.longrepr[2]}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _insist(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _insist(report)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what passing tests measured: exchanges that ran, delays.

    `-rP` would print it too, but looks through every report for each one: minutes for ten thousand tests.
    """
    told = [
        line
        for report in terminalreporter.stats.get("passed", [])
        if report.when == "call" and report.nodeid.startswith(("tests/corpus/", "tests/e2e/", "tests/docs/"))
        for line in report.capstdout.splitlines()
    ]
    if told:
        terminalreporter.section("measured")
        for line in told:
            terminalreporter.write_line(line)
