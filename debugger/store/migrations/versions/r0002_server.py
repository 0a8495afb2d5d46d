"""Tables of facts on workflows, favorites, global variables, re-run tokens."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Integer, LargeBinary, String, Text

revision = "0002"
down_revision = "0001"

NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables of workflow facts, favorites, global variables and re-run tokens, where missing."""
    op.create_table(
        "workflow_facts",
        Column("workflow_id", String(24), ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True),
        Column("created_by", Text()),
        Column("updated_by", Text()),
        Column("max_concurrent_runs", NUMBER),
        if_not_exists=True,
    )
    op.create_table(
        "favorites",
        Column("workflow_id", String(24), ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True),
        Column("user_id", Text(), primary_key=True),
        if_not_exists=True,
    )
    op.create_table(
        "global_variables",
        Column("id", String(24), primary_key=True),
        Column("name", String(200), nullable=False, unique=True),
        Column("is_secret", Boolean(), nullable=False),
        Column("description", Text()),
        Column("category", Text()),
        Column("created_at", Double(), nullable=False),
        Column("updated_at", Double(), nullable=False),
        Column("value", Text(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "rerun_tokens",
        Column("digest", String(64), primary_key=True),
        Column("run_id", String(24), nullable=False),
        Column("turn_index", NUMBER, nullable=False),
        Column("graph_digest", String(64), nullable=False),
        Column("expires_at", Double(), nullable=False),
        Column("target", LargeBinary(), nullable=False),
        Column("edits", LargeBinary(), nullable=False),
        if_not_exists=True,
    )
    op.create_index("ix_rerun_tokens_expires_at", "rerun_tokens", ["expires_at"], if_not_exists=True)
