"""Columns and indexes of claims of turns."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Double, Integer, String, Text, text

revision = "0005"
down_revision = "0004"

NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Add columns and indexes of claims to ``turns``, and raise the schema version to 3.

    It locks out programs that take claimed turns for finished ones.
    """
    for column in (
        Column("client_turn_id", String(200)),
        Column("user_turn_number", NUMBER),
        Column("claim_id", String(32)),
        Column("owner", Text()),
        Column("lease_until", Double()),
        Column("event_count", NUMBER),
        Column("stop_requested_at", Double()),
    ):
        op.add_column("turns", column)
    _index("turns_by_client_turn_id", "client_turn_id", "client_turn_id IS NOT NULL", unique=True)
    _index("turns_in_progress", "run_id", "lease_until IS NOT NULL", unique=False)
    op.execute("UPDATE meta SET value = '3' WHERE key = 'schema_version'")


def _index(name: str, column: str, condition: str, *, unique: bool) -> None:
    where = text(condition)
    op.create_index(name, "turns", [column], unique=unique, sqlite_where=where, postgresql_where=where)
