"""Projections of a session's run, computed once per revision."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from debugger.analysis.chat import ChatMessage
from debugger.analysis.decisions import DecisionLog, Explainer
from debugger.analysis.position import Position
from debugger.analysis.run_projection import Projections
from debugger.analysis.side_effects import SideEffect, summary
from debugger.analysis.thread_positions import InputHint, input_hint
from debugger.analysis.timeline import TimelineRow
from debugger.analysis.variable_history import Series, VariableHistory, Watch, read_watch
from debugger.analysis.variables import Snapshots
from debugger.backends.base import TurnProgress
from debugger.backends.embedded.model_selection import find_script
from debugger.engine.super_nodes import expand
from debugger.errors import DebuggerError
from debugger.graph.graph import Graph
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow
from debugger.session.input_history import next_lines
from debugger.session.session import DebugSession
from debugger.settings import read_settings
from debugger.views import state

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class RunView:
    """View of a session at one revision."""

    session: DebugSession
    turns: list[TurnLog]
    graph: Graph
    names: dict[str, str]
    """What people call the nodes of the graph, by id."""
    rows: list[TimelineRow]
    position: Position
    bubbles: list[ChatMessage]
    hint: InputHint
    effects: list[SideEffect]
    outside: str
    """How many calls of each kind left for the world outside, in words."""
    suggestions: list[str]
    """Lines that a user of this workflow could say next."""
    is_scripted: bool
    """Whether there are such lines for any moment of this workflow."""
    projections: Projections
    """All that was read out of the turns: steps and turns as rows, counts by type, by node and by thread."""
    worked_out: dict[Hashable, Any] = field(default_factory=dict)
    """What panes made of this moment, see `once`."""

    def memo(self, what: Hashable, work_out: Callable[[], Answer]) -> Answer:
        """Return a value computed once per revision.

        Args:
            what: Names it, with all that it depends on besides the moment.
            work_out: Does the work.
        """
        if what not in self.worked_out:
            self.worked_out[what] = work_out()
        found: Answer = self.worked_out[what]
        return found


def run_view(session: DebugSession) -> RunView:
    """Return the view of a session at its current revision."""
    page = state.page()
    revision = run_revision(session)
    if page.reading is None or page.reading[0] != revision:
        page.reading = (revision, _read(session, session.turns))
    found: RunView = page.reading[1]
    return found


def run_revision(session: DebugSession) -> Hashable:
    """Return the revision of a session."""
    turns, events = len(session.turns), session.event_count
    return session, session.status, session.background.has_work, events, turns, session.ledger.reads


def seconds_left(progress: TurnProgress) -> int:
    """Return the seconds until the phase ends; 0 if unknown."""
    return max(round(progress.until - time.monotonic()), 0) if progress.until is not None else 0


def _read(session: DebugSession, turns: list[TurnLog]) -> RunView:
    projections = session.index.read(turns)
    graph, names = session.index.graph, session.index.names
    effects = projections.side_effects.effects(session.ledger.recorded)
    conversations = _conversations(session)
    return RunView(
        session=session,
        projections=projections,
        turns=projections.turns,
        graph=graph,
        names=names,
        rows=projections.timeline.rows,
        position=projections.position.position(session.status),
        bubbles=projections.chat.messages,
        effects=effects,
        outside=summary(effects),
        suggestions=next_lines(conversations, _said(turns, max(map(len, conversations), default=0))),
        is_scripted=bool(conversations),
        hint=input_hint(
            session.hint, session.status, has_background_work=session.background.has_work, names=names
        ),
    )


def _said(turns: Sequence[TurnLog], most: int) -> list[str]:
    return list(islice((turn.message for turn in turns if turn.message), most + 1))


def _conversations(session: DebugSession) -> list[tuple[str, ...]]:
    logical_id = session.workflow.config.logical_id
    try:
        script = state.page().answers.ask(
            ("script", logical_id), lambda: find_script(logical_id, read_settings().scripts_folder)
        )
    except DebuggerError:
        return []  # the code that runs the script tells what is wrong with it
    return [script.demo, *script.alternatives.values()] if script else []


@dataclass
class RunHistory:
    """History of one session's run."""

    session: DebugSession
    workflow: Workflow
    """What runs: with its super nodes expanded, where they can be had."""
    moments: Snapshots
    history: VariableHistory
    decisions: DecisionLog
    explainer: Explainer
    series: dict[str, Series] = field(default_factory=dict)
    """By the text of the watch."""

    def series_of(self, watch: Watch) -> Series:
        """Return the values of a watch over the run."""
        found = self.series.get(watch.text)
        if found is None:
            found = self.series[watch.text] = Series(watch, self.moments, self.workflow)
        return found.catch_up()


def run_history(view: RunView) -> RunHistory:
    """Return the history of the run on view."""
    page = state.page()
    held = page.past
    if not isinstance(held, RunHistory) or held.session is not view.session:
        held = page.past = _made(view)
    held.moments.catch_up(view.turns)
    held.history.catch_up()
    return held


def decisions(view: RunView) -> DecisionLog:
    """Return the decisions of the run on view."""
    return run_history(view).decisions.catch_up(view.turns)


def watches() -> list[Watch]:
    """Return the watched expressions."""
    return [read_watch(text) for text in state.page().watches]


def _made(view: RunView) -> RunHistory:
    workflow = _running(view.session)
    graph = view.graph if workflow is view.session.workflow else Graph(workflow)
    moments = view.session.index.variables()
    return RunHistory(
        session=view.session,
        workflow=workflow,
        moments=moments,
        history=VariableHistory(moments),
        decisions=DecisionLog(graph),
        explainer=Explainer(graph, moments, view.names),
    )


def _running(session: DebugSession) -> Workflow:
    try:
        return expand(session.workflow, session.backend.workflow).workflow
    except DebuggerError:
        return session.workflow
