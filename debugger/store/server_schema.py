"""The tables of what only a server needs: facts on workflows, global variables, tokens, keys."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, ForeignKey, LargeBinary, String, Table, Text

from debugger.store.notebook_schema import metadata as metadata
from debugger.store.schema import Number

workflow_facts = Table(
    "workflow_facts",
    metadata,
    Column("workflow_id", ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True),
    Column("created_by", Text),
    Column("updated_by", Text),
    Column("max_concurrent_runs", Number),
)
"""What is known of a workflow besides its graph; a row is there only where something is."""

favorites = Table(
    "favorites",
    metadata,
    Column("workflow_id", ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Text, primary_key=True),
)
"""Which workflows somebody has marked."""

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
    # Of the token only its digest is kept: who reads the database cannot redeem it.
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
    # Of the key only its digest is kept, as of the tokens above.
    Column("digest", String(64), nullable=False, unique=True),
    Column("person", Text, nullable=False),
    Column("role", String(16), nullable=False),
    # Null for the team whose store this is.
    Column("team", String(32)),
    Column("created_at", Double, nullable=False),
    Column("revoked_at", Double),
)
"""Keys of people, revoked ones too. Those of all teams stand in the main store, and none in a team's own."""

python_consents = Table(
    "python_consents",
    metadata,
    Column("workflow_id", String(64), primary_key=True),
    Column("version_number", Number, primary_key=True, autoincrement=False),
    # Of all inline Python in the version: changed code is asked about again.
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
"""Who sent, forked, deleted, imported, exported unmasked or changed a connection; rows are only appended."""

ended_logins = Table(
    "ended_logins",
    metadata,
    # Of what a login's cookie holds, which is not kept itself.
    Column("digest", String(64), primary_key=True),
    Column("expires_at", Double, nullable=False, index=True),
)
"""Logins that were ended: a cookie that was copied before is refused."""
