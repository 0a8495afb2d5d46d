"""Import of a sheet that was reviewed elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import streamlit as st

from debugger.backends.base import Backend
from debugger.errors import ConflictError, DebuggerError, InputError, NotFoundError, UnsupportedError
from debugger.exports.import_plan import (
    ImportPlan,
    PlannedComment,
    PlannedTags,
    PlannedVerdict,
    StoredReviews,
    plan_import,
)
from debugger.exports.review_sheet import READ_COLUMNS, read_sheet
from debugger.exports.rows import count_messages
from debugger.exports.sheet_files import MAX_ROWS
from debugger.protocol.file_limits import REVIEW_SHEET
from debugger.protocol.reviews import Verdict, target_words
from debugger.store import ReviewChanges, Role
from debugger.views import state
from debugger.views.actions import action
from debugger.views.audit import audit
from debugger.views.auth.permissions import check_role, explain_denial, may, on_click
from debugger.views.backends import CurrentBackend, current_backend, local_notes, local_store
from debugger.views.components.error_box import show_error
from debugger.views.components.markdown import count, plain
from debugger.views.components.rows import Column, Row, Table, rows_list
from debugger.views.components.toolbar import Button
from debugger.views.components.uploads import upload_file
from debugger.views.panels.notes import author
from debugger.views.panels.review.actions import reason_against_verdicts, review
from debugger.views.panels.runs.scope import connection_of_runs

Planned = PlannedVerdict | PlannedTags | PlannedComment

_MAX_SHOWN = 15
_MAX_LISTED = 1_000
"""Rows of a table of the plan."""
_MAX_LOOKUPS = 200
"""Runs of a hosted API that are looked up for one sheet."""


@dataclass
class ImportState:
    """State of the import in one tab."""

    name: str = ""
    """The name of the file."""
    file_id: str = ""
    """Streamlit's id of the file that was read last; empty to read the chosen one again."""
    plan: ImportPlan | None = None
    error: DebuggerError | None = None
    """Why the file could not be read."""
    result: str = ""
    """The sentence on what was imported last."""
    uploads: int = 0
    """Counts the read files; part of the uploader's key."""
    plans: int = 0
    """Counts the plans: the conflicts of another one are shown from the first."""
    agreed: set[int] = field(default_factory=set)
    """The places of the conflicts that are ticked."""


def import_button() -> Button:
    """Return the button that opens or closes the import; for a run out of a file it is disabled."""
    is_open = review().is_importing
    return Button(
        "review_import",
        "Close the import" if is_open else "Import a sheet",
        toggle_import,
        icon=":material/close:" if is_open else ":material/upload_file:",
        look="tertiary",
        disabled=bool(reason_against_verdicts()),
        help=reason_against_verdicts() or "Import verdicts and tags from a sheet that was reviewed elsewhere",
    )


@action()
def toggle_import() -> None:
    """Show the import instead of a run, or the run again.

    The plan, its error, its result and the uploaded file are dropped.
    """
    held = review()
    held.is_importing = not held.is_importing
    kept = state.record(ImportState)
    kept.plan, kept.error, kept.result, kept.file_id = None, None, "", ""
    kept.uploads += 1


def sheet_import() -> None:
    """Draw the upload of a sheet, and what the sheet would change before it does.

    A newly chosen file is read at once, into `ImportState`; the upload is disabled without the role REVIEW.
    An error of the file, and the sentence on the last import, are drawn too.
    """
    held = state.record(ImportState)
    st.markdown("#### Import a reviewed sheet")
    st.caption(
        "A CSV file or Excel workbook that was exported here and filled in elsewhere. Columns that are "
        f"read: {plain(', '.join(READ_COLUMNS))}. Nothing is changed before you confirm. A sheet has at most "
        f"{REVIEW_SHEET.megabytes} MB and {MAX_ROWS:,} rows."
    )
    denial = explain_denial(apply_plan) or ""
    file = upload_file(
        "Sheet",
        REVIEW_SHEET,
        ["csv", "tsv", "txt", "xlsx"],
        f"review_sheet_{held.uploads}",
        disabled=bool(denial),
        help=denial,
    )
    file_id = file.file_id if file is not None else ""
    if held.file_id != file_id:
        held.file_id, held.plan, held.error = file_id, None, None
        if file is not None:
            with st.spinner("Reading the sheet …", show_time=True):
                read_plan(file.getvalue(), file.name)
    if held.error is not None:
        show_error(held.error)
    if held.result:
        st.success(held.result, icon=":material/task_alt:")
    if held.plan is not None:
        _plan(held.plan, held.name)


def read_plan(content: bytes, name: str) -> None:
    """Compare a sheet with what is stored; nothing is changed.

    An error of the command before, such as a conflict, stays on view.
    """
    held = state.record(ImportState)
    held.result, held.name = "", name
    held.plans += 1
    held.agreed = set()
    try:
        check_role(Role.REVIEW)
        held.plan = _make_plan(content, name)
    except DebuggerError as error:
        held.error = error


def _make_plan(content: bytes, name: str) -> ImportPlan:
    """Return what a sheet would change, compared with what is stored; nothing is changed.

    Raises:
        DebuggerError: The sheet, the store or the backend cannot be read, or a hosted API has too many runs.
    """
    sheet = read_sheet(content, name)
    backend, run_ids = current_backend(), sheet.run_ids
    known = _known_runs(backend, run_ids)
    stored = StoredReviews(
        local_store().reviews.verdicts(run_ids, connection=connection_of_runs()),
        {run_id: labels.tags for run_id, labels in local_notes().marks(run_ids).items()},
        known,
        connection_of_runs(),
        local_notes().comments(run_ids),
        {
            run_id: count_messages(backend.record(run_id))
            for run_id in sheet.runs_with_messages & known.keys()
        },
    )
    return plan_import(sheet, stored, user=author(), may_import_others=may(Role.ADMIN))


def _known_runs(backend: Backend, run_ids: Collection[str]) -> dict[str, int | None]:
    """Return the runs that exist with their numbers of turns, which are ``None`` but for the embedded engine.

    Raises:
        InputError: They are more than `_MAX_LOOKUPS`, and of another backend.
        DebuggerError: The store or the backend cannot be read.
    """
    if state.record(CurrentBackend).name == "embedded":
        return dict(local_store().reviews.turn_counts(run_ids))
    if len(run_ids) > _MAX_LOOKUPS:
        raise InputError(
            f"The sheet has {len(run_ids):,} runs of a hosted API.",
            advice=f"Split it: {_MAX_LOOKUPS} at most are looked up.",
        )
    return {run_id: None for run_id in run_ids if _exists(backend, run_id)}


def _exists(backend: Backend, run_id: str) -> bool:
    """Return whether the backend has a run; other errors than a NotFoundError are raised."""
    try:
        backend.revision(run_id)
    except NotFoundError:
        return False
    return True


def _plan(plan: ImportPlan, name: str) -> None:
    """Draw a plan: numbers, unknown runs, conflicts, button to import, new and changed values, problems.

    Tables list at most `_MAX_LISTED` rows; what the plan does not have is left out.
    """
    states = [
        count(plan.count("new"), "new value"),
        f"{plan.count('changed'):,} changed",
        f"{plan.count('unchanged'):,} unchanged",
        count(len(plan.conflicts), "conflict"),
        count(len(plan.problems), "row") + " with problems",
    ]
    st.markdown(f"**{plain(name)}**: {count(plan.row_count, 'row')}; {', '.join(states)}")
    if plan.unknown_runs:
        st.warning(
            f"Not stored here, and left out: {count(len(plan.unknown_runs), 'run')}, "
            f"{', '.join(plan.unknown_runs[:5])}{' …' if len(plan.unknown_runs) > 5 else ''}",
            icon=":material/help:",
        )
    agreed = _conflicts(plan.conflicts)
    _confirm(plan, agreed)
    planned: list[Planned] = [*plan.verdicts, *plan.tags, *plan.comments]
    fresh = [item for item in planned if item.state in {"new", "changed"}]
    if fresh:
        st.markdown("**New and changed**")
        rows = [Row(_cells(item)) for item in fresh[:_MAX_LISTED]]
        label = "Values that are stored as the sheet has them"
        rows_list("review_fresh", Table(_COLUMNS, rows, label), most=_MAX_SHOWN)
        _count_listed(len(fresh))
    if plan.problems:
        st.markdown("**Rows that are left out**")
        rows = [Row((str(each.row), each.sentence)) for each in plan.problems[:_MAX_LISTED]]
        columns = Column("row", "Row", 60, "number"), Column("problem", "Problem", 300, grows=True)
        rows_list(
            "review_problems",
            Table(columns, rows, "Rows that are left out, with the reason"),
            most=_MAX_SHOWN,
        )
        _count_listed(len(plan.problems))
    if plan.ignored:
        st.caption(plain(f"Columns that are not read: {', '.join(plan.ignored)}"))


def _conflicts(conflicts: Sequence[PlannedVerdict | PlannedTags]) -> list[int]:
    """Draw the conflicts; return the places of the ticked ones in order, empty without conflicts.

    A tick writes `ImportState.agreed`; the first `_MAX_LISTED` conflicts are listed.
    """
    if not conflicts:
        return []
    held = state.record(ImportState)
    st.markdown(
        "**Conflicts**: something else is stored. Tick a row to store what the sheet has; the others stay as "
        "they are."
    )
    rows = [
        Row((("Store what the sheet has", place in held.agreed), *_cells(item)), [place])
        for place, item in enumerate(conflicts[:_MAX_LISTED])
    ]
    label = "Conflicts between the sheet and what is stored"
    rows_list(
        "review_conflicts",
        Table((Column("agreed", "Store all", 34, "check"), *_COLUMNS), rows, label),
        on_choose=partial(_tick, len(conflicts)),
        on_use=lambda ticked, *_: _tick_alone(len(conflicts), ticked),
        most=_MAX_SHOWN,
        page=held.plans,
    )
    _count_listed(len(conflicts))
    return sorted(held.agreed)


def _tick(count: int, target: Any) -> None:
    """Tick a chosen conflict, or clear its tick."""
    state.record(ImportState).agreed ^= _places([target], count)


def _tick_alone(count: int, targets: Any) -> None:
    """Tick these conflicts and no other."""
    state.record(ImportState).agreed = _places(targets, count)


def _places(targets: Any, count: int) -> set[int]:
    """Return the places that a browser names, as far as there are conflicts."""
    sent = targets if isinstance(targets, list) else []
    places = [target[0] for target in sent if isinstance(target, list) and len(target) == 1]
    return {place for place in places if type(place) is int and 0 <= place < count}


_COLUMNS = (
    Column("row", "Row", 60, "number"),
    Column("run", "Run", 200),
    Column("subject", "On", 110),
    Column("stored", "Stored", 150, grows=True),
    Column("sheet", "Sheet", 150, grows=True),
)


def _count_listed(total: int) -> None:
    if total > _MAX_LISTED:
        st.caption(f"The first {_MAX_LISTED:,} of {total:,}")


def _cells(item: Planned) -> tuple[str, ...]:
    """Return row, run, subject, stored value and that of the sheet.

    The stored value of a comment, and of a verdict that is not there yet, is empty.
    """
    if isinstance(item, PlannedTags):
        return str(item.row), item.run_id, "tags", ", ".join(item.before), ", ".join(item.tags)
    if isinstance(item, PlannedComment):
        new = item.comment
        words = f"{new.author}: {' '.join(new.content.split())}"
        return str(item.row), new.run_id, target_words(new.target), "", words
    own = item.verdict
    stored = _verdict_words(item.before) if item.before else ""
    return str(item.row), own.run_id, target_words(own.target), stored, _verdict_words(own)


def _verdict_words(verdict: Verdict) -> str:
    return " · ".join(filter(None, [verdict.value, verdict.reviewer, " ".join(verdict.comment.split())]))


def _confirm(plan: ImportPlan, agreed: Sequence[int]) -> None:
    """Draw the button that stores the plan with the conflicts agreed to; a caption where nothing changes."""
    changes = plan.changes(agreed)
    words = _change_words(changes)
    if not words:
        st.caption("Nothing to import: the sheet matches what is stored, or only conflicts are left.")
        return
    st.button(
        f"Import {words}",
        key="review_import_now",
        type="primary",
        icon=":material/upload:",
        args=(list(agreed),),
        **on_click(apply_plan),
    )


def _change_words(changes: ReviewChanges) -> str:
    """Return the numbers of verdicts, comments and runs with changed tags in words; empty without any."""
    parts = [
        count(len(changes.verdicts), "verdict") if changes.verdicts else "",
        count(len(changes.comments), "comment") if changes.comments else "",
        f"tags of {count(len(changes.tags), 'run')}" if changes.tags else "",
    ]
    return ", ".join(filter(None, parts))


@action(role=Role.REVIEW)
def apply_plan(agreed: Collection[int]) -> None:
    """Store what the plan asks for, all or nothing, and audit it; nothing without a plan.

    The plan is then dropped, and the uploader is empty again. An error is stored in `LastAction`, not raised:
    a run out of a file is on view, the plan has verdicts of others and the user is no administrator, or a run
    or verdict was changed meanwhile. After the last one the sheet is read again.

    Args:
        agreed: Places of the conflicts in which the sheet wins.
    """
    held = state.record(ImportState)
    if held.plan is None:
        return
    if reason := reason_against_verdicts():
        raise UnsupportedError(reason)
    changes = held.plan.changes(agreed)
    writers = {change.verdict.reviewer for change in changes.verdicts}
    writers |= {new.author for new in changes.comments}
    if not may(Role.ADMIN) and writers - {author()}:  # the role may have been taken since the sheet was read
        raise InputError(
            "The sheet has verdicts of other reviewers.", advice="Ask an administrator to import it."
        )
    try:
        local_store().reviews.apply(changes, by=author())
    except (ConflictError, NotFoundError):
        held.file_id = ""  # it is compared again with what is stored now
        raise
    audit(
        "import verdicts",
        held.name,
        verdicts=len(changes.verdicts),
        comments=len(changes.comments),
        tags=len(changes.tags),
        connection=connection_of_runs(),
    )
    held.result = f"Imported {_change_words(changes)}."
    held.plan = None
    held.uploads += 1  # a new key: the uploader is empty again
