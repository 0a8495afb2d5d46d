"""Runs that the changes between two versions of a workflow affect.

effects = change_effects(old, new)
passage = passage_of(coverage, turn_logs(run))     # of a run on the version of the coverage
[each.change for each in effects if each.affects(passage)]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from debugger.analysis.comparison.tables import WorkflowChange, workflow_changes
from debugger.analysis.coverage import Coverage
from debugger.analysis.node_origins import enclosing_ids
from debugger.graph.nesting import author_edge_id
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import EdgeConfig, NodeConfig, Workflow

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
    """Logical ids of the nodes that ran or that an edge led to, with the super nodes around them."""
    edges: frozenset[str]
    """Logical ids of the edges that were followed, those of the author's document."""


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

    A disabled node is passed without an event: where a run was led to a node that did not run, that node and
    the direct edge that leaves it count as passed.

    Args:
        coverage: The coverage of the version that ran.
        logs: The turns of the run, in order.
    """
    graph = coverage.graph
    edges = {author_edge_id(edge): edge for edge in graph.workflow.edge_configs}
    items = coverage.read_items(logs)
    ran = {item.id for item in items if item.kind == "node"}
    followed = {item.id for item in items if item.kind == "edge"}
    entered = [item.removeprefix("global:") for item in followed if item not in edges]
    followed.intersection_update(edges)
    entered += [end for each in followed for end in _ends(edges[each])]
    nodes = set(ran)
    while entered:
        node_id = entered.pop()
        leaving = None if node_id in nodes else graph.main_direct(node_id)
        nodes.add(node_id)
        if leaving is not None:
            followed.add(author_edge_id(leaving))
            entered += _ends(leaving)
    around = {outer for node_id in nodes for outer in enclosing_ids(node_id)}
    return Passage(frozenset(nodes | around), frozenset(followed))


def change_effects(old: Workflow, new: Workflow) -> list[ChangeEffect]:
    """Return the changes from one version to another, each with the runs that it affects; empty for none.

    - A changed or removed node affects the runs that passed it; a super node is passed by its inner nodes.
    - A changed or added edge affects the runs that passed its source, where its condition is evaluated. So
      does a removed edge whose condition a model judged, as the model is asked something else; any other
      removed edge affects the runs that followed it.
    - The settings of the workflow, a start node and the way into a global node affect every run.
    - An added node alone affects none, nor does what is disabled in both versions, nor `UNREAD_FIELDS`.

    Args:
        old: The version that has run, as its author wrote it.
        new: The other one.
    """
    comparison = _Versions(old, new)
    return [comparison.effect(change) for change in workflow_changes(old, new)]


class _Versions:
    """Both versions, with their nodes and edges by id."""

    def __init__(self, old: Workflow, new: Workflow) -> None:
        self._nodes = [{each.logical_id: each for each in one.node_configs} for one in (old, new)]
        self._edges = [{each.logical_id: each for each in one.edge_configs} for one in (old, new)]

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
        if _changes_entry(before, after, changed_fields(change)):
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
    """Return whether a change is about where runs start, or about a way from every node to this one."""
    if before is not None and after is not None:
        is_read = not changed.isdisjoint({"is_start", "global_node_config", "disabled"})
        entries = [each for each in (before, after) if each.is_start or each.is_global]
        return is_read and bool(entries)
    if after is not None:
        return after.is_global or after.is_start
    return before is not None and before.is_global and _is_judged_globally(before)


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
