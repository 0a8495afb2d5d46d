"""Workflows with their versions."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, insert, or_, select, update

from debugger.errors import EditConflictError, InputError, NotFoundError, StoreError, WorkflowError
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import VersionSummary, WorkflowSummary, unwrap_document
from debugger.store.compression import read_json
from debugger.store.database import PreparedStatement, Repository
from debugger.store.schema import (
    accepted_groups,
    demo_scripts,
    never_used,
    presets,
    python_consents,
    remember_creation,
    replay_results,
    replays,
    runs,
    versions,
    workflows,
)
from debugger.store.sql_helpers import contains, has_key, iso_time, new_id, page_of

FIRST_VERSION_NAME = "Initial Version"

_NEWEST_FIRST = select(workflows).order_by(workflows.c.created_at.desc(), workflows.c.id.desc())
_VERSION_COLUMNS = [column for column in versions.c if column is not versions.c.document]

_resolved = (
    select(versions.c.version_number, versions.c.version_name, workflows.c.name)
    .join(workflows, workflows.c.id == versions.c.workflow_id)
    .where(workflows.c.id == bindparam("workflow_id"))
)
_ACTIVE = PreparedStatement(_resolved.where(versions.c.version_number == workflows.c.active_version_number))
_CHOSEN = PreparedStatement(_resolved.where(versions.c.version_number == bindparam("version_number")))


class ResolvedVersion(NamedTuple):
    """A version as the record of a run names it."""

    version_number: int
    version_name: str | None
    workflow_name: str | None
    """The name given at the creation of the workflow, or its last new one, whatever the document says."""


class KnownWorkflow(NamedTuple):
    """A stored workflow with the number that its next version gets."""

    summary: WorkflowSummary
    next_version: int


class WorkflowRepository(Repository):
    """Workflows and versions, created and read."""

    def is_empty(self) -> bool:
        """Return whether no workflow was ever created."""
        with self._database.reading() as connection:
            return never_used(connection)

    def claim_first_use(self) -> bool:
        """Return the same and end it, so that one caller gets ``True``."""
        with self._database.writing() as connection:
            is_empty = never_used(connection)
            remember_creation(connection)
        return is_empty

    def create_workflow(self, document: Mapping[str, Any], *, name: str | None = None) -> WorkflowSummary:
        """Store a document as a new workflow, whose version 0 is active.

        Args:
            document: The hydrated workflow. Every field is returned in the same order.
            name: Used when the document has no name at its top level; the last resort is that of its
                ``workflow_config``.

        Raises:
            InputError: Something in the document has no JSON form.

        Source: ``platform.md#create-workflow``.
        """
        workflow_id, now = new_id(), time.time()
        labels = {
            "name": _label(document, "name", name),
            "description": _label(document, "description"),
        }
        row = {"id": workflow_id, **labels, "active_version_number": 0, "created_at": now, "updated_at": now}
        with self._database.writing() as connection:
            connection.execute(insert(workflows), row)
            insert_version(connection, workflow_id, 0, FIRST_VERSION_NAME, document_text(document))
            remember_creation(connection)
            return summarize_workflow(connection, workflow_id)

    def workflows(
        self, search: str = "", page: int = 1, size: int = 100
    ) -> tuple[list[WorkflowSummary], int]:
        """Return one page of workflows, newest first, and the number on all pages.

        Args:
            search: A part of the name; case does not matter.
            page: Counts from 1.
            size: Rows on a page.

        Raises:
            InputError: Page or size is below 1.
        """
        conditions: list[ColumnElement[bool]] = []
        if search:
            conditions.append(contains(workflows.c.name, search))
        with self._database.reading() as connection:
            rows = connection.execute(page_of(_NEWEST_FIRST.where(*conditions), page, size)).all()
            total = connection.scalar(select(func.count()).select_from(workflows).where(*conditions)) or 0
            return [_summary(row) for row in rows], total

    def find_workflows(self, logical_id: str) -> list[KnownWorkflow]:
        """Return the workflows whose active version has a logical id, newest first; none for an empty one.

        One whose document was changed by another program has none.
        """
        if not logical_id:
            return []
        # As `document_text` writes it, with and without escapes; where it is another text is left out below.
        spellings = {json.dumps(logical_id), _json_text(logical_id)}
        contains_id = or_(*(versions.c.document.contains(each, autoescape=True) for each in spellings))
        with self._database.reading() as connection:
            rows = connection.execute(
                _NEWEST_FIRST.join(
                    versions,
                    (versions.c.workflow_id == workflows.c.id)
                    & (versions.c.version_number == workflows.c.active_version_number),
                ).where(contains_id)
            ).all()
            return [
                KnownWorkflow(_summary(row), _next_number(connection, row.id))
                for row in rows
                if _stored_logical_id(connection, row.id, row.active_version_number) == logical_id
            ]

    def workflow_summary(self, workflow_id: str) -> WorkflowSummary:
        """Return one workflow without its graph.

        Raises:
            NotFoundError: There is no such workflow.
        """
        with self._database.reading() as connection:
            return summarize_workflow(connection, workflow_id)

    def delete_workflow(self, workflow_id: str) -> None:
        """Delete a workflow with its versions, presets, demo script, consents, replays and accepted groups.

        Its runs stay, and the rubric by which they are reviewed.

        Raises:
            NotFoundError: There is no such workflow.
        """
        with self._database.writing() as connection:
            if not connection.execute(delete(workflows).where(workflows.c.id == workflow_id)).rowcount:
                raise _unknown_workflow(workflow_id)
            of_workflow = select(replays.c.id).where(replays.c.workflow_id == workflow_id)
            connection.execute(delete(replay_results).where(replay_results.c.replay_id.in_(of_workflow)))
            for table in (replays, accepted_groups, presets, python_consents):
                connection.execute(delete(table).where(table.c.workflow_id == workflow_id))
            script = {"connection": "", "workflow_id": workflow_id}
            connection.execute(delete(demo_scripts).where(has_key(demo_scripts, script)))

    def document(self, workflow_id: str, version_number: int | None = None) -> tuple[int, JsonObject]:
        """Return the number and the document of a version.

        Raises:
            NotFoundError: There is no such workflow, or it has no such version; the advice says which.
            StoreError: The document was changed by another program.
        """
        with self._database.reading() as connection:
            workflow = _workflow(connection, workflow_id)
            number = workflow.active_version_number if version_number is None else version_number
            return number, read_document(connection, workflow_id, number)

    def versions(self, workflow_id: str) -> list[VersionSummary]:
        """Return a workflow's versions by number, without their graphs.

        Raises:
            NotFoundError: There is no such workflow.
        """
        with self._database.reading() as connection:
            return list_versions(connection, workflow_id)

    def create_version(
        self,
        workflow_id: str,
        *,
        document: Mapping[str, Any] | None = None,
        source_version_number: int | None = None,
        version_name: str | None = None,
        mark_as_active: bool = False,
        expected: int | None = None,
    ) -> VersionSummary:
        """Store a document or a copy of a version as the next version; return it without its graph.

        Without either, the active version is copied. A number that a deleted version or its runs had is not
        used again.

        Args:
            workflow_id: The workflow.
            document: The document.
            source_version_number: The version to copy.
            version_name: The version's name.
            mark_as_active: Whether new runs start with it.
            expected: The number that it gets as far as its author has seen; ``None`` takes any.

        Raises:
            EditConflictError: Another version has been made meanwhile; nothing was stored. ``revision`` is
                the number that the next one gets now.
            NotFoundError: There is no such workflow, or it has no such version to copy.
            InputError: Something in the document has no JSON form, or a version to copy is named beside it.
        """
        if document is not None and source_version_number is not None:
            raise InputError(
                f"A new version cannot be a document and a copy of version {source_version_number} at once.",
                advice="Leave one of them out.",
            )
        with self._database.writing() as connection:
            active = _workflow(connection, workflow_id).active_version_number
            source = active if source_version_number is None else source_version_number
            text = (
                _document_text_of(connection, workflow_id, source)
                if document is None
                else document_text(document)
            )
            number = _next_number(connection, workflow_id)
            if expected is not None and number != expected:
                raise _overtaken(connection, workflow_id, number)
            insert_version(connection, workflow_id, number, version_name, text)
            _activate(connection, workflow_id, number if mark_as_active else active)
            return list_versions(connection, workflow_id)[-1]

    def activate_version(self, workflow_id: str, version_number: int) -> None:
        """Make a version the one that new runs start with.

        Raises:
            NotFoundError: There is no such workflow, or it has no such version.
        """
        with self._database.writing() as connection:
            if version_number not in _numbers(connection, workflow_id):
                raise unknown_version(connection, workflow_id, version_number)
            _activate(connection, workflow_id, version_number)

    def resolve_version(self, workflow_id: str, version_number: int | None = None) -> ResolvedVersion:
        """Return number and names of a version for a new run, by default of the active one.

        Raises:
            NotFoundError: There is no such workflow, or it has no such version; the advice says which.
        """
        statement = _ACTIVE if version_number is None else _CHOSEN
        with self._database.reading_cursor() as cursor:
            row = cursor.row(statement, workflow_id=workflow_id, version_number=version_number)
        if row is None:
            with self._database.reading() as connection:
                raise unknown_version(connection, workflow_id, version_number)
        return ResolvedVersion(*row)


def summarize_workflow(connection: Connection, workflow_id: str) -> WorkflowSummary:
    """Return one workflow without its graph.

    Raises:
        NotFoundError: There is no such workflow.
    """
    return _summary(_workflow(connection, workflow_id))


def list_versions(connection: Connection, workflow_id: str) -> list[VersionSummary]:
    """Return a workflow's versions by number, without their graphs.

    Raises:
        NotFoundError: There is no such workflow.
    """
    active = _workflow(connection, workflow_id).active_version_number
    ours = select(*_VERSION_COLUMNS).where(versions.c.workflow_id == workflow_id)
    return [
        VersionSummary.from_wire(
            {
                "version_number": row.version_number,
                "version_name": row.version_name,
                "is_active": row.version_number == active,
                "created_at": iso_time(row.created_at),
                "updated_at": iso_time(row.updated_at),
            }
        )
        for row in connection.execute(ours.order_by(versions.c.version_number))
    ]


def read_document(connection: Connection, workflow_id: str, number: int) -> JsonObject:
    """Return the document of a version.

    Raises:
        NotFoundError: There is no such version.
        StoreError: The document was changed by another program.
    """
    text = _document_text_of(connection, workflow_id, number)
    document: JsonObject = read_json(text.encode(), f"document of version {number} of workflow {workflow_id}")
    return document


def insert_version(
    connection: Connection, workflow_id: str, number: int, name: str | None, text: str
) -> None:
    """Insert a version whose document is JSON text, made and changed at the present time."""
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


def unknown_version(connection: Connection, workflow_id: str, number: int | None) -> NotFoundError:
    """Return the error for a workflow that is missing or has no such version; it names those that it has."""
    numbers = _numbers(connection, workflow_id)
    if not numbers or number is None:
        return _unknown_workflow(workflow_id)
    return NotFoundError(
        f"Workflow {workflow_id!r} has no version {number}.",
        advice=f"Its versions are: {', '.join(map(str, numbers))}.",
    )


def document_text(document: Mapping[str, Any]) -> str:
    """Return a document as JSON text, with every field in order; half a surrogate pair is escaped.

    Raises:
        InputError: Something in it has no JSON form.
    """
    try:
        return _json_text(document)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"The workflow document cannot be stored, because it is not JSON: {error}.",
            advice="A document holds objects, lists, texts, numbers, true, false and null only.",
        ) from error


def _json_text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair is JSON, but no text that a database takes unless it is escaped.
        return json.dumps(value)
    return text


def _stored_logical_id(connection: Connection, workflow_id: str, number: int) -> str:
    try:
        return _logical_id(read_document(connection, workflow_id, number))
    except StoreError:
        return ""


def _logical_id(document: Mapping[str, Any]) -> str:
    """Return the logical id of a workflow's document; empty without one, or where it is no workflow."""
    try:
        settings = unwrap_document(document).get("workflow_config")
    except WorkflowError:
        return ""
    return str(settings.get("logical_id") or "") if isinstance(settings, Mapping) else ""


def _label(document: Mapping[str, Any], key: str, name: str | None = None) -> str | None:
    settings = document.get("workflow_config")
    inner = settings.get(key) if isinstance(settings, Mapping) else None
    candidates = (document.get(key), name, inner)
    return next((text for text in candidates if isinstance(text, str) and text.strip()), None)


def _activate(connection: Connection, workflow_id: str, version_number: int) -> None:
    connection.execute(
        update(workflows)
        .where(workflows.c.id == workflow_id)
        .values(active_version_number=version_number, updated_at=time.time())
    )


def _workflow(connection: Connection, workflow_id: str) -> Row[Any]:
    row = connection.execute(select(workflows).where(workflows.c.id == workflow_id)).one_or_none()
    if row is None:
        raise _unknown_workflow(workflow_id)
    return row


def _document_text_of(connection: Connection, workflow_id: str, number: int) -> str:
    """Return the stored document of a version as JSON text.

    Raises:
        NotFoundError: There is no such workflow or version.
    """
    statement = select(versions.c.document).where(
        versions.c.workflow_id == workflow_id, versions.c.version_number == number
    )
    text = connection.scalar(statement)
    if text is None:
        raise unknown_version(connection, workflow_id, number)
    return str(text)


def _numbers(connection: Connection, workflow_id: str) -> list[int]:
    statement = select(versions.c.version_number).where(versions.c.workflow_id == workflow_id)
    return sorted(connection.scalars(statement))


def _next_number(connection: Connection, workflow_id: str) -> int:
    """Return the number that the next version of a workflow gets."""
    # The number of a deleted version stays that of its runs.
    of_runs = connection.scalar(
        select(func.max(runs.c.version_number)).where(runs.c.workflow_id == workflow_id)
    )
    return max(*_numbers(connection, workflow_id), of_runs or 0) + 1


def _overtaken(connection: Connection, workflow_id: str, next_number: int) -> EditConflictError:
    """Return the error for a version whose author has not seen the newest one."""
    newest = list_versions(connection, workflow_id)[-1]
    return EditConflictError(
        f"Workflow {workflow_id!r} has had other versions since: the next one is {next_number}.",
        present=read_document(connection, workflow_id, newest.version_number),
        revision=next_number,
        changed_at=newest.created_at or "",
        advice="Look at the newest version, and try again.",
    )


def _unknown_workflow(workflow_id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no workflow {workflow_id!r}.", advice="Copy an id from the list of workflows."
    )


def _summary(row: Row[Any]) -> WorkflowSummary:
    """Return a stored workflow without its graph, with its times as ISO 8601."""
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
