"""What a session's turns tell, worked out once for all panes and again only when something has happened."""

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
from debugger.graph.layout import Layout, layout
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow
from debugger.session.input_history import next_lines
from debugger.session.session import DebugSession
from debugger.settings import read_settings
from debugger.views import state

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Reading:
    """One moment of a session."""

    session: DebugSession
    turns: list[TurnLog]
    graph: Graph
    names: dict[str, str]
    """What people call the nodes of the graph, by id."""
    layout: Layout
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
    told: Projections
    """All that was read out of the turns: steps and turns as rows, counts by type, by node and by thread."""
    worked_out: dict[Hashable, Any] = field(default_factory=dict)
    """What panes made of this moment, see `once`."""

    def once(self, what: Hashable, work_out: Callable[[], Answer]) -> Answer:
        """Work something out of this moment, or give what was worked out before.

        Args:
            what: Names it, with all that it depends on besides the moment.
            work_out: Does the work.
        """
        if what not in self.worked_out:
            self.worked_out[what] = work_out()
        found: Answer = self.worked_out[what]
        return found


def reading(session: DebugSession) -> Reading:
    """Read a session as it stands now."""
    page = state.page()
    stands = moment(session)
    if page.reading is None or page.reading[0] != stands:
        page.reading = (stands, _read(session, session.turns))
    found: Reading = page.reading[1]
    return found


def moment(session: DebugSession) -> Hashable:
    """What tells a moment of a session from others."""
    turns, events = len(session.turns), session.event_count
    return session, session.status, session.background.has_work, events, turns, session.ledger.reads


def seconds_left(progress: TurnProgress) -> int:
    """Return the whole seconds until the phase ends at the latest; 0 where that is not known."""
    return max(round(progress.until - time.monotonic()), 0) if progress.until is not None else 0


def _read(session: DebugSession, turns: list[TurnLog]) -> Reading:
    told = session.index.read(turns)
    graph, names = session.index.graph, session.index.names
    effects = told.side_effects.effects(session.ledger.recorded)
    conversations = _conversations(session)
    return Reading(
        session=session,
        told=told,
        turns=told.turns,
        graph=graph,
        names=names,
        layout=layout(graph),
        rows=told.timeline.rows,
        position=told.position.position(session.status),
        bubbles=told.chat.messages,
        effects=effects,
        outside=summary(effects),
        suggestions=next_lines(conversations, _said(turns, max(map(len, conversations), default=0))),
        is_scripted=bool(conversations),
        hint=input_hint(
            session.hint, session.status, has_background_work=session.background.has_work, names=names
        ),
    )


def _said(turns: Sequence[TurnLog], most: int) -> list[str]:
    """The user's lines; of a talk that is longer than any known one only a line more than that has."""
    return list(islice((turn.message for turn in turns if turn.message), most + 1))


def _conversations(session: DebugSession) -> list[tuple[str, ...]]:
    """The lines that the workflow's script says it is good at."""
    logical_id = session.workflow.config.logical_id
    try:
        script = state.page().answers.ask(
            ("script", logical_id), lambda: find_script(logical_id, read_settings().scripts_folder)
        )
    except DebuggerError:
        return []  # whoever runs the script tells what is wrong with it
    return [script.demo, *script.alternatives.values()] if script else []


@dataclass
class Past:
    """The past of one session's run."""

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
        """The values of a watch over the run."""
        found = self.series.get(watch.text)
        if found is None:
            found = self.series[watch.text] = Series(watch, self.moments, self.workflow)
        return found.catch_up()


def past(now: Reading) -> Past:
    """The past of the run on view, as far as the run has come."""
    page = state.page()
    held = page.past
    if not isinstance(held, Past) or held.session is not now.session:
        held = page.past = _made(now)
    held.moments.catch_up(now.turns)
    held.history.catch_up()
    return held


def decisions(now: Reading) -> DecisionLog:
    """The decisions of the run on view, as far as the run has come."""
    return past(now).decisions.catch_up(now.turns)


def watches() -> list[Watch]:
    """What the person watches; what was read once can be read again."""
    return [read_watch(text) for text in state.page().watches]


def _made(now: Reading) -> Past:
    workflow = _running(now.session)
    graph = now.graph if workflow is now.session.workflow else Graph(workflow)
    moments = now.session.index.variables()
    return Past(
        session=now.session,
        workflow=workflow,
        moments=moments,
        history=VariableHistory(moments),
        decisions=DecisionLog(graph),
        explainer=Explainer(graph, moments, now.names),
    )


def _running(session: DebugSession) -> Workflow:
    """The workflow with its super nodes expanded; as its author wrote it where one cannot be had."""
    try:
        return expand(session.workflow, session.backend.workflow).workflow
    except DebuggerError:
        return session.workflow
