"""Tables of verdicts, rubrics, export presets, saved filters, hidden runs and run facts."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Double, Integer, LargeBinary, String, Text

revision = "0008"
down_revision = "0007"

NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables of verdicts, rubrics, export presets, saved filters, hidden runs and run facts."""
    op.create_table(
        "verdicts",
        Column("connection", Text(), primary_key=True),
        Column("run_id", String(64), primary_key=True),
        Column("target_kind", String(8), primary_key=True),
        Column("target_key", String(128), primary_key=True),
        Column("reviewer", Text(), primary_key=True),
        Column("value", String(8), nullable=False),
        Column("comment", Text(), nullable=False),
        Column("checks", Text(), nullable=False),
        Column("created_at", Double(), nullable=False),
        Column("updated_at", Double(), nullable=False),
    )
    op.create_index("verdicts_by_run", "verdicts", ["run_id"])
    op.create_table(
        "rubrics",
        Column("workflow_id", String(64), primary_key=True),
        Column("checks", Text(), nullable=False),
    )
    op.create_table(
        "export_presets",
        Column("name", Text(), primary_key=True),
        Column("settings", Text(), nullable=False),
        Column("updated_at", Double(), nullable=False),
    )
    op.create_table(
        "saved_filters",
        Column("name", Text(), primary_key=True),
        Column("filter", Text(), nullable=False),
        Column("updated_at", Double(), nullable=False),
    )
    op.create_table(
        "hidden_runs",
        Column("run_id", String(64), primary_key=True),
        Column("hidden_by", Text(), nullable=False),
        Column("hidden_at", Double(), nullable=False, index=True),
    )
    op.create_table(
        "run_facts",
        Column("run_id", String(64), primary_key=True),
        Column("turn_count", NUMBER, nullable=False),
        Column("format_version", NUMBER, nullable=False),
        Column("facts", LargeBinary(), nullable=False),
    )
