"""What a database tells of itself."""

from __future__ import annotations

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, select, update

from debugger.store.schema import SCHEMA_VERSION, meta

revisions = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""What Alembic notes: the last migration that a database has been through."""

SCHEMA_VERSION_KEY = "schema_version"
WORKFLOWS_CREATED_KEY = "workflows_created"


def write_first_facts(connection: Connection, revision: str) -> None:
    """Note in a new database which tables it has, and that no workflow was ever in them."""
    facts = {SCHEMA_VERSION_KEY: str(SCHEMA_VERSION), WORKFLOWS_CREATED_KEY: "no"}
    connection.execute(insert(meta), [{"key": key, "value": value} for key, value in facts.items()])
    revisions.create(connection)
    connection.execute(insert(revisions).values(version_num=revision))


def revision_of(connection: Connection) -> str | None:
    """Return the last migration that a database has been through, whose table of them is there.

    A damaged database may note several, or none.
    """
    found = connection.scalars(select(revisions.c.version_num)).all()
    return " and ".join(sorted(map(str, found))) or None


def schema_version(connection: Connection) -> int | None:
    """The version of the tables; ``None`` when the table is not one of ours."""
    found = connection.scalar(select(meta.c.value).where(meta.c.key == SCHEMA_VERSION_KEY))
    return int(found) if isinstance(found, str) and found.isdecimal() else None


def remember_creation(connection: Connection) -> None:
    """Note that there has been a workflow, even if it is deleted again."""
    connection.execute(update(meta).where(meta.c.key == WORKFLOWS_CREATED_KEY).values(value="yes"))


def never_used(connection: Connection) -> bool:
    """Whether there has never been a workflow."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == WORKFLOWS_CREATED_KEY)) != "yes"
