"""Keys that people show the server: who each is for, and what it lets them do."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import insert, select, update

from debugger.errors import InputError, NotFoundError
from debugger.store.database import Database
from debugger.store.ids import new_id
from debugger.store.server_schema import api_keys
from debugger.store.teams import check_team

PREFIX = "wfd_"
"""What every key begins with, so that a key which has strayed into a file is found."""
LONGEST_NAME = 80
"""Characters that a person's name may have, as the setting ``author``."""


class Role(StrEnum):
    """A set of permissions; each role includes those of the one before it.

    ``read`` sees everything; ``review`` also sets verdicts, comments, tags, stars and ratings; ``run`` also
    runs and forks; ``admin`` also edits workflows, connections and settings, and deletes.
    """

    READ = "read"
    REVIEW = "review"
    RUN = "run"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        """Whether it may do what another one may."""
        return _RANKS[self] >= _RANKS[needed]


_RANKS = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key, without the key itself: nobody can read that any more."""

    id: str
    digest: str
    person: str
    role: Role
    team: str | None
    """``None`` for the team whose data are in the main store."""
    created_at: float
    """Seconds since 1970, as the next one."""
    revoked_at: float | None


class ApiKeys:
    """The keys. Every method is one transaction and may raise `StoreError`.

    Args:
        database: The main store's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, person: str, role: Role, team: str | None = None) -> tuple[ApiKey, str]:
        """Make a new key; gives what is kept of it, and the key itself this once.

        Args:
            person: Whose it is; their comments, ratings and workflows bear this name.
            role: What it lets them do.
            team: Whose data they see; those of the main store where none is named.

        Raises:
            InputError: The name of the person or of the team cannot be used.
        """
        shown = PREFIX + secrets.token_urlsafe(32)
        key = ApiKey(
            id=new_id(),
            digest=digest_of(shown.encode()),
            person=_checked(person),
            role=role,
            team=None if team is None else check_team(team),
            created_at=time.time(),
            revoked_at=None,
        )
        with self._database.writing() as connection:
            connection.execute(insert(api_keys), vars(key))
        return key, shown

    def all(self) -> list[ApiKey]:
        """All keys, the oldest first, revoked ones too."""
        with self._database.reading() as connection:
            rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id))
            return [ApiKey(**{**row._mapping, "role": Role(row.role)}) for row in rows]

    def revoke(self, key_id: str) -> None:
        """Let a key open nothing any more. One that was revoked before stays so since then.

        Raises:
            NotFoundError: There is no such key.
        """
        ours = api_keys.c.id == key_id
        with self._database.writing() as connection:
            if connection.scalar(select(api_keys.c.id).where(ours)) is None:
                raise NotFoundError(f"There is no key {key_id!r}.", advice="Copy an id from `keys list`.")
            good = ours & api_keys.c.revoked_at.is_(None)
            connection.execute(update(api_keys).where(good).values(revoked_at=time.time()))


def digest_of(key: bytes) -> str:
    """What is kept of a key.

    One round of SHA-256 is enough. Slow hashes protect passwords, which can be guessed from a list; a key is
    256 random bits, and nobody guesses those at whatever speed. Whoever reads the database thus gets no key.
    """
    return hashlib.sha256(key).hexdigest()


def _checked(person: str) -> str:
    name = person.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(
            f"The name {person!r} cannot be a person's.",
            advice=f"Write 1 to {LONGEST_NAME} characters that can be seen.",
        )
    return name
