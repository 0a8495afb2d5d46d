"""The comparison of two recorded runs, computed on demand."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from debugger.analysis.comparison.comparison import Comparison, Totals, compare
from debugger.analysis.comparison.divergence import describe_divergence
from debugger.analysis.comparison.path_overlay import PathOverlay, joint_workflow, overlay_paths
from debugger.analysis.comparison.tables import (
    ComparedVariable,
    MessagePair,
    WorkflowChange,
    message_pairs,
    variable_rows,
    workflow_changes,
)
from debugger.analysis.position import position
from debugger.graph.graph import Graph
from debugger.session.loading import RecordedRun


class RunComparison:
    """A comparison of two runs.

    Args:
        a: One run.
        b: The other.
        ignoring: What is passed over, by the names of `debugger.analysis.comparison.ignored`.
        shift: How many turns of A came before the first of B.
    """

    def __init__(self, a: RecordedRun, b: RecordedRun, ignoring: Collection[str], shift: int) -> None:
        self.a = a
        self.b = b
        self.ignoring = frozenset(ignoring)
        self.shift = shift

    @cached_property
    def comparison(self) -> Comparison:
        """The rows."""
        return compare(self.a.turns, self.b.turns, self.ignoring, shift=self.shift)

    @cached_property
    def names(self) -> dict[str, str]:
        """Return the labels of the nodes of both versions, by id."""
        nodes = (*self.b.workflow.node_configs, *self.a.workflow.node_configs)
        return {node.logical_id: node.label for node in nodes}

    @cached_property
    def sentence(self) -> str:
        """Return a sentence on where the runs diverge."""
        return describe_divergence(self.comparison, self.names)

    @cached_property
    def totals(self) -> tuple[Totals, Totals]:
        """Both in figures."""
        return Totals.of(self.a.run, self.a.turns), Totals.of(self.b.run, self.b.turns)

    @cached_property
    def graph(self) -> Graph:
        """The nodes and edges of both versions."""
        return Graph(joint_workflow(self.a.workflow, self.b.workflow))

    @cached_property
    def paths(self) -> PathOverlay:
        """Return the paths of both runs through the graph."""
        of_a, of_b = (position(one.turns, Graph(one.workflow), one.run.status) for one in (self.a, self.b))
        return overlay_paths(of_a, of_b, self.graph)

    @cached_property
    def lines(self) -> list[MessagePair]:
        """Return the messages of both runs, line by line."""
        return message_pairs(self.a.turns, self.b.turns, self.names, shift=self.shift)

    @cached_property
    def turns(self) -> list[int]:
        """The turns of both by the numbers of A, in order."""
        numbers = {turn.number for turn in self.a.turns} | {turn.number + self.shift for turn in self.b.turns}
        return sorted(numbers)

    def variables(self, turn: int, *, with_same: bool = False) -> list[ComparedVariable]:
        """Return the variables at the end of a turn of A."""
        of_a = [one for one in self.a.turns if one.number <= turn]
        of_b = [one for one in self.b.turns if one.number + self.shift <= turn]
        return variable_rows(of_a, of_b, self.ignoring, with_same=with_same)

    @cached_property
    def structure(self) -> list[WorkflowChange]:
        """Return the differences between the versions."""
        return workflow_changes(self.a.workflow, self.b.workflow, self.ignoring)
