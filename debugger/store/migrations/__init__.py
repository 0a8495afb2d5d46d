"""Migrations of the tables: a file in ``versions`` for each."""

REVISIONS = (
    *("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011", "0012"),
    "0014",
    "0015",
    "0016",
    "0017",
)
"""All of them, the oldest first; written out so that a database is known to be up to date without Alembic.

To change the tables: change `debugger.store.schema`, add a file to ``versions`` and its revision here. Where
an older program would trip over what is new, the file also raises ``schema_version`` in the table ``meta``,
and `SCHEMA_VERSION` is raised with it.
"""
