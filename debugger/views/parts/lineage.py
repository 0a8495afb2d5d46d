"""Where the run on view comes from: the way to it from the first run, and the tree of all its forks."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.run_tree import TreeRow, breadcrumbs, run_tree
from debugger.errors import DebuggerError
from debugger.protocol.forks import ForkRecord
from debugger.protocol.runs import RunStatus
from debugger.session.fidelity import Fidelity
from debugger.views import commands, fork_commands, state
from debugger.views.backends import fork_book
from debugger.views.parts.fidelity_badge import fidelity_badge
from debugger.views.parts.plain import count, plain
from debugger.views.parts.run_tree import run_tree_dialog
from debugger.views.reading import Reading

_MOST_CRUMBS = 4
_MOST_CHANGES = 3


def lineage(now: Reading) -> None:
    """Draw it in a line; nothing where the run has no relatives."""
    run_id = now.session.run_id
    if run_id is None:
        return
    rows = tree_rows(now, run_id)
    if len(rows) < 2:
        return
    way = breadcrumbs(rows, run_id)
    if len(way) > 1:
        _crumbs(way)
        _fork(way[-1])
    st.button(
        count(len(rows) - 1, "fork"),
        key="open_tree",
        icon=":material/account_tree:",
        type="tertiary",
        on_click=fork_commands.open_tree,
        help="The tree of the first run and all its forks",
    )
    run_tree_dialog(rows, run_id)


def tree_rows(now: Reading, run_id: str) -> list[TreeRow]:
    """The tree that a run stands in."""
    session = now.session
    is_under_way = session.forward is not None and session.forward.is_under_way
    question = ("family", run_id, is_under_way)
    try:
        family, statuses = state.page().answers.ask(question, lambda: _ask(run_id))
    except DebuggerError:
        return []  # a run of the hosted API can be looked at without the local store
    return run_tree(run_id, family, {**statuses, run_id: session.status})


def _ask(run_id: str) -> tuple[list[ForkRecord], dict[str, RunStatus]]:
    book = fork_book()
    family = book.family(run_id)
    ids = {name for record in family for name in (record.run_id, record.source_run_id)}
    return family, book.statuses(ids)


def _crumbs(way: list[TreeRow]) -> None:
    shown = way if len(way) <= _MOST_CRUMBS else [way[0], *way[-_MOST_CRUMBS + 1 :]]
    for place, row in enumerate(shown[:-1]):
        st.button(
            row.label,
            key=f"crumb_{place}",
            type="tertiary",
            on_click=commands.open_run,
            args=(row.run_id,),
            help=f"Open run {plain(row.run_id)}",
        )
        st.caption("… ›" if place == 0 and len(shown) < len(way) else "›", width="content")


def _fork(row: TreeRow) -> None:
    """The banner of a fork: what it is, what was changed, how faithful it is."""
    assert row.fork is not None
    st.badge(plain(row.label), icon=":material/fork_right:", color="blue", help=plain(_told(row.fork)))
    changed = row.changed
    if changed:
        more = f" and {len(changed) - _MOST_CHANGES} more" if len(changed) > _MOST_CHANGES else ""
        st.caption(plain(", ".join(changed[:_MOST_CHANGES]) + more), width="content")
    fidelity_badge(Fidelity.from_json(row.fork.fidelity))


def _told(fork: ForkRecord) -> str:
    by = f" by {fork.forked_by}" if fork.forked_by else ""
    note = f": {fork.note}" if fork.note else ""
    return f"Left run {fork.source_run_id} right before turn {fork.turn_number}{by}{note}"
