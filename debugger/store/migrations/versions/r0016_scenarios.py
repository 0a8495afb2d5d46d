"""Table of scenarios that users store."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Double, Integer, Text

revision = "0016"
down_revision = "0015"

NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Create the table ``scenarios``."""
    op.create_table(
        "scenarios",
        Column("name", Text(), primary_key=True),
        Column("text", Text(), nullable=False),
        Column("author", Text(), nullable=False),
        Column("updated_at", Double(), nullable=False),
        Column("revision", NUMBER, nullable=False, server_default="1"),
        Column("updated_by", Text()),
    )
