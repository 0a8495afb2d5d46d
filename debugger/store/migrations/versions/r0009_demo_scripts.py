"""Table of demo scripts."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, String, Text

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table ``demo_scripts``."""
    op.create_table(
        "demo_scripts",
        Column("connection", Text(), primary_key=True),
        Column("workflow_id", String(64), primary_key=True),
        Column("lines", Text(), nullable=False),
    )
