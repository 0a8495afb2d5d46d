"""Tables of replays."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Double, Integer, LargeBinary, String, Text

revision = "0017"
down_revision = "0016"

NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables ``replays``, ``replay_results`` and ``accepted_groups`` with their indexes."""
    op.create_table(
        "replays",
        Column("id", String(24), primary_key=True),
        Column("connection", Text(), nullable=False),
        Column("workflow_id", String(64), nullable=False),
        Column("version_number", NUMBER, nullable=False),
        Column("file", Text(), nullable=False),
        Column("digest", String(64), nullable=False),
        Column("started_at", Double(), nullable=False, index=True),
        Column("ended_at", Double()),
        Column("started_by", Text(), nullable=False),
        Column("program_version", Text(), nullable=False),
        Column("owner", Text(), nullable=False),
        Column("is_complete", Boolean(), nullable=False),
        Column("selected", NUMBER, nullable=False),
    )
    op.create_index("replays_by_workflow", "replays", ["workflow_id", "started_at"])
    op.create_table(
        "replay_results",
        Column("replay_id", String(24), primary_key=True),
        Column("run_id", String(64), primary_key=True, index=True),
        Column("verdict", String(16), nullable=False),
        Column("group_key", String(24), nullable=False),
        Column("result", LargeBinary(), nullable=False),
    )
    op.create_index(
        "replay_results_by_group", "replay_results", ["replay_id", "group_key", "verdict", "run_id"]
    )
    op.create_table(
        "accepted_groups",
        Column("workflow_id", String(64), primary_key=True),
        Column("group_key", String(24), primary_key=True),
        Column("accepted_by", Text(), nullable=False),
        Column("comment", Text(), nullable=False),
        Column("accepted_at", Double(), nullable=False),
    )
