"""Expectations of the opened scenario, turn by turn, with their results."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from debugger.scenarios.opening import OpenedScenario, TurnChecks
from debugger.scenarios.results import CheckResult
from debugger.session.session import DebugSession
from debugger.views import actions, refresh
from debugger.views.components.markdown import count, plain
from debugger.views.components.rows import Cell, Column, Row, rows_list
from debugger.views.components.rows import Table as Rows
from debugger.views.components.toolbar import Badge, Button, Item, Text
from debugger.views.panels.scenarios.open import send_turns, show_failure
from debugger.views.panels.scenarios.record import SCENARIO_VIEW, scenario_of
from debugger.views.run_view import RunView

_FAILED = ("failed", "red")


def scenario_views(session: DebugSession) -> tuple[str, ...]:
    """Return the additional views of the lower pane for a scenario's session."""
    return (SCENARIO_VIEW,) if scenario_of(session) is not None else ()


def scenario_line(view: RunView) -> list[Item]:
    """Return result and buttons of the scenario, for the line of the pane; empty for a session without one.

    The button to the first failure is there only with one; those that send turns are disabled during a turn,
    after the end of the run, and once all turns are sent.
    """
    opened = scenario_of(view.session)
    if opened is None:
        return []
    checks = [check for turn in opened.checks() for check in turn.checks]
    failed = sum(check.is_failure for check in checks)
    total, sent = len(opened.case.turns), opened.sent
    result = (
        Badge(f"{failed} failed", ":material/cancel:", "red", is_status=True)
        if failed
        else Badge(f"{len(checks)} passed", ":material/check_circle:", "green", is_status=True)
    )
    no_turn = view.session.busy or view.session.is_over or sent >= total
    send = refresh.refreshing("workbench", send_turns)
    show = Button(
        "scenario_failure",
        "Show",
        refresh.refreshing("workbench", show_failure),
        icon=":material/my_location:",
        help="Move the cursor to the first expectation that failed",
        shows="icon where narrow",
    )
    return [
        result,
        *([show] if failed else []),
        Button(
            "scenario_next",
            "Next turn",
            send,
            (sent + 1,),
            ":material/send:",
            disabled=no_turn,
            help=f"Send the scenario's next turn; {sent} of {total} are sent",
            shows="icon where narrow",
        ),
        Button(
            "scenario_rest",
            "Other turns",
            send,
            (total,),
            ":material/fast_forward:",
            disabled=no_turn,
            help="Send the scenario's other turns, up to one that fails",
            shows="icon where narrow",
        ),
        Text(f"{sent} of {total} turns sent", yields=True),
    ]


def scenario_checks(view: RunView) -> None:
    """Draw the expectations of the scenario; a chosen one moves the cursor to its event.

    Above them are errors of turns, and why the expectation at the cursor failed. Nothing for a session
    without a scenario.
    """
    opened = scenario_of(view.session)
    if opened is None:
        return
    turns = opened.checks()
    for turn in turns:
        if turn.error and turn.is_over:
            st.error(plain(f"Turn {turn.number}: {turn.error}"), icon=":material/error:")
    shown = _table(opened, turns)
    event = str(view.event)
    here = (at for at, row in enumerate(shown.rows) if row.target and str(row.target).split()[0] == event)
    if view.event is not None:
        failed = (check for turn in turns for check in turn.checks if not check.passed)
        own = next((check for check in failed if check.event == view.event), None)
        if own is not None:
            st.caption(f":red[{plain(own.text[:1].upper() + own.text[1:])}.]")
            if own.why:
                st.caption(f"Why: {plain(own.why)}")
    rows_list(
        "scenario_checks",
        shown,
        chosen=next(here, None),
        near=next((at for at, row in enumerate(shown.rows) if row.cells[0] == _FAILED), None),
        on_choose=refresh.refreshing("workbench", _choose),
        fills=True,
        page=id(opened),
    )


def _choose(target: str | None) -> None:
    actions.select_event(None if target is None else int(target.partition(" ")[0]))


def _table(opened: OpenedScenario, turns: Sequence[TurnChecks]) -> Rows:
    """Return the expectations under a heading for each turn and the end, with their results.

    Those of a turn that is not over are one row, "not yet". The column "Got" is there only where a check did
    not pass.
    """
    columns = [
        Column("result", "Result", 84, "chip"),
        Column("expected", "Expected", 220, grows=True),
    ]
    if any(not check.passed for turn in turns for check in turn.checks):
        columns.append(Column("got", "Got", 220, grows=True))
    rows: list[Row] = []
    for turn in turns:
        title = "At the end" if turn.number is None else f"Turn {turn.number}: {turn.words}"
        rows.append(Row([title], is_heading=True))
        for place, check in enumerate(turn.checks, start=len(rows)):
            target = None if check.event is None else f"{check.event} {place}"
            rows.append(Row(_cells(check)[: len(columns)], target))
        if not turn.is_over:
            left = len(opened.case.turns[turn.number - 1].expect) if turn.number else len(opened.case.expect)
            words = turn.error or count(left, "expectation")
            cells: list[Cell] = [("not yet", "gray"), words, ""]
            rows.append(Row(cells[: len(columns)]))
    return Rows(columns, rows, "Expectations of the scenario by turn, with their results")


def _cells(check: CheckResult) -> Sequence[Cell]:
    chip = ("passed", "green") if check.passed else _FAILED if check.is_failure else ("warning", "orange")
    return [chip, f"{check.lead}{check.expected}", "" if check.passed else check.got]
