"""Workflows and versions as they are changed, and made out of others."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from debugger.errors import ConflictError, InputError
from debugger.protocol.base import JsonObject
from debugger.store.facts import remember_creation
from debugger.store.ids import new_id
from debugger.store.json_text import document_text, read_json
from debugger.store.schema import versions, workflows
from debugger.store.workflows import missing, summarize_workflow

_LABELS = ("name", "description")


@dataclass(frozen=True)
class VersionCopy:
    """A version that a new workflow is given."""

    version_number: int
    version_name: str | None
    document: Mapping[str, Any]


def rename_workflow(connection: Connection, workflow_id: str, labels: Mapping[str, str | None]) -> None:
    """Give a workflow another name or description, also in the documents of all its versions.

    Args:
        connection: In a transaction that writes.
        workflow_id: The workflow.
        labels: ``name``, ``description`` or both; what is left out stays.

    Raises:
        NotFoundError: There is no such workflow.
    """
    summarize_workflow(connection, workflow_id)
    connection.execute(
        update(workflows).where(workflows.c.id == workflow_id).values(**labels, updated_at=time.time())
    )
    for number, text in _documents(connection, workflow_id):
        document = read_json(text.encode(), f"document of version {number} of workflow {workflow_id}")
        _write(connection, workflow_id, number, document=document_text(_labelled(document, labels)))


def replace_document(
    connection: Connection, workflow_id: str, version_number: int, document: Mapping[str, Any]
) -> None:
    """Put another document in the place of a version's.

    Raises:
        NotFoundError: There is no such workflow, or it has no such version.
        InputError: Something in the document has no JSON form.
    """
    now = time.time()
    _change(connection, workflow_id, version_number, {"document": document_text(document), "updated_at": now})
    connection.execute(update(workflows).where(workflows.c.id == workflow_id).values(updated_at=now))


def rename_version(connection: Connection, workflow_id: str, version_number: int, name: str | None) -> None:
    """Give a version another name. When it was last changed stays: that tells of its document.

    Raises:
        NotFoundError: There is no such workflow, or it has no such version.
    """
    _change(connection, workflow_id, version_number, {"version_name": name})


def delete_version(connection: Connection, workflow_id: str, version_number: int) -> None:
    """Forget a version.

    Raises:
        NotFoundError: There is no such workflow, or it has no such version.
        ConflictError: It is the active one, which the only one always is.
    """
    if version_number == summarize_workflow(connection, workflow_id).active_version_number:
        raise ConflictError(
            f"Version {version_number} is the active one, so it cannot be deleted.",
            advice="Activate another version first.",
        )
    gone = connection.execute(delete(versions).where(*_place(workflow_id, version_number)))
    if not gone.rowcount:
        raise missing(connection, workflow_id, version_number)


def keep_workflow(
    connection: Connection,
    labels: Mapping[str, str | None],
    copies: Sequence[VersionCopy],
    active_version_number: int,
    renamed: Collection[str] = (),
) -> str:
    """Make a workflow out of versions, which keep their numbers; its id.

    Args:
        connection: In a transaction that writes.
        labels: ``name`` and ``description``.
        copies: The versions.
        active_version_number: One of their numbers.
        renamed: The labels that also replace those in the documents, which otherwise stay as they are.

    Raises:
        InputError: Something in a document has no JSON form, or there is no version with the active number.
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
    row = {"id": workflow_id, **dict.fromkeys(_LABELS), **labels}
    times = {"created_at": now, "updated_at": now}
    connection.execute(insert(workflows), {**row, "active_version_number": active_version_number, **times})
    for copy in copies:
        connection.execute(
            insert(versions),
            {
                "workflow_id": workflow_id,
                "version_number": copy.version_number,
                "version_name": copy.version_name,
                "document": document_text(_labelled(copy.document, changed)),
                **times,
            },
        )
    remember_creation(connection)
    return workflow_id


def _labelled(document: Mapping[str, Any], labels: Mapping[str, str | None]) -> Mapping[str, Any]:
    """A document with other labels, wherever it has such."""
    found = {key: labels.get(key, value) if key in _LABELS else value for key, value in document.items()}
    settings = document.get("workflow_config")
    if labels and isinstance(settings, Mapping):
        found["workflow_config"] = {**settings, **labels}
    return found


def _documents(connection: Connection, workflow_id: str) -> list[tuple[int, str]]:
    found = select(versions.c.version_number, versions.c.document)
    return [
        (row[0], row[1]) for row in connection.execute(found.where(versions.c.workflow_id == workflow_id))
    ]


def _change(connection: Connection, workflow_id: str, number: int, values: JsonObject) -> None:
    if not _write(connection, workflow_id, number, **values):
        raise missing(connection, workflow_id, number)


def _write(connection: Connection, workflow_id: str, number: int, **values: Any) -> int:
    changed = connection.execute(update(versions).where(*_place(workflow_id, number)).values(**values))
    return changed.rowcount


def _place(workflow_id: str, number: int) -> tuple[Any, ...]:
    return versions.c.workflow_id == workflow_id, versions.c.version_number == number
