"""Summaries of runs, cached beside their records.

No turn pays for them: they are written when a list or a statistic needs them. A summary is out of date as
soon as its run has another turn.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select

from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.store.compression import compress, read_json
from debugger.store.database import Repository
from debugger.store.schema import run_facts, runs
from debugger.store.sql_helpers import insert, split_ids


class RunFactsCache(Repository):
    """The summaries of runs as JSON that only their writer reads."""

    def read(self, run_ids: Collection[str], format_version: int) -> dict[str, JsonObject]:
        """Return the summaries of those of the runs that have one that is up to date, by run id.

        Args:
            run_ids: The runs.
            format_version: Summaries of another format are passed over.

        Raises:
            StoreError: A summary was changed by another program.
        """
        current = (
            select(run_facts.c.run_id, run_facts.c.facts)
            .join(runs, runs.c.id == run_facts.c.run_id)
            .where(run_facts.c.turn_count == runs.c.turn_count, run_facts.c.format_version == format_version)
        )
        with self._database.reading() as connection:
            return {
                row.run_id: read_json(row.facts, f"summary of run {row.run_id}")
                for some in split_ids(run_ids)
                for row in connection.execute(current.where(run_facts.c.run_id.in_(some)))
            }

    def save(self, facts: Mapping[str, tuple[int, JsonObject]], format_version: int) -> None:
        """Store summaries in place of earlier ones, each with the number of its turns.

        A run that was deleted meanwhile gets none.

        Args:
            facts: By run id, the number of turns and the summary of them.
            format_version: The format of the summaries.
        """
        fresh = insert(run_facts)
        newer = {name: fresh.excluded[name] for name in ("turn_count", "format_version", "facts")}
        statement = fresh.on_conflict_do_update(index_elements=["run_id"], set_=newer)
        with self._database.writing() as connection:
            for some in split_ids(facts):
                known = connection.scalars(select(runs.c.id).where(runs.c.id.in_(some)).with_for_update())
                rows = [
                    {
                        "run_id": run_id,
                        "turn_count": facts[run_id][0],
                        "format_version": format_version,
                        "facts": compress(encode(facts[run_id][1])),
                    }
                    for run_id in known
                ]
                if rows:
                    connection.execute(statement, rows)
