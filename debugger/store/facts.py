"""What a database tells of itself, in its table ``meta``."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from debugger.store.schema import SCHEMA_VERSION, meta

_SCHEMA_VERSION = "schema_version"
_WORKFLOWS_CREATED = "workflows_created"


def write_first_facts(connection: Connection) -> None:
    """Note in a new database which tables it has, and that no workflow was ever in them."""
    facts = {_SCHEMA_VERSION: str(SCHEMA_VERSION), _WORKFLOWS_CREATED: "no"}
    connection.execute(insert(meta), [{"key": key, "value": value} for key, value in facts.items()])


def schema_version(connection: Connection) -> int | None:
    """The version of the tables; ``None`` when the table is not one of ours."""
    found = connection.scalar(select(meta.c.value).where(meta.c.key == _SCHEMA_VERSION))
    return int(found) if found is not None and found.isdecimal() else None


def remember_creation(connection: Connection) -> None:
    """Note that there has been a workflow, even if it is deleted again."""
    connection.execute(update(meta).where(meta.c.key == _WORKFLOWS_CREATED).values(value="yes"))


def never_used(connection: Connection) -> bool:
    """Whether there has never been a workflow."""
    return connection.scalar(select(meta.c.value).where(meta.c.key == _WORKFLOWS_CREATED)) != "yes"
