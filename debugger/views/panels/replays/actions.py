"""State and actions of the page Replay."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from debugger.errors import InputError
from debugger.protocol.json_codec import encode
from debugger.replays.groups import ReplayGroup
from debugger.replays.job import PlayRun, ReplayJob
from debugger.replays.replayer import Replayer
from debugger.store import ReplayTarget, Role, StoredReplay
from debugger.views import actions, backends, navigation, state
from debugger.views.actions import action
from debugger.views.audit import audit
from debugger.views.auth.permissions import current_user
from debugger.views.backends import local_store
from debugger.views.components.markdown import count
from debugger.views.panels.notes import author
from debugger.views.panels.replays.address import AGAIN_KEY, ReplayOnView, show_replay
from debugger.views.run_state import Element, Selection
from debugger.views.url_state import CompareAddress, RunPlace

HISTORY_KEY, COMMENT_KEY = "replay_history", "replay_comment"
MAX_COMMENT_CHARACTERS = 2_000

_QUIET_SECONDS = 0.3
"""A replay that ends in this time shows no progress."""


@dataclass
class ReplayState:
    """The replay that this tab has begun."""

    job: ReplayJob | None = None
    """Also after its end."""
    run_ids: Sequence[str] = ()
    """All its runs, also those without a result yet."""
    is_watched: bool = False
    """Whether the replay on view runs in another tab or process, and is read again until it ends."""


@dataclass
class AcceptanceDialog:
    """The dialog that accepts a group."""

    group: ReplayGroup | None = None
    """``None`` while it is closed."""
    workflow_id: str = ""


def start_replay(run_ids: Sequence[str], workflow_id: str, version_number: int) -> None:
    """Play runs on a version in the background, and go to the page Replay.

    Raises:
        InputError: No run is named, or another replay of this tab has not ended.
        DebuggerError: The version cannot be read, or the start cannot be stored.
    """
    held = state.record(ReplayState)
    if held.job is not None and held.job.is_running:
        raise InputError("A replay has not ended yet.", advice="Cancel it on the page Replay, or wait.")
    if not run_ids:
        raise InputError("There is no run to replay.", advice="Choose runs on the page Runs.")
    job = ReplayJob(
        player(workflow_id, version_number),
        local_store().replays,
        target_of(workflow_id, version_number),
        run_ids,
        started_by=current_user().name,
        selected=len(run_ids),
    )
    job.start()  # one that cannot be stored is none
    held.job, held.run_ids = job, run_ids
    audit("replay runs", job.replay_id, workflow_id=workflow_id, version=version_number, runs=len(run_ids))
    show_replay(job.replay_id)
    job.wait(_QUIET_SECONDS)
    navigation.go_to("replay", {"replay": job.replay_id})


def target_of(workflow_id: str, version_number: int) -> ReplayTarget:
    """Return a version on which runs are replayed, with the digest of its document.

    Raises:
        DebuggerError: It cannot be read.
    """
    workflow = backends.embedded_backend().workflow(workflow_id, version_number)
    digest = hashlib.sha256(encode(workflow.to_wire())).hexdigest()
    return ReplayTarget(workflow_id, version_number, digest)


def player(workflow_id: str, version_number: int) -> PlayRun:
    """Return what plays a run on a version of its workflow."""
    backend = backends.embedded_backend()
    return Replayer(backend, workflow_id, version_number, options=backend.engine_options).replay


def count_runs(stored: StoredReplay) -> int:
    """Return the number of runs that are known of a replay: of another tab's those with a result."""
    return len(_own_runs(stored.id)) or stored.counts.total()


def _own_runs(replay_id: str) -> Sequence[str]:
    """Return all runs of a replay of this tab; empty for another one."""
    held = state.record(ReplayState)
    return held.run_ids if held.job is not None and held.job.replay_id == replay_id else ()


@action(role=Role.RUN)
def replay_again(replay_id: str) -> None:
    """Play the runs of a replay once more, on the version that is chosen beside the button.

    An error is stored in `LastAction`, not raised.
    """
    replays = local_store().replays
    stored = replays.find(replay_id)
    if stored is None:
        raise InputError("The replay is deleted.", advice="Choose its runs on the page Runs.")
    run_ids = _own_runs(replay_id) or [each.run_id for each in replays.all_results(replay_id)]
    version = state.widget(AGAIN_KEY) or stored.target.version_number
    start_replay(list(run_ids), stored.target.workflow_id, int(version))


@action(role=Role.RUN)
def cancel() -> None:
    """Cancel the replay of this tab and wait up to 2 seconds for it; its results so far stay stored.

    Nothing happens without one.
    """
    job = state.record(ReplayState).job
    if job is not None:
        job.cancel()
        job.wait(2)


@action()
def choose_replay() -> None:
    """Show the replay that was chosen in the list of replays."""
    chosen = state.widget(HISTORY_KEY)
    if isinstance(chosen, str) and chosen:
        show_replay(chosen)


@action()
def choose_group(key: str | None) -> None:
    """Show a group."""
    state.record(ReplayOnView).group = key or ""


def choose_element(groups: Mapping[str, str], element: Element | None) -> None:
    """Select a node or an edge, and show the group with the most runs that diverge at the node.

    Args:
        groups: The key of that group by node.
        element: What was chosen; ``None`` clears the selection.
    """
    state.record(Selection).choose(element)
    if element is not None and element.kind == "node" and element.id in groups:
        choose_group(groups[element.id])


@action()
def open_run(place: list[Any] | None) -> None:
    """Show a run where it diverges; nothing without a place.

    Of a place with a version, the page Compare has it as it is replayed on its own version and on that one.
    Without, as for a run that cannot be replayed, it is opened at its turn on the page Debug, which switches
    to the embedded engine. An error, as of a deleted run, is stored in `LastAction`, not raised; the page
    Debug is opened all the same.
    """
    if not place:
        return
    run_id, turn, own, version = place
    if isinstance(own, int) and isinstance(version, int):
        sides = (RunPlace("embedded", str(run_id), each).text("embedded") for each in (own, version))
        navigation.go_to("compare", CompareAddress(*sides).to_parameters())
        return
    actions.choose_backend("embedded")
    actions.open_run(str(run_id), turn if isinstance(turn, int) else None)
    navigation.go_to("debug")


@action(role=Role.REVIEW)
def show_acceptance(workflow_id: str, group: ReplayGroup) -> None:
    """Open the dialog that accepts a group, with an empty comment."""
    state.set_widget(COMMENT_KEY, "")
    state.replace_record(AcceptanceDialog(group, workflow_id))


def close_acceptance() -> None:
    """Leave the dialog."""
    state.replace_record(AcceptanceDialog())


@action(role=Role.REVIEW)
def accept() -> None:
    """Accept the group of the dialog under the user's name, for all replays of its workflow; close it.

    An error is stored in `LastAction`, not raised, as of a comment that is too long, or where another user
    has accepted it meanwhile; the dialog then stays.
    """
    held, comment = state.record(AcceptanceDialog), str(state.widget(COMMENT_KEY) or "").strip()
    if held.group is None:
        return  # a second press
    if len(comment) > MAX_COMMENT_CHARACTERS:
        raise InputError(
            f"The comment has {count(len(comment), 'character')}.",
            advice=f"Shorten it to {MAX_COMMENT_CHARACTERS:,}.",
        )
    local_store().replays.accept(
        held.workflow_id, held.group.key, accepted_by=author(), comment=comment, replaces=False
    )
    audit("accept replay group", held.group.key, workflow_id=held.workflow_id)
    close_acceptance()


@action(role=Role.REVIEW)
def withdraw(workflow_id: str, key: str) -> None:
    """Let a group count as a difference again.

    An error is stored in `LastAction`, not raised.
    """
    local_store().replays.withdraw_acceptance(workflow_id, key)
    audit("withdraw replay group", key, workflow_id=workflow_id)
