"""The tables.

A row of ``turns`` is added when the turn is claimed and updated when its result is stored; of finished turns
only the last one's checkpoint changes, so that what a turn costs does not grow with the turns before it. All
that a list of runs shows stands in ``runs``, so that no list reads a turn.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA_VERSION = 4
"""Raised by a migration that changes a table in a way that an older program would trip over."""

FIRST_RELEASED = 2
"""The schema version of the first release; there is no migration from an earlier one."""

MAX_CLIENT_TURN_ID = 200
"""Characters of a client turn id."""

metadata = MetaData()

Number = BigInteger().with_variant(Integer, "sqlite")
"""An integer of 64 bits, which SQLite's only kind is."""

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", String(64), nullable=False),
)
"""Facts on the database as a whole: ``schema_version``, ``workflows_created``."""

workflows = Table(
    "workflows",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("name", Text),
    Column("description", Text),
    Column("active_version_number", Number, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("workflow_id", ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True),
    Column("version_number", Number, primary_key=True, autoincrement=False),
    Column("version_name", Text),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    # Last, so that SQLite reads the columns before it without it.
    Column("document", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(24), primary_key=True),
    # No foreign keys to the workflow: its runs outlive it.
    Column("workflow_id", String(24), nullable=False),
    Column("version_number", Number, nullable=False),
    Column("version_name", Text),
    Column("workflow_name", Text),
    Column("run_by", Text),
    Column("status", String(32), nullable=False),
    Column("termination_source", Text),
    Column("turn_count", Number, nullable=False),
    Column("token_usage", LargeBinary),
    Column("latency_stats", LargeBinary),
    Column("source_workflow_run_id", String(24)),
    Column("checkpoint_source_turn_index", Number),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    # Of a run that is a copy: what it took over of the model usage. No turn of its own changes them.
    Column("carried_over_token_usage", LargeBinary),
    Column("carried_over_latency_stats", LargeBinary),
    # Neither index holds a column that a later turn changes: a turn then writes one page of this table.
    Index("runs_by_time", "created_at"),
    Index("runs_by_workflow", "workflow_id", "created_at"),
    sqlite_with_rowid=False,
)

turns = Table(
    "turns",
    metadata,
    # The number of the row: turns of many runs then go to the end of the table one after the other.
    Column("id", Number, primary_key=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("turn_number", Number, nullable=False),
    Column("status", String(32), nullable=False),
    Column("started_at", Double, nullable=False),
    Column("finished_at", Double, nullable=False),
    # The small and often read before the large: SQLite reads a row up to the last column asked for.
    Column("checkpoint", LargeBinary, nullable=False),
    # Null where the closing event tells it, as it does of every turn that did not fail.
    Column("pair", LargeBinary),
    Column("events", LargeBinary, nullable=False),
    # Null where the client gave none; an idempotency key.
    Column("client_turn_id", String(MAX_CLIENT_TURN_ID)),
    # Null of background work, and of turns that were stored before there were claims.
    Column("user_turn_number", Number),
    # Random per claim: a result is stored by the owner of the claim alone.
    Column("claim_id", String(32)),
    # The next three are set while the turn is claimed and not yet stored. ``status`` is then ``started``,
    # ``pair`` the run input, ``events`` those so far, and there is no checkpoint yet.
    Column("owner", Text),
    Column("lease_until", Double),
    Column("event_count", Number),
    # Set by whoever stops the run while the turn is executed; the owner reads it.
    Column("stop_requested_at", Double),
    UniqueConstraint("run_id", "turn_number"),
)

Index(
    "turns_by_client_turn_id",
    turns.c.client_turn_id,
    unique=True,
    sqlite_where=turns.c.client_turn_id.is_not(None),
    postgresql_where=turns.c.client_turn_id.is_not(None),
)

IN_PROGRESS = turns.c.lease_until.is_not(None)
"""The condition for turns that are claimed and not yet stored."""
FINISHED = turns.c.lease_until.is_(None)
"""The condition for turns whose result is stored."""

Index(
    "turns_in_progress",
    turns.c.run_id,
    sqlite_where=IN_PROGRESS,
    postgresql_where=IN_PROGRESS,
)
