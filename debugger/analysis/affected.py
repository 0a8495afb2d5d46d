"""Runs that the changes between two versions of a workflow affect.

effects = change_effects(old, new)
passage = passage_of(coverage, turn_logs(run))     # of a run on the version of the coverage
[each.change for each in effects if each.affects(passage)]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from debugger.analysis.comparison.tables import WorkflowChange, workflow_changes
from debugger.analysis.coverage import Coverage
from debugger.analysis.event_fields import node_of
from debugger.analysis.node_origins import enclosing_ids
from debugger.graph.nesting import author_edge_id
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import EdgeConfig, NodeConfig, Workflow, WorkflowConfig

Running = Callable[[Workflow], Workflow]
"""Returns a version as it runs, with its super nodes expanded."""

Scope = Literal["passing", "every", "none"]
"""``passing``: the runs that passed a part. ``every``: any run, as nobody knows which one the change reaches.
``none``: no recorded run could behave in another way."""

UNREAD_FIELDS = frozenset({"category", "created_at", "description", "note", "position", "updated_at"})
"""Fields of nodes, edges and settings that are shown to people, and that no execution reads."""

_STEM = re.compile(r"[^.\[]+")


@dataclass(frozen=True)
class Passage:
    """The parts that one run has passed."""

    nodes: frozenset[str]
    """Logical ids of the nodes that ran, that waited for the user or that an edge led to, with the super
    nodes around them."""
    edges: frozenset[str]
    """Logical ids of the edges that were followed, or whose condition held, in the author's document."""


@dataclass(frozen=True)
class ChangeEffect:
    """A change between two versions, and which runs of the old one it affects."""

    change: WorkflowChange
    scope: Scope
    nodes: frozenset[str] = frozenset()
    """Of ``passing``: a run that passed one of them is affected."""
    edges: frozenset[str] = frozenset()
    """Of ``passing``: a run that followed one of them is affected, too."""

    def affects(self, passage: Passage) -> bool:
        """Return whether a run that has passed these parts is affected."""
        if self.scope != "passing":
            return self.scope == "every"
        return not (self.nodes.isdisjoint(passage.nodes) and self.edges.isdisjoint(passage.edges))


def passage_of(coverage: Coverage, logs: Iterable[TurnLog]) -> Passage:
    """Return the nodes and edges that a run has passed; the coverage is not changed.

    A disabled node, or one of a type that the engine does not know, is passed without an event of its own:
    where a run was led to a node that did not run, that node and the direct edge that leaves it count as
    passed.

    Args:
        coverage: The coverage of the version that ran.
        logs: The turns of the run, in order.
    """
    graph = coverage.graph
    edges = {author_edge_id(edge): edge for edge in graph.workflow.edge_configs}
    named: set[str] = set()
    nodes: set[str] = set()
    items = coverage.read_items(_noting_nodes(logs, named, nodes))
    nodes.update(item.id for item in items if item.kind == "node")
    held = {item.id for item in items if item.kind == "true"}
    followed = {item.id for item in items if item.kind == "edge"}
    entered = [*named, *(item.removeprefix("global:") for item in followed if item not in edges)]
    followed.intersection_update(edges)
    entered += [end for each in followed for end in _ends(edges[each])]
    while entered:
        node_id = entered.pop()
        leaving = None if node_id in nodes else graph.main_direct(node_id)
        nodes.add(node_id)
        if leaving is not None:
            followed.add(author_edge_id(leaving))
            entered += _ends(leaving)
    around = {outer for node_id in nodes for outer in enclosing_ids(node_id)}
    return Passage(frozenset(nodes | around), frozenset(followed | (held & edges.keys())))


def _noting_nodes(logs: Iterable[TurnLog], named: set[str], waiting: set[str]) -> Iterator[TurnLog]:
    """Yield the turns; add the nodes that their events name to one set, those that wait to another.

    A node that waits for the user need not have run.
    """
    for log in logs:
        for event in log.events:
            node_id = node_of(event)
            if node_id:
                named.add(node_id)
                if event.type == "busy_wait_for_user_message":
                    waiting.add(node_id)
        yield log


def change_effects(old: Workflow, new: Workflow, running: Running) -> list[ChangeEffect]:
    """Return the changes from one version to another, each with the runs that it affects; empty for none.

    - A changed or removed node affects the runs that passed it; a super node is passed by its inner nodes.
    - A changed or added edge affects the runs that passed its source, where its condition is evaluated. So
      does a removed edge whose condition a model judged, as the model is asked something else; any other
      removed edge affects the runs that followed it, or in which its condition held.
    - The settings of the workflow, a start node, the way into a global node, and whether a node is a
      guardrail affect every run. So do the variables that super nodes give the run, and a changed super node
      that cannot be expanded.
    - An added node alone affects none, nor does what is disabled in both versions, nor `UNREAD_FIELDS`.

    Args:
        old: The version that has run, as its author wrote it.
        new: The other one.
        running: Returns a version with its super nodes expanded; as it is where they cannot be.
    """
    old_run, new_run = running(old), running(new)
    comparison = _Versions(old, new, (old_run, new_run))
    effects = [comparison.effect(change) for change in workflow_changes(old, new)]
    if not any(each.change.part == "settings" and each.scope == "every" for each in effects):
        inherited = workflow_changes(_variables_of(old_run), _variables_of(new_run))
        effects += [ChangeEffect(change, "every") for change in inherited]
    return effects


def _variables_of(workflow: Workflow) -> Workflow:
    """Return the variables that a workflow gives its runs, and nothing else of it."""
    defaults = {"default_dynamic_variables": workflow.config.default_dynamic_variables}
    return Workflow(
        workflow_config=WorkflowConfig(miscellaneous=defaults),
        dynamic_variables=workflow.dynamic_variables,
        runtime_variables=workflow.runtime_variables,
    )


class _Versions:
    """Both versions, with their nodes and edges by id."""

    def __init__(self, old: Workflow, new: Workflow, as_run: tuple[Workflow, Workflow]) -> None:
        self._nodes = [{each.logical_id: each for each in one.node_configs} for one in (old, new)]
        self._edges = [{each.logical_id: each for each in one.edge_configs} for one in (old, new)]
        nodes = (node for one in as_run for node in one.node_configs if not node.disabled)
        self._not_expanded = {each.logical_id for each in nodes if each.type == "super_node"}

    def effect(self, change: WorkflowChange) -> ChangeEffect:
        """Return a change with the runs that it affects."""
        if change.fields and changed_fields(change) <= UNREAD_FIELDS:
            return ChangeEffect(change, "none")
        if change.part == "settings":
            return ChangeEffect(change, "every")
        if change.part == "node":
            return self._of_node(change)
        return self._of_edge(change)

    def _of_node(self, change: WorkflowChange) -> ChangeEffect:
        before, after = (nodes.get(change.id) for nodes in self._nodes)
        found = [each for each in (before, after) if each is not None and not each.disabled]
        if not found:
            return ChangeEffect(change, "none")
        if change.id in self._not_expanded or _changes_entry(before, after, changed_fields(change)):
            return ChangeEffect(change, "every")
        if before is None:
            return ChangeEffect(change, "none")
        return ChangeEffect(change, "passing", frozenset({change.id}))

    def _of_edge(self, change: WorkflowChange) -> ChangeEffect:
        before, after = (edges.get(change.id) for edges in self._edges)
        found = [each for each in (before, after) if each is not None and not each.disabled]
        if not found:
            return ChangeEffect(change, "none")
        if after is None and not _is_judged(found[0]):
            return ChangeEffect(change, "passing", edges=frozenset({author_edge_id(found[0])}))
        sources = frozenset(each.source_node_logical_id or "" for each in found)
        return ChangeEffect(change, "passing", sources)


def changed_fields(change: WorkflowChange) -> frozenset[str]:
    """Return the names of the fields that changed: ``main_response_config``, ``default_dynamic_variables``.

    Of settings they are those of the workflow's configuration and of its ``miscellaneous``. Empty of what was
    added or removed.
    """
    return frozenset(map(field_name, (each.path for each in change.fields)))


def field_name(path: str) -> str:
    """Return the field that the path of a difference is in."""
    names = _STEM.findall(path)
    while len(names) > 1 and names[0] in ("workflow_config", "miscellaneous"):
        del names[0]
    return names[0] if names else ""


def _changes_entry(before: NodeConfig | None, after: NodeConfig | None, changed: frozenset[str]) -> bool:
    """Return whether a change is about where runs start, about a way from every node, or about a guardrail.

    A guardrail node counts, and may be refused, where runs come to it, and these do not pass it then.
    """
    if before is not None and after is not None:
        special = [
            each for each in (before, after) if each.is_start or each.is_global or each.is_guardrail_node
        ]
        entry = {"is_start", "global_node_config", "is_guardrail_node", "disabled"}
        return bool(special) and not changed.isdisjoint(entry)
    if after is not None:
        return after.is_global or after.is_start
    if before is None:
        return False
    return before.is_guardrail_node or (before.is_global and _is_judged_globally(before))


def _is_judged_globally(node: NodeConfig) -> bool:
    settings = node.global_node_config
    return settings is None or settings.condition is None or not settings.condition.condition_expression


def _is_judged(edge: EdgeConfig) -> bool:
    """Return whether a model judges the condition of an edge."""
    return edge.type == "conditional" and not (edge.condition and edge.condition.condition_expression)


def _ends(edge: EdgeConfig) -> Iterator[str]:
    for end in (edge.source_node_logical_id, edge.destination_node_logical_id):
        if end:
            yield end
