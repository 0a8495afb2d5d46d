"""Tabs of transcript, variables and versions."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from debugger.analysis.chat import ChatMessage
from debugger.analysis.comparison.tables import ComparedVariable, MessagePair, WorkflowChange
from debugger.analysis.differences import Span
from debugger.session.comparison import RunComparison
from debugger.views import state
from debugger.views.components.markdown import count, plain
from debugger.views.components.rows import Column, Columns, Mark, Row, Table, rows_list, table
from debugger.views.components.tables import pager
from debugger.views.components.toolbar import Item, Select, Spacer, Text, Toggle, bar
from debugger.views.help_links import empty_state
from debugger.views.panels.compare import actions
from debugger.views.panels.compare.actions import CompareState
from debugger.views.panels.compare.differences import (
    DIFFERENCE_WIDTH,
    difference_rows,
    op_chip,
    side_marks,
    status_chip,
    value_marks,
)
from debugger.views.panels.compare.facts import Fact, compare_facts

_ROLES = {"user": "User", "agent": "Agent", "warning": "Warning", "failure": "Failure", "error": "Error"}
_TRANSCRIPT = (
    Column("turn", "Turn", 46, "number"),
    Column("who", "Who", 64),
    Column("a", "A", 160, "marks", grows=True),
    Column("b", "B", 160, "marks", grows=True),
    Column("difference", "Difference", DIFFERENCE_WIDTH, "chip"),
)


def transcript_tab(seen: RunComparison) -> None:
    """Draw a page of the aligned messages of both runs, at first the one with the first difference.

    Where neither run has a message, a hint is drawn instead.
    """
    lines = seen.lines
    if not lines:
        empty_state("Neither run has a message.", "forks#compare")
        return
    differing = [place for place, line in enumerate(lines) if line.status != "same"]
    first = (differing or [0])[0]
    page = pager("compare_words", len(lines), actions.stamp(seen), first)
    words = Text(f"{len(differing):,} of {count(len(lines), 'line')} differ", key="compare_words_count")
    bar("compare_words_line", [words, Spacer(), *page.items], low=True)
    turns = [line.turn for line in lines]
    rows = [
        _line(lines[place], begins=place > page.first and turns[place] != turns[place - 1])
        for place in range(page.first, page.end)
    ]
    rows_list(
        "compare_words",
        Table(_TRANSCRIPT, rows, "Messages of both runs: turn, who speaks, what is said in A and in B"),
        fills=True,
        near=first - page.first if page.first <= first < page.end else None,
        page=(actions.stamp(seen), page.first),
    )


def _line(line: MessagePair, *, begins: bool) -> Row:
    sides = _side(line, line.a, "removed"), _side(line, line.b, "added")
    return Row((str(line.turn), _ROLES[line.role], *sides, status_chip(line.status)), None, begins)


def _side(line: MessagePair, message: ChatMessage | None, own: Literal["removed", "added"]) -> list[Mark]:
    """Return the marks of a message: the node that said it, unless the user did, then its text.

    Args:
        line: The pair of messages.
        message: The message of the side; ``None`` has no marks.
        own: The mark of the words that only this side has.
    """
    if message is None:
        return []
    alone = Span(message.text, "same" if line.status == "same" else own)
    marks = side_marks(line.pieces if line.status == "changed" else [alone], own)
    has_name = message.node_name and message.role != "user"
    return [(f"{message.node_name}  ", "quiet"), *marks] if has_name else marks


_STATE = (
    Column("path", "Variable", 180, fits=320),
    Column("a", "A", 160, "marks", grows=True),
    Column("b", "B", 160, "marks", grows=True),
    Column("difference", "Difference", DIFFERENCE_WIDTH, "chip"),
)
_WITH_SAME_KEY = "compare_with_same"


def state_tab(seen: RunComparison) -> None:
    """Draw the variables of both runs at the end of a chosen turn as a table, at first of the last turn.

    Equal values are drawn only with the switch on. Without a turn, or without a row, a text says so.
    """
    if not seen.turns:
        empty_state("Neither run has a turn.", "forks#compare")
        return
    key = f"compare_turn_{actions.stamp(seen)}"
    turns = {str(number): f"After turn {number}" for number in seen.turns[::-1]}
    turns[str(seen.turns[-1])] += ", the end"
    state.begin_widget(key, str(seen.turns[-1]))
    state.begin_widget(_WITH_SAME_KEY, False)
    turn, with_same = int(state.widget(key)), state.widget(_WITH_SAME_KEY)
    rows = seen.variables(turn, with_same=with_same)
    looked_at = (actions.stamp(seen), turn, with_same)
    page = pager("compare_state", len(rows), looked_at, 0)
    items: list[Item] = [
        Select(key, "At the end of turn", turns, ""),
        Toggle(_WITH_SAME_KEY, "Include equal values"),
        Text(count(sum(row.op != "same" for row in rows), "difference"), key="compare_state_count"),
        Spacer(),
    ]
    bar("compare_state_line", [*items, *page.items], low=True)
    if not rows:
        st.caption("The variables are the same in both runs, apart from what is ignored.")
        return
    rows_list(
        "compare_variables",
        Table(
            _STATE,
            [_variable(row) for row in rows[page.first : page.end]],
            "Variables of both runs: name, value in A, value in B, and what differs",
        ),
        fills=True,
        page=(*looked_at, page.first),
    )


def _variable(row: ComparedVariable) -> Row:
    return Row((row.path, *value_marks(row.a, row.b, row.op), op_chip(row.op)))


_FACTS: Columns[Fact] = [
    (Column("name", "", 76), lambda fact: fact.name),
    (Column("a", "A", 120, grows=True), lambda fact: fact.a),
    (Column("b", "B", 120, grows=True), lambda fact: fact.b),
    (Column("difference", "Difference", 130), lambda fact: fact.difference),
]
_CHANGES: Columns[tuple[int, WorkflowChange]] = [
    (Column("part", "Part", 66), lambda change: change[1].part),
    (Column("name", "Name", 150, grows=True), lambda change: change[1].name),
    (
        Column("fields", "Fields", 120, grows=True),
        lambda change: ", ".join(field.path for field in change[1].fields),
    ),
    (Column("difference", "Difference", DIFFERENCE_WIDTH, "chip"), lambda change: op_chip(change[1].op)),
]


def versions_tab(seen: RunComparison) -> None:
    """Draw the facts of both runs, the changes between the versions, and the fields of the chosen change.

    There is no box of fields where nothing differs or a version cannot be read. A chosen change writes
    `CompareState.change`; a place beyond the list counts as its last.
    """
    left, right = st.columns([1.2, 1], gap="small")
    with left:
        label = "Facts of both runs: of A, of B, and what differs"
        rows_list("compare_facts", table(label, compare_facts(seen), _FACTS))
        found = _changes(seen)
    if found:
        with right, st.container(border=True, key="compare_fields", gap="xsmall"):
            _fields(found[min(state.record(CompareState).change, len(found) - 1)])


def _changes(seen: RunComparison) -> list[WorkflowChange]:
    """Draw the changes between both workflow versions as a table, and return them.

    Where a version cannot be read, or nothing differs, a caption says so and nothing is returned.
    """
    missing = [
        f"{name}: {run.substitute_reason}"
        for name, run in (("A", seen.a), ("B", seen.b))
        if run.substitute_reason
    ]
    if missing:
        st.caption(plain(f"{' '.join(missing)} The versions can be compared when both can be read."))
        return []
    found = seen.structure
    if not found:
        st.caption("Both runs ran on the same workflow: no node, edge or setting differs.")
        return []
    label = "Nodes, edges and settings that differ between the versions, with the fields that changed"
    shown = table(label, list(enumerate(found)), _CHANGES, lambda change: [change[0]])
    chosen = min(state.record(CompareState).change, len(found) - 1)
    rows_list("compare_structure", shown, chosen=chosen, on_choose=actions.choose_change, fills=True)
    return found


def _fields(change: WorkflowChange) -> None:
    """Draw the name of a change and its fields; a change without fields is named as being in A or B only."""
    st.markdown(f"**{plain(change.name)}**")
    if not change.fields:
        st.caption(
            f"{plain(change.part)} {plain(change.id)} is in {'B' if change.op == 'added' else 'A'} only."
        )
        return
    difference_rows("compare_change_rows", change.fields)
