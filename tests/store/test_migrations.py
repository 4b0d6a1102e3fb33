"""The migrations lead to the tables as they are declared, from nothing, from every revision, from a predecessor."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from setu.store import database
from setu.store.migrations.version import HEAD
from setu.store.schema import METADATA, REQUESTS
from tests.postgres_server import PostgresServer
from tests.store.calls import call, count

PREDECESSOR = """
CREATE TABLE requests (
    id UUID PRIMARY KEY, request_id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, use_case TEXT, route_name TEXT,
    provider TEXT, model TEXT, prompt_tokens INT, completion_tokens INT, total_tokens INT,
    cost_estimate_usd NUMERIC(12, 6), latency_ms INT, status_code INT, error_message TEXT,
    created_at TIMESTAMPTZ DEFAULT now());
CREATE TABLE provider_attempts (
    id UUID PRIMARY KEY, request_id UUID NOT NULL REFERENCES requests(id), attempt_no INT NOT NULL,
    provider TEXT NOT NULL, model TEXT NOT NULL, latency_ms INT, status_code INT, error_message TEXT,
    created_at TIMESTAMPTZ DEFAULT now());
INSERT INTO requests VALUES (
    '0192f0c1-2345-7abc-8def-0123456789ab', 'same', 'acme', 'x', 'default', 'openai', 'gpt-4o-mini', 1, 2, 3,
    0.5, 9, 200, NULL, NULL);
"""
"""The tables of the Go gateway "AI Gateway", as its users have them."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of the test's own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'usage.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create(request.node.name.lower().replace("[", "_").rstrip("]")[-60:])


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    engine = database.connect(url)
    yield engine
    engine.dispose()


def check(engine: sa.Engine) -> None:
    """Compare the tables with the declared ones; alembic raises where they differ."""
    with engine.begin() as connection:
        command.check(database.configuration(connection))


def revision(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        options = {"version_table": "setu_alembic_version"}
        return MigrationContext.configure(connection, opts=options).get_current_revision()


def test_the_newest_revision_is_the_one_that_is_aimed_at(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        assert ScriptDirectory.from_config(database.configuration(connection)).get_heads() == [HEAD]


def test_an_empty_database_gets_the_tables_as_declared(engine: sa.Engine) -> None:
    database.migrate(engine)

    check(engine)
    assert revision(engine) == HEAD
    assert set(METADATA.tables) <= set(sa.inspect(engine).get_table_names())


def test_the_check_sees_a_difference(engine: sa.Engine) -> None:
    database.migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_requests_request_id")

    with pytest.raises(Exception, match="ix_requests_request_id"):
        check(engine)


def test_the_previous_revision_is_brought_up_to_date(engine: sa.Engine) -> None:
    database.migrate(engine, "usage_0001")
    assert revision(engine) == "usage_0001"

    database.migrate(engine)
    check(engine)


def test_a_second_start_changes_nothing(engine: sa.Engine) -> None:
    database.migrate(engine)
    database.write(engine, [call()])
    database.migrate(engine)

    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(REQUESTS)) == 1


def test_it_can_be_taken_back(engine: sa.Engine) -> None:
    database.migrate(engine)
    with engine.begin() as connection:
        command.downgrade(database.configuration(connection), "base")

    assert not set(METADATA.tables) & set(sa.inspect(engine).get_table_names())


def test_a_database_of_a_newer_setu_is_left_alone_and_still_written(engine: sa.Engine, url: str) -> None:
    database.migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE setu_alembic_version SET version_num = 'usage_9999'")
    database.migrate(engine)
    database.write(engine, [call()])

    assert revision(engine) == "usage_9999"
    assert count(url) == 1


def test_many_that_start_at_once_do_not_clash(url: str) -> None:
    failures: list[Exception] = []

    def start() -> None:
        engine = database.connect(url)
        try:
            database.migrate(engine)
        except sa.exc.SQLAlchemyError as error:
            failures.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def test_other_tables_in_the_database_stay_as_they_are(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num TEXT)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('theirs')")
    database.migrate(engine)

    check(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "theirs"


def test_a_predecessors_database_is_taken_over_with_its_rows(postgres: PostgresServer) -> None:
    url = postgres.create("predecessor")
    postgres.sql(PREDECESSOR, "predecessor")
    engine = database.connect(url)
    database.migrate(engine)

    check(engine)
    assert database.write(engine, [call(request_id="same"), call(request_id="same", tenant="")]) == []
    assert count(url) == 3
    engine.dispose()
