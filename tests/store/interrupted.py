"""Interrupted turns in a store, as lapsed claims leave them."""

from __future__ import annotations

from sqlalchemy import insert

from debugger.store.compression import compress
from debugger.store.schema import unfinished_turns


def interrupt(store, turn):
    """Put an interrupted turn into the journal."""
    claim_id = turn.claim_id or turn.run_id  # as of entries from before they had one
    values = turn._replace(events_json=compress(turn.events_json), claim_id=claim_id)._asdict()
    with store._database.writing() as connection:
        connection.execute(insert(unfinished_turns).values(**values))
