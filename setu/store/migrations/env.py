"""What alembic runs: always in code, on a connection that is handed in, and without touching the logging."""

from alembic import context

from setu.store.migrations.version import VERSION_TABLE
from setu.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    render_as_batch=True,
    # Other tables in the database are none of our business.
    include_name=lambda name, kind, _parents: kind != "table" or name in METADATA.tables,
)
with context.begin_transaction():
    context.run_migrations()
