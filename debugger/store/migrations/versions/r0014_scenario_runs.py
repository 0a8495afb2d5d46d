"""Table of the scenarios that runs are of."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Text

revision = "0014"
down_revision = "0012"

NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Create the table ``run_scenarios``."""
    op.create_table(
        "run_scenarios",
        Column("run_id", String(64), primary_key=True),
        Column("name", Text(), nullable=False),
        Column("file", Text(), nullable=False),
        Column("row_number", NUMBER),
        Column("outcome", String(8), nullable=False),
        Column("tags", Text(), nullable=False),
        Column("checks", LargeBinary(), nullable=False),
    )
