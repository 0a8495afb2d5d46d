"""The table of API keys."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Double, String, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table ``api_keys``, where it is missing."""
    op.create_table(
        "api_keys",
        Column("id", String(24), primary_key=True),
        Column("digest", String(64), nullable=False, unique=True),
        Column("person", Text(), nullable=False),
        Column("role", String(16), nullable=False),
        Column("team", String(32)),
        Column("created_at", Double(), nullable=False),
        Column("revoked_at", Double()),
        if_not_exists=True,
    )
