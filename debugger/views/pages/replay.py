"""Page that shows what runs would do on another version of their workflow."""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence

import streamlit as st

from debugger.errors import DebuggerError, NotFoundError, UnsupportedError
from debugger.graph.labels import shorten
from debugger.replays.groups import ReplayGroup, read_groups
from debugger.replays.job import ReplayJob
from debugger.store import StoredReplay
from debugger.views import backends, navigation, state
from debugger.views.auth.permissions import explain_denial
from debugger.views.backends import local_store
from debugger.views.components.error_box import show_error, show_failures, show_unexpected_errors
from debugger.views.components.markdown import count
from debugger.views.components.toolbar import Button, Item, Progress, Select, Spacer, Text, bar
from debugger.views.confirmations import OpenQuestions
from debugger.views.help_links import empty_page
from debugger.views.panels.replays import actions
from debugger.views.panels.replays.acceptance import acceptance_dialog
from debugger.views.panels.replays.actions import HISTORY_KEY, AcceptanceDialog, ReplayState
from debugger.views.panels.replays.address import AGAIN_KEY, ReplayOnView, follow_address, show_address
from debugger.views.panels.replays.detail import group_detail
from debugger.views.panels.replays.groups import (
    MOST_ROWS,
    chosen_group,
    group_list,
    summary_bar,
    version_words,
)
from debugger.views.panels.runs.scope import workflow_names
from debugger.views.times import shown_time

_LONGEST_ID = 60
"""Characters of an id that are shown of an address that has none."""
_POLL_SECONDS = 0.5
_WATCH_SECONDS = 2.0
"""How often a replay of another tab or process is looked at."""


def render() -> None:
    """Draw the page Replay, as a fragment that is redrawn while runs are replayed.

    Where the embedded engine cannot be opened, the error is drawn alone.
    """
    try:
        backends.embedded_backend()
    except DebuggerError as error:
        _line([])
        show_error(error)
        return
    follow_address()
    drawn = _depends_on()
    st.fragment(_body, run_every=_poll_seconds())(drawn)
    acceptance_dialog()


def _depends_on() -> Hashable:
    """Return what only a run of the whole page changes: how often it is looked at, and its dialog."""
    dialog = state.record(AcceptanceDialog).group is not None
    return _poll_seconds(), dialog, state.record(OpenQuestions).is_open


def _poll_seconds() -> float | None:
    held = state.record(ReplayState)
    if held.job is not None and held.job.is_running:
        return _POLL_SECONDS
    return _WATCH_SECONDS if held.is_watched else None


@show_unexpected_errors("The page Replay")
def _body(drawn: Hashable) -> None:
    """Draw the replay on view: controls, its results in a sentence, its groups, and the chosen one.

    It goes to the page that a callback has requested, and reruns the whole page where poll interval or
    dialog have changed. An error is drawn in place of what follows, below the list of other replays.
    """
    navigation.leave_for_page()
    if drawn != _depends_on():
        st.rerun()
    try:
        newest = local_store().replays.newest(connection="", counted=False)
        try:
            stored = _on_view(newest)
        except DebuggerError:
            _line(_others(None, newest))
            raise
        _watch(stored)
        if stored is None:
            _empty()
            return
        _controls(stored, newest)
        show_failures()
        _results(stored)
    except DebuggerError as error:
        show_error(error)


def _watch(stored: StoredReplay | None) -> None:
    """Look at the replay on view again while another tab or process plays it.

    Reruns the whole page where that begins or ends.
    """
    held = state.record(ReplayState)
    is_own = stored is not None and held.job is not None and held.job.replay_id == stored.id
    is_watched = stored is not None and stored.is_running and not is_own
    if is_watched != held.is_watched:
        held.is_watched = is_watched
        st.rerun()


def _on_view(newest: Sequence[StoredReplay]) -> StoredReplay | None:
    """Return the replay that was chosen, else the newest; ``None`` without any.

    Raises:
        NotFoundError: The chosen one is deleted.
        UnsupportedError: It is of hosted runs.
    """
    wanted = state.record(ReplayOnView).replay or (newest[0].id if newest else "")
    if not wanted:
        return None
    found = local_store().replays.find(wanted)
    if found is None:
        raise NotFoundError(
            f"There is no replay {shorten(wanted, _LONGEST_ID)}.",
            advice="It is deleted after some time, and with its workflow: replay its runs again.",
        )
    if found.target.connection:
        raise UnsupportedError(
            f"The replay {wanted} is of runs of the connection {found.target.connection}.",
            advice="See the report of the command replay.",
        )
    return found


def _line(items: list[Item]) -> None:
    """Draw the title and the controls in one line."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="replay_line"):
        st.markdown("### Replay", width="content")
        bar("replay_controls", items, low=True)


def _empty() -> None:
    """Draw that there is no replay, and a button that leads to the page Runs."""
    _line([])
    show_failures()
    text = "There is no replay yet: tick runs on the page Runs, then press Replay."
    with empty_page(text, "replay#on-the-page"):
        st.button(
            "Open Runs",
            key="open_runs",
            type="primary",
            icon=":material/format_list_bulleted:",
            on_click=navigation.go_to,
            args=("runs",),
        )


def _controls(stored: StoredReplay, newest: Sequence[StoredReplay]) -> None:
    """Draw what is replayed, and the buttons that replay the runs again or cancel that.

    Raises:
        DebuggerError: The versions of the workflow cannot be read.
    """
    backend, job = backends.embedded_backend(), state.record(ReplayState).job
    names = workflow_names(backend)
    items: list[Item] = [Text(names.get(stored.target.workflow_id, stored.target.workflow_id), look="strong")]
    if job is not None and job.is_running and job.replay_id == stored.id:
        items += [_progress(job), Button("replay_cancel", "Cancel", actions.cancel, icon=":material/close:")]
    else:
        items += _again(stored)
    _line([*items, *_others(stored, newest)])


def _others(stored: StoredReplay | None, newest: Sequence[StoredReplay]) -> list[Item]:
    """Return the end of the line: the list of replays, where there is another one."""
    labels = {each.id: _label(each) for each in newest}
    if stored is not None:
        labels.setdefault(stored.id, _label(stored))
    if len(labels) <= (stored is not None):
        return [Spacer()]
    state.set_widget(HISTORY_KEY, stored.id if stored is not None else "")
    return [Spacer(), Select(HISTORY_KEY, "Replays", labels, "Replays", actions.choose_replay)]


def _again(stored: StoredReplay) -> list[Item]:
    """Return the choice of a version, at first that of the replay, and the button that replays its runs.

    The button is disabled where the workflow is deleted, which leaves no choice either, where no run is
    known, and while another tab or process plays them.
    """
    try:
        found = backends.embedded_backend().versions(stored.target.workflow_id)
    except NotFoundError:
        found = []
    newest_first = sorted(found, key=lambda each: -each.version_number)
    versions = {str(each.version_number): f"on {each.label}" for each in newest_first}
    own = str(stored.target.version_number)
    if state.widget(AGAIN_KEY) not in versions:
        state.set_widget(
            AGAIN_KEY, own if own in versions and not stored.target.file else next(iter(versions), "")
        )
    known = actions.count_runs(stored)
    refused = explain_denial(actions.replay_again)
    if not versions:
        refused = refused or "Its workflow is deleted"
    elif stored.is_running:
        refused = refused or "It has not ended yet"
    elif not known:
        refused = refused or "None of its runs has a result"
    rest = f"; {stored.selected - known:,} without a result are left out" if known < stored.selected else ""
    return [
        Button(
            "replay_again",
            "Replay again",
            actions.replay_again,
            (stored.id,),
            icon=":material/replay:",
            look="primary",
            disabled=bool(refused),
            help=refused or f"Play {count(known, 'run')} once more{rest}",
        ),
        *([Select(AGAIN_KEY, "Version", versions, "Version")] if versions else []),
    ]


def _label(stored: StoredReplay) -> str:
    """Return the time of a replay, its version, and its number of runs."""
    when = shown_time(stored.started_at, seconds=False)
    return f"{when} · {version_words(stored)} · {count(stored.selected, 'run')}"


def _progress(job: ReplayJob) -> Progress:
    differing = job.counts.total() - job.counts["same"]
    words = f"{job.done:,} of {count(job.selected, 'run')}"
    words += f", {differing:,} differ" if differing else ""
    return Progress(f"{words} · {time.monotonic() - job.began_at:.0f} s", job.done / max(job.selected, 1))


def _results(stored: StoredReplay) -> None:
    """Draw the results of a replay; the address names it and the group on view.

    Raises:
        DebuggerError: They cannot be read.
    """
    replays = local_store().replays
    summary_bar(stored, replays.count_open(stored.id))
    job = state.record(ReplayState).job
    if job is not None and job.replay_id == stored.id and job.error is not None:
        show_error(job.error)
    groups = groups_of(stored)
    on_view = state.record(ReplayOnView)
    on_view.replay = stored.id  # a newer one does not take its place
    group = chosen_group(groups, on_view.group)
    show_address(stored.id, on_view.group)
    if group is None:
        if stored.is_complete and stored.counts.total():
            st.caption("Each run takes the same path on this version, with the same variables and words.")
        return
    group_list(groups, group.key)
    with st.container(key=f"replay_body_{min(len(groups), MOST_ROWS)}"):  # style.css has its height
        group_detail(stored, group, groups)


def groups_of(stored: StoredReplay) -> list[ReplayGroup]:
    """Return the groups of a replay, those that are not accepted first."""
    found = read_groups(backends.embedded_backend(), local_store().replays, stored)
    return sorted(found, key=lambda group: group.acceptance is not None)
