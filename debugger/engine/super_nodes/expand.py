"""Replacement of super nodes by their workflows, for a run and for the picture."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from debugger.engine.super_nodes.interface import AppliedWorkflow, apply_values, read_interface_values
from debugger.engine.super_nodes.levels import (
    WAITING,
    InlinedWorkflow,
    Ports,
    inline,
    joined_edges,
    missing_exits,
    move_entry_flags,
    ports_of,
)
from debugger.engine.super_nodes.references import TRIGGERS, new_reference
from debugger.engine.super_nodes.settings import tools_of, with_tools
from debugger.engine.super_nodes.sources import (
    EMBEDDED,
    Expansion,
    InnerWorkflow,
    LoadWorkflow,
    Sources,
    SuperNode,
    is_expandable,
    refuse_recursion,
)
from debugger.errors import InputError, RunError
from debugger.expressions.limits import measure
from debugger.expressions.placeholders import may_have_placeholders
from debugger.graph.checks import describe_refusals, save_errors
from debugger.graph.checks.context import Refusal
from debugger.graph.graph import Graph
from debugger.graph.groups import Group
from debugger.graph.nesting import ENTRY
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow

MOST_LEVELS: Final = 100
"""How deep super nodes can be nested."""
MOST_NODES: Final = 20_000
"""How many nodes the joined workflows can have, the super nodes among them."""
MOST_EDGES: Final = 100_000
"""Edges of the expanded workflow, at most; one edge out of a super node can become many. The nodes that arm
an edge in a wait count as well."""
MAX_CHARACTERS: Final = 10_000_000
"""Texts and values of all joined workflows together; one stored workflow can occur thousands of times."""


def expand(workflow: Workflow, load_workflow: LoadWorkflow) -> Expansion:
    """Replace every enabled super node, nested ones included.

    An inner node gets the id of its super node, a slash and its own: ``booking/ask``, ``booking/pay/card``.
    What it refers to is rewritten, names stay, and what its workflow's settings gave it is written into it.
    A disabled super node stays, to be passed by like any disabled node.

    Args:
        workflow: What the author wrote; it is not changed.
        load_workflow: Gives a stored workflow by id and version, the active version for ``None``; called once
            for each.

    Raises:
        RunError: A super node names no workflow or one that cannot be had, its values do not fit its
            interface, super nodes lead back to where they came from, or the whole is too large. The message
            names the super node.

    Source: ``platform.md#super-nodes``, with its suggested rules; U-15.
    """
    if not any(node.type == "super_node" and not node.disabled for node in workflow.node_configs):
        return Expansion(workflow)
    return _Expander(workflow, load_workflow).expansion()


class _Expander:
    """The expansion of one workflow."""

    def __init__(self, workflow: Workflow, load_workflow: LoadWorkflow) -> None:
        """Find and inline the workflows of all super nodes, from the outside in.

        Raises:
            RunError: One cannot be found or inlined, or a limit is exceeded.
        """
        self._document: Final = workflow.to_wire()
        self._sources: Final = Sources(load_workflow)
        self._variables: Final = Variables()
        self._warnings: Final = list[str]()
        self._gates: Final[dict[str, Ports]] = {}
        outermost = InlinedWorkflow(
            workflow.name,
            self._document,
            list(self._document.get("node_configs") or ()),
            list(self._document.get("edge_configs") or ()),
        )
        self._node_count = 0
        self._room = MAX_CHARACTERS
        self._levels = self._found(outermost)

    def expansion(self) -> Expansion:
        """Return the workflow without super nodes, with the origins and warnings of what was inlined.

        The flags of super nodes move to the nodes by which they are entered. Call it once.

        Raises:
            RunError: An edge of a super node cannot be taken over, there are too many edges, or the whole
                cannot be read.
        """
        inner = {
            str(node["logical_id"]): node
            for level in reversed(self._levels[1:])
            for node in reversed(level.nodes)
            if not is_expandable(node)
        }
        # From the inside out: a gate is made of those within, and an outer super node's flags win.
        for level in reversed(self._levels[1:]):
            assert level.super_node is not None
            ports = ports_of(level.super_node, level, self._gates)
            self._gates[level.super_node.id] = ports
            self._warnings.extend(move_entry_flags(ports, inner))
        workflow = self._joined()
        contents = {}
        for level in self._levels[1:]:
            assert level.super_node is not None
            nodes = sorted(level.nodes, key=lambda node: node["logical_id"] != level.start)
            contents[level.super_node.id] = InnerWorkflow(
                level.super_node.label, level.origin[:-1], nodes, level.edges
            )
        return Expansion(
            workflow,
            origins={str(node["logical_id"]): level.origin for level, node in self._inner_nodes()},
            inner=contents,
            warnings=tuple(dict.fromkeys(self._warnings)),
            loaded=self._sources.loaded,
        )

    # From the outside in

    def _found(self, outermost: InlinedWorkflow) -> list[InlinedWorkflow]:
        """Return the outermost workflow and all inlined ones, an outer one before those inside it.

        Each is counted against the limits.

        Raises:
            RunError: One cannot be inlined, or a limit is exceeded.
        """
        levels, taken = [outermost], set[str]()
        self._count(outermost, taken)
        for level in levels:  # grows on the way
            for super_node in level.placeholders:
                inside = self._inside(super_node, level)
                self._count(inside, taken)
                levels.append(inside)
        return levels

    def _inside(self, super_node: SuperNode, level: InlinedWorkflow) -> InlinedWorkflow:
        """Return the workflow of a super node with its interface values applied, ready to be inlined.

        Its variables are added to the expansion's, and its warnings noted.

        Raises:
            RunError: It is nested too deep, contains itself, cannot be found or does not fit its values.
        """
        if len(level.origin) >= MOST_LEVELS:
            raise RunError(
                f"{super_node} is nested more than {MOST_LEVELS} super nodes deep.",
                advice="Take out levels of super nodes that only stand for another.",
            )
        workflow = self._sources.find(super_node)
        if not super_node.embedded:  # what is embedded has an end
            refuse_recursion(workflow, list(level.around))
        stored = workflow.to_wire()
        assignments, warnings = read_interface_values(super_node, stored)
        filled = self._variables.separated(super_node, apply_values(super_node, stored, assignments))
        self._warnings.extend(warnings)
        self._warnings.extend(_broken_rules(super_node, workflow))
        self._warnings.extend(self._variables.add(super_node, filled))
        if (filled.document.get("workflow_config") or {}).get("guardrail_strikes_config"):
            self._warnings.append(
                f"{super_node}: its workflow's 'guardrail_strikes_config' is not used; a run has one count."
            )
        return inline(super_node, level, workflow.name, stored, filled)

    def _count(self, level: InlinedWorkflow, taken: set[str]) -> None:
        """Count an inlined level's nodes and characters against the limits; add its node ids to ``taken``.

        Raises:
            RunError: A limit is exceeded, or an id is taken.
        """
        self._node_count += len(level.nodes)
        where = level.super_node or "The workflow"
        if self._node_count > MOST_NODES:
            raise RunError(
                f"{where} brings the expanded workflow to more than {MOST_NODES} nodes.",
                advice="Use fewer or smaller super nodes.",
            )
        own_parts = (value for node in level.nodes for key, value in node.items() if key != EMBEDDED)
        parts = [level.edges, *own_parts]
        self._room -= sum(measure(parts, self._room, self._room))
        if self._room < 0:
            raise RunError(
                f"{where} brings the expanded workflow to more than {MAX_CHARACTERS / 1e6:.0f} million "
                "characters.",
                advice="Use fewer super nodes, or shorten the texts of the workflows that they stand for.",
            )
        own = {str(node["logical_id"]) for node in level.nodes}
        clash = next(iter(own & taken), None)
        if clash is not None:
            raise RunError(
                f"{where} has an inner node that would be called {clash!r}, as a node is already.",
                advice="Rename that node so that its id does not begin like the super node's.",
            )
        taken |= own

    # Putting together

    def _joined(self) -> Workflow:
        """Return the expanded workflow: the author's settings, nodes and edges with the inner ones.

        Raises:
            RunError: There are too many edges, one cannot be taken over, or the whole cannot be read.
        """
        joined = self._variables.merge_into(self._document)
        config = self._document.get("workflow_config") or {}
        # The author's nodes get their workflow's tools, which no inner node gets.
        own = (with_tools(node, config) for node in self._levels[0].nodes if not is_expandable(node))
        joined["node_configs"] = [*own, *(node for _, node in self._inner_nodes())]
        joined["edge_configs"] = list(self._bounded(self._edges()))
        joined["workflow_config"] = self._settings(joined["workflow_config"])
        try:
            return Workflow.from_wire(joined)
        except InputError as error:
            raise RunError(f"The expanded workflow cannot be read: {error.message}") from error

    def _inner_nodes(self) -> Iterator[tuple[InlinedWorkflow, JsonObject]]:
        for level in self._levels[1:]:
            for node in level.nodes:
                if not is_expandable(node):
                    yield level, node

    def _edges(self) -> Iterator[JsonObject]:
        """Yield all edges, a node's own before those out of super nodes; add warnings of missing exits.

        Source: ``platform.md#edge-selection``, rank 4.

        Raises:
            RunError: An edge cannot be joined; while the edges are iterated, see `joined_edges`.
        """
        for level in reversed(self._levels):
            self._warnings.extend(missing_exits(level, self._gates))
            yield from joined_edges(level, self._gates)

    def _bounded(self, edges: Iterable[JsonObject]) -> Iterator[JsonObject]:
        """Yield edges up to ``MOST_EDGES``; the triggers of waiting edges count too.

        Raises:
            RunError: There are more.
        """
        number = 0
        for edge in edges:
            number += 1 + len((edge.get(WAITING) or {}).get(TRIGGERS) or ())
            if number > MOST_EDGES:
                raise RunError(
                    f"The super nodes bring the expanded workflow to more than {MOST_EDGES} edges.",
                    advice="Let fewer conditional edges leave super nodes with many nodes that call a model.",
                )
            yield edge

    def _settings(self, config: JsonObject | None) -> JsonObject | None:
        """Return the workflow's settings without its tools, the escalation leading into a super node.

        ``None`` stays ``None``.
        """
        if config is None:
            return None
        strikes = config.get("guardrail_strikes_config")
        if isinstance(strikes, dict) and strikes.get("escalation_node_logical_id") in self._gates:
            entry = self._gates[strikes["escalation_node_logical_id"]].entry
            config = {**config, "guardrail_strikes_config": {**strikes, "escalation_node_logical_id": entry}}
        return {**config, "tools_config": None} if tools_of(config) else config


def _broken_rules(super_node: SuperNode, workflow: Workflow) -> Iterator[str]:
    """Return warnings of the rules of saving that an inner workflow breaks.

    Those about the super nodes in it come with their values.
    """
    own = (problem for problem in save_errors(workflow) if problem.category != Refusal.SUPER_NODE)
    return (f"Inside {super_node.label!r}: {text}" for text in describe_refusals(own))


@dataclass
class Variables:
    """Values for variables where a run gives none.

    A value of a super node wins over the outer workflow's, that over an inner workflow's, and an outer inner
    workflow's over one inside it. Variables are the run's, so a name has one value everywhere; where two
    super nodes give a dynamic variable two values, the workflow of the second reads one of its own (U-69).
    """

    dynamic: JsonObject = field(default_factory=dict)
    """Defaults of inner workflows."""
    runtime: JsonObject = field(default_factory=dict)
    assigned_dynamic: JsonObject = field(default_factory=dict)
    """Values of super nodes."""
    assigned_runtime: JsonObject = field(default_factory=dict)

    def separated(self, super_node: SuperNode, filled: AppliedWorkflow) -> AppliedWorkflow:
        """Return an inner workflow with own variables in place of those that have another value.

        They are noted in its aliases. Nodes write no dynamic variables, so a reader inside finds under the
        new name what it found under the old one.
        """
        known, values, aliases = self.assigned_dynamic, JsonObject(), dict(filled.aliases)
        for name, value in filled.dynamic_variables.items():
            if name in known and known[name] != value:
                aliases[name] = new_reference(super_node.id, name, {*known, *filled.dynamic_variables})
                values[aliases[name].path] = value
            else:
                values[name] = value
        return replace(filled, dynamic_variables=values, aliases=aliases)

    def add(self, super_node: SuperNode, filled: AppliedWorkflow) -> Iterator[str]:
        """Add an inner workflow's variables, known values winning; yield a warning for each conflict.

        All are added only once the generator has been run to its end.
        """
        document = filled.document
        own = _default_variables(document)
        self.dynamic = {**(document.get("dynamic_variables") or {}), **own, **self.dynamic}
        self.runtime = {**(document.get("runtime_variables") or {}), **self.runtime}
        yield from _add_first(super_node, self.assigned_dynamic, filled.dynamic_variables)
        yield from _add_first(super_node, self.assigned_runtime, filled.runtime_variables)

    def merge_into(self, document: JsonObject) -> JsonObject:
        """Return a copy of the outer document with these variables merged.

        Inner defaults lose to the document's values; the super node's values replace them, the dynamic ones
        as defaults of the workflow's settings.
        """
        config = document.get("workflow_config") or {}
        if self.assigned_dynamic:
            defaults = {**_default_variables(document), **self.assigned_dynamic}
            miscellaneous = {**(config.get("miscellaneous") or {}), "default_dynamic_variables": defaults}
            config = {**config, "miscellaneous": miscellaneous}
        return {
            **document,
            "workflow_config": config or None,
            "dynamic_variables": {**self.dynamic, **(document.get("dynamic_variables") or {})},
            "runtime_variables": {
                **self.runtime,
                **(document.get("runtime_variables") or {}),
                **self.assigned_runtime,
            },
        }


def _default_variables(document: JsonObject) -> JsonObject:
    miscellaneous = (document.get("workflow_config") or {}).get("miscellaneous") or {}
    found = miscellaneous.get("default_dynamic_variables")
    return found if isinstance(found, dict) else {}


def _add_first(super_node: SuperNode, known: JsonObject, values: JsonObject) -> Iterator[str]:
    """Add values to ``known`` where it has none; yield warnings.

    There is one for a value with placeholders, which are not filled in, and one for a name that has another
    value.
    """
    for name, value in values.items():
        if isinstance(value, str) and may_have_placeholders(value):
            yield (
                f"{super_node}: the variable {name!r} gets the text {value!r}; a variable's value is not "
                "filled in again."
            )
        if name in known and known[name] != value:
            yield (
                f"{super_node} gives the variable {name!r} another value than a super node before it; a "
                "variable has one value in a run, and the first counts."
            )
        known.setdefault(name, value)


# The picture


class UnfoldedGraph(NamedTuple):
    """A graph in which opened super nodes are beside the nodes inside them."""

    graph: Graph
    groups: tuple[Group, ...]
    """The opened super nodes, an outer one before those inside it."""


def unfold(
    workflow: Workflow, expansion: Expansion, super_nodes: Container[str] | None = None
) -> UnfoldedGraph:
    """Return a workflow's graph with what is inside its opened super nodes.

    Nodes and edges have the ids by which events name them. Edges of a super node stay as written. Without an
    opened one it is the workflow's own graph, and there are no groups.

    Args:
        workflow: The workflow as its author wrote it.
        expansion: What is inside its super nodes.
        super_nodes: The ids of the opened ones; one inside another counts only if that is opened, too.
            ``None`` opens all.
    """
    document = workflow.to_wire()
    nodes, edges = list(document.get("node_configs") or ()), list(document.get("edge_configs") or ())
    groups: list[Group] = []
    for super_node_id, inner in expansion.inner.items():
        if super_nodes is None or all(each in super_nodes for each in (*inner.around, super_node_id)):
            nodes += map(_as_drawn, inner.nodes)
            edges += inner.edges
            members = tuple(str(node["logical_id"]) for node in inner.nodes)
            groups.append(Group(super_node_id, inner.label, members, "super_node"))
    if not groups:
        return UnfoldedGraph(Graph(workflow), ())
    unfolded = Workflow.from_wire({**document, "node_configs": nodes, "edge_configs": edges})
    return UnfoldedGraph(Graph(unfolded), tuple(groups))


def _as_drawn(node: JsonObject) -> JsonObject:
    """Return a node without the settings of the global super node around it."""
    settings = node.get("global_node_config")
    return {**node, "global_node_config": None} if isinstance(settings, dict) and ENTRY in settings else node
