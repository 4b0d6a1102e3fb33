"""The database of usage: SQLite or PostgreSQL through SQLAlchemy Core. Import it late: it takes a fifth of a second."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from setu.errors import ConfigError
from setu.signals import Call
from setu.store.drivers import check_driver
from setu.store.migrations.version import HEAD, VERSION_TABLE
from setu.store.reason import reason
from setu.store.rows import attempt_rows, request_row
from setu.store.schema import ATTEMPTS, REQUESTS

if TYPE_CHECKING:
    from alembic.config import Config

_BUSY_SECONDS = 5
_LOCK = 0x5E7D_0006
"""PostgreSQL's advisory lock for migrations: any number that nobody else takes."""
_POSTGRES: dict[str, Any] = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
"""A host that has gone silent must not hold the writer for minutes (libpq, "Parameter Key Words"; milliseconds)."""
_PATIENCE = "SET LOCAL statement_timeout = 15000"
_READS = "setu_reads"
_SCRIPTS = Path(__file__).with_name("migrations")


def connect(url: str) -> sa.Engine:
    """Return an engine; nothing is connected yet, but a SQLite file is there, for its owner's eyes only.

    Raises:
        ConfigError: PostgreSQL without its driver.
        OSError: the file's folder cannot be written.
    """
    target = sa.make_url(url)
    if target.get_backend_name() != "sqlite":
        check_driver(url)
        return sa.create_engine(target, pool_size=1, max_overflow=1, pool_pre_ping=True, connect_args=_POSTGRES)
    path = Path(target.database or "")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    engine = sa.create_engine(target, connect_args={"timeout": _BUSY_SECONDS})
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    # The driver's own way of beginning would leave the migration's DDL outside of the transaction.
    connection.isolation_level = None
    for pragma in ("journal_mode = wal", "synchronous = normal", "foreign_keys = on"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    # A writer is one from the start: one that reads first cannot wait for its turn (SQLITE_BUSY_SNAPSHOT).
    reads = connection.get_execution_options().get(_READS)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def configuration(connection: sa.Connection) -> "Config":
    """Return alembic's configuration for a connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate(engine: sa.Engine, revision: str = HEAD) -> None:
    """Bring the tables up to date, one process at a time; a database that is newer than this code stays as it is."""
    with engine.connect() as connection:
        if _revision(connection.execution_options(**{_READS: True})) == HEAD:
            return
    from alembic import command
    from alembic.script import ScriptDirectory

    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config = configuration(connection)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if _revision(connection) in {None, *known}:
            command.upgrade(config, revision)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.scalar(sa.select(sa.column("version_num")).select_from(sa.table(VERSION_TABLE)))
    return found


def write(engine: sa.Engine, calls: Sequence[Call]) -> list[Call]:
    """Write calls in one transaction; one that is there already stays as it is. Return those no database can take.

    Raises:
        SQLAlchemyError: the database cannot be written now.
    """
    try:
        _insert(engine, calls)
    except Exception as error:
        if not _is_about_the_data(error):
            raise
        if len(calls) == 1:
            return list(calls)
        return [call for single in calls for call in write(engine, [single])]
    return []


def _insert(engine: sa.Engine, calls: Sequence[Call]) -> None:
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    attempts = [row for call in calls for row in attempt_rows(call)]
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(_PATIENCE)
        connection.execute(insert(REQUESTS).on_conflict_do_nothing(), [request_row(call) for call in calls])
        if attempts:
            connection.execute(insert(ATTEMPTS).on_conflict_do_nothing(), attempts)


def _is_about_the_data(error: Exception) -> bool:
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError | IntegrityError)
    return isinstance(error, StatementError | ValueError | TypeError | OverflowError)


def prune(engine: sa.Engine, keep_days: int, now: datetime | None = None, batch: int = 1000) -> int:
    """Delete what is older than `keep_days`, a batch a transaction, so that nobody waits long; return how many."""
    before = (now or datetime.now(UTC)) - timedelta(days=keep_days)
    old = sa.select(REQUESTS.c.id).where(REQUESTS.c.created_at < before).limit(batch)
    deleted = 0
    while True:
        with engine.begin() as connection:
            ids = list(connection.scalars(old))
            connection.execute(sa.delete(ATTEMPTS).where(ATTEMPTS.c.request_id.in_(ids)))
            connection.execute(sa.delete(REQUESTS).where(REQUESTS.c.id.in_(ids)))
        deleted += len(ids)
        if len(ids) < batch:
            return deleted


@contextmanager
def reading(url: str) -> Iterator[sa.Connection | None]:
    """Yield a connection whose tables are up to date; None where there is no SQLite file yet.

    Raises:
        ConfigError: the database cannot be read.
    """
    target = sa.make_url(url)
    if target.get_backend_name() == "sqlite" and not Path(target.database or "").is_file():
        yield None
        return
    with _explaining(target):
        engine = connect(url)
    try:
        with _explaining(target):
            migrate(engine)
            connection = engine.connect().execution_options(**{_READS: True})
        with connection, _explaining(target):
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _explaining(target: sa.URL) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, OSError) as error:
        raise ConfigError(f"the usage database {target.render_as_string()} cannot be read: {reason(error)}") from None
