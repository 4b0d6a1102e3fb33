from hypothesis import given
from hypothesis import strategies as st

from setu.server.admin_gateway import ProviderHealth
from setu.server.totals import Totals
from setu.signals import Attempt, CacheState, Call


def call(status: int = 200, end: str = "complete", ms: int = 10, cache: CacheState = "", *outcomes: str) -> Call:
    attempts = tuple(
        Attempt(number=n, provider="a", model="m", outcome=outcome) for n, outcome in enumerate(outcomes, 1)
    )
    return Call(
        request_id="r", dialect="openai_chat", model="m", provider="a" if outcomes else "", upstream_model="m",
        route="", stream=False, status=status, end=end, duration_ms=ms, policy="cost_based", cache=cache,
        attempts=attempts,
    )  # fmt: skip


def test_the_document_has_the_members_that_semaroute_promised() -> None:
    totals = Totals()
    totals.add(call(200, "complete", 10, "miss", "failed", "ok"))
    totals.add(call(200, "complete", 2, "hit"))
    totals.add(call(200, "truncated-upstream", 30, "", "cut"))
    totals.add(call(502, "error", 58, "", "failed"))
    report = totals.report(
        [ProviderHealth(name="a", status="healthy", latency=0.1), ProviderHealth(name="b", status="no key")],
        1_700_000_000.0,
        {"size": 1, "max_size": 9},
    )

    assert report == {
        "requests": {"total": 4, "successful": 2, "failed": 2, "average_latency": 25.0, "error_rate": 0.5},
        "providers": {"total": 2, "healthy": 1, "unhealthy": 1, "average_latency": 100.0, "total_errors": 3},
        "routing": {"total_decisions": 3, "policy_usage": {"cost_based": 3}},
        "cache": {"hits": 1, "misses": 1, "hit_rate": 0.5, "size": 1, "max_size": 9},
        "timestamp": "2023-11-14T22:13:20Z",
    }


def test_before_the_first_call_nothing_is_divided() -> None:
    report = Totals().report([], 0.0)

    assert report["requests"] == {"total": 0, "successful": 0, "failed": 0, "average_latency": 0.0, "error_rate": 0.0}
    assert report["cache"] == {"hits": 0, "misses": 0, "hit_rate": 0.0, "size": 0, "max_size": 0}


@given(st.lists(st.tuples(st.sampled_from([200, 429, 502]), st.sampled_from(["complete", "error"]))))
def test_what_succeeded_and_what_failed_is_everything(outcomes: list[tuple[int, str]]) -> None:
    totals = Totals()
    for status, end in outcomes:
        totals.add(call(status, end))
    requests = totals.report([], 0.0)["requests"]

    assert requests["successful"] + requests["failed"] == requests["total"] == len(outcomes)
