"""The version that a run begins with, looked up with every new run."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.engine.interfaces import DBAPICursor, Dialect

from debugger.store.database import Prepared
from debugger.store.schema import versions, workflows

_VERSION = (
    select(versions.c.version_number, versions.c.version_name)
    .join(workflows, workflows.c.id == versions.c.workflow_id)
    .where(workflows.c.id == bindparam("workflow_id"))
)


class StartingVersion(NamedTuple):
    """A version as the record of a run names it."""

    version_number: int
    version_name: str | None


class _Wanted(NamedTuple):
    """A version of a workflow, as a record that statements take their parameters from."""

    workflow_id: str
    version_number: int | None


class StartStatements:
    """Looks a version up, in the words of one kind of database."""

    def __init__(self, dialect: Dialect) -> None:
        chosen = versions.c.version_number == bindparam("version_number")
        active = versions.c.version_number == workflows.c.active_version_number
        self._chosen = Prepared(_VERSION.where(chosen), dialect)
        self._active = Prepared(_VERSION.where(active), dialect)

    def find(
        self, cursor: DBAPICursor, workflow_id: str, version_number: int | None
    ) -> StartingVersion | None:
        """A version, the active one by default; ``None`` where it or its workflow is not there."""
        statement = self._active if version_number is None else self._chosen
        statement.run(cursor, _Wanted(workflow_id, version_number))
        row = cursor.fetchone()
        return None if row is None else StartingVersion(*row)
