"""Teams, as earlier releases left them in a database."""

from __future__ import annotations

from contextlib import closing

from sqlalchemy import text

from debugger.store import Role, Store
from debugger.store.database import Database


def add_team_key(url, team="qa"):
    """Add a team's key as earlier releases did; return its id."""
    with closing(Store(url, permits_teams=True)) as store:
        key, _ = store.api_keys.add("Ada", Role.ADMIN)
    with closing(Database(url)) as database, database.writing() as connection:
        values = {"team": team, "id": key.id}
        connection.execute(text("UPDATE api_keys SET team = :team WHERE id = :id"), values)
    return key.id
