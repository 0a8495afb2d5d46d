"""What differs between two versions of a workflow: nodes, edges and settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from debugger.analysis.difference import SIGNS, Difference, Op, differences
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import EdgeConfig, NodeConfig, Workflow

Part = Literal["node", "edge", "settings"]

_GRAPH_FIELDS = ("node_configs", "edge_configs")


@dataclass(frozen=True)
class StructureChange:
    """One node, edge or group of settings that is not the same in both versions."""

    part: Part
    id: str
    name: str
    """As people know it; of an edge, with the nodes at its ends."""
    op: Op
    """From A to B: what only B has is ``added``."""
    fields: tuple[Difference, ...] = ()
    """What of it changed."""

    @property
    def sign(self) -> str:
        """The operation in one character."""
        return SIGNS[self.op]


def structure_changes(a: Workflow, b: Workflow) -> list[StructureChange]:
    """What is not the same, nodes first, then edges, then the settings of the workflow as a whole."""
    return [*_nodes(a, b), *_edges(a, b), *_settings(a, b)]


def _nodes(a: Workflow, b: Workflow) -> Iterator[StructureChange]:
    old, new = ({node.logical_id: node for node in one.node_configs} for one in (a, b))
    for node_id in {**old, **new}:
        config = new.get(node_id) or old[node_id]
        yield from _change("node", node_id, config.label, old.get(node_id), new.get(node_id))


def _edges(a: Workflow, b: Workflow) -> Iterator[StructureChange]:
    names = {node.logical_id: node.label for node in (*a.node_configs, *b.node_configs)}
    old, new = ({edge.logical_id: edge for edge in one.edge_configs} for one in (a, b))
    for edge_id in {**old, **new}:
        config = new.get(edge_id) or old[edge_id]
        source, destination = (
            names.get(end or "", end or "?")
            for end in (config.source_node_logical_id, config.destination_node_logical_id)
        )
        named = f" ({config.label})" if config.label else ""
        label = f"{source} → {destination}{named}"
        yield from _change("edge", edge_id, label, old.get(edge_id), new.get(edge_id))


def _change(
    part: Part,
    part_id: str,
    name: str,
    old: NodeConfig | EdgeConfig | None,
    new: NodeConfig | EdgeConfig | None,
) -> Iterator[StructureChange]:
    if old is None or new is None:
        yield StructureChange(part, part_id, name, "added" if old is None else "removed")
    elif found := differences(old.to_wire(), new.to_wire()):
        yield StructureChange(part, part_id, name, "changed", tuple(found))


def _settings(a: Workflow, b: Workflow) -> Iterator[StructureChange]:
    found = differences(_without_graph(a), _without_graph(b))
    if found:
        yield StructureChange("settings", "", "Workflow", "changed", tuple(found))


def _without_graph(workflow: Workflow) -> JsonObject:
    return {key: value for key, value in workflow.to_wire().items() if key not in _GRAPH_FIELDS}
