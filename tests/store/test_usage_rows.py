"""A call goes into the tables and comes back as it was, or as what can be stored of it."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from setu.signals import Call
from setu.store import database
from setu.store.rows import attempt_rows, key_of, request_row, sealed
from setu.store.schema import ATTEMPTS, REQUESTS
from tests.postgres_server import PostgresServer
from tests.store.calls import ANY_CALL, NOVEMBER, call


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    yield from _engine(f"sqlite:///{tmp_path_factory.mktemp('rows') / 'usage.db'}")


@pytest.fixture(scope="module")
def postgres() -> Iterator[sa.Engine]:
    with PostgresServer() as server:
        yield from _engine(server.url)


def _engine(url: str) -> Iterator[sa.Engine]:
    engine = database.connect(url)
    database.migrate(engine)
    yield engine
    engine.dispose()


def check(engine: sa.Engine, calls: list[Call]) -> None:
    """Write calls twice into empty tables and compare what is there with what was meant."""
    with engine.begin() as connection:
        connection.execute(sa.delete(ATTEMPTS))
        connection.execute(sa.delete(REQUESTS))
    first_of = {key_of(each.id): each for each in reversed(calls)}

    assert database.write(engine, calls) == database.write(engine, calls) == []
    with engine.connect() as connection:
        requests = {uuid.UUID(row.id): dict(row._mapping) for row in connection.execute(sa.select(REQUESTS))}
        attempts = {row.id: dict(row._mapping) for row in connection.execute(sa.select(ATTEMPTS))}
    assert {key: rounded(row) for key, row in requests.items()} == {
        key: rounded(request_row(each)) for key, each in first_of.items()
    }
    assert set(attempts) >= {row["id"] for each in first_of.values() for row in attempt_rows(each)}


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    usd = row["cost_estimate_usd"]
    return {**row, "cost_estimate_usd": None if usd is None else round(float(usd), 6)}


@given(calls=st.lists(ANY_CALL, min_size=1, max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_calls_round_trip_through_sqlite(sqlite: sa.Engine, calls: list[Call]) -> None:
    check(sqlite, calls)


@given(calls=st.lists(ANY_CALL, min_size=1, max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_calls_round_trip_through_postgresql(postgres: sa.Engine, calls: list[Call]) -> None:
    check(postgres, calls)


def test_a_call_without_an_id_and_a_time_gets_them_once() -> None:
    bare = call(id="", started=0, duration_ms=500)

    first = sealed(bare, 1_000.0)
    assert uuid.UUID(first.id).version == 4
    assert first.started == 999_500
    assert sealed(first, 2_000.0) is first


def test_an_id_that_is_no_uuid_gives_one_that_follows_from_it() -> None:
    assert key_of("req_1") == key_of("req_1") != key_of("req_2")
    assert str(key_of("0192f0c1-2345-7abc-8def-0123456789ab")) == "0192f0c1-2345-7abc-8def-0123456789ab"


def test_the_columns_of_the_row_are_those_of_the_table() -> None:
    row = request_row(call(cost=150_000))

    assert list(row) == REQUESTS.columns.keys()
    assert row["cost_estimate_usd"] == 0.00015
    assert row["created_at"].timestamp() * 1000 == NOVEMBER


def test_rows_older_than_they_may_be_are_deleted_in_batches(tmp_path: Path) -> None:
    engine = database.connect(f"sqlite:///{tmp_path / 'usage.db'}")
    database.migrate(engine)
    database.write(engine, [call(started=NOVEMBER + day * 86_400_000) for day in range(10) for _ in range(3)])
    now = request_row(call(started=NOVEMBER + 10 * 86_400_000))["created_at"]

    assert database.prune(engine, 3, now, batch=4) == 21
    assert database.prune(engine, 3, now, batch=4) == 0
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(REQUESTS)) == 9
    engine.dispose()
