"""Actions of forks, control runs and inputs that are sent again."""

from __future__ import annotations

from functools import partial

from debugger.errors import InputError
from debugger.session import forks
from debugger.session.fork_draft import ForkDraft
from debugger.session.input_replay import InputReplay
from debugger.session.session import DebugSession
from debugger.session.verification import ForkVerification, verification_cost
from debugger.settings import read_settings
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import command
from debugger.views.audit import audit_run
from debugger.views.auth import permissions
from debugger.views.auth.permissions import requires
from debugger.views.backends import fork_book
from debugger.views.confirmations import confirm_turn
from debugger.views.panels import notes

_WAIT_SECONDS = 0.25
"""Seconds that a click waits for what it has set going, so that a quick turn is there at once."""


@command
@requires(Role.RUN)
def open_fork(turn_number: int) -> None:
    """Prepare a fork that begins with a turn of the run."""
    page = state.page()
    session = page.session
    if session is None or session.run_id is None or session.busy:
        return
    draft = ForkDraft.of(forks.fork_point(session, turn_number), forks.fork_modes(session.backend)[0])
    draft.by = notes.author()
    page.fork, page.fork_check = draft, None
    state.renew_editors()
    if not price(draft):
        check_fork()


def close_fork() -> None:
    """Let go of the fork that is being prepared."""
    page = state.page()
    page.fork = page.fork_check = None


def price(draft: ForkDraft) -> str:
    """Return the cost of a draft's control run; empty where free."""
    return verification_cost(draft.way, asks_models=read_settings().responder == "model")


@command
@requires(Role.RUN)
def check_fork() -> None:
    """Run the turn again unedited, and compare."""
    page = state.page()
    if page.session is None or page.fork is None or (page.fork_check and page.fork_check.is_running):
        return
    if not confirm_turn(page.session, check_fork):
        return
    page.fork_check = ForkVerification(page.session.backend, page.fork)
    page.fork_check.begin()
    audit_run("check fork", page.session, turn_number=page.fork.point.number)
    page.fork_check.wait(_WAIT_SECONDS)


@command
@requires(Role.RUN)
def run_fork() -> None:
    """Run the fork as it was prepared, and show it."""
    page = state.page()
    if page.fork is not None and page.fork.problems:
        raise InputError(page.fork.problems[0], advice="Correct it first.")
    _run(page.fork)


@command
@requires(Role.RUN)
def run_unedited() -> None:
    """Run the fork without its edits, as a run of its own."""
    draft = state.page().fork
    if draft is None:
        return
    unedited = draft.unedited()
    unedited.note, unedited.by = draft.note, draft.by
    _run(unedited)


@command
@requires(Role.RUN)
def send_again(turn_number: int) -> None:
    """Send the recorded inputs up to a turn to a new run."""
    session = state.page().session
    if session is None or session.busy:
        return
    if confirm_turn(session, partial(send_again, turn_number)):
        _show(*forks.replay_from_start(session, turn_number))
        audit_run("rerun turns", session, up_to_turn=turn_number)


@command
@requires(Role.RUN)
def take_over() -> None:
    """Send no more recorded inputs after the turn under way."""
    session = state.page().session
    if session is not None and session.input_replay is not None:
        session.input_replay.stop()


def open_tree() -> None:
    """Show the tree of the run's forks."""
    state.page().shows_tree = True


def close_tree() -> None:
    """Put the tree away."""
    state.page().shows_tree = False


@requires(Role.RUN)
def _run(draft: ForkDraft | None) -> None:
    page = state.page()
    if draft is None or page.session is None:
        return
    if not confirm_turn(page.session, partial(command(_run), draft)):
        return
    if not permissions.current_user().is_local:
        draft.by = permissions.current_user().name
    found = forks.fork(page.session.backend, draft, fork_book(), check=page.fork_check)
    audit_run(
        "fork run" if draft.is_edited else "rerun turn",
        page.session,
        turn_number=draft.point.number,
        way=draft.way,
    )
    close_fork()
    _show(*found)


def _show(session: DebugSession, forward: InputReplay) -> None:
    actions.show(session)
    actions.signed(session).replay_inputs(forward)
    state.page().answers.expire()
    session.wait_until_idle(_WAIT_SECONDS)
