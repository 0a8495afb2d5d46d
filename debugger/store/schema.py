"""The tables.

A row of ``turns`` is added when the turn is claimed and updated when its result is stored; of finished turns
only the last one's checkpoint changes, so that the cost of a turn does not grow with the turns before it. A
row of ``runs`` has everything that a list of runs shows, so that no list reads a turn.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
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
    insert,
    select,
    update,
)

SCHEMA_VERSION = 4
"""Raised by a migration that changes a table in a way that an older program would trip over."""

FIRST_RELEASED = 2
"""The schema version of the first release; there is no migration from an earlier one."""

MAX_CLIENT_TURN_ID = 200
"""Characters of a client turn id."""

metadata = MetaData()

Number = BigInteger().with_variant(Integer, "sqlite")
"""An integer of 64 bits; SQLite has no other kind."""


def edit_columns() -> tuple[Column[Any], Column[Any]]:
    """Return the columns by which changes of several users are told apart (`edited_tables`)."""
    return Column("revision", Number, nullable=False, server_default="1"), Column("updated_by", Text)


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
    # Small columns before large ones: SQLite reads a row up to the last column that is selected.
    Column("checkpoint", LargeBinary, nullable=False),
    # Null where the closing event has it, as of every turn that did not fail.
    Column("pair", LargeBinary),
    Column("events", LargeBinary, nullable=False),
    # An idempotency key; null where the client sent none.
    Column("client_turn_id", String(MAX_CLIENT_TURN_ID)),
    # Null of background work, and of turns that were stored before there were claims.
    Column("user_turn_number", Number),
    # Random per claim: a result is stored by the owner of the claim alone.
    Column("claim_id", String(32)),
    # The next three and ``lease_seconds`` are set while the turn is claimed and not yet stored. ``status`` is
    # then ``started``, ``pair`` the run input, ``events`` those so far, and there is no checkpoint yet.
    Column("owner", Text),
    # By the clock of PostgreSQL. In SQLite by that of the owner: there it only shows whether the claim was
    # renewed, and is compared with no other time.
    Column("lease_until", Double),
    Column("event_count", Number),
    # Set by a client that stops the run while the turn is executed; the owner reads it.
    Column("stop_requested_at", Double),
    # The length of the lease.
    Column("lease_seconds", Double),
    # Of a turn in progress, the calls to the outside so far, as JSON; null without any.
    Column("calls", LargeBinary),
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

forks = Table(
    "forks",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("source_run_id", String(64), nullable=False, index=True),
    Column("turn_number", Number, nullable=False),
    Column("way", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("forked_by", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("fidelity", LargeBinary),
    Column("changes", LargeBinary, nullable=False),
)
"""Origins of forks, by ids alone like the notes below: runs of a hosted API have no row here."""

run_marks = Table(
    "run_marks",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("starred", Boolean, nullable=False, default=False),
    Column("note", Text, nullable=False, default=""),
    # Of the note.
    *edit_columns(),
    Column("updated_at", Double),
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
    # One of each author and target (``platform.md#feedback``).
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
    *edit_columns(),
    Column("run_input", LargeBinary, nullable=False),
)

kits = Table(
    "kits",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("kit", LargeBinary, nullable=False),
)
"""The debug set-up of a run, such as breakpoints; JSON that only its writer reads."""

unfinished_turns = Table(
    "unfinished_turns",
    metadata,
    Column("run_id", String(64), nullable=False, index=True),
    Column("workflow_id", String(64), nullable=False),
    Column("version_number", Number, nullable=False),
    Column("began_at", Double, nullable=False),
    Column("input_json", LargeBinary, nullable=False),
    Column("events_json", LargeBinary, nullable=False),
    Column("claim_id", String(64), primary_key=True),
    Column("client_turn_id", String(MAX_CLIENT_TURN_ID), index=True),
    # The calls that the turn had made, as JSON; null without any.
    Column("calls_json", LargeBinary),
)
"""The journal of interrupted turns.

One without calls goes once another turn of its run is stored; one with calls stays until a user has seen it.
"""

spoken = Table(
    "spoken",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("turn_count", Number, nullable=False),
    Column("text", Text, nullable=False),
)
"""The messages of a run's turns up to a number, in lower case; written when a user searches."""

workflow_facts = Table(
    "workflow_facts",
    metadata,
    Column("workflow_id", ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True),
    Column("created_by", Text),
    Column("updated_by", Text),
    Column("max_concurrent_runs", Number),
)
"""Facts on a workflow besides its graph; a row exists only where there are any."""

favorites = Table(
    "favorites",
    metadata,
    Column("workflow_id", ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Text, primary_key=True),
)
"""The favorite workflows of users."""

global_variables = Table(
    "global_variables",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("is_secret", Boolean, nullable=False),
    Column("description", Text),
    Column("category", Text),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    # JSON text; last, like all that may be large.
    Column("value", Text, nullable=False),
)

rerun_tokens = Table(
    "rerun_tokens",
    metadata,
    # Only the token's digest is stored: a reader of the database cannot redeem it.
    Column("digest", String(64), primary_key=True),
    Column("run_id", String(24), nullable=False),
    Column("turn_index", Number, nullable=False),
    Column("graph_digest", String(64), nullable=False),
    Column("expires_at", Double, nullable=False, index=True),
    Column("target", LargeBinary, nullable=False),
    Column("edits", LargeBinary, nullable=False),
)
"""Tokens that are neither redeemed nor long expired."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(24), primary_key=True),
    # Only the key's digest is stored, as of the tokens above.
    Column("digest", String(64), nullable=False, unique=True),
    Column("person", Text, nullable=False),
    Column("role", String(16), nullable=False),
    # Set by releases that had teams, see `teams`.
    Column("team", String(32)),
    Column("created_at", Double, nullable=False),
    Column("revoked_at", Double),
)
"""Keys of users, revoked ones too."""

python_consents = Table(
    "python_consents",
    metadata,
    Column("workflow_id", String(64), primary_key=True),
    Column("version_number", Number, primary_key=True, autoincrement=False),
    # Of all inline Python in the version: changed code needs another consent.
    Column("code_digest", String(64), nullable=False),
    Column("person", Text, nullable=False),
    Column("consented_at", Double, nullable=False),
)
"""Workflow versions whose Python a user lets run without a sandbox."""

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("at", Double, nullable=False, index=True),
    Column("person", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("action", String(40), nullable=False),
    Column("target", Text, nullable=False),
    # JSON text; never a secret or a message of a conversation.
    Column("details", Text, nullable=False),
)
"""Actions of users: sends, forks, deletions, imports, exports of secrets, changes of connections."""

ended_logins = Table(
    "ended_logins",
    metadata,
    # Of the content of a login's cookie, which is not stored itself.
    Column("digest", String(64), primary_key=True),
    Column("expires_at", Double, nullable=False, index=True),
)
"""Logins that were ended: a cookie that was copied before is rejected."""

verdicts = Table(
    "verdicts",
    metadata,
    # Empty of the embedded engine; of a hosted run the name of its connection.
    Column("connection", Text, primary_key=True),
    Column("run_id", String(64), primary_key=True),
    Column("target_kind", String(8), primary_key=True),
    Column("target_key", String(128), primary_key=True),
    Column("reviewer", Text, primary_key=True),
    Column("value", String(8), nullable=False),
    Column("comment", Text, nullable=False),
    # JSON text: the results of the rubric's checks by name.
    Column("checks", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    *edit_columns(),
    Index("verdicts_by_run", "run_id"),
)
"""Verdicts of reviewers on runs, turns and messages: one of each reviewer and target."""

rubrics = Table(
    "rubrics",
    metadata,
    Column("workflow_id", String(64), primary_key=True),
    Column("checks", Text, nullable=False),
    *edit_columns(),
    Column("updated_at", Double),
)
"""The named checks that reviewers of a workflow's runs go through; JSON text."""

demo_scripts = Table(
    "demo_scripts",
    metadata,
    # Empty of the embedded engine, as of verdicts.
    Column("connection", Text, primary_key=True),
    Column("workflow_id", String(64), primary_key=True),
    Column("lines", Text, nullable=False),
    *edit_columns(),
    Column("updated_at", Double),
)
"""The lines that a presenter of a workflow says; JSON text."""

export_presets = Table(
    "export_presets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("settings", Text, nullable=False),
    Column("updated_at", Double, nullable=False),
    *edit_columns(),
)
"""Export settings saved under a name; JSON text."""

saved_filters = Table(
    "saved_filters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("filter", Text, nullable=False),
    Column("updated_at", Double, nullable=False),
    *edit_columns(),
)
"""Filters of the list of runs saved under a name; JSON text."""

scenarios = Table(
    "scenarios",
    metadata,
    Column("name", Text, primary_key=True),
    # YAML or JSON, as a file has it.
    Column("text", Text, nullable=False),
    # The user who has added it, whose it stays.
    Column("author", Text, nullable=False),
    Column("updated_at", Double, nullable=False),
    *edit_columns(),
)
"""Scenarios that users store, by name."""

hidden_runs = Table(
    "hidden_runs",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("hidden_by", Text, nullable=False),
    Column("hidden_at", Double, nullable=False, index=True),
)
"""Runs that a user has deleted and that can still be restored."""

IS_SHOWN = runs.c.id.not_in(select(hidden_runs.c.run_id))
"""The condition for runs that are not hidden."""

run_facts = Table(
    "run_facts",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("turn_count", Number, nullable=False),
    Column("format_version", Number, nullable=False),
    Column("facts", LargeBinary, nullable=False),
)
"""The summary of a run's first turns up to a number; written when a list or a statistic needs it."""

suite_runs = Table(
    "suite_runs",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("started_at", Double, nullable=False, index=True),
    # Null while it runs, and after a crash.
    Column("ended_at", Double),
    Column("started_by", Text, nullable=False),
    Column("program_version", Text, nullable=False),
    # The process, see `process_identity`.
    Column("owner", Text, nullable=False),
    # Set when every selected scenario has a result.
    Column("is_complete", Boolean, nullable=False),
    Column("selected", Number, nullable=False),
)
"""Runs of many scenarios; the tables below refer to them by id alone."""

suite_results = Table(
    "suite_results",
    metadata,
    Column("suite_run_id", String(24), primary_key=True),
    # SHA-256 of the scenario's id, which may be too long for an index.
    Column("scenario_key", String(64), primary_key=True),
    Column("scenario_id", Text, nullable=False),
    # Of the scenario and its workflow, by which a change is known.
    Column("digest", String(64), nullable=False),
    Column("outcome", String(8), nullable=False),
    Column("disposition", String(8)),
    Column("repetitions", Number, nullable=False),
    Column("stored_at", Double, nullable=False),
    Index("suite_results_by_scenario", "scenario_key", "stored_at"),
)
"""The result of each scenario of a suite run; they outlive the scenarios' runs."""

suite_repetitions = Table(
    "suite_repetitions",
    metadata,
    Column("suite_run_id", String(24), primary_key=True),
    Column("scenario_key", String(64), primary_key=True),
    Column("number", Number, primary_key=True, autoincrement=False),
    # Null where there is no run.
    Column("run_id", String(64), index=True),
    # JSON with words of the conversation: it goes with its run.
    Column("result", LargeBinary, nullable=False),
)
"""The checks of each run of a scenario."""

run_scenarios = Table(
    "run_scenarios",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("row_number", Number),
    Column("outcome", String(8), nullable=False),
    # A list of texts as JSON.
    Column("tags", Text, nullable=False),
    # JSON with words of the conversation: it goes with its run.
    Column("checks", LargeBinary, nullable=False),
)
"""The scenario that a run is of, and its checks."""

replays = Table(
    "replays",
    metadata,
    Column("id", String(24), primary_key=True),
    # Empty of the embedded engine; of hosted runs the name of their connection.
    Column("connection", Text, nullable=False),
    Column("workflow_id", String(64), nullable=False),
    Column("version_number", Number, nullable=False),
    # Where the other version is in a file, its name; else empty.
    Column("file", Text, nullable=False),
    # Of the other version's document: an interrupted replay is continued with the same one alone.
    Column("digest", String(64), nullable=False),
    Column("started_at", Double, nullable=False, index=True),
    # Null while it runs, and after a crash.
    Column("ended_at", Double),
    Column("started_by", Text, nullable=False),
    Column("program_version", Text, nullable=False),
    # The process, see `process_identity`.
    Column("owner", Text, nullable=False),
    # Set when every selected run was played.
    Column("is_complete", Boolean, nullable=False),
    Column("selected", Number, nullable=False),
    Index("replays_by_workflow", "workflow_id", "started_at"),
)
"""Replays of runs on another version of their workflow; results refer to them by id alone."""

replay_results = Table(
    "replay_results",
    metadata,
    Column("replay_id", String(24), primary_key=True),
    Column("run_id", String(64), primary_key=True, index=True),
    Column("verdict", String(16), nullable=False),
    # Of the group, empty for a run that is the same.
    Column("group_key", String(24), nullable=False),
    # JSON with words of the conversation: it goes with its run.
    Column("result", LargeBinary, nullable=False),
    Index("replay_results_by_group", "replay_id", "group_key", "verdict", "run_id"),
)
"""The result of each run of a replay."""

accepted_groups = Table(
    "accepted_groups",
    metadata,
    Column("workflow_id", String(64), primary_key=True),
    Column("group_key", String(24), primary_key=True),
    Column("accepted_by", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("accepted_at", Double, nullable=False),
)
"""Groups of replays' results that users have accepted, for all replays of the workflow."""

revisions = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""Alembic's record of the last migration that a database has been through."""

SCHEMA_VERSION_KEY = "schema_version"
WORKFLOWS_CREATED_KEY = "workflows_created"


def write_first_facts(connection: Connection, revision: str) -> None:
    """Record schema version and revision in a new database, and that its samples are not made yet."""
    facts = {SCHEMA_VERSION_KEY: str(SCHEMA_VERSION), WORKFLOWS_CREATED_KEY: "no"}
    connection.execute(insert(meta), [{"key": key, "value": value} for key, value in facts.items()])
    revisions.create(connection)
    connection.execute(insert(revisions).values(version_num=revision))


def revision_of(connection: Connection) -> str | None:
    """Return the last migration that a database has been through.

    A damaged database may record several, or none.
    """
    found = connection.scalars(select(revisions.c.version_num)).all()
    return " and ".join(sorted(map(str, found))) or None


def schema_version(connection: Connection) -> int | None:
    """Return the version of the tables; ``None`` of another program's."""
    found = connection.scalar(select(meta.c.value).where(meta.c.key == SCHEMA_VERSION_KEY))
    return int(found) if isinstance(found, str) and found.isdecimal() else None


def remember_creation(connection: Connection) -> None:
    """Record that there has been a workflow."""
    connection.execute(update(meta).where(meta.c.key == WORKFLOWS_CREATED_KEY).values(value="yes"))


def never_used(connection: Connection) -> bool:
    """Return whether there has never been a workflow."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == WORKFLOWS_CREATED_KEY)) != "yes"
