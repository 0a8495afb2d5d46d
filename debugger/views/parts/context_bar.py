"""The bar above everything: what is on view, how it stands, and what can be done with the run."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.transcript import RunFacts, TranscriptRow, transcript
from debugger.exports import EXPORTS
from debugger.session.session import DebugSession
from debugger.views import commands, state
from debugger.views.parts.background import background
from debugger.views.parts.lineage import lineage
from debugger.views.parts.plain import plain
from debugger.views.parts.policies import policies_of
from debugger.views.parts.status import status_badge
from debugger.views.parts.turn_actions import turn_actions
from debugger.views.reading import Reading


def context_bar(now: Reading) -> None:
    """Draw the bar of a session."""
    session = now.session
    with st.container(gap="xxsmall", key="context_bar"):
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f"**{plain(session.workflow.name)}**", width="content")
            if session.version_number is not None:
                st.badge(f"v{session.version_number}", color="gray")
            st.badge(plain(session.backend.name), icon=_icon(), color="gray")
            status_badge(_shown_status(session))
            st.space("stretch")
            _actions(session)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="run_line"):
            _run(session)
            turn_actions(now)
            lineage(now)
            _outside(now)
            background(now)


def _shown_status(session: DebugSession) -> str:
    """The status, where a run whose user is done is told from a turn under way."""
    if session.stop_point is not None:
        return "paused"
    is_left_to_itself = session.status == "running" and not session.busy
    return "background" if is_left_to_itself else session.status


def _icon() -> str:
    return ":material/memory:" if state.page().backend_name == "embedded" else ":material/cloud:"


def _run(session: DebugSession) -> None:
    if session.run_id:
        st.caption("Run", width="content")
        st.code(session.run_id, language=None, width=232)
    elif not session.turns:
        st.caption("No run yet: fill in the input on the left, then start.", width="content")
    if session.turns:
        st.caption(f"Turn {session.turns[-1].number}", width="content")
    if session.elapsed:
        st.caption(_duration(session.elapsed), width="content")
    if session.run_id and not session.busy:
        st.button(
            "Reload",
            key="reload_run",
            type="tertiary",
            icon=":material/refresh:",
            on_click=commands.reload_run,
            help="Read the run again: others may have gone on with it",
        )


def _outside(now: Reading) -> None:
    """The calls outside: their totals, or before a run what will happen to them."""
    if now.effects:
        is_quiet = all(effect.outcome == "ok" for effect in now.effects)
        st.badge(
            f"Outside: {plain(now.outside)}",
            icon=":material/output:",
            color="gray" if is_quiet else "orange",
        )
    elif now.session.status == "not_started":
        st.caption(plain(policies_of(now)), width="content")


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _actions(session: DebugSession) -> None:
    can_stop = session.busy or (session.run_id is not None and not session.is_over)
    if session.status == "not_started" and not session.busy:
        st.button(
            "Start",
            key="start",
            type="primary",
            icon=":material/play_arrow:",
            shortcut="Ctrl+Enter",
            on_click=commands.start,
            help="Begin a run with the input on the left",
        )
    else:
        st.button(
            "Restart",
            key="restart",
            icon=":material/restart_alt:",
            on_click=commands.restart,
            disabled=session.busy,
            help="Begin another run with the input on the left; this one stays on record",
        )
    reason = session.backend.capabilities.reason_against("stop_mid_turn") if session.busy else None
    st.button(
        "Stop",
        key="stop",
        icon=":material/stop:",
        on_click=commands.stop,
        disabled=not can_stop or reason is not None,
        help=plain(reason) if reason else "End the run",
    )
    _download(session)


def _download(session: DebugSession) -> None:
    export = EXPORTS["csv"]
    if session.run_id is None or session.busy:
        st.button(
            "Download CSV",
            key="no_download",
            icon=":material/download:",
            disabled=True,
            help="Once a turn is over, its transcript can be downloaded",
        )
        return
    st.download_button(
        "Download CSV",
        key="download_csv",
        data=lambda: export.render(_transcript(session)),
        file_name=f"run-{session.run_id}{export.extension}",
        mime=export.media_type,
        icon=":material/download:",
        on_click="ignore",
        help="The transcript, a row for each message",
    )


def _transcript(session: DebugSession) -> list[TranscriptRow]:
    facts = RunFacts(
        run_id=session.run_id or "",
        workflow_id=session.workflow_id,
        workflow_name=session.workflow.name,
        version_number=session.version_number,
        engine=session.backend.name,
        status=session.status,
    )
    return transcript(facts, session.turns, session.workflow)
