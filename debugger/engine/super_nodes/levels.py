"""Inner workflows with the ids of the expanded workflow, and the edges into and out of them.

Source: ``platform.md#super-nodes`` and ``platform.md#edges``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from debugger.engine.super_nodes.interface import AppliedWorkflow
from debugger.engine.super_nodes.parts import Part
from debugger.engine.super_nodes.references import TRIGGERS, Aliases, Renaming, rename_edge
from debugger.engine.super_nodes.settings import ModelRule, with_inherited_settings
from debugger.engine.super_nodes.sources import SuperNode, is_expandable
from debugger.errors import RunError
from debugger.graph.nesting import ENTRY, EXIT_ORIGIN, ORIGIN, REVERSE_EDGES, SCOPE
from debugger.graph.node_types import MODEL_NODES
from debugger.protocol.base import JsonObject

WAITING = "evaluate_while_waiting_config"
_SETTINGS = "global_node_config"
_BACK = "reverse_conditional_edge"


def main_nodes(
    nodes: Sequence[JsonObject], edges: Iterable[JsonObject], start: str
) -> tuple[list[str], list[str]]:
    """Return the ids of the main thread's nodes, and of those among them that no edge leaves.

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
    """Return where enabled edges lead, by source: directly, by conditions, or to workers beside it.

    A direct edge that forks a companion thread counts as beside, unless it is the only direct one.
    """
    ways: dict[str, _Leaving] = {}
    forks: dict[str, list[str]] = {}
    for edge in edges:
        source, destination = edge.get("source_node_logical_id"), edge.get("destination_node_logical_id")
        if not (_is_on(edge) and isinstance(source, str) and isinstance(destination, str)):
            continue
        leaving = ways.setdefault(source, _Leaving([], [], []))
        if edge["type"] == "direct":
            flagged = Part(edge).companion_thread_config.is_companion_thread
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
    """Return the entries and all nodes that can be reached from them by enabled edges.

    Args:
        entries: Ids of nodes.
        ways: Where edges lead, by source.
        beside_too: Whether companion edges and forked threads count.
    """
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
    if leaving is not None and (leaving.direct or (leaving.conditional and _is_on(node))):
        return False
    return not (_is_global(node) and node["global_node_config"].get("reverse_conditional_edge"))


def _is_global(node: JsonObject) -> bool:
    return Part(node).global_node_config.is_global


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
    """Return the workflow of a super node under the ids of the expanded workflow, settings written in.

    The documents are not changed.

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
    is_start = parent.is_start and Part(super_node.wire).is_start
    origin = (*parent.origin, super_node.id)
    ways = filled.document.get("edge_configs") or []
    judged = {edge.get("source_node_logical_id") for edge in ways if Part(edge).condition.condition_freeform}
    try:
        nodes = [
            _inner_node(
                with_inherited_settings(node, config, rule, is_judged=node["logical_id"] in judged),
                renaming,
                origin,
            )
            for node in written
        ]
        edges = [rename_edge(edge, renaming) for edge in ways]
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
    """Return a super node's entry and exits, through nested super nodes.

    Args:
        super_node: The super node.
        level: Its inlined workflow.
        ports_by_id: Those of the super nodes inside it, which must be there already.
    """
    kinds = {str(node["logical_id"]): node for node in reversed(level.nodes)}
    models: list[str] = []
    terminals: list[str] = []
    main, ends = main_nodes(level.nodes, level.edges, level.start)
    for node_id in main:
        inner = ports_by_id.get(node_id)
        if inner is not None:
            models += inner.models
        elif kinds[node_id].get("type") in MODEL_NODES and _is_on(kinds[node_id]):
            models.append(node_id)
    for node_id in ends:
        terminals += ports_by_id[node_id].terminals if node_id in ports_by_id else [node_id]
    entry = ports_by_id[level.start].entry if level.start in ports_by_id else level.start
    return Ports(super_node, entry, terminals, models)


def _start_of(super_node: SuperNode, name: str, nodes: list[JsonObject]) -> str:
    """Return the id of the first enabled start node of a workflow.

    Raises:
        RunError: There is none.
    """
    starts = (node for node in nodes if _is_on(node) and Part(node).is_start)
    start = next(starts, None)
    if start is None:
        raise RunError(
            f"{super_node} stands for {name!r}, which has no start node.",
            advice="Set 'is_start' on one enabled node of that workflow.",
        )
    return str(start["logical_id"])


def _inner_node(node: JsonObject, renaming: Renaming, origin: tuple[str, ...]) -> JsonObject:
    """Return a copy of a node with its id and references renamed, and with the super nodes around it.

    A global one can be entered from inside the innermost of them alone.
    """
    node_id = renaming.id(str(node["logical_id"]))
    copy: JsonObject = {**renaming.value(node), "logical_id": node_id, ORIGIN: list(origin)}
    if _is_global(copy):
        copy["global_node_config"] = {**copy["global_node_config"], SCOPE: origin[-1]}
    return copy


# Edges into and out of super nodes, and the flags of their entries


def joined_edges(level: InlinedWorkflow, ports_by_id: dict[str, Ports]) -> Iterator[JsonObject]:
    """Yield the edges of one level, each from and to real nodes.

    An edge to a super node leads to the start inside it. A direct edge out of it leaves from every inner node
    where the inner workflow ends; a conditional one also from every inner node that calls a model, so that it
    can be taken before the end; a companion edge from the nodes that call a model. Each copy has an id of its
    own.

    Raises:
        RunError: An edge out of a super node is judged in a wait, or a companion edge leads to several nodes.
    """
    for edge in level.edges:
        source, destination = edge.get("source_node_logical_id"), edge.get("destination_node_logical_id")
        if destination in ports_by_id:
            _refuse_several_beside(edge, ports_by_id[destination])
        led = _led_in(edge, ports_by_id)
        if source not in ports_by_id:
            yield led
            continue
        _refuse_waiting(edge, ports_by_id[source])
        yield from _copies(led, source, ports_by_id[source])


def missing_exits(level: InlinedWorkflow, ports_by_id: dict[str, Ports]) -> Iterator[str]:
    """Yield a warning for each direct edge out of a super node inside which no node is an end."""
    for edge in level.edges:
        source = edge.get("source_node_logical_id")
        if source in ports_by_id and edge["type"] == "direct" and not ports_by_id[source].terminals:
            yield (
                f"The direct edge {edge['logical_id']!r} out of the super node {source!r} is never taken: no "
                "node of the workflow inside is its end."
            )


def _led_in(edge: JsonObject, ports_by_id: dict[str, Ports]) -> JsonObject:
    """Return an edge with the entry of a super node as destination, and inner ends as its triggers.

    It is the edge itself where it names no super node.
    """
    led, destination = edge, edge.get("destination_node_logical_id")
    if destination in ports_by_id:
        led = {**led, "destination_node_logical_id": ports_by_id[destination].entry}
    waiting = edge.get(WAITING)
    if isinstance(waiting, dict) and any(name in ports_by_id for name in waiting.get(TRIGGERS) or ()):
        led = {**led, WAITING: {**waiting, TRIGGERS: _trigger_ends(waiting[TRIGGERS], ports_by_id)}}
    return led


def _trigger_ends(triggers: list[str], ports_by_id: dict[str, Ports]) -> list[str]:
    """Return trigger nodes, each trigger once: a super node completes when a node at its end does."""
    found = list[str]()
    for name in dict.fromkeys(triggers):
        found += ports_by_id[name].terminals if name in ports_by_id else [name]
    return found


def _copies(edge: JsonObject, super_node_id: str, ports: Ports) -> Iterator[JsonObject]:
    """Yield a copy of an edge out of a super node from each inner node that it leaves, by its type.

    A direct edge leaves the ends, a conditional one also the nodes with a model, a companion edge only these.
    """
    by_type = {"direct": ports.terminals, "conditional": ports.exits, "companion": ports.models}
    for node_id in by_type[edge["type"]]:
        yield {
            **edge,
            "logical_id": f"{edge['logical_id']}@{node_id}",
            "source_node_logical_id": node_id,
            EXIT_ORIGIN: super_node_id,
        }


def _refuse_waiting(edge: JsonObject, ports: Ports) -> None:
    """Refuse an enabled edge out of a super node that would be evaluated during a wait.

    Raises:
        RunError: It is one.
    """
    if _is_on(edge) and Part(edge).evaluate_while_waiting_config.enabled:
        raise RunError(
            f"{ports.super_node} is left by the edge {edge['logical_id']!r}, which must not "
            f"have {WAITING!r} enabled.",
            advice="Put the edge into the workflow inside the super node.",
        )


def _refuse_several_beside(edge: JsonObject, ports: Ports) -> None:
    """Refuse an enabled companion edge to a super node that stands for several nodes.

    Raises:
        RunError: It is one.
    """
    if _is_on(edge) and edge["type"] == "companion" and ports.entry not in ports.terminals:
        raise RunError(
            f"{ports.super_node} stands for several nodes, and the companion edge {edge['logical_id']!r} "
            "that leads to it runs one node beside another.",
            advice="Lead it to one worker node, or fork a companion thread by a direct edge.",
        )


def _is_on(part: JsonObject) -> bool:
    return not Part(part).disabled


def move_entry_flags(ports: Ports, nodes: dict[str, JsonObject]) -> Iterator[str]:
    """Give a super node's entry the super node's own flags.

    It becomes the global or the guardrail node that the super node is; the way back from a global one goes
    to the inner nodes that ``reverse_edge_scope`` names.

    Args:
        ports: The super node, and where one comes into it and leaves it.
        nodes: The inner nodes by their id; changed in place.

    Yields:
        A warning for each flag that cannot be moved.

    Source: ``platform.md#super-nodes``, ``platform.md#global-nodes`` and ``platform.md#guardrails``.
    """
    super_node, entry = ports.super_node, nodes[ports.entry]
    flags = Part(super_node.wire)
    if flags.is_guardrail_node:
        entry["is_guardrail_node"] = True
    if flags.self_loop_config.enabled:
        yield f"{super_node}: its bounded retry is ignored; a workflow is not run again as a whole."
    if flags.global_node_config.is_global:
        if _is_global(entry):
            yield (
                f"{super_node} is global, and so is {entry['logical_id']!r}, the start inside it; the super "
                "node's condition is the one that counts."
            )
        entry[_SETTINGS] = {**flags.global_node_config.wire, _BACK: None, ENTRY: super_node.id}
        yield from _project_way_back(ports, nodes)


def _project_way_back(ports: Ports, nodes: dict[str, JsonObject]) -> Iterator[str]:
    """Add the way back of a global super node to the inner nodes of its scope; change these in place.

    Yields a warning where no inner node calls a model; nothing happens without a condition for it.
    """
    super_node = ports.super_node
    condition = super_node.wire[_SETTINGS].get(_BACK)
    if condition is None:
        return
    scope = ports.models
    if super_node.wire.get("reverse_edge_scope") == "terminal_nodes":
        terminals = set(ports.terminals)
        scope = [node_id for node_id in scope if node_id in terminals]
    back = {
        "super_node_logical_id": super_node.id,
        "entered_node_logical_id": ports.entry,
        "condition": condition,
    }
    for node_id in scope:
        nodes[node_id][REVERSE_EDGES] = [*nodes[node_id].get(REVERSE_EDGES, ()), back]
    if not scope:
        yield f"{super_node}: no inner node calls a model that could choose the reverse edge."
