"""The tables of usage: `requests`, one row a request, and `provider_attempts`, one row a try.

The columns of the Go gateway "AI Gateway" keep their names and types, so that its queries and its database go on
working; but `request_id` is the client's word and may repeat, the row's own key is `id`.
"""

from datetime import UTC, datetime

import sqlalchemy as sa


class Moment(sa.TypeDecorator[datetime]):
    """A time in UTC: SQLite keeps no zone, so it is taken off on the way in and put back on the way out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 - the decorator's signature
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


METADATA = sa.MetaData()

REQUESTS = sa.Table(
    "requests",
    METADATA,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text),
    sa.Column("use_case", sa.Text),
    sa.Column("route_name", sa.Text),
    sa.Column("provider", sa.Text),
    sa.Column("model", sa.Text),
    sa.Column("prompt_tokens", sa.Integer),
    sa.Column("completion_tokens", sa.Integer),
    sa.Column("total_tokens", sa.Integer),
    sa.Column("cost_estimate_usd", sa.Numeric(12, 6, asdecimal=False)),
    sa.Column("latency_ms", sa.Integer),
    sa.Column("status_code", sa.Integer),
    sa.Column("error_message", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("cached_tokens", sa.Integer),
    sa.Column("cache_write_tokens", sa.Integer),
    sa.Column("reasoning_tokens", sa.Integer),
    sa.Column("ttfb_ms", sa.Integer),
    sa.Column("stream", sa.Boolean),
    sa.Column("end", sa.Text),
    sa.Column("loss_count", sa.Integer),
    sa.Column("cache", sa.Text),
    sa.Column("route_reason", sa.Text),
    sa.Column("policy", sa.Text),
    sa.Column("dialect", sa.Text),
    sa.Column("operation", sa.Text),
    sa.Column("key_id", sa.Text),
    sa.Column("upstream_model", sa.Text),
    sa.Column("cost_nano_usd", sa.BigInteger),
    sa.Index("ix_requests_created_at", "created_at"),
    sa.Index("ix_requests_tenant_created_at", "tenant", "created_at"),
    sa.Index("ix_requests_request_id", "request_id"),
)

ATTEMPTS = sa.Table(
    "provider_attempts",
    METADATA,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("request_id", sa.Uuid(as_uuid=False), sa.ForeignKey("requests.id"), nullable=False),
    sa.Column("attempt_no", sa.Integer, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("latency_ms", sa.Integer),
    sa.Column("status_code", sa.Integer),
    sa.Column("error_message", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("ttfb_ms", sa.Integer),
    sa.Index("ix_provider_attempts_request_id", "request_id"),
)
