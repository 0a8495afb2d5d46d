"""Mappings of nodes and run states from one graph to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from debugger.engine.state import BoundedLoop, RunState, ThreadState
from debugger.errors import InputError
from debugger.graph import Graph
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import MAIN_THREAD

MatchedBy = Literal["identity", "name", "explicit"]


@dataclass(frozen=True)
class NodeMatch:
    """Two nodes that correspond."""

    source_node_logical_id: str
    target_node_logical_id: str
    matched_by: MatchedBy
    source_node_name: str | None
    target_node_name: str | None


def match_nodes(source: Graph, target: Graph, wanted: Mapping[str, str]) -> list[NodeMatch]:
    """Return corresponding nodes in the source's order: as requested, by id, or by a name unique in both.

    Nodes without a counterpart are left out.

    Args:
        source: The graph that the run used.
        target: The graph that it is to continue in.
        wanted: Target nodes by source nodes.

    Raises:
        InputError: One of them is not in its graph.
    """
    for source_id, target_id in wanted.items():
        if source_id not in source.nodes or target_id not in target.nodes:
            raise InputError(f"node_id_map: {source_id!r} and {target_id!r} are not both in their graphs.")
    names = _by_name(target)
    known_names = _by_name(source)
    found = []
    for source_id, node in source.nodes.items():
        by: MatchedBy = "explicit"
        matched = wanted.get(source_id)
        if matched is None and source_id in target.nodes:
            by, matched = "identity", source_id
        elif matched is None and node.name and node.name in known_names:
            by, matched = "name", names.get(node.name)
        if matched is not None:
            found.append(NodeMatch(source_id, matched, by, node.name, target.nodes[matched].name))
    return found


@dataclass
class DroppedParts:
    """The parts of a state that another graph does not take over."""

    dropped_variables: list[str] = field(default_factory=list)
    dropped_parts: list[str] = field(default_factory=list)
    """Of the state."""


def remap_state(state: RunState, source: Graph, target: Graph, nodes: Mapping[str, str]) -> DroppedParts:
    """Change a state to the node that corresponds to the main thread's position, and return what is lost.

    Only the main thread continues (``platform.md#re-runs``).

    Args:
        state: The state; its position has a corresponding node.
        source: The graph that it is of.
        target: The graph that it is to be of.
        nodes: Target nodes by source nodes.
    """
    main, loop = state.main, state.main.loop
    if loop is not None:
        is_there = loop.node_id in nodes
        loop = BoundedLoop(nodes[loop.node_id], loop.attempts, loop.deadline) if is_there else None
    changed = DroppedParts(dropped_parts=_lost_parts(state))
    position = nodes[str(main.position)]
    moved = ThreadState(
        MAIN_THREAD,
        position,
        is_waiting=main.is_waiting,
        ended=main.ended,
        runtime_variables=_variables(main.runtime_variables, source, target, nodes, changed),
        pending=main.pending,
        loop=loop,
        awaits_second_message=main.awaits_second_message,
        node_run_ids={nodes[node]: count for node, count in main.node_run_ids.items() if node in nodes},
        completions={nodes[node]: count for node, count in main.completions.items() if node in nodes},
    )
    if all(called in nodes and caller in nodes for called, caller in main.return_stack):
        moved.return_stack = [(nodes[called], nodes[caller]) for called, caller in main.return_stack]
    else:
        changed.dropped_parts.append("callers")
    _set_main(state, moved)
    return changed


def transfer_variables(
    state: RunState, source: Graph, target: Graph, nodes: Mapping[str, str], entry: str
) -> DroppedParts:
    """Reduce a state to its variables, at a chosen node, and return what is lost.

    The state is changed; messages of the main thread that are not answered yet stay, too.
    """
    changed = DroppedParts(dropped_parts=["position", *_lost_parts(state)])
    variables = _variables(state.main.runtime_variables, source, target, nodes, changed)
    _set_main(state, ThreadState(MAIN_THREAD, entry, runtime_variables=variables, pending=state.main.pending))
    return changed


def _set_main(state: RunState, main: ThreadState) -> None:
    state.threads = {MAIN_THREAD: main}
    state.hint = None
    state.paused = False


def _lost_parts(state: RunState) -> list[str]:
    lost = [f"threads.{thread.thread_id}" for thread in state.active_companions]
    return [*lost, *(["waiting_edges"] if state.main.waiting_edges else [])]


def _variables(
    variables: JsonObject, source: Graph, target: Graph, nodes: Mapping[str, str], changed: DroppedParts
) -> JsonObject:
    """Return a thread's variables under the names of the target graph.

    Copies under a node's id or name follow the node; where it has no counterpart, they are left out, and
    their names are added to `changed`.
    """
    prefixes: dict[str, str | None] = {}
    for node_id, node in source.nodes.items():
        matched = nodes.get(node_id)
        prefixes[f"{node_id}."] = f"{matched}." if matched else None
        if node.name:
            name = target.nodes[matched].name if matched else None
            prefixes[f"{node.name}."] = f"{name}." if name else None
    found: JsonObject = {}
    for name, value in variables.items():
        prefix = next((one for one in prefixes if name.startswith(one)), None)
        if prefix is None:
            found[name] = value
        elif (instead := prefixes[prefix]) is not None:
            found[instead + name.removeprefix(prefix)] = value
        else:
            changed.dropped_variables.append(name)
    return found


def _by_name(graph: Graph) -> dict[str, str]:
    """Return the ids of nodes by name; nodes without a name, or whose name another node has, are left out."""
    counted = Counter(node.name for node in graph.nodes.values())
    return {
        node.name: node_id for node_id, node in graph.nodes.items() if node.name and counted[node.name] == 1
    }
