"""Usage on a real PostgreSQL, which is killed and comes back."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from setu.store.usage import UsageStore
from tests.postgres_server import PostgresServer
from tests.store.calls import QUICK, attempt, call, calls, child, count, ids, lines, stored, until


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def url(postgres: PostgresServer, request: pytest.FixtureRequest) -> str:
    """A database of the test's own."""
    return postgres.create(request.node.name.lower()[:60])


def test_a_call_becomes_a_row(url: str, tmp_path: Path) -> None:
    store = UsageStore(url, tmp_path / "spill", pace=QUICK)
    one = call(tenant="acme", cost=1_234_567, attempts=(attempt(1, outcome="failed"), attempt(2)))
    store.put(one)
    store.close()

    [row] = stored(url)
    assert str(row["id"]) == one.id
    assert (row["tenant"], row["total_tokens"], row["cost_nano_usd"]) == ("acme", 110, 1_234_567)
    assert str(row["cost_estimate_usd"]) == "0.001235"
    assert row["created_at"].isoformat() == "2026-11-06T20:00:00+00:00"
    assert len(stored(url, "provider_attempts")) == 2


def test_every_row_is_there_once_after_a_crash_in_mid_run(
    url: str, tmp_path: Path, postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    spill = tmp_path / "spill"
    store = UsageStore(url, spill, pace=QUICK)
    sent = calls(900, attempts=(attempt(),))
    with caplog.at_level(logging.WARNING):
        for each in sent[:300]:
            store.put(each)
        postgres.kill()
        for each in sent[300:600]:
            store.put(each)
        assert store.flush(30)
        waiting = len(lines(spill))
        postgres.start()
        for each in sent[600:]:
            store.put(each)
        until(lambda: count(url) == 900)
    store.close()

    assert waiting >= 300
    assert ids(url) == sorted(each.id for each in sent)
    assert len(stored(url, "provider_attempts")) == 900
    assert list(spill.iterdir()) == []
    assert len([record for record in caplog.records if "cannot be written" in record.message]) == 1


def test_what_a_gateway_wrote_to_files_without_its_database_comes_with_the_next_start(
    url: str, tmp_path: Path, postgres: PostgresServer
) -> None:
    postgres.kill()
    sent = calls(50)
    store = UsageStore(url, tmp_path / "spill", pace=QUICK)
    for each in sent:
        store.put(each)
    store.close()
    postgres.start()

    later = UsageStore(url, tmp_path / "spill", pace=QUICK)
    until(lambda: count(url) == 50)
    later.close()
    assert ids(url) == sorted(each.id for each in sent)


def test_several_processes_start_and_write_at_once(url: str, tmp_path: Path) -> None:
    script = "for one in calls(300): store.put(one)\nstore.close()\nprint(store.tally().spilled)"
    processes = [child(script, url, tmp_path / f"spill-{number}") for number in range(3)]
    spilled = [process.communicate(timeout=60)[0] for process in processes]

    assert spilled == ["0\n"] * 3
    assert count(url) == 900


def test_what_postgresql_cannot_say_is_said_another_way(url: str, tmp_path: Path) -> None:
    store = UsageStore(url, tmp_path / "spill", pace=QUICK)
    store.put(call(model="a\0b", tenant="\ud800", error="x" * 9_000, input_tokens=2**40, cost=2**70))
    store.close()

    [row] = stored(url)
    assert (row["model"], row["tenant"]) == ("a\N{REPLACEMENT CHARACTER}b", "?")
    assert (len(row["error_message"]), row["prompt_tokens"]) == (2_000, 2**31 - 1)
    assert (row["cost_nano_usd"], row["cost_estimate_usd"]) == (2**63 - 1, None)


def test_a_row_that_is_refused_does_not_keep_the_others_out(url: str, tmp_path: Path, postgres: PostgresServer) -> None:
    store = UsageStore(url, tmp_path / "spill", pace=QUICK)
    store.put(call())
    store.flush()
    postgres.sql("ALTER TABLE requests ADD CHECK (tenant <> 'nobody')", url.rsplit("/", 1)[1])
    bad = call(tenant="nobody")
    for each in (call(tenant="a"), bad, call(tenant="b")):
        store.put(each)
    store.close()

    assert count(url) == 3
    assert store.tally().rejected == 1
    assert bad.id in (tmp_path / "spill" / "rejected.jsonl").read_text()
