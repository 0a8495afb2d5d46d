"""The view of a session's run as of the cursor, computed once per revision.

The cursor is one event of the run, or none: then the run is followed live. Whatever a pane shows of a moment
it reads from here, so that no two panes show different moments.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, TypeVar

from debugger.analysis.chat import ChatMessage
from debugger.analysis.decisions import DecisionLog, Explainer
from debugger.analysis.position import Position
from debugger.analysis.run_moment import RunMoment, later_messages, moment_at
from debugger.analysis.run_projection import Projections
from debugger.analysis.side_effects import SideEffect
from debugger.analysis.thread_positions import InputHint, input_hint
from debugger.analysis.timeline import TimelineRow
from debugger.analysis.variable_history import Series, VariableHistory, Watch
from debugger.analysis.variables import Snapshots
from debugger.backends.base import TurnProgress
from debugger.backends.embedded.model_selection import find_script
from debugger.engine.super_nodes import expand
from debugger.errors import DebuggerError
from debugger.graph.graph import Graph
from debugger.protocol.runs import RunStatus
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow
from debugger.session.input_history import next_lines
from debugger.session.session import DebugSession
from debugger.settings import read_settings
from debugger.views import state
from debugger.views.backend_cache import BackendCache
from debugger.views.run_state import Cursor

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class RunView:
    """View of a session at one revision, as of its cursor.

    `turns`, `rows` and `messages` are always those of the whole run; `position` and `hint` are as of the
    cursor.
    """

    session: DebugSession
    turns: list[TurnLog]
    graph: Graph
    names: dict[str, str]
    """What people call the nodes of the graph, by id."""
    rows: list[TimelineRow]
    position: Position
    messages: list[ChatMessage]
    hint: InputHint
    effects: list[SideEffect]
    suggestions: list[str]
    """Lines that a user of this workflow could say next."""
    is_scripted: bool
    """Whether there are such lines for any moment of this workflow."""
    projections: Projections
    """All that was read out of the turns: steps and turns as rows, counts by type, by node and by thread."""
    event: int | None = None
    """The cursor: the index of an event in the run; ``None`` is live."""
    moment: RunMoment | None = None
    """The run as it was at the cursor; ``None`` where that is how it is now."""
    worked_out: dict[Hashable, Any] = field(default_factory=dict)
    """What panes made of this revision, see `memo`."""
    worked_out_here: dict[Hashable, Any] = field(default_factory=dict)
    """What panes made of this revision at this cursor, see `memo_here`."""

    def at(self, event: int | None) -> RunView:
        """Return this view as of an event of the run. Only a live view can be moved.

        At the last event, position and hint are those of now.

        Args:
            event: The index of an event in the run; ``None`` is live.
        """
        if event is None or event >= len(self.rows) - 1:
            return replace(self, event=event, worked_out_here={})
        moment = moment_at(self.projections, event, self.graph, self.names)
        return replace(
            self,
            event=event,
            moment=moment,
            position=moment.position,
            hint=moment.hint,
            worked_out_here={},
        )

    @property
    def is_past(self) -> bool:
        """Return whether events came after the cursor."""
        return self.moment is not None

    @property
    def last(self) -> int:
        """Return the index of the last event as of the cursor; -1 before any."""
        return len(self.rows) - 1 if self.event is None else self.event

    @property
    def turn_number(self) -> int:
        """Return the number of the turn at the cursor; 0 before the first."""
        if self.event is not None:
            return self.rows[self.event].turn_number
        return self.turns[-1].number if self.turns else 0

    @property
    def turns_then(self) -> list[TurnLog]:
        """Return the turns up to the cursor."""
        return self.moment.turns if self.moment is not None else self.turns

    @property
    def rows_then(self) -> list[TimelineRow]:
        """Return the events up to the cursor."""
        return self.rows[: self.last + 1]

    @property
    def status(self) -> RunStatus:
        """Return the run's status as of the cursor."""
        return self.moment.status if self.moment is not None else self.session.status

    @property
    def is_busy(self) -> bool:
        """Return whether a turn is under way, and on view."""
        return self.session.busy and self.moment is None

    @property
    def later_flags(self) -> list[bool]:
        """Return for each message whether it came after the cursor; false for all in a live view."""
        moment = self.moment
        if moment is None:
            return [False] * len(self.messages)
        return self.memo_here("later", lambda: later_messages(self.projections, moment.event))

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

    def memo_here(self, what: Hashable, work_out: Callable[[], Answer]) -> Answer:
        """Return a value computed once per revision and cursor.

        Args:
            what: Names it, with all that it depends on besides.
            work_out: Does the work.
        """
        if what not in self.worked_out_here:
            self.worked_out_here[what] = work_out()
        found: Answer = self.worked_out_here[what]
        return found


@dataclass
class ViewCache:
    """The view that was made last."""

    revision: Hashable = None
    live: RunView | None = None
    shown: RunView | None = None
    """The same as of the cursor."""
    history: RunHistory | None = None
    """The history of the run, see `run_history`."""


def run_view(session: DebugSession) -> RunView:
    """Return the view of a session at its current revision, as of the cursor.

    This tab holds the last view; it is made anew only where session, revision or cursor have changed. A
    cursor beyond the run counts as none, and stays set.
    """
    cache, revision = state.record(ViewCache), run_revision(session)
    if cache.live is None or cache.revision != revision:
        cache.revision, cache.live, cache.shown = revision, _read(session, session.turns), None
    event = state.record(Cursor).event
    if event is not None and not 0 <= event < len(cache.live.rows):
        event = None  # a turn that could not be run takes its events along
    if cache.shown is None or cache.shown.event != event:
        cache.shown = cache.live.at(event)
    return cache.shown


def forget_views() -> None:
    """Drop what this tab has in memory of runs."""
    cache = state.record(ViewCache)
    cache.revision = cache.live = cache.shown = cache.history = None


def run_revision(session: DebugSession) -> Hashable:
    """Return the revision of a session."""
    turns, events = len(session.turns), session.event_count
    return session, session.status, session.background.has_work, events, turns, session.ledger.reads


def session_state(session: DebugSession) -> Hashable:
    """Return what the panes show of a session, apart from computed values.

    It is equal as long as the panes can stay as they are drawn.
    """
    human_input, pace, record = session.human_input, session.background, session.sync
    forward, pending, progress = session.input_replay, session.pending, session.progress
    return (
        run_revision(session),
        session.run_id,
        (session.stop_point, len(session.stepping.missed_stops), human_input.pending),
        (human_input.asks_all, frozenset(human_input.nodes)),
        (repr(session.breakpoints.points), *map(id, session.mocks.all)),
        (pace.automatic, pace.halted, pace.retrying),
        (session.error, session.interrupted_turn, session.is_deleted, session.notice),
        (record.newer_turns, record.follows, record.revision and record.revision.turn_number),
        progress and (progress.phase, progress.message, seconds_left(progress)),
        pending and (id(pending), pending.checks),
        forward and (forward.done, forward.stopping, forward.is_running, forward.problem),
        session.playback and len(session.playback.segments),
    )


def seconds_left(progress: TurnProgress) -> int:
    """Return the seconds until the phase ends; 0 if unknown."""
    return max(round(progress.until - time.monotonic()), 0) if progress.until is not None else 0


def _read(session: DebugSession, turns: list[TurnLog]) -> RunView:
    """Return the live view of a session, read from its turns.

    A script that cannot be read gives no suggestions.
    """
    projections = session.index.read(turns)
    graph, names = session.index.graph, session.index.names
    effects = projections.side_effects.effects(session.ledger.recorded)
    conversations = scripted_conversations(session)
    longest = max(map(len, conversations), default=0)
    said = (turn.message for turn in turns if turn.message)
    return RunView(
        session=session,
        projections=projections,
        turns=projections.turns,
        graph=graph,
        names=names,
        rows=projections.timeline.rows,
        position=projections.position.position(session.status),
        messages=projections.chat.messages,
        effects=effects,
        suggestions=next_lines(conversations, list(islice(said, longest + 1))),
        is_scripted=bool(conversations),
        hint=input_hint(
            session.hint, session.status, has_background_work=session.background.has_work, names=names
        ),
    )


def scripted_conversations(session: DebugSession) -> list[tuple[str, ...]]:
    """Return the conversations of the workflow's script, that of a demo first.

    Empty without a script, and where scripts or settings cannot be read. The answer is cached for some
    seconds.
    """
    logical_id = session.workflow.config.logical_id
    try:
        script = state.record(BackendCache).ask(
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
        """Return the values of a watch over the run, up to date; a series is made once per watch text.

        The snapshots must be caught up before, as `run_history` does.
        """
        found = self.series.get(watch.text)
        if found is None:
            found = self.series[watch.text] = Series(watch, self.moments, self.workflow)
        return found.catch_up()


def run_history(view: RunView) -> RunHistory:
    """Return the history of the run on view, caught up with its turns.

    This tab holds one; it is made anew for another session.
    """
    cache = state.record(ViewCache)
    held = cache.history
    if held is None or held.session is not view.session:
        held = cache.history = _made(view)
    held.moments.catch_up(view.turns)
    held.history.catch_up()
    return held


def decisions(view: RunView) -> DecisionLog:
    """Return the decisions of the run on view."""
    return run_history(view).decisions.catch_up(view.turns)


def _made(view: RunView) -> RunHistory:
    """Return an empty history of the session of a view.

    Super nodes that cannot be expanded stay as they are.
    """
    workflow = view.session.workflow
    with suppress(DebuggerError):
        workflow = expand(workflow, view.session.backend.workflow).workflow
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
