"""The audit list: sends, forks, deletions, imports, exports, changes of connections."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import insert, select

from debugger.store.database import Repository
from debugger.store.schema import audit_entries
from debugger.store.sql_helpers import new_id


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
    """The id or name of the changed object."""
    details: dict[str, Any]
    """A JSON object without secrets and without texts of a conversation."""

    @classmethod
    def now(
        cls, person: str, role: str, action: str, target: str, details: Mapping[str, Any] | None = None
    ) -> AuditEntry:
        """Return an entry with a new id and the present time, which is not stored yet; copy `details`."""
        return cls(
            id=new_id(),
            at=time.time(),
            person=person,
            role=role,
            action=action,
            target=target,
            details=dict(details or {}),
        )


class AuditLog(Repository):
    """The entries, which are only appended."""

    def append(
        self, person: str, role: str, action: str, target: str, details: Mapping[str, Any] | None = None
    ) -> None:
        """Append an entry of now."""
        self.append_all([AuditEntry.now(person, role, action, target, details)])

    def append_all(self, entries: Sequence[AuditEntry]) -> None:
        """Append entries in one transaction."""
        rows = [{**asdict(entry), "details": json.dumps(entry.details)} for entry in entries]
        with self._database.writing() as connection:
            connection.execute(insert(audit_entries), rows)

    def newest(self, limit: int = 200, *, person: str = "", action: str = "") -> list[AuditEntry]:
        """Return at most `limit` entries, the newest first, optionally of one person or one action."""
        columns = audit_entries.c
        wanted = select(audit_entries).order_by(columns.at.desc(), columns.id.desc()).limit(limit)
        if person:
            wanted = wanted.where(columns.person == person)
        if action:
            wanted = wanted.where(columns.action == action)
        with self._database.reading() as connection:
            rows = connection.execute(wanted)
            return [AuditEntry(**{**row._mapping, "details": json.loads(row.details)}) for row in rows]

    def filters(self) -> tuple[list[str], list[str]]:
        """Return the persons and the actions in the list, sorted."""
        columns = audit_entries.c
        with self._database.reading() as connection:
            persons = connection.scalars(select(columns.person).distinct().order_by(columns.person)).all()
            actions = connection.scalars(select(columns.action).distinct().order_by(columns.action)).all()
        return list(persons), list(actions)
