"""The columns of a copied run for its source's model usage."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, LargeBinary

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add them; for existing copies the usage is unknown."""
    for name in ("carried_over_token_usage", "carried_over_latency_stats"):
        # SQLite adds a column at the end without a copy of the table, however many runs are in it.
        op.add_column("runs", Column(name, LargeBinary()))
