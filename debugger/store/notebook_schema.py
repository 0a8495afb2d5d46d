"""The tables of the notebook: what people note on runs, and what a session keeps beside them.

None refers to another table: a run of the hosted API has no row in ``runs``, and its notes are kept here as
well.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Index, LargeBinary, String, Table, Text

from debugger.store.schema import Number
from debugger.store.schema import metadata as metadata

run_marks = Table(
    "run_marks",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("starred", Boolean, nullable=False, default=False),
    Column("note", Text, nullable=False, default=""),
)

run_tags = Table(
    "run_tags",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("tag", Text, primary_key=True),
    Index("run_tags_by_tag", "tag"),
)

comments = Table(
    "comments",
    metadata,
    Column("logical_id", String(64), primary_key=True),
    Column("run_id", String(64), nullable=False),
    Column("target_kind", String(8), nullable=False),
    Column("target_key", String(128), nullable=False),
    Column("author", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Index("comments_by_run", "run_id", "created_at"),
)

ratings = Table(
    "ratings",
    metadata,
    # One of each author and target (``platform/wire.md`` 5.5).
    Column("run_id", String(64), primary_key=True),
    Column("target_kind", String(8), primary_key=True),
    Column("target_key", String(128), primary_key=True),
    Column("author", Text, primary_key=True),
    Column("value", String(16), nullable=False),
    Column("created_at", Double, nullable=False),
)

presets = Table(
    "presets",
    metadata,
    Column("workflow_id", String(64), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("updated_at", Double, nullable=False),
    Column("run_input", LargeBinary, nullable=False),
)

kits = Table(
    "kits",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("kit", LargeBinary, nullable=False),
)
"""What a debugger has at hand for a run, such as breakpoints; JSON that only its writer reads."""

unfinished_turns = Table(
    "unfinished_turns",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("workflow_id", String(64), nullable=False),
    Column("version_number", Number, nullable=False),
    Column("began_at", Double, nullable=False),
    Column("input_json", LargeBinary, nullable=False),
    Column("events_json", LargeBinary, nullable=False),
)
"""Interrupted turns: a run has one at most, and none once another turn of it is stored."""

spoken = Table(
    "spoken",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("turn_count", Number, nullable=False),
    Column("text", Text, nullable=False),
)
"""What was said in a run's turns up to a number, in lower case; written when somebody searches."""
