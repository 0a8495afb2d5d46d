"""The columns of a run that is a copy, for the model usage that it took over from its source."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, LargeBinary

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make them. Of the copies that are there already nobody knows any more what they took over."""
    for name in ("carried_over_token_usage", "carried_over_latency_stats"):
        # SQLite adds a column at the end without a copy of the table, however many runs are in it.
        op.add_column("runs", Column(name, LargeBinary()))
