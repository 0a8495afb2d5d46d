"""Logins that were ended before they expired."""

from __future__ import annotations

import time

from sqlalchemy import delete, insert, select

from debugger.store.database import Database
from debugger.store.server_schema import ended_logins


class EndedLogins:
    """The logins. Every method is one transaction and may raise `StoreError`.

    Args:
        database: The store's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, digest: str, expires_at: float) -> None:
        """End a login; those that would have expired by now are forgotten.

        Args:
            digest: The digest of what the login's cookie holds.
            expires_at: Seconds since 1970, after which the cookie is refused anyway.
        """
        same = ended_logins.c.digest == digest
        with self._database.writing() as connection:
            connection.execute(delete(ended_logins).where(same | (ended_logins.c.expires_at < time.time())))
            connection.execute(insert(ended_logins), {"digest": digest, "expires_at": expires_at})

    def digests(self) -> frozenset[str]:
        """Return the digests of the logins that were ended."""
        with self._database.reading() as connection:
            return frozenset(connection.scalars(select(ended_logins.c.digest)))
