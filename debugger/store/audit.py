"""The audit list: who sent, forked, deleted, imported, exported unmasked or changed a connection."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from debugger.store.database import Database
from debugger.store.ids import new_id
from debugger.store.server_schema import audit_entries


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One action of one user."""

    id: str
    at: float
    """Seconds since 1970."""
    person: str
    role: str
    action: str
    """A verb and a noun, such as ``send turn``."""
    target: str
    """The id or name of what it was done to."""
    details: dict[str, Any]
    """A JSON object without secrets and without texts of a conversation."""


class AuditLog:
    """The entries, which are only appended. Every method is one transaction and may raise `StoreError`.

    Args:
        database: The store's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(
        self, person: str, role: str, action: str, target: str, details: Mapping[str, Any] | None = None
    ) -> None:
        """Append an entry of now."""
        values = {
            "id": new_id(),
            "at": time.time(),
            "person": person,
            "role": role,
            "action": action,
            "target": target,
            "details": json.dumps(dict(details or {})),
        }
        with self._database.writing() as connection:
            connection.execute(insert(audit_entries), values)

    def newest(self, limit: int = 200) -> list[AuditEntry]:
        """Return the newest entries, the newest first."""
        columns = audit_entries.c
        order = columns.at.desc(), columns.id.desc()
        with self._database.reading() as connection:
            rows = connection.execute(select(audit_entries).order_by(*order).limit(limit))
            return [AuditEntry(**{**row._mapping, "details": json.loads(row.details)}) for row in rows]
