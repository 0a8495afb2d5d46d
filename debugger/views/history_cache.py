"""What is kept of the run on view from look to look, so that its past can be asked about at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from debugger.analysis.decisions import DecisionLog, Explainer
from debugger.analysis.variable_history import Series, VariableHistory, Watch, read_watch
from debugger.analysis.variables import Snapshots
from debugger.engine.super_nodes import expand
from debugger.errors import DebuggerError
from debugger.graph.graph import Graph
from debugger.protocol.workflow import Workflow
from debugger.session.session import DebugSession
from debugger.views import state
from debugger.views.run_view import Reading


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
    held.moments.follow(now.turns)
    held.history.catch_up()
    return held


def decisions(now: Reading) -> DecisionLog:
    """The decisions of the run on view, as far as the run has come."""
    return past(now).decisions.follow(now.turns)


def watches() -> list[Watch]:
    """What the person watches; what was read once can be read again."""
    return [read_watch(text) for text in state.page().watches]


def _made(now: Reading) -> Past:
    workflow = _running(now.session)
    graph = now.graph if workflow is now.session.workflow else Graph(workflow)
    moments = now.session.index.moments()
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
