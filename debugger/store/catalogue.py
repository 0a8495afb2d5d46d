"""The catalogue: workflows as their owners change, copy and mark them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from debugger.protocol.base import JsonObject
from debugger.store import workflow_edits, workflow_facts
from debugger.store.database import Database
from debugger.store.workflow_edits import VersionCopy
from debugger.store.workflow_facts import RunRule, WorkflowFacts
from debugger.store.workflows import list_versions, read_document


class Catalogue:
    """Changes of workflows and versions, and what is known of them. Every method is one transaction.

    Beside what each method says, all may raise `StoreError`, and `NotFoundError` where the workflow or the
    version is not there.

    Args:
        database: The store's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def rename_workflow(self, workflow_id: str, labels: Mapping[str, str | None]) -> None:
        """Give a workflow another ``name`` or ``description``, also in the documents of its versions."""
        with self._database.writing() as connection:
            workflow_edits.rename_workflow(connection, workflow_id, labels)

    def replace_document(self, workflow_id: str, version_number: int, document: Mapping[str, Any]) -> None:
        """Put another document in the place of a version's.

        Raises:
            InputError: Something in the document has no JSON form.
        """
        with self._database.writing() as connection:
            workflow_edits.replace_document(connection, workflow_id, version_number, document)

    def rename_version(self, workflow_id: str, version_number: int, name: str | None) -> None:
        """Give a version another name."""
        with self._database.writing() as connection:
            workflow_edits.rename_version(connection, workflow_id, version_number, name)

    def delete_version(self, workflow_id: str, version_number: int) -> None:
        """Forget a version.

        Raises:
            ConflictError: It is the active one.
        """
        with self._database.writing() as connection:
            workflow_edits.delete_version(connection, workflow_id, version_number)

    def versions(self, workflow_id: str, numbers: Collection[int] | None = None) -> list[VersionCopy]:
        """Versions with their documents by number: those that are asked for, or all.

        Raises:
            NotFoundError: One of them is not there.
        """
        with self._database.reading() as connection:
            known = list_versions(connection, workflow_id)
            wanted = (
                sorted(version.version_number for version in known) if numbers is None else sorted(numbers)
            )
            names = {version.version_number: version.version_name for version in known}
            documents = {number: _document(connection, workflow_id, number) for number in wanted}
        return [VersionCopy(number, names[number], documents[number]) for number in wanted]

    def keep_workflow(
        self,
        labels: Mapping[str, str | None],
        copies: Sequence[VersionCopy],
        active_version_number: int,
        renamed: Collection[str] = (),
    ) -> str:
        """Make a workflow out of versions, which keep their numbers; its id.

        Args:
            labels: ``name`` and ``description``.
            copies: The versions.
            active_version_number: One of their numbers.
            renamed: The labels that also replace those in the documents.

        Raises:
            InputError: Something in a document has no JSON form, or no version has the active number.
        """
        with self._database.writing() as connection:
            return workflow_edits.keep_workflow(connection, labels, copies, active_version_number, renamed)

    def facts(self, workflow_ids: Collection[str]) -> dict[str, WorkflowFacts]:
        """What is known of those of the workflows of which something is."""
        with self._database.reading() as connection:
            return workflow_facts.read_facts(connection, workflow_ids)

    def rule(self, workflow_id: str) -> RunRule | None:
        """What a new run of a workflow must heed; ``None`` where the workflow is not there."""
        with self._database.reading() as connection:
            return workflow_facts.read_rule(connection, workflow_id)

    def note(self, workflow_id: str, **values: str | int | None) -> None:
        """Note facts on a workflow, by the names of `WorkflowFacts`; those that are left out stay."""
        with self._database.writing() as connection:
            workflow_facts.note(connection, workflow_id, **values)

    def favor(self, workflow_id: str, user_id: str, *, is_favorite: bool) -> None:
        """Mark a workflow for somebody, or take the mark away."""
        with self._database.writing() as connection:
            workflow_facts.favor(connection, workflow_id, user_id, is_favorite=is_favorite)

    def favorites_of(self, user_id: str) -> frozenset[str]:
        """The ids of the workflows that somebody has marked."""
        with self._database.reading() as connection:
            return workflow_facts.favorites_of(connection, user_id)

    def count_active_runs(self, workflow_id: str) -> int:
        """How many runs of a workflow are under way."""
        with self._database.reading() as connection:
            return workflow_facts.count_active_runs(connection, workflow_id)


def _document(connection: Connection, workflow_id: str, number: int) -> JsonObject:
    return read_document(connection, workflow_id, number)[1]
