"""Where the run on view comes from: the way to it from the first run, and the tree of all its forks."""

from __future__ import annotations

from debugger.analysis.run_tree import TreeRow, breadcrumbs, run_tree
from debugger.errors import DebuggerError
from debugger.protocol.runs import ForkRecord, RunStatus
from debugger.session.verification import Fidelity
from debugger.views import actions, state
from debugger.views.backends import fork_book
from debugger.views.components.fidelity_badge import fidelity_item
from debugger.views.components.markdown import count
from debugger.views.components.toolbar import Badge, Button, Item, Words
from debugger.views.panels import fork_actions
from debugger.views.panels.run_tree import run_tree_dialog
from debugger.views.run_view import Reading

_MOST_CRUMBS = 4
_MOST_CHANGES = 3


def lineage(now: Reading) -> list[Item]:
    """The way for a bar, nothing where the run has no relatives; the dialog of the tree is drawn."""
    run_id = now.session.run_id
    if run_id is None:
        return []
    rows = tree_rows(now, run_id)
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
    run_tree_dialog(rows, run_id)
    return [*came, tree]


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


def _crumbs(way: list[TreeRow]) -> list[Item]:
    shown = way if len(way) <= _MOST_CRUMBS else [way[0], *way[-_MOST_CRUMBS + 1 :]]
    crumbs: list[Item] = []
    for place, row in enumerate(shown[:-1]):
        told = f"Open run {row.run_id}"
        crumbs += [
            Button(f"crumb_{place}", row.label, actions.open_run, (row.run_id,), look="tertiary", help=told),
            Words("… ›" if place == 0 and len(shown) < len(way) else "›"),
        ]
    return crumbs


def _fork(row: TreeRow) -> list[Item]:
    """The banner of a fork: what it is, what was changed, how faithful it is."""
    assert row.fork is not None
    changed = row.changed
    more = f" and {len(changed) - _MOST_CHANGES} more" if len(changed) > _MOST_CHANGES else ""
    return [
        Badge(row.label, ":material/fork_right:", "blue", help=_told(row.fork)),
        *([Words(", ".join(changed[:_MOST_CHANGES]) + more)] if changed else []),
        fidelity_item(Fidelity.from_json(row.fork.fidelity)),
    ]


def _told(fork: ForkRecord) -> str:
    by = f" by {fork.forked_by}" if fork.forked_by else ""
    note = f": {fork.note}" if fork.note else ""
    return f"Left run {fork.source_run_id} right before turn {fork.turn_number}{by}{note}"
