"""The prompt of a past model call, with what filled its placeholders."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from debugger.analysis.event_fields import field
from debugger.analysis.timeline import TimelineRow
from debugger.backends.embedded.model_selection import default_llm
from debugger.engine.models.call_parts import Offer, offers_of, system_text
from debugger.errors import DebuggerError
from debugger.session.past_prompts import FilledPlaceholder, PastPrompt, is_model_call, past_prompt
from debugger.settings import read_settings
from debugger.views.components.markdown import json_cell, plain
from debugger.views.components.rows import Cell, Column, rows_list, table
from debugger.views.components.toolbar import Badge, Text, bar
from debugger.views.run_view import RunView, decisions, run_history

_MOST_ROWS = 8
_REBUILT = Badge(
    "rebuilt",
    ":material/history:",
    help="Prompts are not recorded: this one was rebuilt from the variables and messages of that moment",
)


def is_call(view: RunView, row: TimelineRow) -> bool:
    """Return whether an event is a model call."""
    return is_model_call(view.turns[row.place].events[row.position])


def last_call(view: RunView, node_id: str) -> TimelineRow | None:
    """Return the last model call of a node up to the cursor."""
    rows = (row for row in reversed(view.rows_then) if node_id in (row.node_logical_id, row.drawn_node))
    return next((row for row in rows if is_call(view, row)), None)


def prompt_view(view: RunView, row: TimelineRow) -> None:
    """Draw the prompt of a model call: placeholders, text, what it offered."""
    found = _prompt_of(view, row)
    if isinstance(found, str):
        st.caption(plain(found))
        return
    bar("prompt_bar", [_REBUILT, Text(f"System prompt{_answered_by(view, row)}")], low=True)
    st.code(system_text(found.prompt) or "(empty)", language=None, wrap_lines=True)
    _placeholders(found)
    _offers(found)
    for note in found.notes:
        st.caption(plain(note))


def _answered_by(view: RunView, row: TimelineRow) -> str:
    usage = field(view.turns[row.place].events[row.position], "llm_usage_info")
    model = usage.get("response_model") if isinstance(usage, dict) else None
    return f" · answered by {model}" if model else ""


def call_view(view: RunView, row: TimelineRow) -> None:
    """Draw a model call as JSON."""
    found = _prompt_of(view, row)
    if isinstance(found, str):
        st.caption(plain(found))
        return
    bar("prompt_bar", [_REBUILT, Text("The call as the engine sent it")], low=True)
    st.json(found.call, expanded=3)


def _prompt_of(view: RunView, row: TimelineRow) -> PastPrompt | str:
    """Return the prompt, or the reason why there is none."""
    if view.session.backend.capabilities.reason_against("manual_model") is not None:
        return "Not recorded: the events of this run do not have the prompts of its model calls."
    return view.memo(("prompt", row.index), lambda: _rebuild(view, row))


def _rebuild(view: RunView, row: TimelineRow) -> PastPrompt | str:
    held = run_history(view)
    try:
        llm = default_llm(read_settings().default_model)
        return past_prompt(view.turns, row, held.workflow, held.moments, held.history, decisions(view), llm)
    except DebuggerError as error:
        return f"Not recorded, and it cannot be rebuilt: {error}"


def _placeholders(found: PastPrompt) -> None:
    if not found.placeholders:
        return
    columns: list[tuple[Column, Callable[[FilledPlaceholder], Cell]]] = [
        (Column("placeholder", "Placeholder", 120, grows=True), lambda each: each.text),
        (Column("value", "Value", 110, grows=True), lambda each: json_cell(each.value)),
        (Column("source", "Source", 120, grows=True), lambda each: each.source),
    ]
    shown = table("Placeholders of the prompt: value and source", found.placeholders, columns)
    rows_list("prompt_placeholders", shown, most=_MOST_ROWS)


def _offers(found: PastPrompt) -> None:
    if found.prompt.kind == "judge" or not (offers := offers_of(found.prompt)):
        return
    columns: list[tuple[Column, Callable[[Offer], Cell]]] = [
        (Column("name", "Offered", 150, grows=True), lambda offer: offer.name),
        (Column("description", "Description", 180, grows=True), lambda offer: offer.description),
    ]
    shown = table("Tools and transitions that the model was offered", offers, columns)
    rows_list("prompt_offers", shown, most=_MOST_ROWS)
