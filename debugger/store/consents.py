"""Consents of users to inline Python without a sandbox."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import delete, select

from debugger.store.database import Repository
from debugger.store.schema import python_consents
from debugger.store.sql_helpers import has_key, upsert


@dataclass(frozen=True, kw_only=True)
class PythonConsent:
    """A user's consent to the code of one version."""

    workflow_id: str
    version_number: int
    code_digest: str
    """HMAC-SHA-256, in hexadecimal digits, of all inline Python in the version, with a secret of the
    installation that requested it: other code, or another installation, needs another consent."""
    person: str
    consented_at: float
    """Seconds since 1970."""


class PythonConsents(Repository):
    """The consents."""

    def add(self, workflow_id: str, version_number: int, code_digest: str, person: str) -> None:
        """Store a consent in place of an earlier one for the version."""
        values = {"code_digest": code_digest, "person": person, "consented_at": time.time()}
        with self._database.writing() as connection:
            connection.execute(upsert(python_consents, _key(workflow_id, version_number), values))

    def find(self, workflow_id: str, version_number: int) -> PythonConsent | None:
        """Return the consent for a version, whichever code it was for."""
        ours = has_key(python_consents, _key(workflow_id, version_number))
        with self._database.reading() as connection:
            row = connection.execute(select(python_consents).where(ours)).one_or_none()
        return None if row is None else PythonConsent(**row._mapping)

    def all(self) -> list[PythonConsent]:
        """Return all consents, the newest first."""
        columns = python_consents.c
        with self._database.reading() as connection:
            rows = connection.execute(select(python_consents).order_by(columns.consented_at.desc()))
            return [PythonConsent(**row._mapping) for row in rows]

    def remove(self, workflow_id: str, version_number: int) -> None:
        """Revoke a consent; do nothing where there is none."""
        ours = has_key(python_consents, _key(workflow_id, version_number))
        with self._database.writing() as connection:
            connection.execute(delete(python_consents).where(ours))


def _key(workflow_id: str, version_number: int) -> dict[str, str | int]:
    return {"workflow_id": workflow_id, "version_number": version_number}
