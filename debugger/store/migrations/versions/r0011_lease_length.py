"""Column of the length of leases."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Double

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add it.

    It stays empty for turns in progress: a program of the version before may be executing them still.
    """
    op.add_column("turns", Column("lease_seconds", Double()))
