"""Two hundred clients, four bad upstreams, and nothing that stays up: what is promised holds all the same.

Twenty seconds by default; `SETU_CHAOS_SECONDS=120`, or `python -m tests.chaos`, is the long form.
"""

import os

import pytest

from tests.chaos.crowd import Told
from tests.chaos.storm import CLIENTS, Findings, run
from tests.chaos.table import above
from tests.chaos.verdict import PROMISES

SECONDS = float(os.environ.get("SETU_CHAOS_SECONDS", "20"))
pytestmark = [pytest.mark.slow, pytest.mark.timed, pytest.mark.timeout(180 + 2 * SECONDS)]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    findings = run(tmp_path_factory.mktemp("chaos"), SECONDS)
    print(findings)
    return findings


@pytest.mark.parametrize("promise", PROMISES)
def test_after_the_storm(found: Findings, promise: str) -> None:
    assert PROMISES[promise](found) == []


def test_the_storm_was_one(found: Findings) -> None:
    """Everything that may happen to a request did, to many; else the promises were not put to the proof."""
    seen = {(each.outcome, each.status) for each in found.told}

    assert len(found.told) > 5 * CLIENTS
    assert {("ok", 200), ("broken", 200), ("left", 200), ("error", 429), ("error", 503)} <= seen
    assert {each["outcome"] for each in found.attempts} >= {"ok", "failed", "cut"}
    for sentence in (
        "Redis cannot be asked",
        "Redis answers again",
        "the usage database cannot be written",
        "the usage database can be written again",
    ):
        assert sentence in found.log
    assert found.log.count("configuration reloaded (file change)") + found.log.count("(SIGHUP)") >= SECONDS // 5 - 1


def test_a_limit_counts_as_passed_only_by_requests_that_were_all_granted_within_a_minute() -> None:
    told = [Told(f"n{n}", "ok", 200, at=n, done=n + 1) for n in range(100)]
    refused = [Told("r", "error", 429, at=5, done=6), Told("away", "error", 503, at=5, done=6)]

    assert above(told + refused, 60) == 0
    assert above(told, 59) == 1
    assert above(told[:10], 60) == -50
