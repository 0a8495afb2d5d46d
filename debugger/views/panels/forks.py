"""Origin of the run on view, its tree of forks, and fork buttons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from debugger.analysis.run_tree import TreeRow, breadcrumbs, run_tree
from debugger.errors import DebuggerError
from debugger.protocol.runs import ForkRecord, RunStatus
from debugger.session.input_replay import InputReplay
from debugger.session.session import DebugSession
from debugger.session.verification import Fidelity
from debugger.views import state
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend, local_store
from debugger.views.components.error_box import show_unexpected_errors
from debugger.views.components.markdown import count, listed
from debugger.views.components.rows import Column, Columns, rows_list, table
from debugger.views.components.side_dialog import dialog_footer, side_dialog
from debugger.views.components.status_badges import LOOKS, fidelity_item
from debugger.views.components.toolbar import Badge, Button, Item, Progress, Text
from debugger.views.confirmations import OpenQuestions
from debugger.views.panels import fork_actions
from debugger.views.panels.fork_actions import ForkState
from debugger.views.run_view import RunView
from debugger.views.times import shown_time, zone_name

_MOST_CRUMBS = 4
_MOST_CHANGES = 3


def fork_breadcrumb(view: RunView) -> list[Item]:
    """Return the breadcrumb of a fork and the button of its tree; draw the tree's dialog while it is open.

    Empty before the run is stored, and for a run that has neither source nor forks.
    """
    run_id = view.session.run_id
    if run_id is None:
        return []
    rows = tree_rows(view, run_id)
    if len(rows) < 2:
        return []
    way = breadcrumbs(rows, run_id)
    came = [*_crumbs(way), *_fork(way[-1])] if len(way) > 1 else []
    tree = Button(
        "open_tree",
        count(len(rows) - 1, "fork"),
        fork_actions.open_tree,
        icon=":material/account_tree:",
        look="tertiary",
        help="The tree of the first run and all its forks",
    )
    if state.record(ForkState).tree_of is view.session and not state.record(OpenQuestions).is_open:
        icon = ":material/account_tree:"
        side_dialog("Run tree", icon=icon, on_dismiss=fork_actions.close_tree)(_body)(rows, view)
    return [*came, tree]


def tree_rows(view: RunView, run_id: str) -> list[TreeRow]:
    """Return the first run of a run's family and all its forks, each below its source.

    Empty where the local store cannot be read.
    """
    session = view.session
    is_running = session.input_replay is not None and session.input_replay.is_running

    def read() -> tuple[list[ForkRecord], dict[str, RunStatus]]:
        """Return the records of the family's forks, and the known status of each run."""
        book = local_store().forks
        family = book.family(run_id)
        ids = {name for record in family for name in (record.run_id, record.source_run_id)}
        return family, book.statuses(ids)

    try:
        family, statuses = state.record(BackendCache).ask(("family", run_id, is_running), read)
    except DebuggerError:
        return []  # a run of the hosted API can be looked at without the local store
    return run_tree(run_id, family, {**statuses, run_id: session.status})


def _crumbs(way: list[TreeRow]) -> list[Item]:
    """Return a button for each run from the first one to the source of the run on view.

    Of a path with more than `_MOST_CRUMBS` runs those after the first are cut.
    """
    shown = way if len(way) <= _MOST_CRUMBS else [way[0], *way[-_MOST_CRUMBS + 1 :]]
    crumbs: list[Item] = []
    for place, row in enumerate(shown[:-1]):
        hint = f"Open run {row.run_id}"
        is_elsewhere = row.status is None and state.record(CurrentBackend).name == "embedded"
        if is_elsewhere:  # a run of a hosted API that was played here
            crumbs.append(Text(row.label, help=f"Run {row.run_id} is not in this backend"))
        else:
            open_it = fork_actions.open_relative
            crumbs.append(
                Button(f"crumb_{place}", row.label, open_it, (row.run_id,), look="tertiary", help=hint)
            )
        crumbs.append(Text("… ›" if place == 0 and len(shown) < len(way) else "›"))
    return crumbs


def _fork(row: TreeRow) -> list[Item]:
    """Return the badge of a fork, which names its source in its help, its changes, and its fidelity.

    The changes are left out where there are none. A row without a fork raises `AssertionError`.
    """
    fork = row.fork
    assert fork is not None
    by = f" by {fork.forked_by}" if fork.forked_by else ""
    note = f": {fork.note}" if fork.note else ""
    hint = f"Forked from run {fork.source_run_id} before turn {fork.turn_number}{by}{note}"
    if fork.way == "played":
        hint = f"Run {fork.source_run_id} played with its recorded answers{by}{note}"
    return [
        Badge(row.label, ":material/fork_right:", "blue", help=hint),
        *([Text(listed(row.changed, _MOST_CHANGES))] if row.changed else []),
        fidelity_item(Fidelity.from_json(fork.fidelity)),
    ]


@show_unexpected_errors("The run tree")
def _body(rows: Sequence[TreeRow], view: RunView) -> None:
    """Draw the tree of forks as a list, with the button that closes it; a click on a row opens its run.

    Where the tree is no longer open for the session on view, the page is rerun, which closes the dialog.
    """
    if state.record(ForkState).tree_of is not view.session:
        st.rerun()  # only that closes a dialog
    st.caption("Each fork is below the run that it was forked from. Choose a row to open the run.")
    here = view.session.run_id
    columns: Columns[TreeRow] = [
        (Column("run", "Run", 180, grows=True), lambda row: _branch(row, is_here=row.run_id == here)),
        (Column("status", "Status", 88), lambda row: LOOKS[row.status].word if row.status else ""),
        (Column("fidelity", "Fidelity", 76), _fidelity),
        (Column("changed", "Changed", 130), lambda row: ", ".join(row.changed)),
        (Column("note", "Note", 110), lambda row: row.fork.note if row.fork else ""),
        (Column("by", "By", 60), lambda row: row.fork.forked_by if row.fork else ""),
        (
            Column("at", "Created", 140, help=f"In the time zone {zone_name()}"),
            lambda row: shown_time(row.fork.created_at) if row.fork else "",
        ),
        (Column("id", "Run id", 200), lambda row: row.run_id),
    ]
    words = "The run and its forks, each below the run that it was forked from"
    rows_list("run_tree", table(words, rows, columns, lambda row: row.run_id), on_choose=_open)
    with dialog_footer():
        st.button("Close", key="close_tree", type="tertiary", on_click=fork_actions.close_tree)


def _branch(row: TreeRow, *, is_here: bool) -> str:
    lead = "\u2003" * (row.depth - 1) + "└ " if row.depth else ""
    return f"{lead}{row.label}{' ● on view' if is_here else ''}"


def _fidelity(row: TreeRow) -> str:
    return fidelity_item(Fidelity.from_json(row.fork.fidelity)).text if row.fork else ""


def _open(run_id: Any) -> None:
    fork_actions.close_tree()
    fork_actions.open_relative(run_id)


def run_turns_again_button(view: RunView) -> Button:
    """Return the button that runs the turns up to the cursor again as a new run.

    It is disabled, with the reason as its help, where no turn can be run again.
    """
    number = view.turn_number or None
    reason = _reason(view.session, number)
    return Button(
        "send_again",
        f"Run turn{'s 1 to' if number != 1 else ''} {number} again" if number else "Run turns again",
        fork_actions.send_again,
        (number,),
        icon=":material/fast_forward:",
        disabled=reason is not None,
        help=reason or f"A new run executes the recorded inputs up to turn {number}, then you continue it",
    )


def fork_button(session: DebugSession, number: int | None, key: str, label: str = "") -> Button:
    """Return the button that prepares a fork; disabled, with the reason as its help, where none can be made.

    Args:
        session: The run on view.
        number: The turn that the fork begins with; ``None`` before there is one.
        key: The button's key.
        label: Its words; empty for those that name the turn.
    """
    reason = _reason(session, number)
    exact = session.backend.capabilities.reason_against("exact_fork")
    words = "Fork" if number is None else f"Fork from turn {number}"
    hint = f"{words}: another run, with the same or changed input; this one is kept"
    return Button(
        key,
        label or words,
        fork_actions.open_fork,
        (number,),
        icon=":material/fork_right:",
        disabled=reason is not None,
        help=reason or (f"{hint}. {exact}" if exact else hint),
    )


def _reason(session: DebugSession, number: int | None) -> str | None:
    """Return why a turn can neither be forked nor run again; ``None`` where it can.

    The reasons, in order: the backend runs no turns, there is no stored turn, the last message's outcome is
    unknown, a turn is under way.
    """
    if reason := session.backend.capabilities.reason_against("run_turns"):
        return reason
    if number is None or session.run_id is None:
        return "Once a turn is over, it can be forked and run again."
    if session.pending is not None:
        return "The outcome of the last message is not known yet."
    return "The turn is still running." if session.busy else None


def replay_progress(forward: InputReplay, *, is_played: bool = False) -> list[Item]:
    """Return the progress of repeated inputs with the button that stops them.

    Where they have ended, or are of one turn, it is the problem that ended them, if there was one.

    Args:
        forward: What sends them.
        is_played: Whether they are a record that is played, which takes no others.
    """
    if not forward.is_running or forward.total < 2:
        return [Text(forward.problem, look="note")] if forward.problem else []
    word = "Stops after input" if forward.stopping else "Running input"
    hint = f"{word} {min(forward.done + 1, forward.total)} of {forward.total}"
    stop = Button(
        "take_over",
        "Stop playing" if is_played else "Take over",
        fork_actions.take_over,
        icon=":material/front_hand:",
        look="tertiary",
        disabled=forward.stopping,
        help="Play nothing more after this turn"
        if is_played
        else "Send nothing more, and continue the run yourself after this turn",
    )
    return [Progress(hint, forward.done / forward.total), stop]
