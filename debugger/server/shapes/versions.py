"""A version, and the difference of two, as answers show them (``platform/wire.md`` 4.5, 4.6)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from debugger.analysis.differences import differences
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import EdgeConfig, NodeConfig, VersionSummary, Workflow

_APART = ("workflow_config", "node_configs", "edge_configs")
_STATUSES = ("added", "removed", "modified")


def version_row(workflow_id: str, version: VersionSummary, graph: JsonObject) -> JsonObject:
    """A version, its graph under both keys that clients look for."""
    return {
        "_id": _version_id(workflow_id, version.version_number),
        "workflow_id": workflow_id,
        "team_id": None,
        "created_by": None,
        "updated_by": None,
        "created_at": version.created_at,
        "updated_at": version.updated_at,
        "version_number": version.version_number,
        "version_name": version.version_name,
        "is_active": version.is_active,
        "config": graph,
        "workflow_config": graph,
    }


def _version_id(workflow_id: str, number: int) -> str:
    """An id in the form of the others (``platform/wire.md``, section 0); none of a version is kept."""
    return hashlib.blake2b(f"{workflow_id}/{number}".encode(), digest_size=12).hexdigest()


def version_diff(old: tuple[VersionSummary, Workflow], new: tuple[VersionSummary, Workflow]) -> JsonObject:
    """What differs between two versions of a workflow.

    A path in the settings is relative to them; other keys of the document stand beside under their own names.
    """
    (first, before), (second, after) = old, new
    nodes = _parts(before.node_configs, after.node_configs, "node_type")
    edges = _parts(before.edge_configs, after.edge_configs, "edge_type")
    settings = _changes(_settings(before), _settings(after))
    return {
        "version1_number": first.version_number,
        "version1_name": first.version_name,
        "version2_number": second.version_number,
        "version2_name": second.version_name,
        "workflow_config_changes": settings,
        "nodes": nodes,
        "edges": edges,
        "summary": {
            **_counts("nodes", nodes),
            **_counts("edges", edges),
            "workflow_config_changes": len(settings),
        },
    }


def _settings(workflow: Workflow) -> JsonObject:
    wire = workflow.to_wire()
    rest = {key: value for key, value in wire.items() if key not in _APART}
    return {**rest, **(wire.get("workflow_config") or {})}


def _parts(
    before: Sequence[NodeConfig | EdgeConfig], after: Sequence[NodeConfig | EdgeConfig], type_key: str
) -> list[JsonObject]:
    old, new = ({part.logical_id: part for part in parts} for parts in (before, after))
    found = []
    for logical_id in {**old, **new}:
        part = new.get(logical_id) or old[logical_id]
        changes: list[JsonObject] = []
        status = "added" if logical_id not in old else "removed"
        if logical_id in old and logical_id in new:
            status = "modified"
            changes = _changes(old[logical_id].to_wire(), new[logical_id].to_wire())
        if changes or status != "modified":
            about = {"logical_id": logical_id, "name": part.name, type_key: part.type}
            found.append({**about, "status": status, "changes": changes})
    return found


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[JsonObject]:
    return [
        {"path": change.path, "old_value": change.before, "new_value": change.after}
        for change in differences(before, after)
    ]


def _counts(name: str, parts: list[JsonObject]) -> JsonObject:
    counted = Counter(part["status"] for part in parts)
    return {f"{name}_{status}": counted[status] for status in _STATUSES}
