"""Workflows with their versions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from debugger.errors import InputError, NotFoundError
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import VersionSummary, WorkflowSummary
from debugger.store.facts import remember_creation
from debugger.store.ids import new_id
from debugger.store.json_text import document_text, read_json
from debugger.store.paging import page_of
from debugger.store.schema import versions, workflows
from debugger.store.times import iso_time

FIRST_VERSION_NAME = "Initial Version"

_NEWEST_FIRST = select(workflows).order_by(workflows.c.created_at.desc(), workflows.c.id.desc())
_VERSION_COLUMNS = [column for column in versions.c if column is not versions.c.document]


def create_workflow(connection: Connection, document: Mapping[str, Any], name: str | None) -> WorkflowSummary:
    """Keep a document as version 0 of a new workflow.

    Raises:
        InputError: Something in the document has no JSON form.
    """
    workflow_id, now = new_id(), time.time()
    connection.execute(
        insert(workflows),
        {
            "id": workflow_id,
            "name": _label(document, "name", name),
            "description": _label(document, "description"),
            "active_version_number": 0,
            "created_at": now,
            "updated_at": now,
        },
    )
    _insert_version(connection, workflow_id, 0, FIRST_VERSION_NAME, document_text(document))
    remember_creation(connection)
    return summarize_workflow(connection, workflow_id)


def list_workflows(
    connection: Connection, search: str, page: int, size: int
) -> tuple[list[WorkflowSummary], int]:
    """One page of workflows, newest first, and how many there are on all pages.

    Raises:
        InputError: There cannot be such a page.
    """
    conditions: list[ColumnElement[bool]] = []
    if search:
        conditions.append(workflows.c.name.icontains(search, autoescape=True))
    rows = connection.execute(page_of(_NEWEST_FIRST.where(*conditions), page, size)).all()
    total = connection.scalar(select(func.count()).select_from(workflows).where(*conditions)) or 0
    return [_summary(row) for row in rows], total


def summarize_workflow(connection: Connection, workflow_id: str) -> WorkflowSummary:
    """One workflow without its graph.

    Raises:
        NotFoundError: There is no such workflow.
    """
    return _summary(_workflow(connection, workflow_id))


def delete_workflow(connection: Connection, workflow_id: str) -> None:
    """Forget a workflow and its versions.

    Raises:
        NotFoundError: There is no such workflow.
    """
    if not connection.execute(delete(workflows).where(workflows.c.id == workflow_id)).rowcount:
        raise _unknown_workflow(workflow_id)


def read_document(
    connection: Connection, workflow_id: str, version_number: int | None
) -> tuple[int, JsonObject]:
    """The document of a version, of the active one by default, with the version's number.

    Raises:
        NotFoundError: There is no such workflow, or it has no such version.
        StoreError: What was kept of it was changed by something else.
    """
    workflow = _workflow(connection, workflow_id)
    number = workflow.active_version_number if version_number is None else version_number
    text = _text(connection, workflow_id, number)
    return number, read_json(text.encode(), f"document of version {number} of workflow {workflow_id}")


def list_versions(connection: Connection, workflow_id: str) -> list[VersionSummary]:
    """A workflow's versions by number, without their graphs.

    Raises:
        NotFoundError: There is no such workflow.
    """
    workflow = _workflow(connection, workflow_id)
    rows = connection.execute(
        select(*_VERSION_COLUMNS)
        .where(versions.c.workflow_id == workflow_id)
        .order_by(versions.c.version_number)
    )
    return [_version_summary(row, workflow.active_version_number) for row in rows]


def create_version(
    connection: Connection,
    workflow_id: str,
    *,
    document: Mapping[str, Any] | None,
    source_version_number: int | None,
    version_name: str | None,
    mark_as_active: bool,
) -> VersionSummary:
    """Keep a document, or a copy of a version, as the next version.

    Raises:
        NotFoundError: There is no such workflow, or it has no such version to copy.
        InputError: Something in the document has no JSON form, or a version to copy is named beside it.
    """
    if document is not None and source_version_number is not None:
        raise InputError(
            f"A new version cannot be a document and a copy of version {source_version_number} at once.",
            advice="Leave one of them out.",
        )
    workflow = _workflow(connection, workflow_id)
    source = workflow.active_version_number if source_version_number is None else source_version_number
    text = document_text(document) if document is not None else _text(connection, workflow_id, source)
    number = max(_numbers(connection, workflow_id)) + 1
    _insert_version(connection, workflow_id, number, version_name, text)
    _touch(connection, workflow_id, number if mark_as_active else workflow.active_version_number)
    return list_versions(connection, workflow_id)[-1]


def activate_version(connection: Connection, workflow_id: str, version_number: int) -> None:
    """Make a version the one that new runs start with.

    Raises:
        NotFoundError: There is no such workflow, or it has no such version.
    """
    _workflow(connection, workflow_id)
    if version_number not in _numbers(connection, workflow_id):
        raise _unknown_version(connection, workflow_id, version_number)
    _touch(connection, workflow_id, version_number)


def missing(connection: Connection, workflow_id: str, version_number: int | None) -> NotFoundError:
    """The error for a version that is not there, or for its workflow where that is not there either."""
    numbers = _numbers(connection, workflow_id)
    if not numbers or version_number is None:
        return _unknown_workflow(workflow_id)
    return _unknown_version(connection, workflow_id, version_number)


def _label(document: Mapping[str, Any], key: str, given: str | None = None) -> str | None:
    """A name or a description: the document's own, else the given one, else that of its settings."""
    settings = document.get("workflow_config")
    inner = settings.get(key) if isinstance(settings, Mapping) else None
    candidates = (document.get(key), given, inner)
    return next((text for text in candidates if isinstance(text, str) and text.strip()), None)


def _insert_version(
    connection: Connection, workflow_id: str, number: int, name: str | None, text: str
) -> None:
    now = time.time()
    connection.execute(
        insert(versions),
        {
            "workflow_id": workflow_id,
            "version_number": number,
            "version_name": name,
            "created_at": now,
            "updated_at": now,
            "document": text,
        },
    )


def _touch(connection: Connection, workflow_id: str, active_version_number: int) -> None:
    connection.execute(
        update(workflows)
        .where(workflows.c.id == workflow_id)
        .values(active_version_number=active_version_number, updated_at=time.time())
    )


def _workflow(connection: Connection, workflow_id: str) -> Row[Any]:
    row = connection.execute(select(workflows).where(workflows.c.id == workflow_id)).one_or_none()
    if row is None:
        raise _unknown_workflow(workflow_id)
    return row


def _text(connection: Connection, workflow_id: str, number: int) -> str:
    statement = select(versions.c.document).where(
        versions.c.workflow_id == workflow_id, versions.c.version_number == number
    )
    text = connection.scalar(statement)
    if text is None:
        raise _unknown_version(connection, workflow_id, number)
    return str(text)


def _numbers(connection: Connection, workflow_id: str) -> list[int]:
    statement = select(versions.c.version_number).where(versions.c.workflow_id == workflow_id)
    return sorted(connection.scalars(statement))


def _unknown_workflow(workflow_id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no workflow {workflow_id!r}.", advice="Copy an id from the list of workflows."
    )


def _unknown_version(connection: Connection, workflow_id: str, number: int) -> NotFoundError:
    known = ", ".join(str(known) for known in _numbers(connection, workflow_id))
    return NotFoundError(
        f"Workflow {workflow_id!r} has no version {number}.", advice=f"Its versions are: {known}."
    )


def _summary(row: Row[Any]) -> WorkflowSummary:
    return WorkflowSummary.from_wire(
        {
            "id": row.id,
            "name": row.name,
            "description": row.description,
            "active_version_number": row.active_version_number,
            "created_at": iso_time(row.created_at),
            "updated_at": iso_time(row.updated_at),
        }
    )


def _version_summary(row: Row[Any], active_version_number: int) -> VersionSummary:
    return VersionSummary.from_wire(
        {
            "version_number": row.version_number,
            "version_name": row.version_name,
            "is_active": row.version_number == active_version_number,
            "created_at": iso_time(row.created_at),
            "updated_at": iso_time(row.updated_at),
        }
    )
