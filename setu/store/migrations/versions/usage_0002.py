"""The finer columns; and a client may send the same request id twice."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from setu.store.schema import Moment

revision = "usage_0002"
down_revision = "usage_0001"
branch_labels = None
depends_on = None

_REQUESTS: tuple[tuple[str, type[sa.types.TypeEngine[Any]]], ...] = (
    ("cached_tokens", sa.Integer),
    ("cache_write_tokens", sa.Integer),
    ("reasoning_tokens", sa.Integer),
    ("ttfb_ms", sa.Integer),
    ("stream", sa.Boolean),
    ("end", sa.Text),
    ("loss_count", sa.Integer),
    ("cache", sa.Text),
    ("route_reason", sa.Text),
    ("policy", sa.Text),
    ("dialect", sa.Text),
    ("operation", sa.Text),
    ("key_id", sa.Text),
    ("upstream_model", sa.Text),
    ("cost_nano_usd", sa.BigInteger),
)
_ATTEMPTS: tuple[tuple[str, type[sa.types.TypeEngine[Any]]], ...] = (("outcome", sa.Text), ("ttfb_ms", sa.Integer))
_INDICES = (
    ("ix_requests_created_at", "requests", ["created_at"]),
    ("ix_requests_tenant_created_at", "requests", ["tenant", "created_at"]),
    ("ix_requests_request_id", "requests", ["request_id"]),
    ("ix_provider_attempts_request_id", "provider_attempts", ["request_id"]),
)


def upgrade() -> None:
    _take_over()
    for table, columns in (("requests", _REQUESTS), ("provider_attempts", _ATTEMPTS)):
        for name, kind in columns:
            op.add_column(table, sa.Column(name, kind()))
    for name, table, indexed in _INDICES:
        op.create_index(name, table, indexed)


def _take_over() -> None:
    """Loosen what a predecessor's tables were stricter about: its request ids were unique, some columns NOT NULL."""
    found = sa.inspect(op.get_bind())
    required = {"id", "request_id", "created_at"}
    strict = [each for each in found.get_columns("requests") if not each["nullable"] and each["name"] not in required]
    unique = [each for each in found.get_unique_constraints("requests") if each["column_names"] == ["request_id"]]
    loose = [
        (table, each)
        for table in ("requests", "provider_attempts")
        for each in found.get_columns(table)
        if each["name"] == "created_at" and each["nullable"]
    ]
    for table, each in loose:
        op.execute(sa.text(f"UPDATE {table} SET created_at = CURRENT_TIMESTAMP WHERE created_at IS NULL"))  # noqa: S608 - two constants
        op.alter_column(table, each["name"], existing_type=Moment(), nullable=False)
    for constraint in unique:
        op.drop_constraint(constraint["name"] or "", "requests", type_="unique")
    for each in strict:
        op.alter_column("requests", each["name"], existing_type=each["type"], nullable=True)


def downgrade() -> None:
    for name, table, _ in _INDICES:
        op.drop_index(name, table_name=table)
    for table, columns in (("requests", _REQUESTS), ("provider_attempts", _ATTEMPTS)):
        with op.batch_alter_table(table) as batch:
            for name, _ in columns:
                batch.drop_column(name)
