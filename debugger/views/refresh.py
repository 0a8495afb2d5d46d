"""Panes of the debug page, and which are redrawn after a change.

Each pane is a fragment: a control in it draws only that pane again. It is drawn with a function, declared
beside its panels, that returns what they show and another pane can change. When that differs from what the
pane was drawn with, the pane is stale, and no run of the page ends with a stale pane on view.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Literal, ParamSpec

import streamlit as st

from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import actions, navigation, state
from debugger.views.address_bar import DebugBar
from debugger.views.auth.permissions import may
from debugger.views.components.error_box import show_unexpected_errors
from debugger.views.problem_report import follow_log
from debugger.views.run_state import CurrentRun, Cursor
from debugger.views.run_view import RunView, run_view
from debugger.views.streamlit_patches import fragment_ids

Arguments = ParamSpec("Arguments")

_POLL_SECONDS = 0.1
_BACKGROUND_POLL_SECONDS = 0.5
_LOCAL_POLL_SECONDS, _REMOTE_POLL_SECONDS = 2.0, 5.0
"""How often a run at rest is looked at; the session itself decides when it reads the record."""
_UNFINISHED = object()
"""Content of a pane that is being drawn: nothing that can be relied on."""

Dependencies = Callable[[DebugSession], Hashable]
"""Returns what a pane shows of a session and of the state of the tab."""

PaneName = Literal["page", "head", "workbench", "bar", "setup", "graph", "look"]
"""``page`` is everything: ``head``, which names the run, and ``workbench``, which shows it. The others are in
that one, and are drawn again with it; ``look`` is inspector and lower pane."""


@dataclass(eq=False)
class Pane:
    """One pane of the page, drawn as a fragment."""

    name: PaneName
    what: Callable[[RunView], None]
    """Draws what is in it."""
    depends_on: Dependencies
    """What it shows; within the workbench, besides what that shows."""
    every: float | None = None
    """Seconds after which it is looked at again by itself."""
    content: Hashable = _UNFINISHED
    """What it showed when it was drawn last."""

    @property
    def is_outer(self) -> bool:
        """Return whether it is not in the workbench."""
        return self.name in ("page", "head", "workbench")

    def shows(self, session: DebugSession) -> Hashable:
        """Return what it would show now."""
        return self.depends_on(session)

    def is_stale(self, session: DebugSession) -> bool:
        """Return whether it shows what is no longer so."""
        return self.content != self.shows(session)

    def draw(self) -> None:
        """Draw it, in a container of its own that the page run draws.

        Without it, a poll that begins before the page run has been sent makes Streamlit 1.67 drop the pane,
        and the next pane takes its place in the browser, where the poll then overwrites it.
        """

        def drawn() -> None:
            """Draw the content as the body of the fragment."""
            is_last = _enter(is_inline)
            session = _follow()
            self._draw_anew(session, is_last)
            if is_last:
                state.forget_callback_values()

        # Streamlit knows a fragment by its name: one that is looked at by itself has to end when it is not.
        drawn.__qualname__ = f"{self.name} by itself" if self.every else self.name
        is_inline = True
        try:
            with st.container(key=f"{self.name}_pane"):
                st.fragment(drawn, key=self.name, run_every=self.every)()
        finally:
            is_inline = False

    def _draw_anew(self, session: DebugSession, is_last: bool) -> None:
        """Draw the content and make the address bar name what the page shows.

        In the last fragment of a run, another stale pane makes the whole page rerun instead. Within the
        workbench the address bar is left alone. An exception of the content is drawn as an error.
        """
        if is_last and any(pane.name != self.name for pane in _stale(session)):
            st.rerun()
        with self._noted(session), show_unexpected_errors(f"The pane {self.name}"):
            self.what(run_view(session))
        if not state.record(RedrawState).draws_workbench:
            state.record(DebugBar).show(navigation.current_address())

    @contextmanager
    def _noted(self, session: DebugSession) -> Iterator[None]:
        """Register the pane as drawn, and keep what it shows at the begin of the block once that has ended.

        After an exception in the block the pane stays unfinished.
        """
        state.record(RedrawState).drawn[self.name] = self
        self.content = _UNFINISHED
        content = self.shows(session)
        yield
        self.content = content


class Workbench(Pane):
    """All panes that follow the run, in one: following it then leaves the rest of the page alone."""

    def shows(self, session: DebugSession) -> Hashable:
        """Return what all of them would show now, and how often they would be looked at."""
        return super().shows(session), poll_seconds(session)

    def _draw_anew(self, session: DebugSession, is_last: bool) -> None:
        """Draw all panes of the workbench, and make the address bar name what the page shows.

        In the last fragment of a run the page reruns where a pane is stale then. An exception of the content
        is drawn as an error.
        """
        redraw = state.record(RedrawState)
        redraw.drawn = {name: pane for name, pane in redraw.drawn.items() if pane.is_outer}
        redraw.polled_every = poll_seconds(session)
        redraw.draws_workbench = True
        try:
            with self._noted(session), show_unexpected_errors("The page"):
                self.what(run_view(session))
        finally:
            redraw.draws_workbench = False
        state.record(DebugBar).show(navigation.current_address())
        if is_last:
            _run_again_where_stale(session)


@dataclass
class RedrawState:
    """State of the drawn panes, and of the fragments under way."""

    drawn: dict[PaneName, Pane] = field(default_factory=dict)
    """The panes on view."""
    draws_workbench: bool = False
    """Whether panes are drawn as parts of the workbench, and not by themselves."""
    fragments: list[str] | None = None
    """The last run of fragments."""
    fragments_left: int = 0
    """The number of those that have not been started."""
    polled_every: float | None = None
    """Seconds after which what is drawn now is looked at again by itself."""


def begin() -> None:
    """Mark all panes as unfinished as a page run begins.

    Values that callbacks have set are given to their widgets once more.
    """
    state.replay_widget_values()
    redraw = state.record(RedrawState)
    for pane in redraw.drawn.values():
        pane.content = _UNFINISHED


def end(depends_on: Dependencies) -> None:
    """End a page run: forget panes that it has not drawn, and the values of callbacks.

    Panes that have become stale meanwhile are drawn again.

    Args:
        depends_on: What the page itself shows.
    """
    redraw, session = state.record(RedrawState), state.record(CurrentRun).session
    redraw.drawn = {name: pane for name, pane in redraw.drawn.items() if pane.content is not _UNFINISHED}
    if session is not None:
        page = redraw.drawn["page"] = Pane("page", _draw_nothing, depends_on)
        page.content = depends_on(session)
        _run_again_where_stale(session)
    state.forget_callback_values()


def poll_seconds(session: DebugSession) -> float | None:
    """Return the seconds after which a session is looked at again; ``None`` when nothing can happen.

    That is while it is paused or waits for a human's input, and, unless it executes or loads something,
    before it has begun, once it is over, while it is opened, and on a backend that runs no turns.
    """
    if session.stop_point is not None or session.human_input.pending is not None:
        return None
    if session.busy or session.sync.is_loading:
        return _POLL_SECONDS
    if session.background.continues or session.is_stepping or session.pending is not None:
        return _BACKGROUND_POLL_SECONDS
    is_fixed = session.run_id is None or session.is_over or session.turns_to_load
    if is_fixed or session.backend.capabilities.reason_against("run_turns") is not None:
        return None
    return _LOCAL_POLL_SECONDS if session.backend.notes is not None else _REMOTE_POLL_SECONDS


def refreshing(own: PaneName, do: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Let one rerun of the stale panes follow a callback.

    Any other callback is followed by a rerun of its own pane or, where another is stale, of the whole page.

    Args:
        own: The pane whose control it is.
        do: The callback.
    """

    @wraps(do)
    def done(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        """Call it; then rerun the stale panes, unless the whole page is drawn anyway."""
        do(*args, **kwargs)
        session = state.record(CurrentRun).session
        if session is not None and fragment_ids() != []:  # else the whole page is drawn anyway
            actions.collect_finished_turn()
            _redraw(own, _stale(session))

    return done


def _redraw(own: PaneName, stale: list[Pane]) -> None:
    """Rerun the stale panes, or the whole page where that is stale.

    Does nothing if none is stale, or if only the pane is whose own rerun follows by itself. Where the
    workbench is stale, the panes in it are left to it.
    """
    names = [pane.name for pane in stale]
    if "workbench" in names:
        names = [pane.name for pane in stale if pane.is_outer]
    if "page" in names:
        st.rerun()
    if names and names != [own]:  # a pane's own rerun follows by itself, at less cost
        st.rerun(names)


def _follow() -> DebugSession:
    """Return the session on view after what has changed in it was taken in.

    Without a session the page reruns. Ended turns are collected, and the session is polled, or for a user
    with the role run ticked, which executes background work. A cursor beyond the run's end is removed. Within
    the workbench none of this is done again.
    """
    cursor = state.record(Cursor)
    session = state.record(CurrentRun).session
    if session is None:
        st.rerun()  # what was on view has been left
    if state.record(RedrawState).draws_workbench:
        return session  # once is enough, and a drawn box takes no value any more
    actions.collect_finished_turn()
    if may(Role.RUN):
        session.tick()
    else:
        session.poll()  # a tick would execute the background work of a session that another user shares
    if cursor.event is not None and run_view(session).event is None:
        cursor.event = None  # a turn that could not be run takes its events along
    return session


def _run_again_where_stale(session: DebugSession) -> None:
    polled = state.record(RedrawState).polled_every
    if _stale(session) and (polled is None or polled != poll_seconds(session)):
        st.rerun()


def _stale(session: DebugSession) -> list[Pane]:
    return [pane for pane in state.record(RedrawState).drawn.values() if pane.is_stale(session)]


def _draw_nothing(view: RunView) -> None:
    """Draw nothing: the page is drawn by its script."""


def _enter(is_inline: bool) -> bool:
    """Begin a fragment; return whether it is the last of its run.

    Args:
        is_inline: Whether it is drawn as part of the page or of another fragment.
    """
    redraw = state.record(RedrawState)
    follow_log()
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
