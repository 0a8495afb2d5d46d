"""Inner workflows with the ids of the expanded workflow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from debugger.engine.super_nodes.interface import AppliedWorkflow
from debugger.engine.super_nodes.references import Aliases, Renaming, rename_edge
from debugger.engine.super_nodes.settings import ModelRule, with_inherited_settings
from debugger.engine.super_nodes.sources import SuperNode, is_expandable
from debugger.errors import RunError
from debugger.graph.nesting import ORIGIN, SCOPE
from debugger.graph.node_types import MODEL_NODES
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import as_bool


def main_nodes(
    nodes: Sequence[JsonObject], edges: Iterable[JsonObject], start: str
) -> tuple[list[str], list[str]]:
    """Return the main thread's nodes, and those that no edge leads on from.

    A worker that a companion edge runs beside a node, and what only a companion thread reaches, is not among
    them: what follows a super node is not meant for them. A node that nothing leads to is, since a run can
    begin there. Where a global node can return, that is its next step.

    Args:
        nodes: The workflow's nodes.
        edges: Its edges.
        start: The id of its start node.

    Source: ``platform.md#super-nodes``, ``platform.md#edge-selection`` and ``platform.md#companion-edges``.
    """
    ways = _ways(edges)
    beside = {each for leaving in ways.values() for each in leaving.beside}
    entries = [start, *(_id(node) for node in nodes if _is_global(node))]
    reached = _reached(entries, ways, beside_too=False)
    apart = _reached(beside - reached, ways, beside_too=True) - reached
    main = [node for node in nodes if _id(node) not in apart]
    terminal = [_id(node) for node in main if _ends(node, ways.get(_id(node)))]
    return list(dict.fromkeys(map(_id, main))), list(dict.fromkeys(terminal))


@dataclass(frozen=True)
class _Leaving:
    direct: list[str]
    conditional: list[str]
    beside: list[str]


def _ways(edges: Iterable[JsonObject]) -> dict[str, _Leaving]:
    ways: dict[str, _Leaving] = {}
    forks: dict[str, list[str]] = {}
    for edge in edges:
        source, destination = edge.get("source_node_logical_id"), edge.get("destination_node_logical_id")
        if (
            as_bool(edge.get("disabled"), False)
            or not isinstance(source, str)
            or not isinstance(destination, str)
        ):
            continue
        leaving = ways.setdefault(source, _Leaving([], [], []))
        if edge["type"] == "direct":
            flagged = as_bool((edge.get("companion_thread_config") or {}).get("is_companion_thread"), False)
            (forks.setdefault(source, []) if flagged else leaving.direct).append(destination)
        else:
            (leaving.conditional if edge["type"] == "conditional" else leaving.beside).append(destination)
    for source, destinations in forks.items():
        leaving = ways[source]
        # On an only direct edge the flag counts for nothing.
        is_only = len(destinations) == 1 and not leaving.direct
        (leaving.direct if is_only else leaving.beside).extend(destinations)
    return ways


def _reached(entries: Iterable[str], ways: dict[str, _Leaving], *, beside_too: bool) -> set[str]:
    found = set(entries)
    waiting = list(found)
    while waiting:
        leaving = ways.get(waiting.pop())
        if leaving is None:
            continue
        for each in (*leaving.direct, *leaving.conditional, *(leaving.beside if beside_too else ())):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found


def _ends(node: JsonObject, leaving: _Leaving | None) -> bool:
    if leaving is not None and (
        leaving.direct or (leaving.conditional and not as_bool(node.get("disabled"), False))
    ):
        return False
    return not (_is_global(node) and node["global_node_config"].get("reverse_conditional_edge"))


def _is_global(node: JsonObject) -> bool:
    return as_bool((node.get("global_node_config") or {}).get("is_global"), False)


def _id(node: JsonObject) -> str:
    return str(node["logical_id"])


@dataclass(frozen=True)
class InlinedWorkflow:
    """A workflow in the place of a super node."""

    name: str
    stored: JsonObject
    """The document as it was found, before values were written into it."""
    nodes: list[JsonObject]
    edges: list[JsonObject]
    is_start: bool = True
    """Whether a run can begin at its start node."""
    rule: ModelRule = field(default_factory=ModelRule)
    super_node: SuperNode | None = None
    """The super node in whose place it is; none for the author's own."""
    parent: InlinedWorkflow | None = None
    origin: tuple[str, ...] = ()
    """The super nodes around it, outermost first."""
    start: str = ""
    aliases: Aliases = field(default_factory=dict)
    """The dynamic variables in it that stand for one outside."""

    @property
    def placeholders(self) -> list[SuperNode]:
        """The super nodes in it that are replaced."""
        return [SuperNode(node) for node in self.nodes if is_expandable(node)]

    @property
    def around(self) -> Iterator[tuple[str, JsonObject]]:
        """Name and document of it and of those around it, innermost first."""
        level: InlinedWorkflow | None = self
        while level is not None:
            yield level.name, level.stored
            level = level.parent


@dataclass
class Ports:
    """The entry and the exits of a super node."""

    super_node: SuperNode
    entry: str
    """The inner node by which one comes in."""
    terminals: list[str]
    """The inner nodes at which its workflow ends."""
    models: list[str]
    """The inner nodes that call a model, on the way of the main thread."""

    @cached_property
    def exits(self) -> list[str]:
        """Return the nodes from which a conditional edge leaves.

        Those are the nodes that call a model, and those at the end.
        """
        return list(dict.fromkeys((*self.models, *self.terminals)))


def inline(
    super_node: SuperNode, parent: InlinedWorkflow, name: str, stored: JsonObject, filled: AppliedWorkflow
) -> InlinedWorkflow:
    """Inline the workflow of a super node.

    Args:
        super_node: The super node.
        parent: The level that it is in.
        name: The name of its workflow.
        stored: That workflow's document.
        filled: The same with the super node's values in it.

    Raises:
        RunError: The workflow has no start node, a prompt that is no text, or is nested too deep.
    """
    config = filled.document.get("workflow_config") or {}
    written = filled.document.get("node_configs") or []
    rule = ModelRule.inside(parent.rule, super_node, config)
    # Those around it count as far as the super node does not override them.
    around = {name: each for name, each in parent.aliases.items() if name not in filled.dynamic_variables}
    aliases = {**around, **filled.aliases}
    renaming = Renaming(super_node.id, {str(node["logical_id"]) for node in written}, aliases)
    start = renaming.id(_start_of(super_node, name, written))
    is_start = parent.is_start and as_bool(super_node.wire.get("is_start"), False)
    origin = (*parent.origin, super_node.id)
    try:
        nodes = [
            _inner_node(with_inherited_settings(node, config, rule), renaming, origin) for node in written
        ]
        edges = [rename_edge(edge, renaming) for edge in filled.document.get("edge_configs") or []]
    except RecursionError as error:
        raise RunError(
            f"{super_node} stands for {name!r}, in which objects and lists are nested too deep.",
            advice="Make the fields of its nodes and edges flatter.",
        ) from error
    for node in nodes:
        node["is_start"] = is_start and node["logical_id"] == start
    return InlinedWorkflow(
        name, stored, nodes, edges, is_start, rule, super_node, parent, origin, start, aliases
    )


def ports_of(super_node: SuperNode, level: InlinedWorkflow, ports_by_id: dict[str, Ports]) -> Ports:
    """Return a super node's entry and exits, through nested super nodes."""
    kinds = {str(node["logical_id"]): node for node in reversed(level.nodes)}
    models: list[str] = []
    terminals: list[str] = []
    main, ends = main_nodes(level.nodes, level.edges, level.start)
    for node_id in main:
        inner = ports_by_id.get(node_id)
        if inner is not None:
            models += inner.models
        elif kinds[node_id].get("type") in MODEL_NODES and not as_bool(kinds[node_id].get("disabled"), False):
            models.append(node_id)
    for node_id in ends:
        terminals += ports_by_id[node_id].terminals if node_id in ports_by_id else [node_id]
    entry = ports_by_id[level.start].entry if level.start in ports_by_id else level.start
    return Ports(super_node, entry, terminals, models)


def _start_of(super_node: SuperNode, name: str, nodes: list[JsonObject]) -> str:
    enabled = (node for node in nodes if not as_bool(node.get("disabled"), False))
    start = next((node for node in enabled if as_bool(node.get("is_start"), False)), None)
    if start is None:
        raise RunError(
            f"{super_node} stands for {name!r}, which has no start node.",
            advice="Set 'is_start' on one enabled node of that workflow.",
        )
    return str(start["logical_id"])


def _inner_node(node: JsonObject, renaming: Renaming, origin: tuple[str, ...]) -> JsonObject:
    node_id = renaming.id(str(node["logical_id"]))
    copy: JsonObject = {**renaming.value(node), "logical_id": node_id, ORIGIN: list(origin)}
    settings = copy.get("global_node_config")
    if isinstance(settings, dict) and as_bool(settings.get("is_global"), False):
        copy["global_node_config"] = {**settings, SCOPE: origin[-1]}
    return copy
