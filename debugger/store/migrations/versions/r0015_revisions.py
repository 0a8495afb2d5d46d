"""Revisions of what several users edit, with the last author and the time of the last change."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Double, Integer, Text

revision = "0015"
down_revision = "0014"

NUMBER = BigInteger().with_variant(Integer(), "sqlite")
_EDITED = (
    *("run_marks", "verdicts", "rubrics", "demo_scripts"),
    *("presets", "export_presets", "saved_filters"),
)
_WITHOUT_TIME = ("run_marks", "rubrics", "demo_scripts")


def upgrade() -> None:
    """Add revision, last author and time of change to what users edit; present rows get revision 1."""
    for table in _EDITED:
        op.add_column(table, Column("revision", NUMBER, nullable=False, server_default="1"))
        op.add_column(table, Column("updated_by", Text()))
    for table in _WITHOUT_TIME:
        op.add_column(table, Column("updated_at", Double()))
