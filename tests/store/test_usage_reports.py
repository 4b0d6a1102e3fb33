"""Totals and bills, alike on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.errors import ConfigError
from setu.signals import Call
from setu.store import database
from setu.store.reports import BillLine, Query, Totals, bill, csv_lines, month, query_of, totals, usage_report
from tests.postgres_server import PostgresServer
from tests.store.calls import NOVEMBER, call

DAY = 86_400_000
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CALLS = [
    call(tenant="acme", key="k1", cost=1_500_000, ttfb_ms=20, reasoning_tokens=4, cached_tokens=50),
    call(tenant="acme", key="k2", cost=500_000, duration_ms=80, started=NOVEMBER + DAY),
    call(tenant="acme", model="claude", upstream_model="claude-x", provider="anthropic", cost=None),
    call(tenant="beta", status=503, end="error", input_tokens=None, output_tokens=None),
    call(tenant="beta", end="truncated-upstream", cost=0),
    call(tenant="beta", end="closed-by-client", cost=9_000_000_001),
    call(tenant="beta", cache="hit", cost=0, started=NOVEMBER + 40 * DAY),
]


def filled(url: str, calls: list[Call]) -> str:
    engine = database.connect(url)
    database.migrate(engine)
    assert database.write(engine, calls) == []
    engine.dispose()
    return url


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield filled(f"sqlite:///{tmp_path_factory.mktemp('reports') / 'usage.db'}", CALLS)
        return
    with PostgresServer() as server:
        yield filled(server.url, CALLS)


def table(url: str, *names: str, **said: str) -> list[tuple[Any, ...]]:
    rows, _ = totals(url, query_of(said, NOW))
    return [tuple(getattr(row, name) for name in names) for row in rows]


def test_totals_are_by_model_the_dearest_first(url: str) -> None:
    assert table(url, "group", "requests", "failures", "input_tokens", "output_tokens", "cost_usd", "unpriced") == [
        ("gpt-4o-mini", 6, 2, 500, 50, 9.002000001, 0),
        ("claude", 1, 0, 100, 10, 0.0, 1),
    ]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("tenant", [("beta", 4), ("acme", 3)]),
        ("provider", [("openai", 6), ("anthropic", 1)]),
        ("day", [("2026-11-06", 5), ("2026-11-07", 1), ("2026-12-16", 1)]),
        ("key", [("", 5), ("k1", 1), ("k2", 1)]),
    ],
)
def test_totals_are_by_what_was_asked_for(url: str, by: str, expected: list[tuple[str, int]]) -> None:
    assert table(url, "group", "requests", by=by) == expected


@pytest.mark.parametrize(
    ("said", "requests"),
    [
        ({"since": "2026-11-07"}, 2),
        ({"until": "2026-11-06"}, 5),
        ({"until": "2026-11-06T20:00:00Z"}, 0),
        ({"since": "2026-11-06T22:00:00+02:00", "until": "2026-11-07"}, 6),
        ({"since": "14d"}, 2),
        ({"tenant": "acme"}, 3),
        ({"tenant": "acme", "provider": "anthropic"}, 1),
        ({"key": "k1"}, 1),
        ({"model": "claude"}, 1),
        ({"tenant": "' OR 1=1 --"}, 0),
    ],
)
def test_a_report_is_about_what_was_asked_for(url: str, said: dict[str, str], requests: int) -> None:
    _, total = totals(url, query_of(said, NOW))

    assert total.requests == requests


def test_times_are_means_of_what_was_measured(url: str) -> None:
    assert table(url, "latency_ms", "ttfb_ms", "cached_tokens", "reasoning_tokens", by="tenant", tenant="acme") == [
        (53, 20, 50, 4)
    ]
    assert table(url, "latency_ms", "ttfb_ms", "cache_hits", tenant="beta") == [(40, None, 1)]


@pytest.mark.parametrize(
    "said",
    [
        {"by": "colour"},
        {"since": "yesterday"},
        {"until": "2026-13-01"},
        {"since": "999999999999d"},
        {"sinse": "7d"},
    ],
)
def test_a_wrong_query_is_one_sentence(said: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"^usage: ") as caught:
        query_of(said, NOW)

    assert "\n" not in str(caught.value)


def test_the_admin_report_has_rows_and_their_sum(url: str) -> None:
    report = usage_report(url, {"by": "tenant", "since": "2026-11-01"}, NOW)

    assert (report["object"], report["by"], report["since"]) == ("usage.report", "tenant", "2026-11-01T00:00:00+00:00")
    assert [row["group"] for row in report["rows"]] == ["beta", "acme"]
    assert report["total"]["requests"] == 7
    assert msgspec.json.decode(msgspec.json.encode(report)) == report


def test_a_bill_has_a_line_for_each_model_of_a_month(url: str) -> None:
    lines = bill(url, "acme", "2026-11")

    assert [(line.provider, line.model, line.requests, line.cost_usd, line.unpriced) for line in lines] == [
        ("anthropic", "claude-x", 1, "0.000000000", 1),
        ("openai", "gpt-4o-mini", 2, "0.002000000", 0),
    ]
    assert bill(url, "beta", "2026-12")[0].requests == 1
    assert bill(url, "nobody", "2026-11") == []


def test_the_same_bill_is_the_same_bytes(url: str) -> None:
    first, second = ("".join(csv_lines(bill(url, "acme", "2026-11"), BillLine)) for _ in range(2))

    assert first == second
    assert first.startswith("id,tenant,period,provider,model,requests,")


def test_the_ids_of_a_bill_differ_by_tenant_and_month(url: str) -> None:
    found = [
        line.id
        for tenant in ("acme", "beta")
        for period in ("2026-11", "2026-12")
        for line in bill(url, tenant, period)
    ]

    assert len(set(found)) == len(found) == 4


@pytest.mark.parametrize("period", ["2026-13", "2026-1", "november", "2026-11-01", "0000-01", "9999-12"])
def test_a_period_that_is_no_month_is_refused(period: str) -> None:
    with pytest.raises(ConfigError, match="a period is a month such as 2026-11"):
        month(period)


@given(st.integers(1, 9998), st.integers(1, 11))
def test_months_follow_each_other_without_a_gap(year: int, number: int) -> None:
    assert month(f"{year:04}-{number:02}")[1] == month(f"{year:04}-{number + 1:02}")[0]


def test_a_name_is_no_formula_in_a_spreadsheet(tmp_path: Path) -> None:
    url = filled(f"sqlite:///{tmp_path / 'usage.db'}", [call(model='=HYPERLINK("x")'), call(model="a,b")])
    rows, _ = totals(url, Query(by="model"))
    text = "".join(csv_lines(rows, Totals))

    assert '\n"\'=HYPERLINK(""x"")",1,' in text
    assert '\n"a,b",1,' in text


def test_before_the_first_request_a_report_is_empty(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'usage.db'}"

    assert totals(url, Query())[0] == []
    assert bill(url, "acme", "2026-11") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    ["postgresql+psycopg://someone:hunter2@127.0.0.1:1/setu", f"sqlite:///{__file__}"],
    ids=["postgres", "sqlite"],
)
def test_a_database_that_cannot_be_read_is_one_sentence_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        totals(url, Query())

    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)
