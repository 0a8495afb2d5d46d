"""Tokens of re-runs."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from debugger.errors import NotFoundError
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.store.compression import read_json
from debugger.store.database import Repository
from debugger.store.schema import rerun_tokens

_EXPIRED_SECONDS = 3600.0
"""Seconds that an expired token is still known as such."""


@dataclass(frozen=True, kw_only=True)
class RerunTicket:
    """The content of a token."""

    run_id: str
    turn_index: int
    graph_digest: str
    """Of the graph in which the re-run continues, to detect changes of it."""
    expires_at: float
    """Seconds since 1970."""
    target: JsonObject
    edits: JsonObject


class RerunTokens(Repository):
    """Tokens that are neither redeemed nor long expired."""

    def mint(self, ticket: RerunTicket) -> str:
        """Store a ticket under a new random token and return that; delete tokens that expired an hour ago."""
        token = secrets.token_urlsafe(32)
        row = {**vars(ticket), "target": encode(ticket.target), "edits": encode(ticket.edits)}
        with self._database.writing() as connection:
            old = rerun_tokens.c.expires_at < time.time() - _EXPIRED_SECONDS
            connection.execute(delete(rerun_tokens).where(old))
            connection.execute(insert(rerun_tokens), {"digest": _digest(token), **row})
        return token

    def find(self, token: str) -> RerunTicket:
        """Return the content of a token.

        Raises:
            NotFoundError: It has expired, was redeemed, or never was one.
        """
        with self._database.reading() as connection:
            return _find(connection, token)

    def amend(self, token: str, edits: JsonObject) -> None:
        """Replace a token's edits.

        Raises:
            NotFoundError: It has expired, was redeemed, or never was one.
        """
        with self._database.writing() as connection:
            _find(connection, token)
            ours = rerun_tokens.c.digest == _digest(token)
            connection.execute(update(rerun_tokens).where(ours).values(edits=encode(edits)))


def redeem_token(connection: Connection, token: str) -> RerunTicket:
    """Delete a token in the transaction that creates its run, and return its content.

    Raises:
        NotFoundError: It has expired, was redeemed, or never was one.
    """
    ticket = _find(connection, token)
    connection.execute(delete(rerun_tokens).where(rerun_tokens.c.digest == _digest(token)))
    return ticket


def _find(connection: Connection, token: str) -> RerunTicket:
    """Return the content of a token.

    Raises:
        NotFoundError: It has expired, was redeemed, or never was one.
        StoreError: Its stored content cannot be read.
    """
    found = select(rerun_tokens).where(rerun_tokens.c.digest == _digest(token))
    row = connection.execute(found).one_or_none()
    if row is None:
        raise NotFoundError("There is no such re-run token.", advice="It was used already, or never issued.")
    if row.expires_at <= time.time():
        raise NotFoundError("This re-run token has expired.", advice="Ask for another one.")
    return RerunTicket(
        run_id=row.run_id,
        turn_index=row.turn_index,
        graph_digest=row.graph_digest,
        expires_at=row.expires_at,
        target=read_json(row.target, "target of a re-run token"),
        edits=read_json(row.edits, "edits of a re-run token"),
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
