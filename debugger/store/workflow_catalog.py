"""Changes of workflows and versions, copies, favorites, and facts besides their graphs."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from debugger.errors import ConflictError, InputError
from debugger.protocol.base import JsonObject
from debugger.store.claims import ACTIVE_RUNS
from debugger.store.compression import read_json
from debugger.store.database import Repository
from debugger.store.schema import favorites, remember_creation, versions, workflow_facts, workflows
from debugger.store.sql_helpers import new_id, split_ids
from debugger.store.workflows import (
    document_text,
    insert_version,
    list_versions,
    read_document,
    summarize_workflow,
    unknown_version,
)

_LABELS = ("name", "description")


@dataclass(frozen=True)
class VersionCopy:
    """A version for a new workflow."""

    version_number: int
    version_name: str | None
    document: Mapping[str, Any]


@dataclass(frozen=True)
class WorkflowFacts:
    """Facts on one workflow."""

    created_by: str | None = None
    updated_by: str | None = None
    max_concurrent_runs: int | None = None


@dataclass(frozen=True)
class RunLimits:
    """Limits on new runs of a workflow."""

    changed_at: float
    """Time of the last change of the workflow or one of its versions, in seconds since 1970."""
    max_concurrent_runs: int | None


NOTHING_KNOWN = WorkflowFacts()


class WorkflowCatalog(Repository):
    """Changes of workflows and versions.

    All methods may raise `NotFoundError` where the workflow or the version does not exist.
    """

    def rename_workflow(self, workflow_id: str, labels: Mapping[str, str | None]) -> None:
        """Change a workflow's labels, also in the documents of its versions; labels that are not named stay.

        Raises:
            NotFoundError: There is no such workflow.
            StoreError: A document was changed by another program.
        """
        with self._database.writing() as connection:
            summarize_workflow(connection, workflow_id)
            ours = update(workflows).where(workflows.c.id == workflow_id)
            connection.execute(ours.values(**labels, updated_at=time.time()))
            found = select(versions.c.version_number, versions.c.document)
            for number, text in connection.execute(found.where(versions.c.workflow_id == workflow_id)).all():
                document = read_json(text.encode(), f"document of version {number} of workflow {workflow_id}")
                changed = document_text(_labelled(document, labels))
                _change_version(connection, workflow_id, number, {"document": changed})

    def replace_document(self, workflow_id: str, version_number: int, document: Mapping[str, Any]) -> None:
        """Replace a version's document.

        Raises:
            InputError: Something in the document has no JSON form.
        """
        changes = {"document": document_text(document), "updated_at": (now := time.time())}
        with self._database.writing() as connection:
            _change_version(connection, workflow_id, version_number, changes)
            connection.execute(update(workflows).where(workflows.c.id == workflow_id).values(updated_at=now))

    def rename_version(self, workflow_id: str, version_number: int, name: str | None) -> None:
        """Rename a version, without a new time of change."""
        with self._database.writing() as connection:
            _change_version(connection, workflow_id, version_number, {"version_name": name})

    def delete_version(self, workflow_id: str, version_number: int) -> None:
        """Delete a version.

        Raises:
            ConflictError: It is the active one, which the only one always is.
            NotFoundError: There is no such workflow or version.
        """
        with self._database.writing() as connection:
            if version_number == summarize_workflow(connection, workflow_id).active_version_number:
                raise ConflictError(
                    f"Version {version_number} is the active one, so it cannot be deleted.",
                    advice="Activate another version first.",
                )
            deleted = connection.execute(delete(versions).where(*_version_key(workflow_id, version_number)))
            if not deleted.rowcount:
                raise unknown_version(connection, workflow_id, version_number)

    def versions(self, workflow_id: str, numbers: Collection[int] | None = None) -> list[VersionCopy]:
        """Return versions with their documents by number: all, or those with some numbers.

        Raises:
            NotFoundError: One of them, or the workflow, does not exist.
            StoreError: A document was changed by another program.
        """
        with self._database.reading() as connection:
            names = {
                version.version_number: version.version_name
                for version in list_versions(connection, workflow_id)
            }
            documents = {
                number: read_document(connection, workflow_id, number)
                for number in sorted(names if numbers is None else numbers)
            }
        return [VersionCopy(number, names[number], document) for number, document in documents.items()]

    def keep_workflow(
        self,
        labels: Mapping[str, str | None],
        copies: Sequence[VersionCopy],
        active_version_number: int,
        renamed: Collection[str] = (),
    ) -> str:
        """Create a workflow of versions, whose numbers stay; return its id.

        Args:
            labels: ``name`` and ``description``.
            copies: The versions.
            active_version_number: One of their numbers.
            renamed: The labels that also replace those in the documents, which otherwise stay as they are.

        Raises:
            InputError: Something in a document has no JSON form, or no version has the active number.
        """
        numbers = [copy.version_number for copy in copies]
        if active_version_number not in numbers:
            raise InputError(
                f"Version {active_version_number} cannot be the active one: the workflow gets versions "
                f"{', '.join(map(str, numbers)) or 'none at all'}.",
                advice="Choose one of these.",
            )
        workflow_id, now = new_id(), time.time()
        changed = {label: labels[label] for label in renamed}
        row = {"id": workflow_id, **dict.fromkeys(_LABELS), **labels, "created_at": now, "updated_at": now}
        with self._database.writing() as connection:
            connection.execute(insert(workflows), {**row, "active_version_number": active_version_number})
            for copy in copies:
                text = document_text(_labelled(copy.document, changed))
                insert_version(connection, workflow_id, copy.version_number, copy.version_name, text)
            remember_creation(connection)
        return workflow_id

    def facts(self, workflow_ids: Collection[str]) -> dict[str, WorkflowFacts]:
        """Return the facts on workflows by id, without those that have none."""
        with self._database.reading() as connection:
            return {
                row.workflow_id: WorkflowFacts(row.created_by, row.updated_by, row.max_concurrent_runs)
                for some in split_ids(workflow_ids)
                for row in connection.execute(
                    select(workflow_facts).where(workflow_facts.c.workflow_id.in_(some))
                )
            }

    def changed_at(self, workflow_ids: Collection[str]) -> dict[str, float]:
        """Return when existing workflows or their versions were last changed (seconds since 1970), by id."""
        with self._database.reading() as connection:
            return {
                row.id: row.updated_at
                for some in split_ids(workflow_ids)
                for row in connection.execute(
                    select(workflows.c.id, workflows.c.updated_at).where(workflows.c.id.in_(some))
                )
            }

    def rule(self, workflow_id: str) -> RunLimits | None:
        """Return the limits on new runs of a workflow; ``None`` where it does not exist."""
        found = select(workflows.c.updated_at, workflow_facts.c.max_concurrent_runs).outerjoin_from(
            workflows, workflow_facts, workflow_facts.c.workflow_id == workflows.c.id
        )
        with self._database.reading() as connection:
            row = connection.execute(found.where(workflows.c.id == workflow_id)).one_or_none()
        return None if row is None else RunLimits(row.updated_at, row.max_concurrent_runs)

    def note(self, workflow_id: str, **values: str | int | None) -> None:
        """Store facts on a workflow, by the names of `WorkflowFacts`; the other ones stay."""
        ours = workflow_facts.c.workflow_id == workflow_id
        with self._database.writing() as connection:
            if not connection.execute(update(workflow_facts).where(ours).values(**values)).rowcount:
                summarize_workflow(connection, workflow_id)
                connection.execute(insert(workflow_facts), {"workflow_id": workflow_id, **values})

    def set_favorite(self, workflow_id: str, user_id: str, *, is_favorite: bool) -> None:
        """Add a workflow to a user's favorites, or remove it; nothing changes where it is in that state.

        Raises:
            NotFoundError: There is no such workflow.
        """
        ours = (favorites.c.workflow_id == workflow_id, favorites.c.user_id == user_id)
        with self._database.writing() as connection:
            summarize_workflow(connection, workflow_id)
            connection.execute(delete(favorites).where(*ours))
            if is_favorite:
                connection.execute(insert(favorites), {"workflow_id": workflow_id, "user_id": user_id})

    def favorites_of(self, user_id: str) -> frozenset[str]:
        """Return the ids of a user's favorite workflows."""
        found = select(favorites.c.workflow_id).where(favorites.c.user_id == user_id)
        with self._database.reading() as connection:
            return frozenset(connection.scalars(found))

    def count_active_runs(self, workflow_id: str) -> int:
        """Return the number of runs of a workflow that count against its limit, without hidden ones."""
        with self._database.reading_cursor() as cursor:
            return int(cursor.row(ACTIVE_RUNS, workflow_id=workflow_id, run_id="")[0])


def _labelled(document: Mapping[str, Any], labels: Mapping[str, str | None]) -> Mapping[str, Any]:
    """Return a document with other labels, wherever it has any."""
    changed = {key: labels.get(key, value) if key in _LABELS else value for key, value in document.items()}
    settings = document.get("workflow_config")
    if labels and isinstance(settings, Mapping):
        changed["workflow_config"] = {**settings, **labels}
    return changed


def _change_version(connection: Connection, workflow_id: str, number: int, values: JsonObject) -> None:
    ours = _version_key(workflow_id, number)
    if not connection.execute(update(versions).where(*ours).values(**values)).rowcount:
        raise unknown_version(connection, workflow_id, number)


def _version_key(workflow_id: str, number: int) -> tuple[Any, ...]:
    return versions.c.workflow_id == workflow_id, versions.c.version_number == number
