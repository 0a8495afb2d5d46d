"""Tables of consents, audit entries and ended logins."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Double, Integer, String, Text

revision = "0006"
down_revision = "0005"

NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables ``python_consents``, ``audit_entries`` and ``ended_logins``."""
    op.create_table(
        "python_consents",
        Column("workflow_id", String(64), primary_key=True),
        Column("version_number", NUMBER, primary_key=True, autoincrement=False),
        Column("code_digest", String(64), nullable=False),
        Column("person", Text(), nullable=False),
        Column("consented_at", Double(), nullable=False),
    )
    op.create_table(
        "audit_entries",
        Column("id", String(24), primary_key=True),
        Column("at", Double(), nullable=False, index=True),
        Column("person", Text(), nullable=False),
        Column("role", String(16), nullable=False),
        Column("action", String(40), nullable=False),
        Column("target", Text(), nullable=False),
        Column("details", Text(), nullable=False),
    )
    op.create_table(
        "ended_logins",
        Column("digest", String(64), primary_key=True),
        Column("expires_at", Double(), nullable=False, index=True),
    )
