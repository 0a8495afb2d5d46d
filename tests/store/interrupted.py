"""Interrupted turns in a store, as lapsed claims leave them."""

from __future__ import annotations

from sqlalchemy import insert

from debugger.store.compression import compress
from debugger.store.schema import unfinished_turns


def interrupt(store, turn):
    """Put an interrupted turn into the journal."""
    values = turn._replace(events_json=compress(turn.events_json))._asdict()
    with store._database.writing() as connection:
        connection.execute(insert(unfinished_turns).values(**values))
