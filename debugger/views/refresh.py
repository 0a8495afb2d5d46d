"""Panes of the debug page, and which are redrawn after a change.

Each pane is a fragment: a control in it draws only that pane again. What a pane shows that can be changed
from elsewhere is named here. A pane that shows another thing than when it was drawn is stale, and no run of
the page ends with a stale pane on view.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Literal, ParamSpec

import streamlit as st

from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import actions, navigation, state
from debugger.views.auth.permissions import may
from debugger.views.confirmations import OpenQuestions
from debugger.views.navigation import ViewMode
from debugger.views.panels.fork_actions import ForkState
from debugger.views.run_state import CurrentRun, Cursor
from debugger.views.run_view import RunView, WatchList, run_revision, run_view, seconds_left
from debugger.views.selection import Selection
from debugger.views.shortcuts import ShortcutState
from debugger.views.state import Editors, LastAction
from debugger.views.streamlit_patches.fragment_ids import fragment_ids

Arguments = ParamSpec("Arguments")

_POLL_SECONDS = 0.1
_BACKGROUND_POLL_SECONDS = 0.5
_LOCAL_POLL_SECONDS, _REMOTE_POLL_SECONDS = 2.0, 5.0
"""How often a run at rest is looked at; the session itself decides when it reads the record."""
_FIRST_SHOWN = {state.TAB_KEY: "State", state.LOWER_KEY: "Timeline", state.GRAPH_VIEW_KEY: "Graph"}
"""What the switches within the panes begin with."""
_UNFINISHED = object()
"""What a pane shows while it is being drawn: nothing that can be relied on."""

Pane = Literal["page", "head", "workbench", "bar", "setup", "graph", "look"]
"""``page`` is everything: ``head``, which names the run, and ``workbench``, which shows it. The others are in
that one; ``look`` is inspector and lower pane."""


@dataclass
class RedrawState:
    """State of the panes that are drawn, and of the fragments that are under way."""

    drawn: dict[Pane, Any] = field(default_factory=dict)
    """The content with which each pane on view was drawn."""
    draws_workbench: bool = False
    """Whether panes are drawn as parts of the workbench, and not by themselves."""
    fragments: list[str] | None = None
    """The last run of fragments."""
    fragments_left: int = 0
    """The number of those that have not been started."""
    polled_every: float | None = None
    """Seconds after which what is drawn now is looked at again by itself."""


def begin() -> None:
    """Mark all panes as unfinished as a page run begins."""
    state.replay_widget_values()
    drawn = state.record(RedrawState).drawn
    drawn.update(dict.fromkeys(drawn, _UNFINISHED))


def end() -> None:
    """Forget panes that the page run has not drawn."""
    redraw, session = state.record(RedrawState), state.record(CurrentRun).session
    redraw.drawn = {name: shown for name, shown in redraw.drawn.items() if shown is not _UNFINISHED}
    if session is not None:
        redraw.drawn["page"] = _fingerprint("page", session)
        _run_again_where_stale(session)
    state.forget_callback_values()


def poll_seconds(session: DebugSession) -> float | None:
    """Return the poll interval; ``None`` when nothing can happen."""
    if session.stop_point is not None or session.human_input.pending is not None:
        return None
    if session.busy:
        return _POLL_SECONDS
    if session.is_loading:
        return _POLL_SECONDS
    if session.background.continues or session.is_stepping or session.pending is not None:
        return _BACKGROUND_POLL_SECONDS
    return _record_poll_seconds(session)


def _record_poll_seconds(session: DebugSession) -> float | None:
    if session.run_id is None or session.is_over or session.turns_to_load:
        return None
    if session.backend.capabilities.reason_against("run_turns") is not None:
        return None
    return _LOCAL_POLL_SECONDS if session.backend.notebook is not None else _REMOTE_POLL_SECONDS


def draw(name: Pane, what: Callable[[RunView], None], *, every: float | None = None) -> None:
    """Draw a pane as a fragment.

    The pane has a container of its own that the page run draws. Without it, a poll that begins before the
    page run has been sent makes Streamlit 1.67 drop the pane, and the next pane takes its place in the
    browser, where the poll then overwrites it.

    Args:
        name: The pane.
        what: Draws it.
        every: Seconds after which it is looked at again by itself.
    """

    def drawn() -> None:
        is_last = _enter(is_inline)
        session = _follow()
        if is_last and any(stale != name for stale in _stale(session)):
            st.rerun()
        with _noted(name, session):
            what(run_view(session))
        state.show_address(navigation.current_address())
        if is_last:
            state.forget_callback_values()

    # Streamlit knows a fragment by its name: one that is looked at by itself has to end when it is not.
    drawn.__qualname__ = f"{name} by itself" if every else name
    is_inline = True
    try:
        with st.container(key=f"{name}_pane"):
            st.fragment(drawn, key=name, run_every=every)()
    finally:
        is_inline = False


def draw_workbench(what: Callable[[DebugSession], None]) -> None:
    """Draw all panes that follow the run as one fragment.

    Following the run then leaves the rest of the page alone.

    Args:
        what: Draws the panes.
    """

    def drawn() -> None:
        redraw = state.record(RedrawState)
        is_last = _enter(is_inline)
        session = _follow()
        for key, value in _FIRST_SHOWN.items():
            state.begin_widget(key, value)
        redraw.polled_every = poll_seconds(session)
        redraw.draws_workbench = True
        try:
            with _noted("workbench", session):
                what(session)
        finally:
            redraw.draws_workbench = False
        state.show_address(navigation.current_address())
        if is_last:
            _run_again_where_stale(session)
            state.forget_callback_values()

    drawn.__qualname__ = "workbench"
    is_inline = True
    try:
        with st.container(key="workbench_pane"):
            st.fragment(drawn, key="workbench")()
    finally:
        is_inline = False


def refreshing(own: Pane, do: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Let one rerun of the stale panes follow a callback.

    Any other callback is followed by a rerun of its own pane or, where another is stale, of the whole page.

    Args:
        own: The pane whose control it is.
        do: The callback.
    """

    @wraps(do)
    def done(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        do(*args, **kwargs)
        session = state.record(CurrentRun).session
        if session is not None and fragment_ids() != []:  # else the whole page is drawn anyway
            actions.take_in_turn()
            _redraw(own, _stale(session))

    return done


def _redraw(own: Pane, stale: list[Pane]) -> None:
    if "workbench" in stale:
        stale = [name for name in stale if name in ("page", "head", "workbench")]
    if "page" in stale:
        st.rerun()
    if stale and stale != [own]:  # a pane's own rerun follows by itself, at less cost
        st.rerun(stale)


def _follow() -> DebugSession:
    cursor = state.record(Cursor)
    session = state.record(CurrentRun).session
    if session is None:
        st.rerun()  # what was on view has been left
    if state.record(RedrawState).draws_workbench:
        return session  # once is enough, and a drawn box takes no value any more
    actions.take_in_turn()
    if may(Role.RUN):
        session.tick()
    else:
        session.poll()  # a tick would execute the background work of a session that another user shares
    if cursor.event is not None and run_view(session).event is None:
        cursor.event = None  # a turn that could not be run takes its events along
    return session


@contextmanager
def _noted(name: Pane, session: DebugSession) -> Iterator[None]:
    drawn = state.record(RedrawState).drawn
    drawn[name] = _UNFINISHED
    shown = _fingerprint(name, session)
    yield
    drawn[name] = shown


def _run_again_where_stale(session: DebugSession) -> None:
    polled = state.record(RedrawState).polled_every
    if _stale(session) and (polled is None or polled != poll_seconds(session)):
        st.rerun()


def _stale(session: DebugSession) -> list[Pane]:
    drawn = state.record(RedrawState).drawn
    return [name for name, shown in drawn.items() if shown != _fingerprint(name, session)]


def _fingerprint(name: Pane, session: DebugSession) -> Hashable:
    if name == "page":
        questions = state.record(OpenQuestions)
        return session, state.record(ViewMode).is_demo, questions.production, questions.python
    if name == "head":
        return session, session.run_id, session.status == "not_started", bool(session.turns), session.busy
    if name == "setup":
        is_next = (
            session.run_id is not None and not session.is_over and state.widget(state.INPUT_KEY) != "Restart"
        )
        # What a run is started with can be taken from the turns of the run on view.
        return session, is_next, state.record(Editors).generation, None if is_next else run_revision(session)
    run, event, selection = _run(session), state.record(Cursor).event, state.record(Selection)
    if name == "workbench":  # the cursor moves all that it shows
        return run, poll_seconds(session), state.widget(state.GRAPH_VIEW_KEY), event
    if name == "bar":
        steps = session.stepping.pending, session.stepping.is_pausing, session.background.continues
        forking = state.record(ForkState)
        return run, event, session.is_stepping, steps, id(forking.draft), forking.shows_tree
    if name == "graph":
        return run, event, selection.node, selection.edge
    switches = state.widget(state.TAB_KEY), state.widget(state.LOWER_KEY)
    return run, event, selection.node, selection.edge, switches, *state.record(WatchList).texts


def _run(session: DebugSession) -> Hashable:
    gate, human_input, pace, forward = (
        session.stepping,
        session.human_input,
        session.background,
        session.input_replay,
    )
    return (
        run_revision(session),
        session.run_id,
        (
            session.stop_point,
            len(gate.missed_stops),
            human_input.pending,
            human_input.asks_all,
            frozenset(human_input.nodes),
        ),
        (repr(session.breakpoints.points), *map(id, session.mocks.all)),
        (pace.automatic, pace.halted),
        (
            session.error,
            state.record(LastAction).error,
            session.interrupted_turn,
            state.record(ShortcutState).has_plain_keys,
            state.record(Editors).generation,
        ),
        _record_state(session),
        forward and (forward.done, forward.stopping, forward.is_running, forward.problem),
    )


def _record_state(session: DebugSession) -> Hashable:
    progress, revision, pending = session.progress, session.revision, session.pending
    left = seconds_left(progress) if progress else None
    executing = revision.turn_number if revision else None
    return (
        progress and (progress.phase, progress.message, left),
        (session.newer_turns, executing, session.follows, session.is_deleted, session.notice),
        pending and (id(pending), pending.checks),
    )


def _enter(is_inline: bool) -> bool:
    """Begin a fragment; return whether it is the last one of a run of fragments.

    Args:
        is_inline: Whether it is drawn as part of the page or of another fragment.
    """
    redraw = state.record(RedrawState)
    if is_inline or redraw.draws_workbench:
        return False
    fragments = fragment_ids()
    if fragments is None:  # each is taken for the last one: then a stale pane lets the whole page be drawn
        state.replay_widget_values()
        return True
    if redraw.fragments is not fragments:
        redraw.fragments, redraw.fragments_left = fragments, len(fragments)
        state.replay_widget_values()
    redraw.fragments_left -= 1
    return redraw.fragments_left <= 0
