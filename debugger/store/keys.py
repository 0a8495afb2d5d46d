"""API keys of users with their roles, and logins that were ended."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, insert, select, update

from debugger.errors import InputError, NotFoundError
from debugger.store.database import Repository
from debugger.store.schema import api_keys, ended_logins
from debugger.store.sql_helpers import new_id

PREFIX = "wfd_"
"""First characters of every key, so that scanners for secrets find a key in a file."""
MAX_NAME_CHARACTERS = 80
"""Characters of a user's name, as of the setting ``author``."""

_TEAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", re.ASCII)


class Role(StrEnum):
    """A set of permissions, including those of the role before.

    ``read`` sees everything; ``review`` also sets verdicts, comments, tags, stars and ratings; ``run`` also
    runs and forks; ``admin`` also edits workflows, connections and settings, and deletes.
    """

    READ = "read"
    REVIEW = "review"
    RUN = "run"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        """Return whether it permits all that another role permits."""
        return _RANKS[self] >= _RANKS[needed]


_RANKS = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key, without the key itself: only its digest is stored."""

    id: str
    digest: str
    person: str
    role: Role
    team: str | None
    """Set by releases that had teams, see `teams`."""
    created_at: float
    """Seconds since 1970, as the next one."""
    revoked_at: float | None


class ApiKeys(Repository):
    """The keys."""

    def add(self, person: str, role: Role) -> tuple[ApiKey, str]:
        """Create a key; return its record, and the key itself this once: only its digest is stored.

        Args:
            person: The user's name, which their comments, ratings and workflows have; spaces around it are
                removed.
            role: Permits the requests of the key.

        Raises:
            InputError: The name cannot be used.
        """
        secret = PREFIX + secrets.token_urlsafe(32)
        key = ApiKey(
            id=new_id(),
            digest=digest_of(secret.encode()),
            person=_checked(person),
            role=role,
            team=None,
            created_at=time.time(),
            revoked_at=None,
        )
        with self._database.writing() as connection:
            connection.execute(insert(api_keys), vars(key))
        return key, secret

    def all(self) -> list[ApiKey]:
        """Return all keys, the oldest first, revoked ones too."""
        with self._database.reading() as connection:
            rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id))
            return [ApiKey(**{**row._mapping, "role": Role(row.role)}) for row in rows]

    def revoke(self, key_id: str) -> None:
        """Revoke a key. The time of an earlier revocation stays.

        Raises:
            NotFoundError: There is no such key.
        """
        ours = api_keys.c.id == key_id
        with self._database.writing() as connection:
            if connection.scalar(select(api_keys.c.id).where(ours)) is None:
                raise NotFoundError(f"There is no key {key_id!r}.", advice="Copy an id from `keys list`.")
            valid = ours & api_keys.c.revoked_at.is_(None)
            connection.execute(update(api_keys).where(valid).values(revoked_at=time.time()))


class EndedLogins(Repository):
    """Logins that were ended before they expired."""

    def add(self, digest: str, expires_at: float) -> None:
        """End a login; delete those that would have expired by now.

        Args:
            digest: The digest of the content of the login's cookie.
            expires_at: Seconds since 1970, after which the cookie is rejected anyway.
        """
        same = ended_logins.c.digest == digest
        with self._database.writing() as connection:
            connection.execute(delete(ended_logins).where(same | (ended_logins.c.expires_at < time.time())))
            connection.execute(insert(ended_logins), {"digest": digest, "expires_at": expires_at})

    def digests(self) -> frozenset[str]:
        """Return the digests of the logins that were ended."""
        with self._database.reading() as connection:
            return frozenset(connection.scalars(select(ended_logins.c.digest)))


def digest_of(key: bytes) -> str:
    """Return the digest of a key, which is stored instead of it.

    One round of SHA-256 is enough. Slow hashes protect passwords, which can be guessed from a list; a key is
    256 random bits, which cannot. A reader of the database thus gets no key.
    """
    return hashlib.sha256(key).hexdigest()


def _checked(person: str) -> str:
    """Return the name of a user without spaces around it.

    Raises:
        InputError: It is empty, too long, or has characters that cannot be printed.
    """
    name = person.strip()
    if not is_user_name(name):
        raise InputError(
            f"The name {person!r} is not valid for a user.",
            advice=f"Write 1 to {MAX_NAME_CHARACTERS} characters that can be seen.",
        )
    return name


def is_user_name(name: str) -> bool:
    """Return whether a user can have a name: it is printed, and stands for the user."""
    return name == name.strip() and 0 < len(name) <= MAX_NAME_CHARACTERS and name.isprintable()


def is_team_name(name: str) -> bool:
    """Return whether a name can be that of a team: it is part of file names and of printed commands."""
    return _TEAM.fullmatch(name) is not None
