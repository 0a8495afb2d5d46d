"""Dialog that replays runs on another version of their workflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from debugger.errors import InputError, UnsupportedError
from debugger.protocol.runs import Run
from debugger.protocol.workflow import VersionSummary
from debugger.store import Role
from debugger.views import backends, state
from debugger.views.actions import action
from debugger.views.auth.permissions import on_click
from debugger.views.backends import CurrentBackend
from debugger.views.components.error_box import show_failures, show_unexpected_errors
from debugger.views.components.markdown import count, listed, plain
from debugger.views.components.side_dialog import dialog_footer, side_dialog
from debugger.views.confirmations import OpenQuestions
from debugger.views.panels.replays.actions import start_replay
from debugger.views.panels.runs.scope import chosen_rows, distinct, recorded_name

WORKFLOW_KEY, VERSION_KEY = "replay_workflow", "replay_version"
NEEDS_EMBEDDED = "Only runs of the embedded engine are replayed"
_MOST_VERSIONS = 4


@dataclass
class StartDialog:
    """The dialog that begins a replay."""

    runs: list[Run] = field(default_factory=list)
    """The runs that it is about, of any workflows; empty while it is closed."""


def can_replay() -> bool:
    """Return whether the runs on view can be replayed: those of the embedded engine."""
    return state.record(CurrentBackend).name == "embedded"


@action(role=Role.RUN)
def show_start() -> None:
    """Open the dialog for the runs that the actions of the page Runs are for.

    An error is stored in `LastAction`, not raised: the backend is another one, or the runs cannot be read.
    """
    if not can_replay():
        raise UnsupportedError(f"{NEEDS_EMBEDDED}.", advice="Choose the embedded engine under Connection.")
    for key in (WORKFLOW_KEY, VERSION_KEY):
        state.forget_widget(key)
    state.record(StartDialog).runs = chosen_rows()


def close_start() -> None:
    """Leave the dialog."""
    state.record(StartDialog).runs = []


def start_dialog() -> None:
    """Draw the dialog while it is open."""
    if state.record(StartDialog).runs and not state.record(OpenQuestions).is_open:
        side_dialog("Replay on another version", icon=":material/replay:", on_dismiss=close_start)(_body)()


@show_unexpected_errors("The dialog")
def _body() -> None:
    """Draw the choice of version, of several workflows that of one, and the button that begins the replay.

    Where the dialog is closed, the page is rerun.
    """
    runs = state.record(StartDialog).runs
    if not runs:
        st.rerun()  # only that closes a dialog
    with st.container(key="replay_start", gap="small"):
        own = _runs_of_workflow(runs)
        versions = backends.embedded_backend().versions(own[0].workflow_id)
        _chosen_runs(own)
        labels = {each.version_number: each.label for each in versions}
        state.begin_widget(VERSION_KEY, proposed_version(own, versions))
        st.selectbox(
            "Version",
            sorted(labels, reverse=True),
            key=VERSION_KEY,
            format_func=lambda number: labels.get(number, f"v{number}"),
        )
        st.caption(
            "What the users said in each run is played turn by turn on this version, with the answers of "
            "models, tools and services that were recorded. Nothing is called, and no run is changed."
        )
        show_failures("replay_start")
    with dialog_footer():
        st.button(
            f"Replay {count(len(own), 'run')}",
            key="start_replay",
            type="primary",
            icon=":material/replay:",
            **on_click(_start),
        )


def _runs_of_workflow(runs: Sequence[Run]) -> list[Run]:
    """Return the runs of the chosen workflow, at first of that with the most; drawn only where it matters."""
    sizes = Counter(run.workflow_id for run in runs)
    if len(sizes) > 1:
        names = distinct({run.workflow_id: recorded_name(run) for run in reversed(runs)})
        st.selectbox(
            "Workflow",
            [own for own, _ in sizes.most_common()],
            key=WORKFLOW_KEY,
            format_func=lambda own: f"{names[own]}: {count(sizes[own], 'run')}",
            help="The chosen runs are of several workflows; one of them is replayed at a time",
        )
    return _of_workflow(runs)


def _of_workflow(runs: Sequence[Run]) -> list[Run]:
    chosen = state.widget(WORKFLOW_KEY) or Counter(run.workflow_id for run in runs).most_common(1)[0][0]
    return [run for run in runs if run.workflow_id == chosen]


def _chosen_runs(runs: Sequence[Run]) -> None:
    """Draw how many runs of which workflow it is about, and with which versions they were recorded."""
    versions = [f"v{number}" for number in sorted({run.version_number for run in runs}, reverse=True)]
    words = f"{count(len(runs), 'run')} of {recorded_name(runs[0])}"
    st.markdown(f"**{plain(words)}**, recorded with {plain(listed(versions, _MOST_VERSIONS))}")


def proposed_version(runs: Sequence[Run], versions: Sequence[VersionSummary]) -> int | None:
    """Return the newest version with which none of the runs was recorded, else the newest of all."""
    numbers = sorted((each.version_number for each in versions), reverse=True)
    recorded = {run.version_number for run in runs}
    return next((number for number in numbers if number not in recorded), next(iter(numbers), None))


@action(role=Role.RUN)
def _start() -> None:
    """Begin the replay that the dialog shows, close the dialog, and go to the page Replay.

    An error is stored in `LastAction`, not raised, and the dialog stays.
    """
    runs = state.record(StartDialog).runs
    if not runs:
        return  # a second press
    version = state.widget(VERSION_KEY)
    if version is None:
        raise InputError("The workflow has no version to replay on.", advice="Choose other runs.")
    own = _of_workflow(runs)
    start_replay([run.workflow_run_id for run in own], own[0].workflow_id, version)
    close_start()
