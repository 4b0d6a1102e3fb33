"""The tables as the Go gateway "AI Gateway" had them; where its own are there, they are taken over."""

import sqlalchemy as sa
from alembic import op

from setu.store.schema import Moment

revision = "usage_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    there = sa.inspect(op.get_bind()).get_table_names()
    if "requests" not in there:
        _create_requests()
    if "provider_attempts" not in there:
        _create_attempts()


def _create_requests() -> None:
    op.create_table(
        "requests",
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
        sa.Column("cost_estimate_usd", sa.Numeric(12, 6)),
        sa.Column("latency_ms", sa.Integer),
        sa.Column("status_code", sa.Integer),
        sa.Column("error_message", sa.Text),
        sa.Column("created_at", Moment, nullable=False),
    )


def _create_attempts() -> None:
    op.create_table(
        "provider_attempts",
        sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
        sa.Column("request_id", sa.Uuid(as_uuid=False), sa.ForeignKey("requests.id"), nullable=False),
        sa.Column("attempt_no", sa.Integer, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("latency_ms", sa.Integer),
        sa.Column("status_code", sa.Integer),
        sa.Column("error_message", sa.Text),
        sa.Column("created_at", Moment, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("provider_attempts")
    op.drop_table("requests")
