"""Tables of suite runs."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, LargeBinary, String, Text

revision = "0010"
down_revision = "0009"

NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables ``suite_runs``, ``suite_results`` and ``suite_repetitions`` with their indexes."""
    op.create_table(
        "suite_runs",
        Column("id", String(24), primary_key=True),
        Column("started_at", Double(), nullable=False, index=True),
        Column("ended_at", Double()),
        Column("started_by", Text(), nullable=False),
        Column("program_version", Text(), nullable=False),
        Column("owner", Text(), nullable=False),
        Column("is_complete", Boolean(), nullable=False),
        Column("selected", NUMBER, nullable=False),
    )
    op.create_table(
        "suite_results",
        Column("suite_run_id", String(24), primary_key=True),
        Column("scenario_key", String(64), primary_key=True),
        Column("scenario_id", Text(), nullable=False),
        Column("digest", String(64), nullable=False),
        Column("outcome", String(8), nullable=False),
        Column("disposition", String(8)),
        Column("repetitions", NUMBER, nullable=False),
        Column("stored_at", Double(), nullable=False),
    )
    op.create_index("suite_results_by_scenario", "suite_results", ["scenario_key", "stored_at"])
    op.create_table(
        "suite_repetitions",
        Column("suite_run_id", String(24), primary_key=True),
        Column("scenario_key", String(64), primary_key=True),
        Column("number", NUMBER, primary_key=True, autoincrement=False),
        Column("run_id", String(64), index=True),
        Column("result", LargeBinary(), nullable=False),
    )
