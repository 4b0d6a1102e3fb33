"""Calls get into the table once each, whatever happens to the database, the disk and the process."""

import logging
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from setu.errors import ConfigError
from setu.store.drivers import check_driver
from setu.store.usage import Pace, UsageStore
from tests.processes import environment
from tests.store.calls import QUICK, attempt, call, calls, child, count, ids, lines, stored, until


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'data' / 'usage.db'}"


@pytest.fixture
def spill(tmp_path: Path) -> Path:
    return tmp_path / "spill"


@pytest.fixture
def store(url: str, spill: Path) -> Iterator[UsageStore]:
    store = UsageStore(url, spill, pace=QUICK)
    yield store
    store.close()


def locked(url: str) -> sqlite3.Connection:
    """Return a connection that lets nobody else write."""
    holder = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN EXCLUSIVE")
    return holder


def test_a_call_becomes_a_row(url: str, store: UsageStore) -> None:
    store.put(call(tenant="acme", key="k1", cached_tokens=3, losses=("a", "b"), route="alias fast", stream=True))

    assert store.flush()
    [row] = stored(url)
    assert (row["tenant"], row["key_id"], row["prompt_tokens"], row["total_tokens"]) == ("acme", "k1", 100, 110)
    assert (row["cached_tokens"], row["loss_count"], row["route_reason"], row["stream"]) == (3, 2, "alias fast", 1)
    assert row["created_at"] == "2026-11-06 20:00:00.000000"


@pytest.mark.parametrize(("status", "end"), [(502, "error"), (200, "truncated-upstream"), (200, "closed-by-client")])
def test_a_failed_or_cut_answer_has_its_real_status_and_end(url: str, store: UsageStore, status: int, end: str) -> None:
    """C20: a failure leaves a final row."""
    store.put(call(status=status, end=end, error="upstream_error", input_tokens=None, output_tokens=None))

    store.flush()
    [row] = stored(url)
    assert (row["status_code"], row["end"], row["error_message"]) == (status, end, "upstream_error")
    assert (row["total_tokens"], row["cost_nano_usd"]) == (None, None)


def test_each_try_has_a_row_also_two_of_one_number(url: str, store: UsageStore) -> None:
    tries = (
        attempt(1, status=503, outcome="failed"),
        attempt(1, provider="hedge"),
        attempt(2, status=0, outcome="denied"),
    )
    one = call(attempts=tries)
    store.put(one)

    store.flush()
    rows = stored(url, "provider_attempts")
    assert sorted((row["attempt_no"], row["provider"], row["status_code"]) for row in rows) == [
        (1, "hedge", 200),
        (1, "openai", 503),
        (2, "openai", None),
    ]
    assert {row["request_id"] for row in rows} == {one.id.replace("-", "")}


def test_a_clients_request_id_may_repeat_and_a_calls_own_may_not(url: str, store: UsageStore) -> None:
    first, second = calls(2, request_id="same")
    for each in (first, second, first):
        store.put(each)

    store.flush()
    assert ids(url) == sorted([first.id, second.id])


def test_closing_writes_everything_down(url: str, spill: Path) -> None:
    store = UsageStore(url, spill)
    sent = calls(250)
    for each in sent:
        store.put(each)
    store.close()

    assert ids(url) == sorted(each.id for each in sent)
    assert list(spill.glob("*")) == []


def test_a_process_that_ends_without_closing_loses_nothing(url: str, spill: Path) -> None:
    process = child("for one in calls(30): store.put(one)", url, spill)

    process.communicate(timeout=30)
    assert process.returncode == 0
    assert count(url) == 30


def test_a_store_that_was_never_used_leaves_no_trace(url: str, tmp_path: Path, spill: Path) -> None:
    UsageStore(url, spill).close()

    assert list(tmp_path.iterdir()) == []


def test_the_file_is_for_its_owner_only(tmp_path: Path, store: UsageStore) -> None:
    store.put(call())

    store.flush()
    assert stat.S_IMODE((tmp_path / "data" / "usage.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_a_locked_file_makes_rows_wait_and_they_follow(
    url: str, spill: Path, store: UsageStore, caplog: pytest.LogCaptureFixture
) -> None:
    first, *rest = calls(5)
    store.put(first)
    store.flush()
    holder = locked(url)
    with caplog.at_level(logging.WARNING):
        for each in rest:
            store.put(each)
            assert store.flush(20)
        waiting = lines(spill)
        holder.rollback()
        until(lambda: count(url) == 5)
    holder.close()

    assert [each.id for each in waiting] == [each.id for each in rest]
    assert ids(url) == sorted(each.id for each in [first, *rest])
    assert [record.message for record in caplog.records] == [
        f"the usage database cannot be written (database is locked); rows wait in {spill} until it can",
        "the usage database can be written again",
    ]
    until(lambda: not list(spill.glob("usage-*.jsonl")))


def test_closing_while_the_database_hangs_leaves_the_rows_in_a_file(url: str, spill: Path) -> None:
    store = UsageStore(url, spill, pace=QUICK)
    sent = calls(300)
    store.put(sent[0])
    store.flush()
    holder = locked(url)
    for each in sent[1:]:
        store.put(each)
    store.close(timeout=0.5)
    waiting = {each.id for each in lines(spill)}
    holder.rollback()
    holder.close()

    assert waiting == {each.id for each in sent[1:]}
    until(store._ended.is_set)
    later = UsageStore(url, spill, pace=QUICK)
    until(lambda: count(url) == 300)
    later.close()
    assert ids(url) == sorted(each.id for each in sent)


def test_a_killed_process_leaves_what_it_spilled_and_the_next_one_writes_it(url: str, spill: Path) -> None:
    nowhere = f"sqlite:///{__file__}/usage.db"
    script = "for one in calls(20): store.put(one)\nstore.flush()\nprint('spilled', flush=True)\nsys.stdin.read()"
    process = child(script, nowhere, spill)
    assert process.stdout is not None
    assert process.stdout.readline() == "spilled\n"
    process.kill()
    process.communicate()
    left = lines(spill)

    store = UsageStore(url, spill, pace=QUICK)
    until(lambda: count(url) == 20)
    store.close()

    assert ids(url) == sorted(each.id for each in left)
    assert list(spill.iterdir()) == []


def test_the_rows_of_a_process_that_lives_are_left_to_it(url: str, spill: Path) -> None:
    nowhere = f"sqlite:///{__file__}/usage.db"
    script = "store.put(calls(1)[0])\nstore.flush()\nprint('spilled', flush=True)\nsys.stdin.read()"
    process = child(script, nowhere, spill)
    assert process.stdout is not None
    process.stdout.readline()

    store = UsageStore(url, spill, pace=QUICK)
    store.put(call())
    store.flush()
    store.close()
    assert len(lines(spill)) == 1
    assert count(url) == 1
    process.kill()
    process.communicate()


def test_several_processes_start_and_write_at_once(url: str, spill: Path) -> None:
    script = "for one in calls(400): store.put(one)\nstore.close()\nprint(store.tally().spilled)"
    processes = [child(script, url, spill) for _ in range(3)]
    spilled = [process.communicate(timeout=60)[0] for process in processes]

    assert spilled == ["0\n"] * 3
    assert count(url) == 1200


def test_without_any_place_to_write_the_newest_rows_stay_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "home"
    blocked.write_text("no folder")
    url = f"sqlite:///{blocked / 'usage.db'}"
    store = UsageStore(url, blocked / "spill", pace=QUICK._replace(bound=3, held=5))
    sent = calls(8)
    with caplog.at_level(logging.ERROR):
        store.put(sent[0])
        until(lambda: store._nowhere)
        for each in sent[1:]:
            store.put(each)
        lost = store.tally().lost

    assert 2 <= lost <= 3
    assert len(caplog.records) == 1
    assert "neither to the database nor to a file" in caplog.text
    blocked.unlink()
    until(lambda: count(url) == 8 - store.tally().lost)
    store.close()
    assert sent[-1].id in ids(url)


def test_what_is_lost_at_the_end_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "home"
    blocked.write_text("no folder")
    store = UsageStore(f"sqlite:///{blocked / 'usage.db'}", blocked / "spill", pace=QUICK)
    for each in calls(3):
        store.put(each)
    store.close()

    assert store.tally().lost == 3
    assert "3 usage row(s) are lost" in caplog.text


def test_a_queue_that_grows_too_long_goes_to_a_file(url: str, spill: Path) -> None:
    store = UsageStore(url, spill, pace=QUICK._replace(bound=200))
    sent = calls(2000)
    store.put(sent[0])
    store.flush()
    holder = locked(url)
    longest = 0
    for each in sent[1:]:
        store.put(each)
        longest = max(longest, store.tally().queued)
    holder.rollback()
    holder.close()
    until(lambda: count(url) == 2000)
    store.close()

    assert longest <= 201
    assert store.tally().spilled > 0
    assert ids(url) == sorted(each.id for each in sent)


def test_calls_may_come_from_several_threads(url: str, store: UsageStore) -> None:
    def put() -> None:
        for each in calls(300):
            store.put(each)

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.flush(30)
    assert count(url) == 1200


def test_a_table_that_somebody_dropped_is_made_anew(url: str, store: UsageStore) -> None:
    store.put(call())
    store.flush()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        for table in ("provider_attempts", "requests", "setu_alembic_version"):
            connection.execute(f"DROP TABLE {table}")
    connection.close()
    store.put(call())

    until(lambda: count(url) == 1)


def test_old_rows_go(url: str, spill: Path) -> None:
    now = time.time()
    old = calls(30, started=int((now - 10 * 86400) * 1000), attempts=(attempt(),))
    new = call(started=int(now * 1000))
    keeping = UsageStore(url, spill, pace=QUICK)
    for each in (*old, new):
        keeping.put(each)
    keeping.close()
    store = UsageStore(url, spill, keep_days=7, pace=QUICK)
    store.start()
    until(lambda: ids(url) == [new.id])
    store.close()

    assert stored(url, "provider_attempts") == []


def test_nothing_heavy_is_imported_before_the_first_call(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom setu.store.prices import Prices\nfrom setu.store.usage import UsageStore\n"
        f"UsageStore('sqlite:///{tmp_path}/usage.db', Path('{tmp_path}'), prices=Prices())\n"
        "print(sorted({'sqlalchemy', 'alembic', 'genai_prices', 'psycopg'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout == "[]\n"


def test_a_missing_driver_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(ConfigError, match=r'^postgres support is not installed: pip install "setu-llm\[postgres\]"$'):
        check_driver("postgresql+psycopg://localhost/setu")


@pytest.mark.timed
def test_handing_a_call_over_takes_less_than_two_microseconds(url: str, spill: Path) -> None:
    store = UsageStore(url, spill, pace=Pace(bound=1_000_000))
    store.put(call())
    store.flush()
    one, best = call(), 1.0
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(5_000):
            store.put(one)
        best = min(best, (time.perf_counter() - start) / 5_000)
        store.flush(30)
    store.close()

    assert best < 2e-6
