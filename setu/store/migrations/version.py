"""Where alembic keeps the revision, and which one this code has."""

VERSION_TABLE = "setu_alembic_version"
"""A name of our own, for the database may be shared with another user of alembic."""

HEAD = "usage_0002"
