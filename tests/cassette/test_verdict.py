import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.journal import Served
from setu.cassette.verdict import CHECKS, Limits, calls_of, verdict


def row(*answers, key="k", gap=500, scope=""):
    """Requests of one key, each `gap` ms (or its own `gap`) after the end of the one before; an answer takes 10 ms."""
    found, now = [], 0
    for n, answer in enumerate(answers, 1):
        fields = dict(answer) if isinstance(answer, dict) else {"status": answer}
        pause = fields.pop("gap", gap)
        now += pause if n > 1 else 0
        found.append(Served(n=n, key=key, scope=scope, at_ms=now, done_ms=now + 10, **{"ended": "complete", **fields}))
        now += 10
    return found


def found(entries, **options):
    """The checks that fail or inform, with their level."""
    return [(finding.check, finding.level) for finding in verdict(entries, **options).findings]


CUT = {"status": 200, "ended": "truncated-upstream", "broken": True, "fault": "close@event=4"}
LEFT = {"status": 200, "ended": "closed-by-client"}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (row(200), []),
        (row(429, 429, 200), []),
        (row(500, 503, 529, 408, 409, 200), []),
        (row(404), []),
        (row(424), []),
        (row(429), ["retried"]),
        (row(503, 503, 503), []),
        (row(400, 200), ["not-retried"]),
        (row(424, 424), ["not-retried"]),
        (row({"status": 429, "retry_after_ms": 1000}, {"status": 200, "gap": 1000}), []),
        (row({"status": 429, "retry_after_ms": 1000}, {"status": 200, "gap": 951}), []),
        (row({"status": 429, "retry_after_ms": 1000}, {"status": 200, "gap": 949}), ["retry-after"]),
        (row({"status": 429, "retry_after_ms": 0}, {"status": 200, "gap": 1}), []),
        (row(500, {"status": 200, "gap": 99}), ["backoff"]),
        (row(500, {"status": 200, "gap": 100}), []),
        (row(*[500] * 6, 200), ["stopped"]),
        (row(*[500] * 5, 200), []),
        (row(200, 200), []),
        (row(200, {"status": 200, "attempt": 1}), ["success-kept"]),
        (row({"status": 500, "attempt": 0}, {"status": 200, "attempt": 1}), []),
        (row(CUT, 200), []),
        (row(LEFT), []),
        (row(LEFT, 200), []),
    ],
)
def test_what_a_client_did_with_its_failures_is_judged(entries, expected) -> None:
    assert found(entries, exit_status=0) == [(check, "fail") for check in expected]


def test_a_broken_answer_taken_for_a_whole_one_shows_in_the_exit_status() -> None:
    silent = {"status": 200, "broken": True, "fault": "drop-done"}

    for entry in (CUT, silent, {"status": 200, "ended": "reset"}):
        assert found(row(entry), exit_status=0) == [("truncation", "fail")]
        assert found(row(entry), exit_status=3) == []
        assert found(row(entry)) == [("truncation", "info")]
    (finding,) = verdict(row(CUT), exit_status=0).findings
    assert "close@event=4" in finding.message
    assert finding.basis == "no retry, and the process ended with status 0"


def test_a_client_that_left_itself_accepted_nothing() -> None:
    assert found(row({"status": 200, "ended": "closed-by-client", "broken": True}), exit_status=0) == []


def test_a_first_attempt_after_a_final_error_may_be_a_call_of_its_own() -> None:
    entries = row(400, {"status": 400, "attempt": 0})

    assert found(entries) == [("not-retried", "info")]
    assert verdict(entries).ok


def test_requests_side_by_side_are_calls_of_their_own() -> None:
    together = [
        Served(n=n, key="k", at_ms=n, done_ms=100 + n, status=status, ended="complete")
        for n, status in enumerate((429, 429, 200), 1)
    ]

    assert [len(call.attempts) for call in calls_of(together)] == [1, 1, 1]


def test_an_answer_under_way_is_not_tried_again() -> None:
    running = Served(n=1, key="k", status=429)

    assert len(calls_of([running, Served(n=2, key="k", at_ms=900, status=200, ended="complete")])) == 2


def test_scopes_do_not_share_calls() -> None:
    entries = [
        *row(500, scope="a"),
        Served(n=2, key="k", scope="b", at_ms=900, done_ms=910, status=200, ended="complete"),
    ]

    assert found(entries) == [("retried", "fail")]


def test_a_retry_continues_the_call_that_failed() -> None:
    lost, fine = row(500, key="k")[0], Served(n=2, key="k", at_ms=0, done_ms=5, status=200, ended="complete")

    calls = calls_of(
        [fine, lost, Served(n=3, key="k", at_ms=900, done_ms=910, status=200, ended="complete", attempt=1)]
    )

    assert [[entry.status for entry in call.attempts] for call in calls] == [[200], [500, 200]]


def test_limits_may_be_others() -> None:
    entries = row(*[{"status": 500, "gap": 60}] * 2, {"status": 200, "gap": 60})

    assert found(entries, limits=Limits(haste_ms=50)) == []
    assert found(entries, limits=Limits(haste_ms=50, max_retries=1)) == [("stopped", "fail")]


def test_a_report_counts_what_there_was_to_judge() -> None:
    entries = row({"status": 429, "retry_after_ms": 1000}, {"status": 200, "gap": 5})
    made = verdict(entries, exit_status=0)

    report = json.loads(made.to_json())

    assert (report["ok"], report["calls"], report["requests"], report["exit_status"]) == (False, 1, 2, 0)
    counts = {check["check"]: (check["judged"], check["failed"]) for check in report["checks"]}
    assert counts["retry-after"] == (1, 1)
    assert counts["retried"] == (1, 0)
    assert counts["truncation"] == (0, 0)
    (finding,) = report["findings"]
    assert finding["requests"] == [1, 2]
    assert finding["message"] == "came back after 5 ms, told to wait 1000 ms"
    assert finding["basis"]


def test_a_table_has_a_line_for_each_check_and_its_findings() -> None:
    entries = row(429)
    entries[0].method, entries[0].path, entries[0].model = "POST", "/v1/messages", "m"

    lines = verdict(entries).table().splitlines()

    assert lines[0] == "resilience: not ok (1 calls, 1 requests)"
    assert [line.split()[1] for line in lines[1 : 1 + len(CHECKS)]] == list(CHECKS)
    assert lines[1].startswith("  FAIL  retried")
    assert lines[-3:] == [
        "  fail: retried: POST /v1/messages m (#1)",
        "    gave up at the first 429",
        "    basis: no request with the same content followed",
    ]


def test_nothing_is_fine() -> None:
    made = verdict([])

    assert made.ok
    assert "ok (0 calls" in made.table()


statuses = st.sampled_from([200, 400, 404, 408, 424, 429, 500, 503, 529])


@given(st.lists(st.tuples(statuses, st.integers(0, 2000), st.sampled_from("ab")), max_size=30))
def test_every_request_is_in_one_call_and_a_client_that_only_succeeds_is_fine(drawn) -> None:
    entries, now = [], 0
    for n, (status, gap, key) in enumerate(drawn, 1):
        now += gap
        entries.append(Served(n=n, key=key, at_ms=now, done_ms=now + 1, status=status, ended="complete"))

    calls = calls_of(entries)

    assert sorted(entry.n for call in calls for entry in call.attempts) == [entry.n for entry in entries]
    made = verdict(entries, exit_status=0)
    assert all(made.judged[finding.check] > 0 for finding in made.findings)
    if all(status == 200 for status, *_ in drawn):
        assert not made.findings
