"""Re-runs in answers (``platform/wire.md`` section 7)."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from debugger.backends.forks import RerunMode
from debugger.protocol.base import JsonObject


class RerunnableTurn(TypedDict):
    """Whether a turn can be taken again, and how often it was."""

    turn_index: int
    rerunnable: bool
    reason: str | None
    rerun_count: int


class RerunnableTurns(TypedDict):
    """The turns of a run."""

    workflow_run_id: str
    turns: list[RerunnableTurn]


class MatchedNode(TypedDict):
    """A node of the run, and the one of the target that takes its place."""

    source_node_logical_id: str
    target_node_logical_id: str
    matched_by: Literal["identity", "name", "explicit"]
    source_node_name: str | None
    target_node_name: str | None


class Carried(TypedDict):
    """How much is carried over."""

    message_count: int
    variable_count: int


class Dropped(TypedDict):
    """What is not carried over."""

    node_ids: list[str]
    variable_keys: list[str]
    state_keys: list[str]


class Preflight(TypedDict):
    """What would come of a re-run."""

    rerunnable: bool
    reason: str | None
    resolved_mode: RerunMode | None
    is_resumable: bool
    not_resumable_reason: str | None
    entry_node_logical_id: str | None
    suggested_entry_nodes: list[str]
    node_matches: list[MatchedNode]
    unmapped_node_ids: list[str]
    unmapped_variable_keys: list[str]
    carries_over: Carried
    dropped: Dropped
    warnings: list[str]


class PlannedRerun(TypedDict):
    """Which turn is taken again, and where."""

    source_workflow_run_id: str
    turn_index: int
    target_workflow_id: str
    target_version_number: int
    resolved_mode: RerunMode
    entry_node_logical_id: str | None
    warnings: list[str]


class RerunTokenAnswer(PlannedRerun):
    """A token for a re-run."""

    rerun_token: str
    expires_in_seconds: int
    restored_message_count: int


class ShownLine(TypedDict):
    """A line of the transcript."""

    index: int
    sender: str
    text: str
    editable: bool
    not_editable_reason: str | None


class ShownThread(TypedDict):
    """A thread as it would be restored."""

    thread_id: str
    messages: list[ShownLine]
    runtime_variables: JsonObject


class RerunPreview(PlannedRerun):
    """What a token stands for."""

    effective_mode: Literal["EXACT", "REMAPPED", "PORTABLE", "EDITED"]
    edited: bool
    removed_message_count: int
    resume_thread_id: str
    threads: list[ShownThread]
    dynamic_variables: JsonObject
    expires_in_seconds: int | None


class StartedRerun(TypedDict):
    """A re-run that has begun."""

    workflow_run_id: str
    status: str
    resolved_mode: RerunMode
    entry_node_logical_id: str | None
    warnings: list[str]
