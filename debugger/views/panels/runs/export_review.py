"""Ways from the list to the export and the page Review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from debugger.backends.base import Backend
from debugger.exports.sources import RunFilter
from debugger.store import Role
from debugger.views import state
from debugger.views.actions import command
from debugger.views.auth.permissions import requires
from debugger.views.backends import CurrentBackend, current_backend
from debugger.views.connections import HostedConnection
from debugger.views.panels.exports import ExportScope, open_export_dialog
from debugger.views.panels.review.actions import begin_review
from debugger.views.panels.review.queue import ReviewFilter
from debugger.views.panels.runs.scope import (
    Scope,
    WantedRuns,
    connection_of_runs,
    found_ids,
    runs_state,
)


@command
def open_export(scope: Scope, ticked: Sequence[str]) -> None:
    """Open the export dialog for ticked runs and the filters."""
    backend, wanted = current_backend(), runs_state().wanted
    environment = (
        state.record(HostedConnection).settings.environment
        if state.record(CurrentBackend).name == "hosted"
        else ""
    )
    place = ExportScope(backend, connection=connection_of_runs(), environment=environment)
    scopes = [replace(place, run_ids=tuple(ticked), label="Ticked runs")] if ticked else []
    if wanted is not None:
        found = _export_of_filter(place, backend, wanted)
        scopes = [found, *scopes] if scope == "found" else [*scopes, found]
    open_export_dialog(*scopes)


def _export_of_filter(place: ExportScope, backend: Backend, wanted: WantedRuns) -> ExportScope:
    if wanted.path is not None:
        return replace(place, run_ids=tuple(found_ids(backend, wanted)), label="Runs of the filters")
    runs = RunFilter(wanted.workflow_id, wanted.status, wanted.search)
    return replace(place, wanted=runs, label="Runs of the filters")


@command
@requires(Role.REVIEW)
def open_review(scope: Scope, ticked: Sequence[str]) -> None:
    """Go to the page Review with the runs of a scope."""
    wanted = runs_state().wanted
    if scope == "ticked" or wanted is None:
        begin_review(ReviewFilter(runs=tuple(ticked)))
    elif wanted.path is not None or wanted.search.source_workflow_run_id:
        begin_review(ReviewFilter(runs=tuple(found_ids(current_backend(), wanted))))
    else:
        begin_review(ReviewFilter.of_list(wanted))
