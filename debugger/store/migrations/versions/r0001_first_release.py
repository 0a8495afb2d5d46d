"""The tables of the first release.

A database of before the migrations has most of them already, and is given those that it has not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None

NUMBER = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _make("meta", [_key("key", String(64)), _value("value", String(64))])
    _workflows()
    _runs()
    _notes()
    _sessions()


def _workflows() -> None:
    """Make the tables ``workflows`` and ``versions``, where they are missing."""
    _make(
        "workflows",
        [
            _key("id", String(24)),
            _maybe("name", Text()),
            _maybe("description", Text()),
            _value("active_version_number", NUMBER),
            _value("created_at", Double()),
            _value("updated_at", Double()),
        ],
    )
    _make(
        "versions",
        [
            Column(
                "workflow_id", String(24), ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True
            ),
            Column("version_number", NUMBER, primary_key=True, autoincrement=False),
            _maybe("version_name", Text()),
            _value("created_at", Double()),
            _value("updated_at", Double()),
            _value("document", Text()),
        ],
    )


def _runs() -> None:
    """Make the tables ``runs``, ``turns`` and ``forks`` with their indexes, where they are missing."""
    op.create_table(
        "runs",
        _key("id", String(24)),
        _value("workflow_id", String(24)),
        _value("version_number", NUMBER),
        _maybe("version_name", Text()),
        _maybe("workflow_name", Text()),
        _maybe("run_by", Text()),
        _value("status", String(32)),
        _maybe("termination_source", Text()),
        _value("turn_count", NUMBER),
        _maybe("token_usage", LargeBinary()),
        _maybe("latency_stats", LargeBinary()),
        _maybe("source_workflow_run_id", String(24)),
        _maybe("checkpoint_source_turn_index", NUMBER),
        _value("created_at", Double()),
        _value("updated_at", Double()),
        sqlite_with_rowid=False,
        if_not_exists=True,
    )
    _index("runs_by_time", "runs", "created_at")
    _index("runs_by_workflow", "runs", "workflow_id", "created_at")
    op.create_table(
        "turns",
        _key("id", NUMBER),
        Column("run_id", String(24), ForeignKey("runs.id"), nullable=False),
        _value("turn_number", NUMBER),
        _value("status", String(32)),
        _value("started_at", Double()),
        _value("finished_at", Double()),
        _value("checkpoint", LargeBinary()),
        _maybe("pair", LargeBinary()),
        _value("events", LargeBinary()),
        UniqueConstraint("run_id", "turn_number"),
        if_not_exists=True,
    )
    _make(
        "forks",
        [
            _key("run_id", String(64)),
            _value("source_run_id", String(64)),
            _value("turn_number", NUMBER),
            _value("way", String(16)),
            _value("note", Text()),
            _value("forked_by", Text()),
            _value("created_at", Double()),
            _maybe("fidelity", LargeBinary()),
            _value("changes", LargeBinary()),
        ],
    )
    _index("ix_forks_source_run_id", "forks", "source_run_id")


def _notes() -> None:
    """Make the tables of stars, notes, tags, comments and ratings with their indexes, where missing."""
    _make("run_marks", [_key("run_id", String(64)), _value("starred", Boolean()), _value("note", Text())])
    _make("run_tags", [_key("run_id", String(64)), _key("tag", Text())])
    _index("run_tags_by_tag", "run_tags", "tag")
    _make(
        "comments",
        [
            _key("logical_id", String(64)),
            _value("run_id", String(64)),
            _value("target_kind", String(8)),
            _value("target_key", String(128)),
            _value("author", Text()),
            _value("content", Text()),
            _value("created_at", Double()),
        ],
    )
    _index("comments_by_run", "comments", "run_id", "created_at")
    _make(
        "ratings",
        [
            _key("run_id", String(64)),
            _key("target_kind", String(8)),
            _key("target_key", String(128)),
            _key("author", Text()),
            _value("value", String(16)),
            _value("created_at", Double()),
        ],
    )


def _sessions() -> None:
    """Make the tables ``presets``, ``kits``, ``unfinished_turns`` and ``spoken``, where they are missing."""
    _make(
        "presets",
        [
            _key("workflow_id", String(64)),
            _key("name", Text()),
            _value("updated_at", Double()),
            _value("run_input", LargeBinary()),
        ],
    )
    _make("kits", [_key("run_id", String(64)), _value("kit", LargeBinary())])
    _make(
        "unfinished_turns",
        [
            _key("run_id", String(64)),
            _value("workflow_id", String(64)),
            _value("version_number", NUMBER),
            _value("began_at", Double()),
            _value("input_json", LargeBinary()),
            _value("events_json", LargeBinary()),
        ],
    )
    _make("spoken", [_key("run_id", String(64)), _value("turn_count", NUMBER), _value("text", Text())])


def _make(table: str, columns: Sequence[Column[Any]]) -> None:
    op.create_table(table, *columns, if_not_exists=True)


def _index(name: str, table: str, *columns: str) -> None:
    op.create_index(name, table, list(columns), if_not_exists=True)


def _key(name: str, kind: TypeEngine[Any]) -> Column[Any]:
    return Column(name, kind, primary_key=True)


def _value(name: str, kind: TypeEngine[Any]) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _maybe(name: str, kind: TypeEngine[Any]) -> Column[Any]:
    return Column(name, kind)
