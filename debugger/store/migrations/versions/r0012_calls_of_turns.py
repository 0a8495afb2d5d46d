"""The calls of turns in progress and of interrupted ones, of which a run may have several."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Double, Integer, LargeBinary, String, text

revision = "0012"
down_revision = "0011"

NUMBER = BigInteger().with_variant(Integer(), "sqlite")
_KEPT = "run_id, workflow_id, version_number, began_at, input_json, events_json"


def upgrade() -> None:
    """Add the calls of turns in progress, and make the journal anew with calls and several entries of a run.

    SQLite changes no primary key. Present entries stay, each with its run's id as its claim's.
    """
    op.add_column("turns", Column("calls", LargeBinary()))
    name = "unfinished_turns"
    rows = op.get_bind().execute(text(f"SELECT {_KEPT} FROM {name}"))
    before = [dict(row) for row in rows.mappings()]
    op.drop_table(name)
    made = op.create_table(
        name,
        Column("run_id", String(64), nullable=False, index=True),
        Column("workflow_id", String(64), nullable=False),
        Column("version_number", NUMBER, nullable=False),
        Column("began_at", Double(), nullable=False),
        Column("input_json", LargeBinary(), nullable=False),
        Column("events_json", LargeBinary(), nullable=False),
        Column("claim_id", String(64), primary_key=True),
        Column("client_turn_id", String(200), index=True),
        Column("calls_json", LargeBinary()),
    )
    if before:
        # Until now a run had one interrupted turn at most.
        op.bulk_insert(made, [{**values, "claim_id": values["run_id"]} for values in before])
