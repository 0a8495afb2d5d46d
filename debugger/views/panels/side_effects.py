"""Log of outside calls, with their policies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from debugger.analysis.node_origins import author_node_id
from debugger.analysis.outbound_policies import HOSTED_NOTICE, policy_rows, policy_summary
from debugger.analysis.run_moment import effects_until
from debugger.analysis.side_effects import SideEffect, blocked_call_advice, summary
from debugger.backends.embedded import EmbeddedBackend
from debugger.boundary import own_names
from debugger.exports.csv_files import side_effects_csv
from debugger.settings import Settings
from debugger.views import actions, refresh, state
from debugger.views.audit import audited_file
from debugger.views.components.error_box import show_error
from debugger.views.components.markdown import draw_json, milliseconds, plain
from debugger.views.components.rows import Cell, Column, Columns, Table, rows_list, table
from debugger.views.components.toolbar import Item, Text
from debugger.views.help_links import empty_state
from debugger.views.panels.timeline import background_column
from debugger.views.run_view import RunView

_CHOSEN_KEY = "side_effect_chosen"
_COLOURS = {
    "live": "blue",
    "simulated": "violet",
    "blocked": "orange",
    "ok": "green",
    "failed": "red",
    "not made": "orange",
}


def side_effects_words(view: RunView) -> list[Item]:
    """Return the totals up to the cursor."""
    effects = _effects(view)
    return [Text(summary(effects))] if effects else []


def side_effects_file(view: RunView) -> None:
    """Draw the button that downloads the run's side effects as CSV, if there are any and no turn runs.

    Nothing is drawn before the run is stored. The file has those of the whole run; it is made, and audited,
    when it is downloaded.
    """
    session = view.session
    if not view.effects or session.run_id is None or session.busy:
        return
    st.download_button(
        "Side effects CSV",
        key="download_side_effects",
        data=audited_file(
            lambda: side_effects_csv(session.run_id or "", view.effects, own_names(session.workflow)),
            session.run_id,
            format="side_effects",
        ),
        file_name=f"run-{session.run_id}-side-effects.csv",
        mime="text/csv; charset=utf-8",
        icon=":material/download:",
        on_click="ignore",
        help="A row for each call",
    )


def side_effects(view: RunView) -> None:
    """Draw calls up to the cursor, advice on blocked ones, and the selected call.

    An error of the ledger is drawn first. Without a call a hint is drawn. A click on a row keeps the call in
    the session state and chooses its node.
    """
    if view.session.ledger.error is not None:
        show_error(view.session.ledger.error)
    effects = _effects(view)
    if not effects:
        _nothing(view)
        return
    for sentence in blocked_call_advice(effects):
        st.caption(f":material/block: {plain(sentence)}")
    run_id, place = state.widget(_CHOSEN_KEY, (None, None))
    is_chosen = run_id == view.session.run_id and place is not None and place < len(effects)
    rows_list(
        "side_effects",
        _table(effects),
        chosen=place if is_chosen else None,
        on_choose=refresh.refreshing("look", partial(_choose, view)),
        fills=True,
    )
    if is_chosen:
        _whole(effects[place])


def _effects(view: RunView) -> Sequence[SideEffect]:
    if not view.is_past:
        return view.effects
    return view.memo_here("effects", lambda: effects_until(view.projections, view.effects, view.last))


def _nothing(view: RunView) -> None:
    """Draw that there is no call up to the cursor, or none in the run, with the policies of calls."""
    if view.effects:
        st.caption("No external call up to here.")
        return
    ended = "No turn has made an external call yet." if view.turns else "A run's external calls appear here."
    empty_state(
        f"{ended} They are reported when a turn has ended. {plain(policies_of(view))}",
        "guide#calls-to-services",
    )


def _table(effects: Sequence[SideEffect]) -> Table:
    """Return the table of calls, numbered from 1; the value of a row is the call's place from 0."""
    numbers = {id(effect): number for number, effect in enumerate(effects)}
    hint = "live: made for real; simulated: answered here; blocked: refused"
    columns: Columns[SideEffect] = [
        (Column("seq", "#", 40, "number"), lambda effect: str(numbers[id(effect)] + 1)),
        (Column("turn", "Turn", 44, "number"), lambda effect: str(effect.turn_number)),
        *background_column(effects),
        (Column("node", "Node", 112), lambda effect: effect.node_name),
        (
            Column("class", "Class", 56, help="talk, read, write or contact"),
            lambda effect: effect.call_class,
        ),
        (Column("kind", "Kind", 52), lambda effect: effect.kind),
        (Column("target", "Target", 150, grows=True), lambda effect: effect.target),
        (Column("how", "How", 84, "chip", help=hint), lambda effect: _chip(effect.how)),
        (Column("outcome", "Outcome", 84, "chip"), lambda effect: _chip(effect.outcome)),
        (Column("status", "Status", 52, "number"), lambda effect: str(effect.status_code or "")),
        (
            Column("took", "Duration", 76, "number"),
            lambda effect: milliseconds(effect.duration_milliseconds),
        ),
        (
            Column("error", "Error", 90, help="Choose a row to read it in full", grows=True),
            lambda effect: effect.error,
        ),
    ]
    label = "Side effects: one row per call, with turn, node, class, target, treatment and outcome"
    return table(label, effects, columns, lambda effect: [numbers[id(effect)]])


def _chip(word: str) -> Cell:
    return word, _COLOURS.get(word, "gray")


def _choose(view: RunView, target: Any) -> None:
    """Keep the chosen call of the run in the session state, and choose its node; ``None`` clears the call.

    Choosing the node shows the tab Node. A place without a call chooses no node.
    """
    place = target[0] if target else None
    state.set_widget(_CHOSEN_KEY, (view.session.run_id, place))
    effects = _effects(view)
    if place is not None and place < len(effects):
        actions.select_node(author_node_id(effects[place].node_logical_id, view.names))


def _whole(effect: SideEffect) -> None:
    """Draw a call in a box: target, node, class, treatment, outcome, time, error, and the request as JSON.

    Time and error are left out where there are none.
    """
    with st.container(border=True, gap="xxsmall", key="side_effect"):
        st.text(effect.target)  # never Markdown: it would make links of addresses
        where = f"{effect.node_name}, {effect.call_class} call, {effect.how}, {effect.outcome}"
        st.caption(plain(f"{where}, {effect.time}" if effect.time else where))
        if effect.error:
            st.text(effect.error)
        st.caption("Sent" if effect.how == "live" else "Would have been sent")
        draw_json(dict(effect.request))


def policies_of(view: RunView) -> str:
    """Return a sentence on models and the policies of calls.

    Of a backend that is not the embedded engine it is the notice on the hosted one.
    """
    backend = view.session.backend
    if not isinstance(backend, EmbeddedBackend):
        return HOSTED_NOTICE
    return policy_summary(backend.settings, has_script=view.is_scripted)


def policy_table(settings: Settings) -> None:
    """Draw the policy of each class of calls, with the variable that sets it."""
    shown = table(
        "Policy of each class of external calls, and the variable that sets it",
        policy_rows(settings),
        [
            (Column("class", "Class", 80), lambda row: row.call_class),
            (Column("what", "External calls", 210, grows=True), lambda row: row.what),
            (Column("policy", "What happens", 190, grows=True), lambda row: f"{row.policy}: {row.meaning}"),
            (Column("setting", "Set by", 300), lambda row: row.setting),
        ],
    )
    rows_list("policies", shown)
