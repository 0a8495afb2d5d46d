"""Workflows and their versions in answers (``platform/wire.md`` 4.1 to 4.6)."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow
from debugger.server.answers.pages import Page


class WorkflowRecord(TypedDict):
    """A workflow; ``workflow_config`` has its settings, or the whole graph where that was asked for."""

    _id: str
    team_id: str | None
    created_by: str | None
    updated_by: str | None
    created_at: str | None
    updated_at: str | None
    active_version_number: int | None
    max_concurrent_runs: int | None
    workflow_config: JsonObject


class WorkflowAnswer(TypedDict):
    """A workflow, and where it is executed."""

    workflow: WorkflowRecord
    execution_url: str


class WorkflowPage(Page):
    """Some workflows."""

    workflows: list[WorkflowRecord]


class VersionRecord(TypedDict):
    """A version; its graph stands under both keys that clients look for."""

    _id: str
    workflow_id: str
    team_id: str | None
    created_by: str | None
    updated_by: str | None
    created_at: str | None
    updated_at: str | None
    version_number: int
    version_name: str | None
    is_active: bool
    config: Workflow
    workflow_config: Workflow


class VersionAnswer(TypedDict):
    """A version."""

    version: VersionRecord


class NewVersionAnswer(VersionAnswer):
    """A version that was made, and which one is active now."""

    parent_active_version: int | None


class VersionPage(Page):
    """Some versions."""

    versions: list[VersionRecord]


class Change(TypedDict):
    """A value that differs; the path is dotted."""

    path: str
    old_value: Any
    new_value: Any


class PartDifference(TypedDict):
    """A node or an edge that differs."""

    logical_id: str
    name: str | None
    status: Literal["added", "removed", "modified"]
    changes: list[Change]


class NodeDifference(PartDifference):
    """A node that differs."""

    node_type: str | None


class EdgeDifference(PartDifference):
    """An edge that differs."""

    edge_type: str | None


class VersionDifference(TypedDict):
    """What differs between two versions."""

    version1_number: int
    version1_name: str | None
    version2_number: int
    version2_name: str | None
    workflow_config_changes: list[Change]
    nodes: list[NodeDifference]
    edges: list[EdgeDifference]
    summary: dict[str, int]


class BundledVersionRecord(TypedDict):
    """A version in a bundle."""

    version_number: int
    version_name: str | None
    workflow_config: JsonObject


class BundleAnswer(TypedDict):
    """A workflow to be carried to another server."""

    export_format: str
    exported_at: str
    source_workflow_id: str
    name: str | None
    description: str | None
    active_version_number: int
    versions: list[BundledVersionRecord]


class ConcurrencyAnswer(TypedDict):
    """How many runs of a workflow may be under way at once."""

    workflow_id: str
    max_concurrent_runs: int | None
    message: str


class Message(TypedDict):
    """What was done, in a sentence."""

    message: str


class VariableUse(TypedDict):
    """A dynamic variable, and what uses it."""

    default_value: Any
    has_default: bool
    is_system: bool
    node_logical_ids: list[str]
    edge_logical_ids: list[str]


class VariableUses(TypedDict):
    """The dynamic variables of a workflow by name."""

    dynamic_variables: dict[str, VariableUse]
