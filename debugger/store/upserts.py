"""Rows that are added, or put in the place of what is there."""

from __future__ import annotations

# SQLite has taken the clause ``ON CONFLICT`` over from PostgreSQL, and SQLAlchemy writes this one for both;
# the one of its SQLite dialect it writes for SQLite only.
from sqlalchemy.dialects.postgresql import insert as insert
