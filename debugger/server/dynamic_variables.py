"""The route of the dynamic variables that a workflow uses (``platform/wire.md`` 4.1)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter

from debugger.expressions import placeholders
from debugger.protocol import urls
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import SYSTEM_NAMES, Workflow
from debugger.server.answers.workflows import VariableUses
from debugger.server.operations import described
from debugger.server.parameters import ServedBackend, WorkflowId
from debugger.server.reply import JsonReply

router = APIRouter()

_OWN_VARIABLES = {"encapsulated_workflow_config", "super_node_interface", "default_dynamic_variables"}
"""Fields in which another workflow's texts stand, or values."""


@router.get(urls.DYNAMIC_VARIABLES)
@described(VariableUses)
def list_dynamic_variables(workflow_id: WorkflowId, backend: ServedBackend) -> JsonReply:
    """The dynamic variables that the active version uses or gives values to.

    The platform's answer is known to be an object, and no more; this one names each variable with its default
    and the nodes and edges that use it.
    """
    return JsonReply({"dynamic_variables": _definitions(backend.workflow(workflow_id))})


def _definitions(workflow: Workflow) -> JsonObject:
    defaults = {**workflow.dynamic_variables, **workflow.config.default_dynamic_variables}
    found = {name: _definition(name, defaults) for name in defaults}
    settings = workflow.to_wire().get("workflow_config")
    parts = [(settings, "", "")]
    parts += [(node.to_wire(), "node_logical_ids", node.logical_id) for node in workflow.node_configs]
    parts += [(edge.to_wire(), "edge_logical_ids", edge.logical_id) for edge in workflow.edge_configs]
    for part, kind, logical_id in parts:
        for name in dict.fromkeys(_names_in(part)):
            definition = found.setdefault(name, _definition(name, defaults))
            if kind:
                definition[kind].append(logical_id)
    return found


def _definition(name: str, defaults: JsonObject) -> JsonObject:
    return {
        "default_value": defaults.get(name),
        "has_default": name in defaults,
        "is_system": name in SYSTEM_NAMES,
        "node_logical_ids": [],
        "edge_logical_ids": [],
    }


def _names_in(value: Any) -> Iterator[str]:
    waiting = deque([value])
    while waiting:
        found = waiting.popleft()
        if isinstance(found, str):
            for placeholder in placeholders(found):
                if placeholder.namespace == "dynamic":
                    yield placeholder.path.partition(".")[0].partition("[")[0].strip()
        elif isinstance(found, list):
            waiting += found
        elif isinstance(found, dict):
            waiting += [inner for key, inner in found.items() if key not in _OWN_VARIABLES]
