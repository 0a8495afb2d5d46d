"""Actions of forks, control runs and inputs that are sent again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.variables import VariableEdit
from debugger.errors import InputError
from debugger.session import forks
from debugger.session.fork_draft import ForkDraft
from debugger.session.input_replay import InputReplay
from debugger.session.session import DebugSession
from debugger.session.variable_rows import VariableScope
from debugger.session.verification import ForkVerification, verification_cost
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import action
from debugger.views.audit import audit_run
from debugger.views.auth import permissions
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend, current_backend, local_store
from debugger.views.confirmations import confirm_turn
from debugger.views.panels import notes

_WAIT_SECONDS = 0.25
"""Seconds that a click waits for what it has set going, so that a quick turn is there at once."""


@dataclass
class ForkState:
    """The fork that is being prepared, and the tree of forks."""

    draft: ForkDraft | None = None
    left: ForkDraft | None = None
    """One whose dialog was left; another fork from its turn begins with what it had."""
    check: ForkVerification | None = None
    """The control run of the turn that the fork begins with."""
    first_tier: VariableScope | None = None
    """The variables that the dialog shows first; ``None`` shows the first that there are."""
    tree_of: DebugSession | None = None
    """The session whose tree of forks is open."""


def fork_state() -> Hashable:
    """Return what the dialog and the tree of forks show besides the run."""
    held = state.record(ForkState)
    return id(held.draft), held.tree_of


@action(role=Role.RUN, takes_session=True)
def open_fork(session: DebugSession, turn_number: int) -> None:
    """Open the fork dialog for a turn, with a draft that was left for the same turn where there is one.

    Nothing happens before the run is stored or in a turn. A control run that costs nothing starts at once.
    Writes `ForkState` and lets all editors begin anew. For a turn that the run does not have, a
    `NotFoundError` is kept in `LastAction`.
    """
    forking = state.record(ForkState)
    if session.run_id is None or session.busy:
        return
    draft, left = _draft(session, turn_number), forking.left
    if left is not None and (left.point.run_id, left.point.number) == (session.run_id, turn_number):
        draft = left
    forking.draft, forking.check, forking.first_tier = draft, None, None
    state.renew_editors()
    if not price(draft):
        check_fork()


def leave_fork() -> None:
    """Close the fork dialog and keep its draft for when it is opened for the same turn again.

    The control run is dropped.
    """
    forking = state.record(ForkState)
    left = forking.draft
    close_fork()
    forking.left = left  # what is typed in a field may come a moment later


def close_fork() -> None:
    """Let go of the fork that is being prepared."""
    forking = state.record(ForkState)
    forking.draft = forking.left = forking.check = None


def price(draft: ForkDraft) -> str:
    """Return the cost of a draft's control run; empty where free."""
    backend = current_backend()
    asks_models = isinstance(backend, EmbeddedBackend) and backend.settings.responder == "model"
    return verification_cost(draft.way, asks_models=asks_models)


@action(role=Role.RUN, takes_session=True)
def check_fork(session: DebugSession) -> None:
    """Start the control run of the draft: its turn is run unedited and compared with the record.

    The user may be asked first. Nothing happens without a draft, or while a control run is under way.
    """
    forking = state.record(ForkState)
    if forking.draft is None or (forking.check and forking.check.is_running):
        return
    if not confirm_turn(session, check_fork):
        return
    forking.check = ForkVerification(session.backend, forking.draft)
    forking.check.begin()
    audit_run("check fork", session, turn_number=forking.draft.point.number)
    forking.check.wait(_WAIT_SECONDS)


@action(role=Role.RUN)
def run_fork() -> None:
    """Run the fork that is being prepared, and show it; nothing without one.

    A problem of the draft (`InputError`), or the error with which the fork cannot be made, is kept in
    `LastAction`.
    """
    draft = state.record(ForkState).draft
    if draft is not None and draft.problems:
        raise InputError(draft.problems[0], advice="Correct it first.")
    if draft is not None:
        _run(draft)


@action(role=Role.RUN)
def run_unedited() -> None:
    """Run the draft's turn without its edits as a run of its own, and show it; nothing without a draft.

    The run has the draft's note and author, and the dialog closes. The user may be asked first. An error is
    kept in `LastAction`.
    """
    draft = state.record(ForkState).draft
    if draft is not None:
        unedited = draft.unedited()
        unedited.note, unedited.by = draft.note, draft.by
        _run(unedited)


@action(role=Role.RUN, takes_session=True)
def send_again(session: DebugSession, turn_number: int) -> None:
    """Start a new run with the recorded inputs up to a turn, and show it; nothing while a turn is under way.

    The user may be asked first.
    """
    if not session.busy and confirm_turn(session, partial(send_again, turn_number)):
        _show(session, *forks.replay_from_start(session, turn_number))
        audit_run("rerun turns", session, up_to_turn=turn_number)


@action(role=Role.RUN, takes_session=True)
def take_over(session: DebugSession) -> None:
    """Send no more recorded inputs after the turn under way."""
    if session.input_replay is not None:
        session.input_replay.stop()


@action(takes_session=True)
def open_tree(session: DebugSession) -> None:
    """Show the tree of the run's forks."""
    state.record(ForkState).tree_of = session


@action()
def open_relative(run_id: str) -> None:
    """Open a run of the tree; where it is stored here and a hosted backend is in use, on the embedded engine.

    So it is with a hosted run that was played here.
    """
    if state.record(CurrentBackend).name == "hosted" and local_store().forks.statuses([run_id]):
        actions.choose_backend("embedded")
    actions.open_run(run_id)


def close_tree() -> None:
    """Put the tree away."""
    state.record(ForkState).tree_of = None


@action(role=Role.RUN, takes_session=True)
def answer_turn_again(
    session: DebugSession, turn_number: int, prepare: Callable[[DebugSession], None]
) -> None:
    """Fork the run before a turn and execute it with the user's answers as the models'; show the fork.

    Nothing happens before the run is stored or in a turn.

    Args:
        session: The run on view.
        turn_number: The turn.
        prepare: Sets up the session of the fork before the turn starts.
    """
    if session.run_id is None or session.busy:
        return
    draft = _draft(session, turn_number)
    draft.is_answered_by_user = True
    _run(draft, prepare)


@action(role=Role.RUN, takes_session=True)
def run_with_edits(
    session: DebugSession,
    turn_number: int,
    edits: Sequence[VariableEdit],
    prepare: Callable[[DebugSession], None] | None = None,
) -> None:
    """Fork the run before a turn, execute it with other values of variables, and show the fork.

    Nothing happens before the run is stored or in a turn.

    Args:
        session: The run on view.
        turn_number: The turn.
        edits: The values.
        prepare: Sets up the session of the fork before the turn starts.
    """
    if session.run_id is None or session.busy:
        return
    draft = _draft(session, turn_number)
    draft.variables.set_values(edits)
    _run(draft, prepare)


def _draft(session: DebugSession, turn_number: int) -> ForkDraft:
    draft = ForkDraft.of(forks.fork_point(session, turn_number), forks.fork_modes(session.backend)[0])
    draft.by = notes.author()
    return draft


@action(role=Role.RUN, takes_session=True, confirm=True)
def _run(
    session: DebugSession, draft: ForkDraft, prepare: Callable[[DebugSession], None] | None = None
) -> None:
    """Make the fork of a draft, store it, close the dialog, and show the fork while its turn runs.

    The user may be asked first. A signed-in user is stored as the one who made it. The error
    with which it cannot be made or stored is kept in `LastAction`.

    Args:
        session: The run on view, which stays as it is.
        draft: The fork.
        prepare: Sets up the session of the fork before it is shown.

    """
    if not permissions.current_user().is_local:
        draft.by = permissions.current_user().name
    found = forks.fork(session.backend, draft, local_store().forks, check=state.record(ForkState).check)
    audit_run(
        "fork run" if draft.is_edited else "rerun turn",
        session,
        turn_number=draft.point.number,
        way=draft.way,
    )
    close_fork()
    if prepare is not None:
        prepare(found[0])
    _show(session, *found)


def _show(source: DebugSession, session: DebugSession, forward: InputReplay) -> None:
    actions.show(session, after=source)
    actions.set_run_by(session).replay_inputs(forward)
    state.record(BackendCache).expire()
    session.wait_until_idle(_WAIT_SECONDS)
