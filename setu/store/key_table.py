"""Virtual keys in a database that several machines share. Import it late: SQLAlchemy takes a fifth of a second."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateTable

from setu.access.keys import Key
from setu.errors import ConfigError, SetuError
from setu.store.database import connect
from setu.store.keys import Edit, unknown, with_use

# Made where it is missing, and never migrated: what a key is may grow, so it is one text. The columns beside it are
# for people who look; `version` counts a row's changes.
TABLE = sa.Table(
    "virtual_keys",
    sa.MetaData(),
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("tenant", sa.String(255), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("last_used", sa.Double),
)


class TableShelf:
    """The table `virtual_keys`, made when it is first needed."""

    blocks = True

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine: sa.Engine | None = None

    def version(self) -> object:
        # Rows are never deleted and count their changes, so the sum grows with each; no clock is asked.
        with self._connection() as connection:
            return tuple(connection.execute(sa.select(sa.func.count(), sa.func.sum(TABLE.c.version))).one())

    def read(self) -> list[Key]:
        with self._connection() as connection:
            return [
                _key(row.record, row.last_used)
                for row in connection.execute(sa.select(TABLE.c.record, TABLE.c.last_used))
            ]

    def add(self, key: Key) -> None:
        with self._connection() as connection:
            connection.execute(TABLE.insert().values(id=key.id, version=1, **_columns(key)))

    def change(self, identifier: str, edit: Edit) -> Key:
        with self._connection() as connection:
            mine = TABLE.c.id == identifier
            row = connection.execute(sa.select(TABLE.c.record, TABLE.c.last_used).where(mine).with_for_update()).first()
            if row is None:
                raise unknown(identifier)
            key = edit(_key(row.record, row.last_used))
            changes = {**_columns(key), "version": TABLE.c.version + 1}
            connection.execute(TABLE.update().where(mine).values(changes))
            return key

    def touch(self, used: Mapping[str, float]) -> None:
        with self._connection() as connection:
            for identifier, when in sorted(used.items()):  # in one order, so that two servers never wait in a circle
                newer = sa.func.coalesce(TABLE.c.last_used, 0.0) < when
                connection.execute(TABLE.update().where(TABLE.c.id == identifier, newer).values(last_used=when))

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        """Begin a transaction; what goes wrong with it is one sentence without the URL, which may hold a password."""
        try:
            with self._made().begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise SetuError(f"the keys' database cannot be used: {_reason(error)}") from None

    def _made(self) -> sa.Engine:
        if self._engine is None:
            engine = self._engine = connect(self._url)
            if not sa.inspect(engine).has_table(TABLE.name):
                _make(engine)
        return self._engine


def _make(engine: sa.Engine) -> None:
    try:
        with engine.begin() as connection:
            connection.execute(CreateTable(TABLE, if_not_exists=True))
    except SQLAlchemyError:
        # PostgreSQL lets two that make it at once both see none ("IF NOT EXISTS" is no lock): one of them is late.
        if not sa.inspect(engine).has_table(TABLE.name):
            raise


def _columns(key: Key) -> dict[str, object]:
    record = msgspec.json.encode(msgspec.structs.replace(key, last_used=None)).decode()
    return {"tenant": key.tenant, "name": key.name, "record": record}


def _key(record: str, last_used: float | None) -> Key:
    try:
        return with_use(msgspec.json.decode(record, type=Key), last_used)
    except msgspec.DecodeError as error:
        raise ConfigError(f"a row of virtual_keys is no key: {error}") from None


def _reason(error: Exception) -> str:
    """Return the driver's own first line: what comes after it are statements and their values."""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().partition("\n")[0] or type(cause).__name__
